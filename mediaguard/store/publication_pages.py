"""Publications page by page, the newest first, however many there are."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from mediaguard.store.items import VISIBLE
from mediaguard.store.scope import Scope
from mediaguard.store.sight import by_time, few_visible, unsought, visible
from mediaguard.store.tables import (
    AppearanceRow,
    ConsentEventRow,
    ItemRow,
    PublicationRow,
    TakedownRow,
)
from mediaguard.store.takedowns import OPEN


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which publications.

    Attributes:
        channel, subject: the only one that matters, if any.
        states: of the publication.
        asked: only those of which something is to be taken down.
        scope: what may be seen; None for all.
    """

    channel: str | None = None
    subject: str | None = None
    states: Collection[str] = VISIBLE
    asked: bool = False
    scope: Scope | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A publication in a list.

    Attributes:
        row: its record.
        kind: photo or video.
        subjects: who can be recognised in it.
        open: so many takedowns of it are not done.
    """

    row: PublicationRow
    kind: str
    subjects: tuple[str, ...]
    open: int


class PublicationPages:
    """Reads publications within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(self, wanted: Wanted, limit: int, after: str | None = None) -> list[Listed]:
        """So many of those that are wanted; `after` is the last one of the page before."""
        start = self._place(after)
        if after is not None and start is None:
            return []
        rows = by_time(
            self._queries(wanted),
            PublicationRow.intended_at,
            PublicationRow.id,
            session=self._session,
            start=start,
            limit=limit,
            newest_first=True,
        )
        return self.listed(rows)

    def may_see(self, publication_id: str, scope: Scope | None) -> bool:
        """Whether it is among what may be seen."""
        query = select(PublicationRow.id).where(PublicationRow.id == publication_id)
        if scope is not None:
            query = query.where(self._seen(scope))
        return self._session.scalar(query) is not None

    def listed(self, rows: Sequence[PublicationRow]) -> list[Listed]:
        """With what a list says of them."""
        ids, items = [row.id for row in rows], {row.item_id for row in rows}
        kinds = dict(
            self._session.execute(
                select(ItemRow.id, ItemRow.kind).where(ItemRow.id.in_(items))
            ).all()
        )
        shown = defaultdict(list)
        appearances = select(AppearanceRow).where(AppearanceRow.publication_id.in_(ids))
        for one in self._session.scalars(appearances.order_by(AppearanceRow.subject_id)):
            shown[one.publication_id].append(one.subject_id)
        asked = dict(
            self._session.execute(
                select(TakedownRow.publication_id, func.count())
                .where(
                    TakedownRow.publication_id.in_(ids),
                    unsought(self._session, TakedownRow.state).in_(OPEN),
                )
                .group_by(TakedownRow.publication_id)
            ).all()
        )
        return [
            Listed(row, kinds[row.item_id], tuple(shown[row.id]), asked.get(row.id, 0))
            for row in rows
        ]

    def relied_on(self, row: PublicationRow) -> Sequence[ConsentEventRow]:
        """The answers by which it may be public."""
        return self._session.scalars(
            select(ConsentEventRow)
            .where(ConsentEventRow.event_id.in_(row.consent_events))
            .order_by(ConsentEventRow.subject_id, ConsentEventRow.event_id)
        ).all()

    def _queries(self, wanted: Wanted) -> list[Select[PublicationRow]]:
        """One where something leads to few publications, or else one for each state."""
        few = self._few(wanted)
        query = select(PublicationRow)
        if few:
            query = query.where(*few)
            query = query.where(unsought(self._session, PublicationRow.state).in_(wanted.states))
            if wanted.channel is not None:
                query = query.where(
                    unsought(self._session, PublicationRow.channel) == wanted.channel
                )
            return [query]
        if wanted.channel is not None:
            query = query.where(PublicationRow.channel == wanted.channel)
        if wanted.scope is not None:
            query = query.where(self._seen(wanted.scope))
        return [query.where(PublicationRow.state == state) for state in wanted.states]

    def _few(self, wanted: Wanted) -> list[ColumnElement[bool]]:
        """What leads to few publications, if anything does."""
        key = PublicationRow.id
        found: list[ColumnElement[bool]] = []
        if wanted.subject is not None:
            shown = select(AppearanceRow.publication_id)
            found.append(key.in_(shown.where(AppearanceRow.subject_id == wanted.subject)))
        if wanted.asked:
            asked = select(TakedownRow.publication_id).where(TakedownRow.state.in_(OPEN))
            found.append(key.in_(asked))
        if wanted.scope is None:
            return found
        if found:
            return [*found, self._seen(wanted.scope)]
        few = few_visible(self._session, wanted.scope)
        return [] if few is None else [key.in_(few)]

    @staticmethod
    def _seen(scope: Scope) -> ColumnElement[bool]:
        return visible(scope, PublicationRow.id, PublicationRow.item_id)

    def _place(self, publication_id: str | None) -> tuple[datetime, str] | None:
        row = self._session.get(PublicationRow, publication_id) if publication_id else None
        return None if row is None else (row.intended_at, row.id)
