"""Accounts of staff: what is on record, within a transaction."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mediaguard.core.access import SECOND_FACTOR, Role
from mediaguard.errors import InputError
from mediaguard.store.keys import Keyring
from mediaguard.store.tables import SignInLinkRow, UserRow, UserSessionRow

_LOGIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,30}[a-z0-9])?")
LANGUAGES = ("en", "nl")
_LONGEST_GROUP = 64


@dataclass(frozen=True, slots=True)
class User:
    """An account.

    Attributes:
        user_id: the login.
        roles: at least one.
        groups: of subjects; empty for the whole school.
        language: of the pages.
        has_password, has_second_factor, has_school_account: what they can sign in with.
        codes_left: recovery codes.
        created_at, signed_in_at: first and last.
        disabled_at: since when they may not sign in.
    """

    user_id: str
    roles: frozenset[Role]
    groups: frozenset[str]
    language: str
    has_password: bool
    has_second_factor: bool
    has_school_account: bool
    codes_left: int
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None

    @property
    def needs_second_factor(self) -> bool:
        """Whether a password alone is not enough for what they may do."""
        return not SECOND_FACTOR.isdisjoint(self.roles)


def as_user(row: UserRow) -> User:
    """What a row says, without its secrets."""
    return User(
        user_id=row.user_id,
        roles=frozenset(Role(role) for role in row.roles),
        groups=frozenset(row.groups),
        language=row.language,
        has_password=row.password_hash is not None,
        has_second_factor=row.totp_secret is not None,
        has_school_account=row.school_account is not None,
        codes_left=len(row.recovery_codes),
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
        disabled_at=row.disabled_at,
    )


class Users:
    """The accounts that were not removed."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def all(self) -> list[User]:
        """All of them, in the order of their logins."""
        query = select(UserRow).where(UserRow.removed_at.is_(None)).order_by(UserRow.user_id)
        return [as_user(row) for row in self._session.scalars(query)]

    def lock_all(self) -> None:
        """Let nobody else change any of them in this transaction's time."""
        self._session.execute(
            select(UserRow.user_id).order_by(UserRow.user_id).with_for_update()
        ).all()

    def row(self, user_id: str) -> UserRow | None:
        """The row of an account, whatever capitals its login was typed with."""
        key = user_id.strip().lower()
        if not _LOGIN.fullmatch(key):
            return None
        row = self._session.get(UserRow, key)
        return None if row is None or row.removed_at is not None else row

    def known(self, user_id: str) -> UserRow:
        """As `row`.

        Raises:
            InputError: there is no such account.
        """
        row = self.row(user_id)
        if row is None:
            raise InputError("user-unknown", user=user_id)
        return row

    def by_school_account(self, digest: str) -> UserRow | None:
        """Whose school account it is."""
        query = select(UserRow).where(
            UserRow.school_account == digest, UserRow.removed_at.is_(None)
        )
        return self._session.scalars(query).one_or_none()

    def other_administrators(self, user_id: str) -> int:
        """How many there are beside this one who may sign in."""
        return sum(
            Role.ADMINISTRATOR in user.roles and user.disabled_at is None
            for user in self.all()
            if user.user_id != user_id
        )


def valid_login(user_id: str) -> str:
    """The login as it is stored.

    Raises:
        InputError: it cannot be one.
    """
    login = user_id.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise InputError("user-login", user=user_id)
    return login


def valid_roles(roles: Collection[str]) -> list[str]:
    """Roles as they are stored.

    Raises:
        InputError: none, or one that does not exist.
    """
    unknown = set(roles) - set(Role)
    if unknown or not roles:
        raise InputError("user-roles", known=", ".join(Role))
    return [role.value for role in Role if role in roles]


def valid_groups(groups: Collection[str]) -> list[str]:
    """Groups as they are stored.

    Raises:
        InputError: one of them cannot be a group.
    """
    cleaned = {group.strip() for group in groups} - {""}
    for group in cleaned:
        if len(group) > _LONGEST_GROUP or not group.isprintable():
            raise InputError("user-group", group=group[:_LONGEST_GROUP])
    return sorted(cleaned)


def valid_language(language: str) -> str:
    """A language as it is stored.

    Raises:
        InputError: mediaguard does not speak it.
    """
    if language not in LANGUAGES:
        raise InputError("user-language", known=", ".join(LANGUAGES))
    return language


def school_account(keyring: Keyring, issuer: str, claim: str, value: str) -> str:
    """What is stored of a school account: it may be an e-mail address, and so a name."""
    return keyring.digest("school-account", "\0".join((issuer, claim, value)))


def end_sessions(session: Session, user_id: str, *, but: Sequence[str] = ()) -> None:
    """Sign out everywhere, and make links useless.

    Args:
        session: a transaction.
        user_id: who.
        but: digests of sessions that go on.
    """
    session.execute(
        delete(UserSessionRow).where(
            UserSessionRow.user_id == user_id, UserSessionRow.token_digest.not_in(but)
        )
    )
    session.execute(delete(SignInLinkRow).where(SignInLinkRow.user_id == user_id))
