"""Who is signed in. Only digests of the tokens are stored: whoever reads them is not signed in."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mediaguard.store.database import Database
from mediaguard.store.keys import Keyring
from mediaguard.store.tables import UserRow, UserSessionRow
from mediaguard.store.users import User, as_user

TOUCH = timedelta(minutes=1)
"""That somebody is still there is written down no more often."""

ENTERING = timedelta(minutes=15)
"""So long somebody has to finish signing in."""

_TOKEN_BYTES = 32
_PURPOSE, _FORMS = "session", "session-forms"


class Step(StrEnum):
    """What is still to do before somebody is signed in."""

    CODE = "code"
    PASSWORD = "password"  # noqa: S105 - a step, and no password
    SET_UP = "set-up"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts.

    Attributes:
        idle: without a request.
        longest: in any case.
    """

    idle: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class UserSession:
    """A session.

    Attributes:
        digest: of its token; by it a session can be named.
        user: whose.
        created_at, seen_at: when.
        second_factor: it was given.
        password_due: a password has to be chosen.
        browser: roughly which.
        pending: a secret for the second factor that is not confirmed yet; encrypted.
    """

    digest: str
    user: User
    created_at: datetime
    seen_at: datetime
    second_factor: bool
    password_due: bool
    browser: str
    pending: bytes | None

    @property
    def step(self) -> Step | None:
        """What is to be done next; None for somebody who is signed in."""
        return next_step(self.user, self.second_factor, self.password_due)


def next_step(user: User, second_factor: bool, password_due: bool) -> Step | None:
    """What is left to do before somebody is signed in."""
    if user.has_second_factor and not second_factor:
        return Step.CODE
    if password_due:
        return Step.PASSWORD
    if user.needs_second_factor and not second_factor:
        return Step.SET_UP
    return None


class Sessions:
    """The sessions of a home.

    Args:
        database: where.
        keyring: of the home.
        now: the clock.
        limits: how long they last.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        now: Callable[[], datetime],
        limits: Limits,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._now = now
        self._limits = limits

    def digest(self, token: str) -> str:
        """By which a session is stored."""
        return self._keyring.digest(_PURPOSE, token)

    def form_token(self, token: str) -> str:
        """What forms of a session carry, so that no other site can send them."""
        return self._keyring.digest(_FORMS, token)

    def find(self, token: str, *, active: bool = True) -> UserSession | None:
        """The session of a token, if it is still one.

        Args:
            token: as the browser sent it.
            active: a person asks, so that it goes on; a page that asks by itself does not count.
        """
        now, digest = self._now(), self.digest(token)
        with self._database.read() as session:
            found = session.execute(
                select(UserSessionRow, UserRow)
                .join(UserRow, UserRow.user_id == UserSessionRow.user_id)
                .where(UserSessionRow.token_digest == digest)
            ).first()
            if found is None:
                return None
            current = _as_session(*found)
        if self._is_over(current, now):
            with self._database.write() as session:
                session.execute(delete(UserSessionRow).where(UserSessionRow.token_digest == digest))
            return None
        if active and now - current.seen_at > TOUCH:
            with self._database.write() as session:
                session.execute(
                    update(UserSessionRow)
                    .where(UserSessionRow.token_digest == digest)
                    .values(seen_at=now)
                )
        return current

    def of(self, user_id: str) -> list[UserSession]:
        """Where somebody is signed in, the newest first."""
        now = self._now()
        with self._database.read() as session:
            rows = session.execute(
                select(UserSessionRow, UserRow)
                .join(UserRow, UserRow.user_id == UserSessionRow.user_id)
                .where(UserSessionRow.user_id == user_id)
                .order_by(UserSessionRow.seen_at.desc())
            )
            found = [_as_session(*row) for row in rows]
        return [one for one in found if one.step is None and not self._is_over(one, now)]

    def open(
        self,
        session: Session,
        user_id: str,
        *,
        browser: str,
        second_factor: bool = False,
        password_due: bool = False,
        created_at: datetime | None = None,
    ) -> str:
        """Begin a session within a transaction; the token goes to the browser only."""
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self._now()
        session.add(
            UserSessionRow(
                token_digest=self.digest(token),
                user_id=user_id,
                created_at=created_at or now,
                seen_at=now,
                second_factor=second_factor,
                password_due=password_due,
                browser=browser,
            )
        )
        session.execute(
            delete(UserSessionRow).where(UserSessionRow.created_at < now - self._limits.longest)
        )
        return token

    def renew(
        self,
        session: Session,
        current: UserSession,
        *,
        second_factor: bool | None = None,
        password_due: bool | None = None,
    ) -> str:
        """Go on under another token, as always when somebody may do more than before."""
        deleted = session.execute(
            delete(UserSessionRow)
            .where(UserSessionRow.token_digest == current.digest)
            .returning(UserSessionRow.token_digest)
        ).all()
        token = self.open(
            session,
            current.user.user_id,
            browser=current.browser,
            second_factor=current.second_factor if second_factor is None else second_factor,
            password_due=current.password_due if password_due is None else password_due,
        )
        if not deleted:  # ended this very moment, by somebody else: it stays ended
            session.flush()
            session.execute(
                delete(UserSessionRow).where(UserSessionRow.token_digest == self.digest(token))
            )
        return token

    def set_pending(self, current: UserSession, secret: bytes | None) -> None:
        """Keep a secret until it is confirmed."""
        with self._database.write() as session:
            session.execute(
                update(UserSessionRow)
                .where(UserSessionRow.token_digest == current.digest)
                .values(pending_totp=secret)
            )

    def _is_over(self, current: UserSession, now: datetime) -> bool:
        longest = self._limits.longest if current.step is None else ENTERING
        return (
            current.user.disabled_at is not None
            or now - current.created_at > longest
            or now - current.seen_at > self._limits.idle
        )


def _as_session(row: UserSessionRow, user: UserRow) -> UserSession:
    return UserSession(
        digest=row.token_digest,
        user=as_user(user),
        created_at=row.created_at,
        seen_at=row.seen_at,
        second_factor=row.second_factor,
        password_due=row.password_due,
        browser=row.browser,
        pending=row.pending_totp,
    )
