"""What somebody brought in, and what became of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from mediaguard.store.tables import ItemRow, PublicationRow


@dataclass(frozen=True, slots=True)
class Brought:
    """An item, without its report.

    Attributes:
        item: its record.
        live: the newest publication that is live of it, if any.
    """

    item: ItemRow
    live: PublicationRow | None


class BroughtItems:
    """Reads items within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def by(self, actor: str, *, offset: int, limit: int) -> tuple[list[Brought], int]:
        """Some of what somebody brought in, the newest first; and how much there is."""
        mine = ItemRow.brought_by == actor
        count = self._session.scalar(select(func.count()).select_from(ItemRow).where(mine)) or 0
        order = (ItemRow.created_at.desc(), ItemRow.id.desc())
        some = select(ItemRow.id).where(mine).order_by(*order).offset(offset).limit(limit)
        rows = self._session.scalars(
            select(ItemRow)
            .where(ItemRow.id.in_(some))
            .options(defer(ItemRow.report, raiseload=True))
            .order_by(*order)
        ).all()
        return self._with_live(rows), count

    def of_ids(self, item_ids: Collection[str]) -> list[Brought]:
        """These items, as far as there are such; no more than a page has."""
        rows = self._session.scalars(
            select(ItemRow)
            .where(ItemRow.id.in_(sorted(item_ids)))
            .options(defer(ItemRow.report, raiseload=True))
        ).all()
        return self._with_live(rows)

    def _with_live(self, rows: Sequence[ItemRow]) -> list[Brought]:
        live = self._session.scalars(
            select(PublicationRow)
            .where(
                PublicationRow.item_id.in_([row.id for row in rows]),
                PublicationRow.state == "live",
            )
            .order_by(PublicationRow.intended_at)
        )
        by_item = {row.item_id: row for row in live}
        return [Brought(row, by_item.get(row.id)) for row in rows]
