"""Who may do what in the console: roles, what each may do, and what each may see.

Least privilege: an administrator keeps the accounts and needs no sight of anybody's face; staff
bring in and judge what concerns their groups. A no may be recorded by whoever hears it, a yes
only by who keeps the consents.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to mediaguard; one person may be several."""

    STAFF = "staff"
    OFFICER = "officer"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """Something that not everybody may do."""

    UPLOAD = "upload"
    REVIEW = "review"
    SEE_PEOPLE = "see-people"
    RECORD_NO = "record-no"
    RECORD_CONSENT = "record-consent"
    KEEP_PEOPLE = "keep-people"
    """Import, enrol, change groups, hand out personal links."""
    SEE_PUBLISHED = "see-published"
    TAKE_DOWN = "take-down"
    """Make takedowns due now, and give certificates."""
    SEE_CHANNELS = "see-channels"
    SEE_AUDIT = "see-audit"
    KEEP_USERS = "keep-users"


_STAFF = frozenset(
    {
        Permission.UPLOAD,
        Permission.REVIEW,
        Permission.SEE_PEOPLE,
        Permission.RECORD_NO,
        Permission.SEE_PUBLISHED,
    }
)

MAY = {
    Role.STAFF: _STAFF,
    Role.OFFICER: _STAFF
    | {
        Permission.RECORD_CONSENT,
        Permission.KEEP_PEOPLE,
        Permission.TAKE_DOWN,
        Permission.SEE_CHANNELS,
        Permission.SEE_AUDIT,
    },
    Role.ADMINISTRATOR: frozenset(
        {Permission.SEE_CHANNELS, Permission.SEE_AUDIT, Permission.KEEP_USERS}
    ),
}

SECOND_FACTOR = frozenset({Role.OFFICER, Role.ADMINISTRATOR})
"""Who cannot do anything with a password alone."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in.

    Attributes:
        user_id: a pseudonym, as in the audit log.
        roles: at least one.
        groups: of subjects; empty for the whole school.
        language: of the pages.
        token: proves that a form was made for this session.
    """

    user_id: str
    roles: frozenset[Role]
    groups: frozenset[str]
    language: str
    token: str

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return f"user:{self.user_id}"

    @property
    def sees_everything(self) -> bool:
        """Whether groups do not matter: to an officer, and to staff of the whole school."""
        return Role.OFFICER in self.roles or not self.groups

    def may(self, permission: Permission) -> bool:
        """Whether one of the roles allows it."""
        return any(permission in MAY[role] for role in self.roles)

    def sees(self, groups: Collection[str], owner: str | None = None) -> bool:
        """Whether something of these groups is theirs to see, or what they brought in.

        Args:
            groups: those it concerns. What concerns no group in particular is for those who
                see everything.
            owner: the actor who brought it in.
        """
        return self.sees_everything or owner == self.actor or not self.groups.isdisjoint(groups)
