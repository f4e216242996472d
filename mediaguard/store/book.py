"""The records of one channel, as the pipeline sees them; every method is one transaction."""

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from sqlalchemy.orm import Session

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import REJECTED, Decision
from mediaguard.core.faces import Face
from mediaguard.core.media import ItemReport
from mediaguard.core.publication import Intent, Published
from mediaguard.core.reported import earlier_faces, stored
from mediaguard.core.review import Mark
from mediaguard.errors import MediaguardError
from mediaguard.store.audit import Audit
from mediaguard.store.backoff import next_attempt
from mediaguard.store.database import Database
from mediaguard.store.items import VISIBLE, Items, Publications
from mediaguard.store.keys import Keyring
from mediaguard.store.leases import Leases, holds, require_held
from mediaguard.store.ledger import Ledger
from mediaguard.store.marks import Marks, as_mark
from mediaguard.store.tables import ItemRow, PublicationRow
from mediaguard.store.takedowns import Takedowns

_ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What consent has to say to count on a channel, and what happens when it ends.

    Attributes:
        channel, purpose: for what it was given.
        zone: the school's time zone.
        accepted_wordings: versions of the wording that count; None if all do.
        takedown: ``"remove"``, or ``"replace"`` by a rendition without the subject.
    """

    channel: str
    purpose: str
    zone: tzinfo
    accepted_wordings: frozenset[str] | None
    takedown: str = "remove"

    def rulings(
        self,
        session: Session,
        subjects: Collection[str] | None,
        *,
        now: datetime,
        lock: bool = False,
    ) -> dict[str, Ruling]:
        """Who of these (None: of everybody known) may be shown on the channel; see `Ledger`."""
        return Ledger(session).rulings(
            None if subjects is None else sorted(subjects),
            channel=self.channel,
            purpose=self.purpose,
            now=now,
            zone=self.zone,
            accepted_wordings=self.accepted_wordings,
            lock=lock,
        )


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
        self._leases = Leases(database, now)
        self._tokens: dict[str, int] = {}

    @property
    def channel(self) -> str:
        """Whose records these are."""
        return self._rules.channel

    def item_id(self, sha256: str) -> str:
        """The id of the item with this content: the same content, the same item."""
        return self._id_on(self._rules.channel, sha256)

    def _id_on(self, channel: str, sha256: str) -> str:
        return self._keyring.digest("item", f"{channel}\0{sha256}")[:_ID_LENGTH]

    def marks(self, item_id: str) -> Sequence[Mark]:
        """What people said about the item's faces, oldest first."""
        with self._database.read() as session:
            return [as_mark(row) for row in Marks(session).list(item_id)]

    def earlier(self, sha256: str) -> Sequence[Face]:
        """The faces that were given a name when this content was looked at, for any channel."""
        with self._database.read() as session:
            ids = [self._id_on(name, sha256) for name in Items(session).channels()]
            items = [Items(session).find(item_id) for item_id in ids]
            return [face for item in items if item for face in earlier_faces(item.report)]

    def rulings(self, subjects: Collection[str]) -> Mapping[str, Ruling]:
        """Who of `subjects` is allowed on this channel now."""
        if not subjects:
            return {}
        with self._database.read() as session:
            return self._rules.rulings(session, subjects, now=self._now())

    # -- the item ---------------------------------------------------------------------------

    def admit(self, item_id: str, kind: str) -> None:
        """Record that the item exists, a photo or a video; the same twice is one record."""
        with self._database.write() as session:
            item = Items(session).admit(
                item_id,
                channel=self._rules.channel,
                source_digest=item_id,
                at=self._now(),
                kind=kind,
            )
            if item.brought_by is None:
                item.brought_by = self._actor

    def is_approved(self, item_id: str) -> bool:
        """Whether a person looked at the item and wants it to go out."""
        with self._database.read() as session:
            item = Items(session).find(item_id)
            return item is not None and item.approved

    def groups(self, item_id: str) -> Sequence[str]:
        """In which groups subjects are looked for in the item; empty for everybody."""
        with self._database.read() as session:
            item = Items(session).find(item_id)
            return item.groups if item else ()

    def named(self, item_id: str) -> Sequence[str]:
        """The subjects whose names stand in the item's texts."""
        with self._database.read() as session:
            item = Items(session).find(item_id)
            return item.named if item else ()

    @contextmanager
    def held(self, item_id: str) -> Iterator[None]:
        """Have the item in hand; what is recorded of it meanwhile is refused if that was lost.

        May be nested.

        Raises:
            StoreError: another process has it in hand.
        """
        if item_id in self._tokens:
            yield
            return
        with self._leases.held(item_id) as token:
            self._tokens[item_id] = token
            try:
                yield
            finally:
                del self._tokens[item_id]

    def begin(
        self,
        item_id: str,
        named: Collection[str] | None = None,
        groups: Collection[str] | None = None,
    ) -> None:
        """Record that the item, whose original is kept now, is to be handled to its end.

        If need be by a worker, should this process die.

        Args:
            item_id: in hand, so that nobody is deciding on it as it was on record before.
            named: the subjects whose names stand in its texts; None if it came without texts:
                then what is on record stays. While something of the item may be public, whoever
                was named with it and may be is kept: the text that went out then names them.
            groups: in which subjects are looked for, empty for all; None leaves it as it is. An
                item that was looked at before keeps those that it had: whoever brings the same
                file again takes it away from nobody.
        """
        with self._held(item_id) as session:
            item = Items(session).get(item_id)
            item.next_attempt_at = self._now()
            if named is not None:
                item.named = sorted(set(named) | self._named_in_public(session, item))
            if groups is not None:
                self._extend(session, item, groups)

    def _extend(self, session: Session, item: ItemRow, groups: Collection[str]) -> None:
        """Have subjects of further groups looked for in the item."""
        before = item.groups if item.report is not None else None
        after = [] if before == [] or not groups else sorted({*groups, *(before or ())})
        item.groups = after
        if before not in (None, after):
            self._audit(session, "item-groups", item.id, {"groups": after})

    def _named_in_public(self, session: Session, item: ItemRow) -> set[str]:
        """Those whom an earlier text names and who may be named; all others have been asked for."""
        if not item.named or not Publications(session).list(item_id=item.id, states=VISIBLE):
            return set()
        rulings = self._rules.rulings(session, item.named, now=self._now())
        return {name for name in item.named if rulings[name].allowed}

    def is_rejected(self, item_id: str) -> bool:
        """Whether a person decided that the item may not go out, and nobody took that back."""
        with self._database.read() as session:
            item = Items(session).find(item_id)
            return item is not None and _is_rejected(item)

    def stays_rejected(self, item_id: str) -> bool:
        """Whether it is rejected; then record that nothing is to be done with it any more.

        Its report stays as it was when they looked at it.
        """
        with self._held(item_id) as session:
            item = Items(session).get(item_id)
            if not _is_rejected(item):
                return False
            item.next_attempt_at = None
            self._retire(session, item_id, REJECTED)
            return True

    def lay_aside(self, item_id: str) -> None:
        """Record that nobody is to go on with the item by itself: somebody broke it off.

        Unless a publication was begun: what became of it has to be found out.
        """
        with self._held(item_id) as session:
            if not Publications(session).list(item_id=item_id, states=["intended"]):
                Items(session).get(item_id).next_attempt_at = None

    def conclude(self, item_id: str, report: ItemReport) -> None:
        """Record that the item is held or blocked, and why; what is public of it has to go."""
        state = {"block": "blocked", "hold": "held"}[report.outcome.value]
        with self._held(item_id) as session:
            self._record(session, item_id, report, state=state)
            item = Items(session).get(item_id)
            item.next_attempt_at, item.failures = None, 0
            self._retire(session, item_id, f"item-{state}")
            self._audit(session, f"item-{state}", item_id, {"reason": report.reason})

    def postpone(self, item_id: str, report: ItemReport, retry_after: float | None) -> None:
        """Record that the channel failed, and when the item is tried again.

        What may be public of it stays on record as it is.
        """
        with self._held(item_id) as session:
            self._record(session, item_id, report, state="received")
            self._again(session, item_id, retry_after)
            self._audit(session, "item-postponed", item_id, {"reason": report.reason})

    def put_off(self, item_id: str, error: MediaguardError) -> None:
        """Record that nothing could be done with the item now; it is tried again later."""
        with self._held(item_id) as session:
            self._again(session, item_id, None)
            self._audit(session, "item-postponed", item_id, {"reason": error.code})

    def wait(self, item_id: str) -> None:
        """Record that nobody had time for the item; not a failure."""
        with self._held(item_id) as session:
            Items(session).get(item_id).next_attempt_at = next_attempt(self._now(), 1)

    def _again(self, session: Session, item_id: str, retry_after: float | None) -> None:
        item = Items(session).get(item_id)
        item.failures += 1
        item.next_attempt_at = next_attempt(self._now(), item.failures, retry_after)

    def retire(self, item_id: str, reason: str) -> bool:
        """Ask for everything of the item that may be public; whether there was anything."""
        with self._database.write() as session:
            return self._retire(session, item_id, reason)

    # -- publications -----------------------------------------------------------------------

    def doubtful(self, item_id: str) -> Sequence[Published]:
        """Publications of the item that were begun and never confirmed, or may have made way."""
        with self._database.read() as session:
            rows = Publications(session).list(item_id=item_id, states=["intended"])
            return [as_published(row) for row in rows]

    def intend(
        self, item_id: str, report: ItemReport, decision: Decision, sha256: str
    ) -> Intent | None:
        """Read consent again and, if it still carries `decision`, record the intent to publish.

        Both in one transaction that excludes a withdrawal: one that commits before it makes
        this None, one that commits after it finds the publication.
        """
        with self._held(item_id) as session:
            # Whoever is named is recognisable, as whoever can be seen.
            subjects = decision.kept_subjects | set(Items(session).get(item_id).named)
            # Those who only look like somebody are named in the records too: all locks at once.
            rulings = self._rules.rulings(
                session, {*subjects, *decision.likenesses}, now=self._now(), lock=True
            )
            if not all(s in rulings and rulings[s].allowed for s in subjects):
                return None
            self._record(session, item_id, report, state="received", sha256=sha256)
            same, others = self._present(session, item_id, sha256, subjects)
            # A doubtful one that was known to be live makes way like all others.
            earlier = tuple(as_published(row) for row in others if row.confirmed_at is not None)
            for row in others:
                if row.confirmed_at is None:
                    Takedowns(session).plan_for(row, reason="superseded", at=self._now())
            if same is not None and same.state == "live" and not earlier:
                self._finish(session, item_id)
                return Intent(same.id, live=as_published(same))
            key = self._intend(session, item_id, decision, sha256, same, subjects)
            Items(session).get(item_id).next_attempt_at = self._now()  # should this process die
        return Intent(key, earlier)

    def _present(
        self, session: Session, item_id: str, sha256: str, subjects: Collection[str]
    ) -> tuple[PublicationRow | None, list[PublicationRow]]:
        """The publication of this very rendition, if it may stay, and all others of the item."""
        publications, same = Publications(session), None
        rows = publications.list(item_id=item_id, states=VISIBLE)
        for row in rows:
            if (
                row.rendition_sha256 == sha256
                and set(publications.subjects(row.id)) == set(subjects)
                and not Takedowns(session).list(publication_id=row.id)
            ):
                same = row
        return same, [row for row in rows if row is not same]

    def _intend(
        self,
        session: Session,
        item_id: str,
        decision: Decision,
        sha256: str,
        same: PublicationRow | None,
        subjects: Collection[str],
    ) -> str:
        if same is not None:  # begun before: with its key the channel can tell what it has
            same.intended_at = self._now()
            return same.id
        key = uuid.uuid4().hex
        Publications(session).intend(
            key,
            item_id=item_id,
            channel=self._rules.channel,
            rendition_sha256=sha256,
            subjects=subjects,
            likenesses=decision.likenesses,
            consent_events=decision.consent_events,
            at=self._now(),
        )
        self._audit(
            session,
            "publication-intended",
            item_id,
            {
                "publication": key,
                "rendition_sha256": sha256,
                "consent_events": list(decision.consent_events),
            },
        )
        return key

    def found(self, published: Published) -> None:
        """Record that a publication took effect whose confirmation was lost.

        What was live before it may have made way for it: that is looked for before it counts as
        live again.
        """
        with self._held(published.item_id) as session:
            others = Publications(session).list(item_id=published.item_id, states=["live"])
            others = [row for row in others if row.id != published.key]
            if any(as_published(row) == replace(published, key=row.id) for row in others):
                return  # a channel that knows no keys showed another one of the same content
            live = self._go_live(session, published)
            # It may have been to replace those that were there when it was begun.
            before = {row.id for row in others if row.intended_at <= live.intended_at}
            self._doubt(session, published.item_id, before)
            self._audit_live(session, live)

    def lost(self, published: Published) -> None:
        """Record that a publication is not to be found any more; begun anew, it keeps its key."""
        with self._held(published.item_id) as session:
            self._doubt(session, published.item_id, {published.key})

    def confirm(self, item_id: str, published: Published, replaced: Collection[str]) -> None:
        """Record where a rendition is live, and what made way for it.

        Whoever lost the item meanwhile may still say so: it is a fact. Then what the item should
        show is decided anew, and whoever has it in hand must not go on with what it knows.

        Args:
            item_id: of which item.
            published: where it is live.
            replaced: keys of the earlier ones that the channel took away.
        """
        with self._database.write() as session:
            current = holds(session, item_id, self._tokens.get(item_id))
            live = self._go_live(session, published)
            if current:
                self._supersede(session, item_id, published.key, replaced)
                self._finish(session, item_id)
            else:
                self._doubt(session, item_id, replaced)
                item = Items(session).get(item_id)
                item.attempts += 1  # a token that nobody holds
                item.lease_until = None
                if item.state == "rejected":
                    Takedowns(session).plan_for(live, reason="rejected", at=self._now())
                else:
                    item.next_attempt_at = self._now()
            self._audit_live(session, live)

    def _supersede(
        self, session: Session, item_id: str, key: str, replaced: Collection[str]
    ) -> None:
        """What else is public of the item has to go, or is gone and to be confirmed gone."""
        for row in Publications(session).list(item_id=item_id, states=VISIBLE):
            if row.id == key:
                continue
            Takedowns(session).plan_for(
                row, reason="superseded", at=self._now(), removed=row.id in replaced
            )

    def _doubt(self, session: Session, item_id: str, keys: Collection[str]) -> None:
        """Some that were to stay may have made way for another one, and nobody was told.

        They do not count as live any more until somebody looked: that is the item's to do.
        """
        for row in Publications(session).list(item_id=item_id, states=["live"]):
            if row.id in keys and not Takedowns(session).list(publication_id=row.id):
                row.state = "intended"
                Items(session).get(item_id).next_attempt_at = self._now()

    def _go_live(self, session: Session, published: Published) -> PublicationRow:
        publications, takedowns = Publications(session), Takedowns(session)
        row = publications.get(published.key)
        if row.state == "live" and row.remote_id and row.remote_id == published.remote_id:
            # The same thing; some channels name other addresses at each look.
            row.urls = [*dict.fromkeys([*row.urls, *published.urls])]
            takedowns.reopen(row.id, at=self._now())
            return row
        if row.state == "live" and as_published(row) != published:
            # Two processes published it, one of them after it had lost the item.
            surplus = publications.copy(row, uuid.uuid4().hex, published, at=self._now())
            takedowns.plan_alike(row.id, surplus.id, at=self._now())
            takedowns.plan_for(surplus, reason="superseded", at=self._now())
            return surplus
        publications.confirm(
            row.id, at=self._now(), urls=published.urls, remote_id=published.remote_id
        )
        takedowns.reopen(row.id, at=self._now())
        return row

    def _audit_live(self, session: Session, row: PublicationRow) -> None:
        data = {"publication": row.id, "urls": list(row.urls)}
        self._audit(session, "publication-live", row.item_id, data)

    def _finish(self, session: Session, item_id: str) -> None:
        item = Items(session).get(item_id)
        item.state, item.next_attempt_at, item.failures = "released", None, 0

    def _retire(self, session: Session, item_id: str, reason: str) -> bool:
        rows = Publications(session).list(item_id=item_id, states=VISIBLE)
        for row in rows:
            Takedowns(session).plan_for(row, reason=reason, at=self._now())
        return bool(rows)

    # -- inside -----------------------------------------------------------------------------

    @contextmanager
    def _held(self, item_id: str) -> Iterator[Session]:
        """A transaction about an item that is in hand."""
        with self._database.write() as session:
            require_held(session, item_id, self._tokens[item_id])
            yield session

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
            report=stored(report),
            rendition_sha256=sha256,
            verified=report.verified,
        )

    def _audit(
        self,
        session: Session,
        action: str,
        item_id: str,
        data: Mapping[str, object],
        subject_id: str | None = None,
    ) -> None:
        Audit(session, self._keyring).append(
            action,
            at=self._now(),
            actor=self._actor,
            subject_id=subject_id,
            item_id=item_id,
            data=data,
        )


def _is_rejected(item: ItemRow) -> bool:
    return item.state == "rejected" and not item.approved


def as_published(row: PublicationRow) -> Published:
    """A publication as a channel sees it."""
    return Published(
        row.id, row.item_id, row.remote_id or "", tuple(row.urls), row.rendition_sha256
    )


def _plain(value: object) -> str:
    """A parameter as text; what has a code is stored by it."""
    if isinstance(value, tuple):
        return ", ".join(_plain(part) for part in value)
    return str(getattr(value, "code", value))
