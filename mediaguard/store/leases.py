"""Who has an item in hand: one process at a time, and never one that died.

A lease is prolonged for as long as its holder lives, and lapses within seconds when it is killed.
Its number (the item's `attempts`) is a fencing token: a holder that was stopped for so long that
another one took over is refused by the records when it goes on
(M. Kleppmann, "How to do distributed locking", 2016).
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from mediaguard.errors import StoreError
from mediaguard.store.database import Database
from mediaguard.store.tables import ItemRow

LEASE = timedelta(seconds=20)
"""So long after its holder's death an item is free again."""

BEAT = 5.0
"""Seconds after which a lease is prolonged."""

log = logging.getLogger(__name__)


class Leases:
    """Takes items in hand.

    Args:
        database: where.
        now: the clock; those of several machines may differ by a few seconds.
    """

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    @contextmanager
    def held(self, item_id: str) -> Iterator[int]:
        """Have the item in hand, and give the token that proves it.

        Raises:
            StoreError: somebody else has it ("item-busy"), or there is no such item.
        """
        token = self._claim(item_id)
        stop = threading.Event()
        beat = threading.Thread(target=self._beat, args=(item_id, token, stop), daemon=True)
        beat.start()
        try:
            yield token
        finally:
            stop.set()
            beat.join()
            with suppress(StoreError):  # then it lapses by itself
                self._prolong(item_id, token, None)

    def _claim(self, item_id: str) -> int:
        now = self._now()
        with self._database.write() as session:
            token: int | None = session.scalar(
                update(ItemRow)
                .where(ItemRow.id == item_id, in_no_hand(now))
                .values(attempts=ItemRow.attempts + 1, lease_until=now + LEASE, hinted_at=None)
                .returning(ItemRow.attempts)
            )
        if token is None:
            raise StoreError("item-busy", item=item_id)
        return token

    def _beat(self, item_id: str, token: int, stop: threading.Event) -> None:
        while not stop.wait(BEAT):
            try:
                self._prolong(item_id, token, self._now() + LEASE)
            except StoreError as error:
                log.warning("a lease could not be prolonged: %s", error.code)

    def _prolong(self, item_id: str, token: int, until: datetime | None) -> None:
        with self._database.write() as session:
            session.execute(
                update(ItemRow)
                .where(ItemRow.id == item_id, ItemRow.attempts == token)
                .values(lease_until=until)
            )


def in_no_hand(now: datetime) -> ColumnElement[bool]:
    """Whether nobody has an item in hand.

    A lease that ends later than any that is given now was given by a clock that was ahead.
    """
    until = ItemRow.lease_until
    return or_(until.is_(None), until < now, until > now + 2 * LEASE)


def holds(session: Session, item_id: str, token: int | None) -> bool:
    """Whether this is the newest token; the item cannot change hands until the transaction ends.

    The lock leaves the item's key alone: a withdrawal may refer to it meanwhile.
    """
    newest = session.scalar(
        select(ItemRow.attempts).where(ItemRow.id == item_id).with_for_update(key_share=True)
    )
    return newest == token


def require_held(session: Session, item_id: str, token: int) -> None:
    """Refuse a holder that lost its lease to another.

    Raises:
        StoreError: somebody else took the item over ("item-lost").
    """
    if not holds(session, item_id, token):
        raise StoreError("item-lost", item=item_id)
