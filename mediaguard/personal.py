"""Personal links: by which a guardian, or a pupil from 16 on, sees and changes what was agreed to.

A link is signed: with the master key its address can be computed from its record, without the
key neither the record nor another link helps. See docs/decisions/0014.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta

from sqlalchemy.orm import Session

from mediaguard.app import App
from mediaguard.core.consent import ConsentEvent, Signatory, Subject, rightful_signatory
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from mediaguard.store.ledger import MAX_TEXT, Ledger
from mediaguard.store.links import ID_BYTES, Links
from mediaguard.store.tables import PersonalLinkRow

PATH = "/my/"

STAYS_DAYS = 30
"""Whoever has a link that works so much longer keeps it when links are made for many."""

AT_ONCE = 100
"""So many links are recorded in one transaction."""

_SIGNATURE_BYTES = 32


@dataclass(frozen=True, slots=True)
class Link:
    """A link with the address that is handed out."""

    row: PersonalLinkRow
    address: str


class PersonalLinks:
    """Makes, recognises and revokes the links of a home.

    Args:
        app: the home, in the hands of whoever does it.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    # -- handing out ------------------------------------------------------------------------

    def make(
        self,
        subject_id: str,
        signatory: Signatory,
        signatory_id: str | None = None,
        days: int | None = None,
    ) -> Link:
        """Make a link.

        Args:
            subject_id: whose answers it shows.
            signatory: as whom its holder answers.
            signatory_id: which guardian, by the pseudonym in the ledger.
            days: how long it works; None for what is configured.

        Raises:
            InputError: the subject is not known, or it is not for this signatory to decide.
        """
        with self._app.database.write() as session:
            subject = Ledger(session).known_subject(subject_id)
            if rightful_signatory(subject, self._today) is not signatory:
                raise InputError(f"link-not-{signatory}", subject=subject_id)
            row = self._add(session, subject_id, signatory, signatory_id, days)
        return self._link(row)

    def make_for(self, group: str | None = None, days: int | None = None) -> list[Link]:
        """A link for everybody who decides now, of a group or the whole school, by subject.

        Several guardians whom the ledger tells apart get one each. Who has a link that works for
        a while yet keeps it.

        Raises:
            InputError: nobody is in the group: a typing mistake, most likely.
        """
        with self._app.database.read() as session:
            subjects = Ledger(session).subjects(group)
            if not subjects and group is not None:
                raise InputError("group-unknown", group=group)
            stays = self._app.now() + timedelta(days=STAYS_DAYS)
            there = {
                (row.subject_id, row.signatory, row.signatory_id): row
                for row in Links(session).list()
                if row.revoked_at is None and row.expires_at > stays
            }
            guardians = _guardians(Ledger(session).events())
        wanted = [
            (subject.subject_id, *who)
            for subject in subjects
            for who in self._deciders(subject, guardians.get(subject.subject_id, ()))
        ]
        missing = [who for who in wanted if who not in there]
        for start in range(
            0, len(missing), AT_ONCE
        ):  # whoever withdraws meanwhile never waits long
            with self._app.database.write() as session:
                for who in missing[start : start + AT_ONCE]:
                    there[who] = self._add(session, *who, days)
        with self._app.database.write() as session:
            Audit(session, self._app.keyring).append(
                "links-exported",
                at=self._app.now(),
                actor=self._app.actor,
                data={"group": group, "links": len(wanted)},
            )
        return [self._link(there[who]) for who in wanted]

    def revoke(self, link_id: str, subject_id: str | None = None) -> PersonalLinkRow:
        """From now on the link does not work.

        Args:
            link_id: which.
            subject_id: whose it must be, if that is known.

        Raises:
            InputError: there is no such link.
        """
        with self._app.database.write() as session:
            row = Links(session).get(link_id)
            if subject_id not in (None, row.subject_id):
                raise InputError("no-link", link=link_id)
            if row.revoked_at is None:
                row.revoked_at = self._app.now()
                session.flush()
                self._audit(session, "link-revoked", row)
        return row

    def of(self, subject_id: str | None = None) -> Sequence[PersonalLinkRow]:
        """The links of a subject, or all, the newest first.

        Raises:
            InputError: the subject is not known.
        """
        with self._app.database.read() as session:
            if subject_id is not None:
                Ledger(session).known_subject(subject_id)
            return Links(session).list(subject_id)

    def subject(self, subject_id: str) -> Subject:
        """The subject.

        Raises:
            InputError: nobody knows this pseudonym.
        """
        with self._app.database.read() as session:
            return Ledger(session).known_subject(subject_id)

    def decider(self, subject_id: str) -> Signatory:
        """Who answers for a subject today.

        Raises:
            InputError: nobody knows this pseudonym.
        """
        return rightful_signatory(self.subject(subject_id), self._today)

    def state(self, row: PersonalLinkRow) -> str:
        """``"works"``, ``"expired"`` or ``"revoked"``."""
        if row.revoked_at is not None:
            return "revoked"
        return "works" if self._app.now() < row.expires_at else "expired"

    # -- using ------------------------------------------------------------------------------

    def find(self, token: str) -> PersonalLinkRow | None:
        """The link whose address ends with this token, if it works."""
        link_id = _id_in(token)
        if link_id is None:
            return None
        with self._app.database.read() as session:
            row = Links(session).find(link_id)
        if row is None or not hmac.compare_digest(self.token(row).encode(), token.encode()):
            return None
        return row if self.state(row) == "works" else None

    def opened(self, row: PersonalLinkRow) -> None:
        """Note that the link was opened, once a day."""
        last = row.last_used_at
        if last and last.astimezone(self._app.config.zone).date() == self._today:
            return
        with self._app.database.write() as session:
            Links(session).get(row.id).last_used_at = self._app.now()
            session.flush()
            self._audit(session, "link-opened", row)

    def token(self, row: PersonalLinkRow) -> str:
        """What the address ends with: the id, signed together with all that the link allows."""
        signed = [
            row.id,
            row.subject_id,
            row.signatory,
            row.signatory_id,
            row.expires_at.astimezone(UTC).isoformat(timespec="microseconds"),
        ]
        signature = self._app.keyring.digest("personal-link", json.dumps(signed))
        return _encoded(bytes.fromhex(row.id) + bytes.fromhex(signature))

    def form_token(self, row: PersonalLinkRow) -> str:
        """Proves that a form was made for this link."""
        return self._app.keyring.digest("personal-form", row.id)

    # -- inside -----------------------------------------------------------------------------

    @property
    def _today(self) -> date:
        return self._app.now().astimezone(self._app.config.zone).date()

    def _deciders(
        self, subject: Subject, guardians: Sequence[str | None]
    ) -> list[tuple[Signatory, str | None]]:
        if rightful_signatory(subject, self._today) is Signatory.SUBJECT:
            return [(Signatory.SUBJECT, None)]
        return [(Signatory.GUARDIAN, guardian) for guardian in guardians or (None,)]

    def _add(
        self,
        session: Session,
        subject_id: str,
        signatory: Signatory,
        signatory_id: str | None,
        days: int | None,
    ) -> PersonalLinkRow:
        if signatory_id is not None and not _is_plain(signatory_id):
            raise InputError("text-unusable", field="signatory id", limit=MAX_TEXT)
        now = self._app.now()
        if days is None:
            days = self._app.config.web.personal_link_days
        row = Links(session).add(
            subject_id,
            signatory=signatory.value,
            signatory_id=signatory_id,
            at=now,
            actor=self._app.actor,
            until=now + timedelta(days=days),
        )
        session.flush()
        self._audit(session, "link-made", row)
        return row

    def _link(self, row: PersonalLinkRow) -> Link:
        return Link(row, f"{self._app.origin}{PATH}{self.token(row)}")

    def _audit(self, session: Session, action: str, row: PersonalLinkRow) -> None:
        Audit(session, self._app.keyring).append(
            action,
            at=self._app.now(),
            actor=self._app.actor,
            subject_id=row.subject_id,
            data={
                "link": row.id,
                "signatory": row.signatory,
                "signatory_id": row.signatory_id,
                "until": row.expires_at.isoformat(),
            },
        )


def _guardians(events: Sequence[ConsentEvent]) -> dict[str, list[str | None]]:
    """The guardians that each subject's answers name."""
    found: dict[str, dict[str | None, None]] = {}
    for event in events:
        if event.signatory == Signatory.GUARDIAN:
            found.setdefault(event.subject_id, {})[event.signatory_id] = None
    return {subject_id: [*guardians] for subject_id, guardians in found.items()}


def _is_plain(value: str) -> bool:
    return bool(value.strip()) and len(value) <= MAX_TEXT and value.isprintable()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _id_in(token: str) -> str | None:
    try:
        content = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return content[:ID_BYTES].hex() if len(content) == ID_BYTES + _SIGNATURE_BYTES else None
