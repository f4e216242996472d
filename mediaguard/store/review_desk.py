"""The review desk: what staff says about items and their faces; each call is one transaction."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mediaguard.core.decision import NAMED
from mediaguard.core.faces import Face
from mediaguard.core.reported import faces_of, mark_on
from mediaguard.core.review import Verdict
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from mediaguard.store.database import Database
from mediaguard.store.items import LEAST, VISIBLE, Items, Publications
from mediaguard.store.keys import Keyring
from mediaguard.store.marks import Marks
from mediaguard.store.questions import Questions
from mediaguard.store.tables import ItemRow, ReviewMarkRow, ReviewQuestionRow
from mediaguard.store.takedowns import Takedowns

_NAMED = 5  # so many are listed where several do


class ReviewDesk:
    """Reads items and records what was said about them.

    Args:
        database: where.
        keyring: for the audit log.
        now: the clock.
        actor: who acts, for the audit log.
    """

    def __init__(
        self, database: Database, keyring: Keyring, *, now: Callable[[], datetime], actor: str
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._now = now
        self._actor = actor

    def items(self, *, channel: str | None, everything: bool) -> list[ItemRow]:
        """The items that a person should look at, oldest first; with `everything` all there are.

        Those are what is held, and what is public with a question about it.
        """
        with self._database.read() as session:
            items = Items(session)
            if everything:
                return items.list(channel=channel)
            held = items.list(state="held", channel=channel)
            asked = {question.item_id for question in Questions(session).open()}
            asked -= {row.id for row in held}
            rows = [items.get(item_id) for item_id in sorted(asked)]
            held += [row for row in rows if channel in (None, row.channel)]
            return sorted(held, key=lambda row: (row.created_at, row.id))

    def find(self, item: str) -> tuple[ItemRow, list[ReviewMarkRow]]:
        """The item with this id, or whose id alone begins so; and its marks, oldest first.

        Raises:
            InputError: there is none, or several begin so.
        """
        with self._database.read() as session:
            row = _find(session, item)
            return row, Marks(session).list(row.id)

    def mark(
        self, item: str, number: int, verdict: Verdict, subject_id: str | None = None
    ) -> ReviewMarkRow:
        """Record what somebody said about the face with this number in the item's report.

        Raises:
            InputError: there is no such item, face or subject; or a face in which somebody was
                recognised is said to be none.
        """
        with self._database.write() as session:
            row = _find(session, item)
            if row.report is None:
                raise InputError("review-no-report", item=row.id)
            faces = faces_of(row.report)
            if not 1 <= number <= len(faces):
                raise InputError("review-number", item=row.id, number=number, count=len(faces))
            face = faces[number - 1].face
            known = _recognised(face)
            if verdict is Verdict.NO_FACE and known is not None:
                raise InputError("review-somebody", number=number, subject=known)
            mark = mark_on(face, verdict, subject_id)
            made = Marks(session).add(row.id, mark, actor=self._actor, at=self._now())
            data = {
                "mark": made.mark_id,
                "verdict": verdict.value,
                "frame": mark.frame,
                "box": list(mark.box.rounded()),
            }
            self._audit(session, "review-marked", row.id, data, subject_id)
        return made

    def undo(self, item: str) -> ReviewMarkRow:
        """Take back the latest mark of the item.

        Raises:
            InputError: there is no such item, or no mark on it.
        """
        with self._database.write() as session:
            row = _find(session, item)
            undone = Marks(session).undo(row.id, at=self._now())
            if undone is None:
                raise InputError("review-no-marks", item=row.id)
            data = {"mark": undone.mark_id}
            self._audit(session, "review-undone", row.id, data, undone.subject_id)
        return undone

    def seen(self, item_id: str) -> None:
        """Put on record that somebody looks at the item's original."""
        with self._database.write() as session:
            self._audit(session, "review-seen", item_id, {})

    def approve(self, item_id: str) -> None:
        """Put on record that somebody approves of the item; questions about it are answered.

        It is due now, and stays approved: should the process die that handles it, a worker does.
        """
        with self._database.write() as session:
            item = Items(session).get(item_id)
            item.approved, item.next_attempt_at = True, self._now()
            if item.reason == NAMED:  # somebody looked, and it is not that person
                item.named = []
            Questions(session).answer(item_id, at=self._now())
            self._audit(session, "review-approved", item_id, {})

    def questions(self, item_id: str | None = None) -> Sequence[ReviewQuestionRow]:
        """What a person should look at in items that are public, the oldest first."""
        with self._database.read() as session:
            return Questions(session).open(item_id)

    def reject(self, item_id: str) -> bool:
        """Record that the item may not go out; its report is kept.

        Whoever has it in hand just now is stopped, and what is public of it is to be taken down.

        Returns:
            Whether anything of it may be public.
        """
        with self._database.write() as session:
            items = Items(session)
            item = items.get(item_id)
            item.approved, item.next_attempt_at = False, None
            item.attempts += 1  # a fencing token that nobody holds
            public = Publications(session).list(item_id=item_id, states=VISIBLE)
            for publication in public:
                Takedowns(session).plan_for(publication, reason="rejected", at=self._now())
            Questions(session).answer(item_id, at=self._now())
            items.record_outcome(
                item_id,
                state="rejected",
                at=self._now(),
                outcome="block",
                reason="rejected",
                report=item.report,
            )
            self._audit(session, "review-rejected", item_id, {})
        return bool(public)

    def _audit(
        self,
        session: Session,
        action: str,
        item_id: str,
        data: Mapping[str, object],
        subject_id: str | None = None,
    ) -> None:
        Audit(session, self._keyring).append(
            action,
            at=self._now(),
            actor=self._actor,
            subject_id=subject_id,
            item_id=item_id,
            data=data,
        )


def _recognised(face: Face) -> str | None:
    """Whom the program knew the face to be; with a distance, or it was somebody's earlier mark."""
    match = face.match
    return None if match is None or match.distance is None else match.subject_id


def _find(session: Session, item: str) -> ItemRow:
    if not item.isascii():
        raise InputError("no-item", item=item)
    row = Items(session).find(item)
    if row is not None:
        return row
    if len(item) < LEAST:
        raise InputError("item-short", item=item, least=LEAST)
    rows = session.scalars(
        select(ItemRow)
        .where(ItemRow.id.startswith(item, autoescape=True))
        .order_by(ItemRow.id)
        .limit(_NAMED)
    ).all()
    if not rows:
        raise InputError("no-item", item=item)
    if len(rows) > 1:
        raise InputError("item-ambiguous", item=item, found=", ".join(row.id for row in rows))
    return rows[0]
