"""The pages in the menu, and who may open them."""

from dataclasses import dataclass

from mediaguard.core.access import Permission


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the menu.

    Attributes:
        path: where it is.
        code: its name, in `mediaguard.texts`.
        permission: who sees it.
        key: together with g it leads there.
    """

    path: str
    code: str
    permission: Permission
    key: str


SECTIONS = (
    Section("/console/inbox", "console-inbox", Permission.UPLOAD, "i"),
    Section("/console/review", "console-review", Permission.REVIEW, "r"),
    Section("/console/people", "console-people", Permission.SEE_PEOPLE, "p"),
    Section("/console/published", "console-published", Permission.SEE_PUBLISHED, "u"),
    Section("/console/takedowns", "console-takedowns", Permission.SEE_PUBLISHED, "t"),
    Section("/console/channels", "console-channels", Permission.SEE_CHANNELS, "c"),
    Section("/console/audit", "console-audit", Permission.SEE_AUDIT, "a"),
    Section("/console/users", "console-users", Permission.KEEP_USERS, "s"),
)
