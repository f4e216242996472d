"""What a person should look at in items that are public."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from mediaguard.store.items import VISIBLE, channel_of_shown
from mediaguard.store.tables import LikenessRow, PublicationRow, ReviewQuestionRow


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

    def resembled(self, subject_ids: Collection[str], channel: str) -> Sequence[str]:
        """Which of these subjects such a face resembles that nobody was asked about."""
        return self._session.scalars(
            select(LikenessRow.subject_id)
            .distinct()
            .join(PublicationRow, LikenessRow.publication_id == PublicationRow.id)
            .where(LikenessRow.subject_id.in_(sorted(subject_ids)), *self._unasked(channel))
        ).all()

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

    def open(self, item_id: str | None = None) -> Sequence[ReviewQuestionRow]:
        """Those that nobody answered, of all items or of one, the oldest first."""
        query = (
            select(ReviewQuestionRow)
            .where(ReviewQuestionRow.answered_at.is_(None))
            .order_by(ReviewQuestionRow.question_id)
        )
        if item_id is not None:
            query = query.where(ReviewQuestionRow.item_id == item_id)
        return self._session.scalars(query).all()

    def about(self, item_ids: Collection[str]) -> Sequence[ReviewQuestionRow]:
        """The open ones about some items, the oldest first; no more items than a page has."""
        return self._session.scalars(
            select(ReviewQuestionRow)
            .where(
                ReviewQuestionRow.item_id.in_(sorted(item_ids)),
                ReviewQuestionRow.answered_at.is_(None),
            )
            .order_by(ReviewQuestionRow.question_id)
        ).all()

    def answer(self, item_id: str, *, at: datetime) -> None:
        """Somebody looked at the item and decided."""
        self._session.execute(
            update(ReviewQuestionRow)
            .where(ReviewQuestionRow.item_id == item_id, ReviewQuestionRow.answered_at.is_(None))
            .values(answered_at=at)
        )
