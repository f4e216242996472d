"""What waits behind the entries of the menu, so that nobody has to go and see."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mediaguard.app import App
from mediaguard.core.access import Permission, Visitor
from mediaguard.store.review_desk import waiting as waiting_in_review
from mediaguard.store.scope import scope_of
from mediaguard.store.takedown_pages import TakedownPages

MOST = 100
"""So many or more is all that is told: no page counts further than that."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits in a section.

    Attributes:
        count: never 0.
        kind: of badge.
        code: of what is counted, in `mediaguard.texts`.
    """

    count: int
    kind: str
    code: str

    def __str__(self) -> str:
        return str(self.count) if self.count < MOST else f"{MOST - 1}+"


def due_since(app: App) -> datetime:
    """What was asked to be taken down before this moment should have been gone by now."""
    return app.now() - timedelta(minutes=app.config.takedown.overdue_minutes)


def waiting(app: App, visitor: Visitor) -> dict[str, Waiting]:
    """What waits for a visitor of what they may see, by the path of the section."""
    scope, found = scope_of(visitor), {}
    with app.database.read() as session:
        if visitor.may(Permission.REVIEW):
            count = waiting_in_review(session, scope, MOST)
            found["/console/review"] = Waiting(count, "wait", "console-menu-review")
        # Only to whoever can do something about it: for some groups it takes long to count.
        if visitor.may(Permission.SEE_PUBLISHED) and visitor.may(Permission.TAKE_DOWN):
            count = TakedownPages(session).overdue(due_since(app), scope, MOST)
            found["/console/takedowns"] = Waiting(count, "bad", "console-menu-takedowns")
    return {path: some for path, some in found.items() if some.count}
