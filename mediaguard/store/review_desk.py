"""The review desk: what staff says about items and their faces; each call is one transaction."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Subquery, func, select, tuple_, union_all
from sqlalchemy.orm import Session, defer

from mediaguard.core.decision import NAMED, FaceDecision
from mediaguard.core.faces import Face
from mediaguard.core.reported import faces_of, mark_on, meant_by
from mediaguard.core.review import Mark, Verdict
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from mediaguard.store.database import Database
from mediaguard.store.items import LEAST, VISIBLE, Items, Publications
from mediaguard.store.keys import Keyring
from mediaguard.store.marks import Marks, as_mark
from mediaguard.store.questions import Questions, is_open
from mediaguard.store.scope import Scope
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

    def page(
        self,
        *,
        channel: str | None,
        everything: bool,
        scope: Scope | None,
        offset: int,
        limit: int,
    ) -> tuple[Sequence[ItemRow], int]:
        """Some of the same items, and how many there are; without their reports.

        Args:
            channel: None for all.
            everything: not only what a person should look at.
            scope: what may be seen; None for all.
            offset: so many are passed over.
            limit: so many at most.
        """
        places = _places(channel, everything, scope)
        some = (
            select(places.c.id)
            .order_by(places.c.created_at, places.c.id)
            .offset(offset)
            .limit(limit)
        )
        with self._database.read() as session:
            count = session.scalar(select(func.count()).select_from(places)) or 0
            rows = session.scalars(
                select(ItemRow)
                .where(ItemRow.id.in_(some))
                .options(defer(ItemRow.report, raiseload=True))
                .order_by(ItemRow.created_at, ItemRow.id)
            ).all()
        return rows, count

    def neighbours(self, item: ItemRow, scope: Scope | None) -> tuple[str | None, str | None]:
        """What a person should look at before and after an item, in the order of `page`."""
        places = _places(None, False, scope)
        place, here = tuple_(places.c.created_at, places.c.id), tuple_(item.created_at, item.id)
        ids = select(places.c.id).limit(1)
        before = ids.where(place < here).order_by(places.c.created_at.desc(), places.c.id.desc())
        after = ids.where(place > here).order_by(places.c.created_at, places.c.id)
        with self._database.read() as session:
            return session.scalar(before), session.scalar(after)

    def find(self, item: str) -> tuple[ItemRow, list[ReviewMarkRow]]:
        """The item with this id, or whose id alone begins so; and its marks, oldest first.

        Raises:
            InputError: there is none, or several begin so.
        """
        with self._database.read() as session:
            row = _find(session, item)
            return row, Marks(session).list(row.id)

    def mark(
        self,
        item: str,
        number: int,
        verdict: Verdict,
        subject_id: str | None = None,
        *,
        seen: str | None = None,
    ) -> ReviewMarkRow:
        """Record what somebody said about the face with this number in the item's report.

        Args:
            item: which one.
            number: of the face, from 1.
            verdict: what was said.
            subject_id: who it is, for `Verdict.SUBJECT`.
            seen: the item as they saw it (`version_of`); None if that does not matter.

        Raises:
            InputError: there is no such item, face or subject; or it contradicts what is known; or
                the item is not any more as it was seen.
        """
        with self._database.write() as session:
            row = self._unchanged(session, item, seen)
            if row.report is None:
                raise InputError("review-no-report", item=row.id)
            faces = faces_of(row.report)
            if not 1 <= number <= len(faces):
                raise InputError("review-number", item=row.id, number=number, count=len(faces))
            said = [as_mark(mark) for mark in Marks(session).list(row.id)]
            _require_sense(faces, number, verdict, said)
            face = faces[number - 1].face
            if verdict is Verdict.NOT_SUBJECT:
                subject_id = face.match.subject_id if face.match else None
            return self._record(session, row.id, mark_on(face, verdict, subject_id))

    def mark_place(self, item: str, mark: Mark, *, seen: str | None = None) -> ReviewMarkRow:
        """Record what somebody said about a place in which no face was found.

        Raises:
            InputError: there is no such item, or it was not looked at yet; or the item is not any
                more as it was seen.
        """
        with self._database.write() as session:
            row = self._unchanged(session, item, seen)
            if row.report is None:
                raise InputError("review-no-report", item=row.id)
            return self._record(session, row.id, mark)

    def _record(self, session: Session, item_id: str, mark: Mark) -> ReviewMarkRow:
        made = Marks(session).add(item_id, mark, actor=self._actor, at=self._now())
        data: dict[str, object] = {
            "mark": made.mark_id,
            "verdict": mark.verdict.value,
            "frame": mark.frame,
            "box": list(mark.box.rounded()),
        }
        if mark.span is not None:
            data["frames"] = list(mark.span)
        self._audit(session, "review-marked", item_id, data, mark.subject_id)
        return made

    def undo(
        self, item: str, mark_id: int | None = None, *, seen: str | None = None
    ) -> ReviewMarkRow:
        """Take back a mark of the item, the latest one if none is named.

        Raises:
            InputError: there is no such item, or no mark on it; or the item is not any more as it
                was seen.
        """
        with self._database.write() as session:
            row = self._unchanged(session, item, seen)
            undone = Marks(session).undo(row.id, at=self._now(), mark_id=mark_id)
            if undone is None:
                raise InputError("review-no-marks", item=row.id)
            data = {"mark": undone.mark_id}
            self._audit(session, "review-undone", row.id, data, undone.subject_id)
        return undone

    def seen(self, item_id: str) -> None:
        """Put on record that somebody looks at the item's original."""
        with self._database.write() as session:
            self._audit(session, "review-seen", item_id, {})

    def approve(
        self, item_id: str, *, mistaken: Collection[str] = (), seen: str | None = None
    ) -> None:
        """Put on record that somebody approves of the item; questions about it are answered.

        It is due now, and stays approved: should the process die that handles it, a worker does.

        Args:
            item_id: which.
            mistaken: subjects whose names hold the item: whoever looked says that it is not them.
            seen: the version that was looked at.

        Raises:
            InputError: the item is not any more as it was seen.
        """
        with self._database.write() as session:
            item = self._unchanged(session, item_id, seen)
            item.approved, item.next_attempt_at = True, self._now()
            if item.reason == NAMED:
                item.named = [name for name in item.named if name not in mistaken]
            Questions(session).answer(item_id, at=self._now())
            self._audit(session, "review-approved", item_id, {})

    def questions(self, item_ids: Collection[str] | None = None) -> Sequence[ReviewQuestionRow]:
        """What a person should look at in items (None: in all) that are public, oldest first."""
        with self._database.read() as session:
            return Questions(session).open(item_ids)

    def reject(self, item_id: str) -> bool:
        """Record that the item may not go out; its report is kept.

        Whoever has it in hand just now is stopped, and what is public of it is to be taken down.
        Also if the item changed since it was seen: a no holds whatever it looks like.

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

    def _unchanged(self, session: Session, item: str, seen: str | None) -> ItemRow:
        """The item, if it is still as somebody saw it; nobody changes it until the end."""
        row = _find(session, item)
        if seen is None:
            return row
        session.refresh(row, with_for_update={"key_share": True})
        if row.lease_until is not None and row.lease_until > self._now():
            raise InputError("review-busy")
        if version_of(row, Marks(session).list(row.id)) != seen:
            raise InputError("review-changed")
        return row

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


def _places(channel: str | None, everything: bool, scope: Scope | None) -> Subquery:
    """When items came in, and their ids, all from indexes: what waits for a person, or all.

    What is held waits, and what is public with a question about it.
    """

    def chosen(*conditions: ColumnElement[bool]) -> Select[datetime, str]:
        query = select(ItemRow.created_at, ItemRow.id).where(*conditions)
        if channel is not None:
            query = query.where(ItemRow.channel == channel)
        return query if scope is None else query.where(scope.covers())

    if everything:
        return chosen().subquery()
    asked = select(ReviewQuestionRow.item_id).where(is_open())
    held = ItemRow.state == "held"
    return union_all(chosen(held), chosen(ItemRow.id.in_(asked), ~held)).subquery()


def waiting(session: Session, scope: Scope | None, most: int) -> int:
    """How many items a person should look at; `most` stands for so many or more."""
    some = select(_places(None, False, scope).c.id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def version_of(item: ItemRow, marks: Sequence[ReviewMarkRow]) -> str:
    """Changes whenever something about the item does that a reviewer goes by."""
    last = marks[-1].mark_id if marks else 0
    return f"{item.attempts}.{item.updated_at.timestamp():.6f}.{len(marks)}.{last}"


def _require_sense(
    faces: Sequence[FaceDecision], number: int, verdict: Verdict, said: Sequence[Mark]
) -> None:
    """Refuse what contradicts what is known, or could have no effect.

    Raises:
        InputError: so it is.
    """
    here = [mark for mark in said if number in meant_by(mark, faces)]
    if verdict is not Verdict.REDACT and any(mark.verdict is Verdict.REDACT for mark in here):
        raise InputError("review-redacted", number=number)
    face = faces[number - 1].face
    if verdict is Verdict.NO_FACE:
        # That it is not who it was taken for does not make it no face.
        denied = [mark.subject_id for mark in here if mark.verdict is Verdict.NOT_SUBJECT]
        known = _recognised(face) or next(iter(denied), None)
        if known is not None:
            raise InputError("review-somebody", number=number, subject=known)
    if verdict is Verdict.NOT_SUBJECT and (face.match is None or face.match.subject_id is None):
        raise InputError("review-nobody", number=number)


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
