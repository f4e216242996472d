"""What a person should look at in items that are public."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, select, update
from sqlalchemy.orm import Session

from mediaguard.store.items import VISIBLE, channel_of_shown
from mediaguard.store.tables import LikenessRow, PublicationRow, ReviewQuestionRow


def is_open() -> ColumnElement[bool]:
    """Whether a question waits for an answer: while something of its item may be public."""
    public = exists().where(
        PublicationRow.item_id == ReviewQuestionRow.item_id, PublicationRow.state.in_(VISIBLE)
    )
    return and_(ReviewQuestionRow.answered_at.is_(None), public)


class Questions:
    """Reads and writes questions within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask_about_likenesses(self, subject_id: str, channel: str, *, at: datetime) -> int:
        """Ask a person to look at faces shown under another name that resemble a subject.

        Returns:
            How many such pictures there are.
        """
        found = self._session.execute(
            select(PublicationRow.id, PublicationRow.item_id, LikenessRow.shown_as)
            .join(LikenessRow, LikenessRow.publication_id == PublicationRow.id)
            .where(LikenessRow.subject_id == subject_id, *self._unasked(channel))
        ).all()
        for publication_id, item_id, shown_as in found:
            self._session.add(
                ReviewQuestionRow(
                    item_id=item_id,
                    publication_id=publication_id,
                    subject_id=subject_id,
                    shown_as=shown_as,
                    asked_at=at,
                )
            )
        self._session.flush()
        return len(found)

    def resembled(self, subject_ids: Collection[str], channel: str) -> dict[str, datetime]:
        """Which of these a face resembles that nobody was asked about, and since when it is there.

        If there are several, since the first of them.
        """
        found = self._session.execute(
            select(LikenessRow.subject_id, func.min(PublicationRow.intended_at))
            .join(PublicationRow, LikenessRow.publication_id == PublicationRow.id)
            .where(LikenessRow.subject_id.in_(sorted(subject_ids)), *self._unasked(channel))
            .group_by(LikenessRow.subject_id)
        )
        return {row[0]: row[1] for row in found}

    def _unasked(self, channel: str) -> Sequence[ColumnElement[bool]]:
        asked = exists().where(
            ReviewQuestionRow.publication_id == PublicationRow.id,
            ReviewQuestionRow.subject_id == LikenessRow.subject_id,
        )
        return (
            channel_of_shown(self._session) == channel,
            PublicationRow.state.in_(VISIBLE),
            ~asked,
        )

    def open(self, item_ids: Collection[str] | None = None) -> Sequence[ReviewQuestionRow]:
        """Those that nobody answered, of all items or of these, the oldest first."""
        query = select(ReviewQuestionRow).where(is_open()).order_by(ReviewQuestionRow.question_id)
        if item_ids is not None:
            query = query.where(ReviewQuestionRow.item_id.in_(sorted(item_ids)))
        return self._session.scalars(query).all()

    def about(self, subject_id: str) -> int:
        """How many pictures wait in which somebody may be this subject under another name."""
        return (
            self._session.scalar(
                select(func.count(ReviewQuestionRow.item_id.distinct())).where(
                    ReviewQuestionRow.subject_id == subject_id, is_open()
                )
            )
            or 0
        )

    def answer(self, item_id: str, *, at: datetime) -> None:
        """Somebody looked at the item and decided."""
        self._session.execute(
            update(ReviewQuestionRow)
            .where(ReviewQuestionRow.item_id == item_id, ReviewQuestionRow.answered_at.is_(None))
            .values(answered_at=at)
        )
