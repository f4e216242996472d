"""What people said about the faces of an item."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mediaguard.core.faces import Box
from mediaguard.core.review import Mark, Verdict
from mediaguard.store.items import Items
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import ReviewMarkRow


class Marks:
    """Reads and writes marks within the caller's transaction; none is ever deleted."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, item_id: str, mark: Mark, *, actor: str, at: datetime) -> ReviewMarkRow:
        """Record what somebody said.

        Raises:
            InputError: there is no such item, or no such subject.
        """
        Items(self._session).get(item_id)
        if mark.subject_id is not None:
            Ledger(self._session).known_subject(mark.subject_id)
        row = ReviewMarkRow(
            item_id=item_id,
            frame=mark.frame,
            x=mark.box.x,
            y=mark.box.y,
            w=mark.box.w,
            h=mark.box.h,
            verdict=mark.verdict.value,
            subject_id=mark.subject_id,
            first_frame=None if mark.span is None else mark.span[0],
            last_frame=None if mark.span is None else mark.span[1],
            actor=actor,
            at=at,
        )
        self._session.add(row)
        self._session.flush()
        return row

    def list(self, item_id: str) -> list[ReviewMarkRow]:
        """The marks of an item that were not taken back, oldest first."""
        query = (
            select(ReviewMarkRow)
            .where(ReviewMarkRow.item_id == item_id, ReviewMarkRow.undone_at.is_(None))
            .order_by(ReviewMarkRow.mark_id)
        )
        return [*self._session.scalars(query)]

    def undo(
        self, item_id: str, *, at: datetime, mark_id: int | None = None
    ) -> ReviewMarkRow | None:
        """Take back a mark of an item that still counts, the latest one if none is named.

        Returns:
            The mark; None if there is none.
        """
        marks = [mark for mark in self.list(item_id) if mark_id in (None, mark.mark_id)]
        if not marks:
            return None
        marks[-1].undone_at = at
        self._session.flush()
        return marks[-1]


def as_mark(row: ReviewMarkRow) -> Mark:
    """A mark as the pipeline sees it."""
    box = Box(row.x, row.y, row.w, row.h)
    known = row.first_frame is not None and row.last_frame is not None
    span = (row.first_frame or 0, row.last_frame or 0) if known else None
    return Mark(row.frame, box, Verdict(row.verdict), row.subject_id, span)
