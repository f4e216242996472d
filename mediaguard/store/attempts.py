"""How often somebody may try to sign in.

After a few failures in a row there is a pause, and a longer one after each further failure, but
never a long one: nobody can lock somebody else out for good. An attempt counts from its
beginning, so that many at the same time are no way around it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mediaguard.store.database import Database, insert_new
from mediaguard.store.keys import Keyring
from mediaguard.store.tables import SignInAttemptRow

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=15)
FORGOTTEN = timedelta(hours=1)
"""After so long without an attempt."""

ACCOUNT, ADDRESS = 5, 30
"""So many failures are free. A school has one address, and many who mistype."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something by which attempts are counted.

    Attributes:
        kind: of what.
        what: which.
        free: so many failures make no pause.
    """

    kind: str
    what: str
    free: int


class Attempts:
    """Counts failures, whichever process they come to.

    Args:
        database: where.
        keyring: of the home.
        now: the clock.
    """

    def __init__(self, database: Database, keyring: Keyring, now: Callable[[], datetime]) -> None:
        self._database = database
        self._keyring = keyring
        self._now = now

    def begin(self, limits: Sequence[Limit]) -> timedelta | None:
        """Count an attempt as failed, until it is known to be none; or say how long to wait."""
        now = self._now()
        pause = self._pause(limits, now)
        if pause is not None:  # whoever has to wait leaves no row behind
            return pause
        self._sweep(now)
        with self._database.write() as session:
            rows = [self._row(session, limit, now) for limit in limits]
            waits = [row.blocked_until - now for row in rows if row.blocked_until]
            longest = max(waits, default=timedelta())
            if longest > timedelta():
                return longest
            for limit, row in zip(limits, rows, strict=True):
                row.failures += 1
                row.last_at = now
                if row.failures >= limit.free:
                    pause = FIRST_PAUSE * 2 ** min(row.failures - limit.free, 10)
                    row.blocked_until = now + min(pause, LONGEST_PAUSE)
        return None

    def succeeded(self, limits: Sequence[Limit]) -> None:
        """It was no failure: the account starts anew, and the address has one less."""
        with self._database.write() as session:
            for limit in limits:
                row = session.get(SignInAttemptRow, self._key(limit), with_for_update=True)
                if row is None:
                    continue
                row.failures = row.failures - 1 if limit.free == ADDRESS else 0
                row.blocked_until = None

    def _pause(self, limits: Sequence[Limit], now: datetime) -> timedelta | None:
        keys = [self._key(limit) for limit in limits]
        longest = select(func.max(SignInAttemptRow.blocked_until))
        with self._database.read() as session:
            until = session.scalar(longest.where(SignInAttemptRow.key.in_(keys)))
        return until - now if until is not None and until > now else None

    def _sweep(self, now: datetime) -> None:
        """In a transaction of its own: nobody waits for these rows who holds others."""
        old = SignInAttemptRow.last_at < now - FORGOTTEN
        with self._database.write() as session:
            session.execute(delete(SignInAttemptRow).where(old))

    def _row(self, session: Session, limit: Limit, now: datetime) -> SignInAttemptRow:
        key = self._key(limit)
        insert_new(session, SignInAttemptRow, key=key, failures=0, last_at=now)
        query = select(SignInAttemptRow).where(SignInAttemptRow.key == key).with_for_update()
        row = session.scalars(query).one()
        if row.last_at < now - FORGOTTEN:
            row.failures, row.blocked_until = 0, None
        return row

    def _key(self, limit: Limit) -> str:
        return self._keyring.digest("sign-in-attempt", f"{limit.kind}\0{limit.what}")
