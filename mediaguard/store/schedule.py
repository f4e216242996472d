"""Which items have something to do now: the sweep that makes up for every hint that was lost."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from mediaguard.store.database import Database
from mediaguard.store.leases import LEASE, in_no_hand
from mediaguard.store.tables import ItemRow, TakedownRow
from mediaguard.store.takedowns import OPEN

LOST_AFTER = LEASE
"""A hint that nobody followed for so long was lost, or its worker is gone: it is given again.

As with a lease: whatever a worker that is killed was about to do waits no longer than that. One
that lives and is late finds nothing to do then.
"""

BACKLOG = 8
"""So many hints are on their way at most: they only wake workers, who then `take` what is due."""

Hint = Callable[[Session, str], None]


class Schedule:
    """Finds what is due.

    Args:
        database: where.
        now: the clock.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def sweep(self, hint: Hint) -> int:
        """Give hints for items that are due, in one transaction; returns how many."""
        with self._database.read() as session:  # most sweeps find nothing: no lock for that
            room = self._room(session)
            if room <= 0 or not self._due(session, room):
                return 0
        with self._database.write() as session:
            due = self._mark(session, room)
            for item_id in due:
                hint(session, item_id)
        return len(due)

    def look(self) -> None:
        """Do nothing but ask the database.

        Raises:
            StoreError: it is away.
        """
        with self._database.read() as session:
            session.execute(select(1))

    def take(self, most: int) -> Sequence[str]:
        """Some of the items that are due; whoever takes them handles them at once."""
        with self._database.write() as session:
            return self._mark(session, most)

    def set_right(self) -> int:
        """Have what was asked for in the future done now: the clock was ahead, and is no more.

        The ledger keeps when the answer was recorded. Returns how many takedowns that were.
        """
        now = self._now()
        ahead = and_(TakedownRow.state.in_(OPEN), TakedownRow.requested_at > now)
        with self._database.read() as session:  # it hardly ever happens: no lock for that
            if session.scalar(select(TakedownRow.id).where(ahead).limit(1)) is None:
                return 0
        with self._database.write() as session:
            # One statement: what somebody confirms in this moment has no next attempt any more.
            found = session.execute(
                update(TakedownRow)
                .where(ahead)
                .values(requested_at=now, next_attempt_at=now)
                .returning(TakedownRow.id)
            )
            return len(found.all())

    def is_due(self, item_id: str) -> bool:
        """Whether the item itself is to be handled, not only something of it taken down."""
        with self._database.read() as session:
            row = session.get_one(ItemRow, item_id)
            return row.next_attempt_at is not None and row.next_attempt_at <= self._now()

    def channel_of(self, item_id: str) -> str:
        """Where the item was to go."""
        with self._database.read() as session:
            return session.get_one(ItemRow, item_id).channel

    def _room(self, session: Session) -> int:
        now = self._now()
        query = select(func.count()).where(ItemRow.hinted_at > now - LOST_AFTER)
        return BACKLOG - (session.scalar(query.where(ItemRow.hinted_at <= now)) or 0)

    def _mark(self, session: Session, most: int) -> Sequence[str]:
        due = self._due(session, most)
        if due:
            session.execute(
                update(ItemRow).where(ItemRow.id.in_(due)).values(hinted_at=self._now())
            )
        return due

    def _due(self, session: Session, most: int) -> Sequence[str]:
        now = self._now()
        free = and_(
            in_no_hand(now),
            or_(
                ItemRow.hinted_at.is_(None),
                ItemRow.hinted_at <= now - LOST_AFTER,
                ItemRow.hinted_at > now,  # the clock was ahead then
            ),
        )
        # What has to come down goes before what is to go out. Two workers look past what the
        # other has before it (SQLite lets one at a time look anyway).
        rows = session.execute(_takedowns(free, now).limit(most))
        found = {item_id: None for (item_id,) in rows}
        if len(found) < most:
            items = (
                select(ItemRow.id)
                .where(ItemRow.next_attempt_at <= now, free)
                .order_by(ItemRow.next_attempt_at)
                .limit(most - len(found))
                .with_for_update(skip_locked=True, key_share=True)
            )
            found |= {item_id: None for (item_id,) in session.execute(items)}
        return [*found]


def _takedowns(free: ColumnElement[bool], now: datetime) -> Select[str]:
    return (
        select(TakedownRow.item_id)
        .join(ItemRow, ItemRow.id == TakedownRow.item_id)
        # One that is done has no next attempt: its state need not be asked, and the index serves.
        .where(TakedownRow.next_attempt_at <= now, free)
        .order_by(TakedownRow.next_attempt_at)
        .with_for_update(of=ItemRow, skip_locked=True, key_share=True)
    )
