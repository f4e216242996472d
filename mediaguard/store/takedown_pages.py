"""Takedowns page by page, however many there are."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from mediaguard.store.scope import Scope
from mediaguard.store.sight import by_time, few_visible, unsought, visible
from mediaguard.store.tables import TakedownRow
from mediaguard.store.takedowns import OPEN


@dataclass(frozen=True, slots=True)
class Asked:
    """Which takedowns.

    Attributes:
        channel, subject: the only one that matters, if any.
        states: of the takedown.
        before: only those that were asked for earlier.
        scope: what may be seen; None for all.
    """

    channel: str | None = None
    subject: str | None = None
    states: Collection[str] = OPEN
    before: datetime | None = None
    scope: Scope | None = None

    @property
    def newest_first(self) -> bool:
        """What is still to do is read the other way round: the longest waiting first."""
        return not set(self.states) <= set(OPEN)


class TakedownPages:
    """Reads takedowns within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(self, asked: Asked, limit: int, after: str | None = None) -> Sequence[TakedownRow]:
        """So many of those that are asked for; `after` is the last one of the page before."""
        start = self._session.get(TakedownRow, after) if after else None
        if after is not None and start is None:
            return []
        return by_time(
            self._queries(asked),
            TakedownRow.requested_at,
            TakedownRow.id,
            session=self._session,
            start=None if start is None else (start.requested_at, start.id),
            limit=limit,
            newest_first=asked.newest_first,
        )

    def may_see(self, takedown_id: str, scope: Scope | None) -> bool:
        """Whether it is among what may be seen."""
        query = select(TakedownRow.id).where(TakedownRow.id == takedown_id)
        if scope is not None:
            query = query.where(self._seen(scope))
        return self._session.scalar(query) is not None

    def open(self, due_since: datetime, scope: Scope | None) -> tuple[int, int]:
        """How many are not done, and how many of them are overdue."""
        is_overdue = TakedownRow.requested_at < due_since
        query = select(func.count(), func.count().filter(is_overdue))
        query = query.where(TakedownRow.state.in_(OPEN))
        if scope is not None:
            query = query.where(self._seen(scope))
        opened, overdue = self._session.execute(query).one()
        return opened, overdue

    def overdue(self, due_since: datetime, scope: Scope | None, most: int) -> int:
        """How many are overdue; `most` stands for so many or more."""
        some = select(TakedownRow.id).where(
            TakedownRow.state.in_(OPEN), TakedownRow.requested_at < due_since
        )
        if scope is not None:
            some = some.where(self._seen(scope))
        limited = some.limit(most).subquery()
        return self._session.scalar(select(func.count()).select_from(limited)) or 0

    def open_by_channel(self, due_since: datetime) -> tuple[Counter[str], Counter[str]]:
        """How many are open on each channel, and how many of them are overdue."""
        query = (
            select(TakedownRow.channel, func.count())
            .where(TakedownRow.state.in_(OPEN))
            .group_by(TakedownRow.channel)
        )
        overdue = query.where(TakedownRow.requested_at < due_since)
        return (
            Counter(dict(self._session.execute(query).all())),
            Counter(dict(self._session.execute(overdue).all())),
        )

    def _queries(self, asked: Asked) -> list[Select[TakedownRow]]:
        """One where something leads to few takedowns, or else one for each state."""
        few = self._few(asked)
        query = select(TakedownRow)
        if asked.before is not None:
            query = query.where(TakedownRow.requested_at < asked.before)
        if few:
            query = query.where(*few)
            query = query.where(unsought(self._session, TakedownRow.state).in_(asked.states))
            if asked.channel is not None:
                query = query.where(unsought(self._session, TakedownRow.channel) == asked.channel)
            return [query]
        if asked.channel is not None:
            query = query.where(TakedownRow.channel == asked.channel)
        if asked.scope is not None:
            query = query.where(self._seen(asked.scope))
        return [query.where(TakedownRow.state == state) for state in asked.states]

    def _few(self, asked: Asked) -> list[ColumnElement[bool]]:
        """What leads to few takedowns, if anything does."""
        found: list[ColumnElement[bool]] = []
        if asked.subject is not None:
            found.append(TakedownRow.subject_id == asked.subject)
        if asked.scope is None:
            return found
        if found or set(asked.states) <= set(OPEN):  # of what is open there is never much
            return [*found, self._seen(asked.scope)] if found else []
        few = few_visible(self._session, asked.scope)
        return [] if few is None else [TakedownRow.publication_id.in_(few)]

    @staticmethod
    def _seen(scope: Scope) -> ColumnElement[bool]:
        return visible(scope, TakedownRow.publication_id, TakedownRow.item_id)
