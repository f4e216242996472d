"""Which publications and takedowns somebody may see who is responsible for some groups only.

Those that show a person of these groups, and those of items that concern them (`Scope`). Found by
indexes from either end: few of many by who is in them, many by going through the newest.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    func,
    literal,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from mediaguard.store.scope import Scope
from mediaguard.store.tables import (
    AppearanceRow,
    ItemGroupRow,
    ItemRow,
    PublicationRow,
    SubjectGroupRow,
)

FEW = 4000
"""So many publications are rather looked up one by one than met on the way through all."""

Column = InstrumentedAttribute[Any] | ColumnElement[Any]
RowT = TypeVar("RowT")


def in_groups(groups: Collection[str]) -> Select[str]:
    """The subjects of these groups."""
    return select(SubjectGroupRow.subject_id).where(SubjectGroupRow.group_name.in_(sorted(groups)))


def visible(scope: Scope, publication: Column, item: Column) -> ColumnElement[bool]:
    """Whether they may see a row that is about a publication and its item."""
    groups = sorted(scope.groups)
    return or_(
        _there(
            AppearanceRow.publication_id == publication,
            AppearanceRow.subject_id == SubjectGroupRow.subject_id,
            SubjectGroupRow.group_name.in_(groups),
        ),
        _there(ItemGroupRow.item_id == item, ItemGroupRow.group_name.in_(groups)),
        _there(ItemRow.id == item, ItemRow.brought_by == scope.owner),
    )


def _there(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a row: looked up for each row of the query that asks.

    EXISTS says the same, and makes PostgreSQL gather all such rows first.
    """
    return select(literal(1)).where(*conditions).limit(1).scalar_subquery().is_not(None)


def few_visible(session: Session, scope: Scope) -> CompoundSelect[str] | None:
    """The publications that they may see, if these are few."""
    ways = (
        select(AppearanceRow.publication_id).where(
            AppearanceRow.subject_id.in_(in_groups(scope.groups))
        ),
        _of_items(
            select(ItemGroupRow.item_id).where(ItemGroupRow.group_name.in_(sorted(scope.groups)))
        ),
        _of_items(select(ItemRow.id).where(ItemRow.brought_by == scope.owner)),
    )
    for way in ways:
        some = way.limit(FEW + 1).subquery()
        if (session.scalar(select(func.count()).select_from(some)) or 0) > FEW:
            return None
    return union(*ways)


def _of_items(items: Select[str]) -> Select[str]:
    return select(PublicationRow.id).where(PublicationRow.item_id.in_(items))


def unsought(session: Session, column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """A column by whose index SQLite is not to go: something else leads to fewer rows.

    By its unary plus (https://sqlite.org/optoverview.html, "Disqualifying WHERE clause terms
    using unary +"); PostgreSQL counts.
    """
    if session.get_bind().dialect.name == "sqlite":
        return literal_column(f"+{column.class_.__tablename__}.{column.key}", Text)
    return column.expression


def by_time(
    queries: Iterable[Select[RowT]],
    at: InstrumentedAttribute[Any],
    key: InstrumentedAttribute[str],
    *,
    session: Session,
    start: tuple[Any, str] | None,
    limit: int,
    newest_first: bool,
) -> Sequence[RowT]:
    """The first rows of several queries together, in the order of time.

    Args:
        queries: one for each state, so that an index by state and time leads to its first rows.
        at: their moments, which make the order.
        key: their ids, where moments are the same.
        session: the transaction.
        start: begin after this one.
        limit: so many at most.
        newest_first: the other way round.
    """
    found: list[RowT] = []
    order = (at.desc(), key.desc()) if newest_first else (at, key)
    for query in queries:
        chosen = query
        if start is not None:
            moment, last = start
            beyond = (at < moment, key < last) if newest_first else (at > moment, key > last)
            # Said twice, so that an index by the moment alone leads there.
            chosen = chosen.where(at <= moment if newest_first else at >= moment, or_(*beyond))
        found += session.scalars(chosen.order_by(*order).limit(limit))
    found.sort(key=lambda row: (getattr(row, at.key), getattr(row, key.key)), reverse=newest_first)
    return found[:limit]
