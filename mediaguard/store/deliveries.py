"""What other systems asked for, each request once; and what they are to be told."""

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CompoundSelect, delete, exists, or_, select, union, update
from sqlalchemy.orm import Session

from mediaguard.store.backoff import next_attempt
from mediaguard.store.database import Database, insert_new
from mediaguard.store.tables import (
    CallbackRow,
    ItemRow,
    PublicationRow,
    SubmissionRow,
    WebhookDeliveryRow,
)

KEPT = timedelta(days=30)
"""So long a request that comes again gets the answer that it got."""

CLAIM = timedelta(seconds=30)
"""So long after the death of whoever works on a request another may; prolonged meanwhile."""

TELL_FOR = timedelta(days=3)
"""So long a system that does not answer is told again."""

SENDING = timedelta(minutes=3)
"""Nobody else sends a callback meanwhile; longer than a call can take."""

OVERLAP = timedelta(minutes=30)
"""A look for news goes back so long before the one before it: clocks differ a little, and what is
recorded with a time is seen a moment later. In a large archive a look at everything is slow."""

DECIDED, PUBLISHED, REMOVED = "media.decided", "media.published", "media.removed"


class Claim(StrEnum):
    """How a request stands."""

    MINE = "mine"
    BUSY = "busy"
    DONE = "done"
    OTHER = "other"
    """The id was used for something else."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it stands.

    Attributes:
        claim: whether the caller is to do it now.
        status, answer: if it is done; if it is the caller's, `answer` has what was done before
            an earlier try broke off.
        item_id: which item it brought.
    """

    claim: Claim
    status: int = 0
    answer: Mapping[str, Any] | None = None
    item_id: str | None = None


class Deliveries:
    """The requests, by sender and id; every method is one transaction.

    Args:
        database: where.
        now: the clock.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def claim(self, sender: str, webhook_id: str, digest: str) -> Delivery:
        """Take a request in hand, unless it is done, or somebody else has it."""
        now = self._now()
        with self._database.write() as session:
            key = {"sender": sender, "webhook_id": webhook_id}
            claim = {"digest": digest, "claimed_until": now + CLAIM, "at": now}
            if insert_new(session, WebhookDeliveryRow, **key, **claim):
                return Delivery(Claim.MINE)
            row = session.get(WebhookDeliveryRow, (sender, webhook_id), with_for_update=True)
            if row is None:  # given up just now
                return Delivery(Claim.BUSY)
            if row.digest != digest:
                return Delivery(Claim.OTHER)
            if row.status is not None:
                return Delivery(Claim.DONE, row.status, row.answer, row.item_id)
            if row.claimed_until is not None and row.claimed_until > now:
                return Delivery(Claim.BUSY)
            row.claimed_until = now + CLAIM
            return Delivery(Claim.MINE, answer=row.answer)

    def prolong(self, sender: str, webhook_id: str) -> None:
        """Say that somebody still works on it."""
        self._update(sender, webhook_id, claimed_until=self._now() + CLAIM)

    def progress(self, sender: str, webhook_id: str, answer: Mapping[str, Any]) -> None:
        """Record what is done already, for whoever takes up the rest."""
        self._update(sender, webhook_id, answer=dict(answer), claimed_until=self._now() + CLAIM)

    def settle(
        self,
        sender: str,
        webhook_id: str,
        status: int,
        answer: Mapping[str, Any],
        *,
        item_id: str | None = None,
        tell: bool = False,
    ) -> None:
        """Record the answer; with `tell` also that the sender is to be told what becomes of it."""
        now = self._now()
        with self._database.write() as session:
            row = session.get_one(WebhookDeliveryRow, (sender, webhook_id))
            row.status, row.answer, row.item_id = status, dict(answer), item_id
            row.claimed_until = None
            if tell and item_id:
                insert_new(session, SubmissionRow, sender=sender, item_id=item_id, at=now)

    def give_up(self, sender: str, webhook_id: str) -> None:
        """It failed: what was done stays on record, and the same request may come again."""
        with self._database.write() as session:
            row = session.get(WebhookDeliveryRow, (sender, webhook_id))
            if row is None or row.status is not None:
                return
            if row.answer is None:
                session.delete(row)
            else:
                row.claimed_until = None

    def sweep(self) -> None:
        """Forget old requests."""
        with self._database.write() as session:
            session.execute(
                delete(WebhookDeliveryRow).where(WebhookDeliveryRow.at < self._now() - KEPT)
            )

    def _update(self, sender: str, webhook_id: str, **values: object) -> None:
        with self._database.write() as session:
            session.execute(
                update(WebhookDeliveryRow)
                .where(
                    WebhookDeliveryRow.sender == sender,
                    WebhookDeliveryRow.webhook_id == webhook_id,
                    WebhookDeliveryRow.status.is_(None),
                )
                .values(**values)
            )


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened to an item, to be told.

    Attributes:
        sender: whom.
        type: `DECIDED`, `PUBLISHED` or `REMOVED`.
        about: what; told once.
        item: which item.
        publication: which one was published or removed.
    """

    sender: str
    type: str
    about: str
    item: ItemRow
    publication: PublicationRow | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """Something to be told now.

    Attributes:
        id: the same at each try.
        payload: what is told.
        failures: how often in a row it did not succeed.
    """

    id: str
    payload: Mapping[str, Any]
    failures: int


class Outbox:
    """What systems are to be told.

    News is found by comparing the records with what was told already: whoever changes an item
    need not know that anybody listens, and nothing is lost if this looks late. The first look is
    at everything.

    Args:
        database: where.
        now: the clock.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._looked_at: datetime | None = None

    def collect(
        self,
        senders: Collection[str],
        word: Callable[[News], Mapping[str, Any]],
        *,
        everything: bool = False,
    ) -> int:
        """Put down what there is to tell, each in the words of `word`; returns how much.

        With `everything` also what the look before should have found.
        """
        now, since = self._now(), None
        if self._looked_at is not None and not everything:
            since = self._looked_at - OVERLAP
        with self._database.read() as session:  # most looks find nothing: no lock for that
            found = bool(_news(session, senders, since))
        count = self._put_down(senders, word, since) if found else 0
        self._looked_at = now
        return count

    def _put_down(
        self,
        senders: Collection[str],
        word: Callable[[News], Mapping[str, Any]],
        since: datetime | None,
    ) -> int:
        with self._database.write() as session:
            count = 0
            for one in _news(session, senders, since):
                count += insert_new(  # another server may see the same news
                    session,
                    CallbackRow,
                    id=f"msg_{uuid.uuid4().hex}",
                    sender=one.sender,
                    type=one.type,
                    about=one.about,
                    item_id=one.item.id,
                    payload=dict(word(one)),
                    created_at=self._now(),
                    next_attempt_at=self._now(),
                    failures=0,
                )
                if one.type == DECIDED:
                    row = session.get_one(SubmissionRow, (one.sender, one.item.id))
                    row.told_at = one.item.updated_at
        return count

    def take(self, sender: str) -> Callback | None:
        """The longest waiting of what is due for a sender; nobody else gets it for a while."""
        now = self._now()
        due = (
            select(CallbackRow)
            .where(CallbackRow.sender == sender, CallbackRow.next_attempt_at <= now)
            .order_by(CallbackRow.next_attempt_at, CallbackRow.created_at)
            .limit(1)
        )
        with self._database.read() as session:
            if session.scalar(due) is None:
                return None
        with self._database.write() as session:
            row = session.scalar(due.with_for_update(skip_locked=True))
            if row is None:
                return None
            row.next_attempt_at = now + SENDING
            return Callback(row.id, row.payload or {}, row.failures)

    def told(self, callback_id: str) -> None:
        """It was taken; what was told is not kept."""
        with self._database.write() as session:
            row = session.get_one(CallbackRow, callback_id)
            row.done_at, row.next_attempt_at = self._now(), None
            row.payload = row.problem = None

    def failed(
        self, callback_id: str, problem: str, retry_after: float | None, *, later: bool = True
    ) -> None:
        """It was not; it is tried again for three days, unless `later` is no use."""
        now = self._now()
        with self._database.write() as session:
            row = session.get_one(CallbackRow, callback_id)
            row.failures += 1
            row.problem = problem
            row.next_attempt_at = next_attempt(now, row.failures, retry_after)
            if not later or row.next_attempt_at > row.created_at + TELL_FOR:
                row.next_attempt_at, row.payload = None, None


def _news(session: Session, senders: Collection[str], since: datetime | None) -> Sequence[News]:
    asked = [SubmissionRow.sender.in_(senders)]
    if since is not None:
        asked.append(SubmissionRow.item_id.in_(_touched(since)))
    decided = (
        select(SubmissionRow.sender, ItemRow)
        .join(ItemRow, ItemRow.id == SubmissionRow.item_id)
        .where(
            *asked,
            ItemRow.state != "received",
            ItemRow.next_attempt_at.is_(None),
            or_(SubmissionRow.told_at.is_(None), SubmissionRow.told_at < ItemRow.updated_at),
        )
        .order_by(ItemRow.updated_at)
    )
    found = [
        News(sender, DECIDED, f"{item.id} {item.updated_at.isoformat()}", item)
        for sender, item in session.execute(decided)
    ]
    for kind, state in ((PUBLISHED, "live"), (REMOVED, "removed")):
        told = exists().where(
            CallbackRow.sender == SubmissionRow.sender,
            CallbackRow.type == kind,
            CallbackRow.about == PublicationRow.id,
        )
        changed = (
            select(SubmissionRow.sender, ItemRow, PublicationRow)
            .join(ItemRow, ItemRow.id == SubmissionRow.item_id)
            .join(PublicationRow, PublicationRow.item_id == SubmissionRow.item_id)
            .where(
                *asked,
                PublicationRow.state == state,
                PublicationRow.confirmed_at.is_not(None),
                ~told,
            )
            .order_by(PublicationRow.confirmed_at)
        )
        found += [
            News(sender, kind, publication.id, item, publication)
            for sender, item, publication in session.execute(changed)
        ]
    return found


def _touched(since: datetime) -> CompoundSelect[str]:
    """Items of which something may be news: it is new, or somebody new sent it."""
    return union(
        select(ItemRow.id).where(ItemRow.updated_at > since),
        select(SubmissionRow.item_id).where(SubmissionRow.at > since),
        select(PublicationRow.item_id).where(PublicationRow.confirmed_at > since),
        select(PublicationRow.item_id).where(PublicationRow.removed_at > since),
    )
