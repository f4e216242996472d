"""Where accounts are kept, by an administrator or on the server; each call one transaction."""

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from mediaguard.core.access import Role
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from mediaguard.store.database import Database, insert_new
from mediaguard.store.keys import Keyring
from mediaguard.store.passwords import hash_password, require_good
from mediaguard.store.tables import SignInLinkRow, UserRow
from mediaguard.store.users import (
    User,
    Users,
    as_user,
    end_sessions,
    valid_groups,
    valid_language,
    valid_login,
    valid_roles,
)

LINK_MINUTES = 15
_TOKEN_BYTES = 32
LINK_PURPOSE = "sign-in-link"


@dataclass(slots=True)
class _Change:
    """What is being done to an account.

    Attributes:
        session: the transaction.
        row: the account.
        data: for the audit log.
    """

    session: Session
    row: UserRow
    data: dict[str, object] = field(default_factory=dict)


class UserDesk:
    """Adds, changes and removes accounts.

    Args:
        database: where.
        keyring: of the home.
        now: the clock.
        actor: who does it, for the audit log.
    """

    def __init__(
        self, database: Database, keyring: Keyring, *, now: Callable[[], datetime], actor: str
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._now = now
        self._actor = actor

    def all(self) -> list[User]:
        """Everybody who has an account."""
        with self._database.read() as session:
            return Users(session).all()

    def user(self, user_id: str) -> User:
        """One account.

        Raises:
            InputError: there is no such account.
        """
        with self._database.read() as session:
            return as_user(Users(session).known(user_id))

    def add(
        self,
        user_id: str,
        *,
        roles: Collection[str],
        groups: Collection[str] = (),
        language: str = "en",
        password: str | None = None,
    ) -> User:
        """Add an account. Without a password it needs a link or a school account to sign in.

        Raises:
            InputError: the login is taken, or something is not right.
        """
        login = valid_login(user_id)
        if password is not None:
            require_good(password, login)
        row = {
            "roles": valid_roles(roles),
            "groups": valid_groups(groups),
            "language": valid_language(language),
        }
        hashed = None if password is None else hash_password(password)
        with self._database.write() as session:
            new = insert_new(
                session,
                UserRow,
                user_id=login,
                **row,
                password_hash=hashed,
                recovery_codes=[],
                created_at=self._now(),
            )
            if not new:
                raise InputError("user-taken", user=login)
            self._record(session, "user-added", login, row)
            return as_user(Users(session).known(login))

    def change(
        self,
        user_id: str,
        *,
        roles: Collection[str] | None = None,
        groups: Collection[str] | None = None,
        language: str | None = None,
    ) -> User:
        """Change what somebody may do and see. They have to sign in again.

        Raises:
            InputError: it is oneself or the last administrator, or something is not right.
        """
        with self._change("user-changed", user_id) as change:
            row, before = change.row, (change.row.roles, change.row.groups)
            if roles is not None:
                row.roles = valid_roles(roles)
                if Role.ADMINISTRATOR not in row.roles and Role.ADMINISTRATOR in before[0]:
                    self._require_another(change.session, row.user_id)
            if groups is not None:
                row.groups = valid_groups(groups)
            if language is not None:
                row.language = valid_language(language)
            change.data |= {"roles": row.roles, "groups": row.groups, "language": row.language}
            if before != (row.roles, row.groups):
                self._require_other(row.user_id)
                end_sessions(change.session, row.user_id)
            return as_user(row)

    def set_password(self, user_id: str, password: str) -> None:
        """Give another password. Whoever is signed in has to do so again.

        Raises:
            InputError: it is guessed too soon, or there is no such account.
        """
        require_good(password, user_id.strip().lower())
        hashed = hash_password(password)
        with self._change("user-password-set", user_id) as change:
            change.row.password_hash = hashed
            end_sessions(change.session, change.row.user_id)

    def set_school_account(self, user_id: str, digest: str | None) -> None:
        """Say by which school account they sign in, or that they do not.

        Args:
            user_id: who.
            digest: by `mediaguard.store.users.school_account`.

        Raises:
            InputError: somebody else has it, or there is no such account.
        """
        with self._change("user-school-account", user_id) as change:
            users = Users(change.session)
            owner = None if digest is None else users.by_school_account(digest)
            if owner is not None and owner.user_id != change.row.user_id:
                raise InputError("user-school-account-taken")
            change.row.school_account = digest
            change.data["linked"] = digest is not None
            end_sessions(change.session, change.row.user_id)

    def disable(self, user_id: str) -> None:
        """Let somebody sign in no more, and sign them out.

        Raises:
            InputError: it is oneself, the last administrator, or nobody.
        """
        with self._change("user-disabled", user_id) as change:
            self._require_other(change.row.user_id)
            if Role.ADMINISTRATOR in change.row.roles:
                self._require_another(change.session, change.row.user_id)
            change.row.disabled_at = change.row.disabled_at or self._now()
            end_sessions(change.session, change.row.user_id)

    def enable(self, user_id: str) -> None:
        """Let somebody sign in again.

        Raises:
            InputError: there is no such account.
        """
        with self._change("user-enabled", user_id) as change:
            change.row.disabled_at = None

    def reset_second_factor(self, user_id: str) -> None:
        """Forget the second factor: it is set up anew at the next sign-in.

        Raises:
            InputError: there is no such account.
        """
        with self._change("user-second-factor-reset", user_id) as change:
            change.row.totp_secret = change.row.totp_step = None
            change.row.recovery_codes = []
            end_sessions(change.session, change.row.user_id)

    def make_link(self, user_id: str, *, complete: bool = False) -> str:
        """The token of a link that signs in once, soon; older ones are useless then.

        Args:
            user_id: who.
            complete: nothing more is asked of whoever uses it.

        Raises:
            InputError: there is no such account, or it is disabled.
        """
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        with self._change("user-link-made", user_id) as change:
            if change.row.disabled_at is not None:
                raise InputError("user-is-disabled", user=change.row.user_id)
            change.session.query(SignInLinkRow).filter_by(user_id=change.row.user_id).delete()
            change.session.add(
                SignInLinkRow(
                    token_digest=self._keyring.digest(LINK_PURPOSE, token),
                    user_id=change.row.user_id,
                    expires_at=self._now() + timedelta(minutes=LINK_MINUTES),
                    complete=complete,
                )
            )
        return token

    def remove(self, user_id: str) -> None:
        """Remove an account for good; its login is never given to anybody else.

        Raises:
            InputError: it is oneself, the last administrator, or nobody.
        """
        with self._change("user-removed", user_id) as change:
            row = change.row
            self._require_other(row.user_id)
            if Role.ADMINISTRATOR in row.roles and row.disabled_at is None:
                self._require_another(change.session, row.user_id)
            end_sessions(change.session, row.user_id)
            row.password_hash = row.totp_secret = row.totp_step = row.school_account = None
            row.recovery_codes, row.groups = [], []
            row.removed_at = self._now()

    # -- inside -----------------------------------------------------------------------------

    @contextmanager
    def _change(self, action: str, user_id: str) -> Iterator[_Change]:
        with self._database.write() as session:
            users = Users(session)
            users.lock_all()  # else two administrators could remove each other at the same time
            change = _Change(session, users.known(user_id))
            yield change
            self._record(session, action, change.row.user_id, change.data)

    def _record(
        self, session: Session, action: str, user_id: str, data: Mapping[str, object]
    ) -> None:
        session.flush()
        Audit(session, self._keyring).append(
            action, at=self._now(), actor=self._actor, data={"user": user_id, **data}
        )

    def _require_other(self, user_id: str) -> None:
        if self._actor == f"user:{user_id}":
            raise InputError("user-oneself")

    def _require_another(self, session: Session, user_id: str) -> None:
        if not Users(session).other_administrators(user_id):
            raise InputError("user-last-administrator")
