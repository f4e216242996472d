"""The records of one channel, as the pipeline sees them; every method is one transaction."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import Decision
from mediaguard.core.media import ItemReport
from mediaguard.core.review import Mark
from mediaguard.store.audit import Audit
from mediaguard.store.database import Database
from mediaguard.store.items import VISIBLE, Items, Publications
from mediaguard.store.keys import Keyring
from mediaguard.store.ledger import Ledger
from mediaguard.store.marks import Marks, as_mark

_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What consent has to say to count on a channel.

    Attributes:
        channel, purpose: for what it was given.
        zone: the school's time zone.
        accepted_wordings: versions of the wording that count; None if all do.
    """

    channel: str
    purpose: str
    zone: tzinfo
    accepted_wordings: frozenset[str] | None


class ChannelBook:
    """Reads consent and records items and publications of one channel.

    Args:
        database: where.
        keyring: makes ids that say nothing about the file.
        rules: which consent counts.
        now: the clock.
        actor: who acts, for the audit log.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        rules: ChannelRules,
        *,
        now: Callable[[], datetime],
        actor: str,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._rules = rules
        self._now = now
        self._actor = actor

    def item_id(self, sha256: str) -> str:
        """The id of the item with this content: the same content, the same item."""
        return self._keyring.digest("item", f"{self._rules.channel}\0{sha256}")[:_ID_LENGTH]

    def marks(self, item_id: str) -> Sequence[Mark]:
        """What people said about the item's faces, oldest first."""
        with self._database.read() as session:
            return [as_mark(row) for row in Marks(session).list(item_id)]

    def rulings(self, subjects: Collection[str]) -> Mapping[str, Ruling]:
        """Who of `subjects` is allowed on this channel now."""
        if not subjects:
            return {}
        with self._database.read() as session:
            return self._rulings(session, subjects, lock=False)

    def admit(self, item_id: str, kind: str) -> None:
        """Record that the item exists, a photo or a video; the same twice is one record."""
        with self._database.write() as session:
            Items(session).admit(
                item_id,
                channel=self._rules.channel,
                source_digest=item_id,
                at=self._now(),
                kind=kind,
            )

    def conclude(self, item_id: str, report: ItemReport) -> None:
        """Record that the item is held or blocked, and why."""
        state = {"block": "blocked", "hold": "held"}[report.outcome.value]
        with self._database.write() as session:
            self._record(session, item_id, report, state=state)
            self._audit(session, f"item-{state}", item_id, {"reason": report.reason})

    def intend(self, item_id: str, report: ItemReport, decision: Decision, sha256: str) -> bool:
        """Read consent again and, if it still carries `decision`, record the intent to publish.

        Both in one transaction that excludes a withdrawal: one that commits before it makes
        this False, one that commits after it finds the publication.
        """
        subjects = decision.kept_subjects
        with self._database.write() as session:
            rulings = self._rulings(session, subjects, lock=True)
            if not all(s in rulings and rulings[s].allowed for s in subjects):
                return False
            self._record(session, item_id, report, state="received", sha256=sha256)
            publication_id = uuid.uuid4().hex
            Publications(session).intend(
                publication_id,
                item_id=item_id,
                channel=self._rules.channel,
                rendition_sha256=sha256,
                subjects=subjects,
                consent_events=decision.consent_events,
                at=self._now(),
            )
            self._audit(
                session,
                "publication-intended",
                item_id,
                {
                    "publication": publication_id,
                    "rendition_sha256": sha256,
                    "consent_events": list(decision.consent_events),
                },
            )
        return True

    def confirm(self, item_id: str, location: str) -> None:
        """Record that the newest intended rendition is live, in place of earlier ones."""
        with self._database.write() as session:
            publications = Publications(session)
            *earlier, newest = publications.list(item_id=item_id, states=VISIBLE)
            for publication in earlier:
                publications.mark_removed(publication.id, at=self._now())
            publications.confirm(newest.id, at=self._now(), urls=[location])
            Items(session).get(item_id).state = "released"
            self._audit(session, "publication-live", item_id, {"publication": newest.id})

    def is_published(self, item_id: str) -> bool:
        """Whether a publication of the item is intended or live."""
        with self._database.read() as session:
            return bool(Publications(session).list(item_id=item_id, states=VISIBLE))

    def retract(self, item_id: str) -> None:
        """Record that the item's publications were removed."""
        with self._database.write() as session:
            publications = Publications(session)
            for publication in publications.list(item_id=item_id, states=VISIBLE):
                publications.mark_removed(publication.id, at=self._now())
                self._audit(
                    session, "publication-removed", item_id, {"publication": publication.id}
                )

    def _rulings(
        self, session: Session, subjects: Collection[str], *, lock: bool
    ) -> dict[str, Ruling]:
        return Ledger(session).rulings(
            sorted(subjects),
            channel=self._rules.channel,
            purpose=self._rules.purpose,
            now=self._now(),
            zone=self._rules.zone,
            accepted_wordings=self._rules.accepted_wordings,
            lock=lock,
        )

    def _record(
        self,
        session: Session,
        item_id: str,
        report: ItemReport,
        *,
        state: str,
        sha256: str | None = None,
    ) -> None:
        Items(session).record_outcome(
            item_id,
            state=state,
            at=self._now(),
            outcome=report.outcome.value,
            reason=report.reason,
            reason_params={key: _plain(value) for key, value in report.params.items()},
            report=report.as_json(),
            rendition_sha256=sha256,
            verified=report.verified,
        )

    def _audit(
        self, session: Session, action: str, item_id: str, data: Mapping[str, object]
    ) -> None:
        Audit(session, self._keyring).append(
            action, at=self._now(), actor=self._actor, item_id=item_id, data=data
        )


def _plain(value: object) -> str:
    """A parameter as text; what has a code is stored by it."""
    if isinstance(value, tuple):
        return ", ".join(_plain(part) for part in value)
    return str(getattr(value, "code", value))
