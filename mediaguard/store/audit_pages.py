"""The audit log page by page, the newest first, however long it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from mediaguard.store.sight import unsought
from mediaguard.store.tables import AuditRow

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entries.

    Attributes:
        subject, item, actor, action: the only one that matters, if any; of an item's id the
            beginning is enough.
        since, until: when; the end is not part of it.
    """

    subject: str | None = None
    item: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditPages:
    """Reads the log within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(self, sought: Sought, limit: int, after: int | None = None) -> Sequence[AuditRow]:
        """So many of those that are sought; `after` is the last one of the page before."""
        query = self._query(sought)
        if after is not None:
            last = self._session.get(AuditRow, after)
            if last is None:
                return []
            query = query.where(
                AuditRow.at <= last.at,
                or_(AuditRow.at < last.at, AuditRow.sequence < last.sequence),
            )
        return self._session.scalars(query.limit(limit)).all()

    def all(self, sought: Sought) -> Iterator[AuditRow]:
        """All that are sought, read little by little."""
        query = self._query(sought).execution_options(yield_per=AT_ONCE)
        yield from self._session.scalars(query)

    def _query(self, sought: Sought) -> Select[AuditRow]:
        # By the moment, not by the number: so the indexes that begin with who or what lead there.
        query = select(AuditRow).order_by(AuditRow.at.desc(), AuditRow.sequence.desc())
        narrow = sought.subject is not None or sought.item is not None
        actor, action = AuditRow.actor.expression, AuditRow.action.expression
        if narrow:
            actor = unsought(self._session, AuditRow.actor)
        if narrow or sought.actor is not None:
            action = unsought(self._session, AuditRow.action)
        if sought.subject is not None:
            query = query.where(AuditRow.subject_id == sought.subject)
        if sought.item is not None:
            # A hexadecimal id is followed by no g in any order of letters.
            query = query.where(
                AuditRow.item_id >= sought.item, AuditRow.item_id < sought.item + "g"
            )
        if sought.actor is not None:
            query = query.where(actor == sought.actor)
        if sought.action is not None:
            query = query.where(action == sought.action)
        if sought.since is not None:
            query = query.where(AuditRow.at >= sought.since)
        if sought.until is not None:
            query = query.where(AuditRow.at < sought.until)
        return query
