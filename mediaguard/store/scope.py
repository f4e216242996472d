"""What of the records somebody may see who is responsible for some groups only."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from mediaguard.core.access import Visitor
from mediaguard.store.tables import ItemGroupRow, ItemRow


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may see of the items.

    Attributes:
        groups: those in which subjects were looked for in an item.
        owner: who brought it in, as in the audit log.
    """

    groups: Collection[str]
    owner: str

    def covers(self) -> ColumnElement[bool]:
        """Whether an item is among them, for a query."""
        concerned = select(ItemGroupRow.item_id).where(
            ItemGroupRow.group_name.in_(sorted(self.groups))
        )
        # Both from indexes: the rows themselves, with their reports, are not read for it.
        brought = select(ItemRow.id).where(ItemRow.brought_by == self.owner)
        return or_(ItemRow.id.in_(concerned), ItemRow.id.in_(brought))


def scope_of(visitor: Visitor) -> Scope | None:
    """What they may see of items and publications; None for everything."""
    return None if visitor.sees_everything else Scope(visitor.groups, visitor.actor)
