"""Reviewing: what staff can do with an item that was held or finished, for every entry point."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mediaguard.app import App
from mediaguard.core.decision import Action, FaceDecision
from mediaguard.core.faces import Box
from mediaguard.core.media import ItemReport
from mediaguard.core.reported import Place, faces_of, meant_by, places_of
from mediaguard.core.review import Mark, Verdict
from mediaguard.errors import InputError, StoreError
from mediaguard.media import strips
from mediaguard.media.clip import Clip, ClipLimits
from mediaguard.media.photo import Photo, decode
from mediaguard.media.sniffing import HEAD_BYTES, clip_format
from mediaguard.notes import remove_note, update_note
from mediaguard.pipeline.ports import Progress, silent
from mediaguard.store.marks import as_mark
from mediaguard.store.review_desk import ReviewDesk, version_of
from mediaguard.store.scope import Scope
from mediaguard.store.tables import ItemRow, ReviewMarkRow, ReviewQuestionRow
from mediaguard.texts import say

SHOWN, REDACTED = "#1a7f37", "#c62828"
"""Colours of the outlines: a face that would be shown, and one that would not."""

LEAST_SIDE = 4
"""Pixels: smaller places are slips of the hand."""

ON_SCREEN = strips.Poster(side=1600, numbered=False)
"""For a page that draws the numbers itself."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An item as a reviewer sees it.

    Attributes:
        item: its record.
        faces: as they were decided on; their numbers count from 1.
        marks: each with the numbers of the faces that it concerns, oldest first.
        questions: what a person should look at because of a withdrawal.
    """

    item: ItemRow
    faces: tuple[FaceDecision, ...]
    marks: list[tuple[ReviewMarkRow, list[int]]]
    questions: Sequence[ReviewQuestionRow]

    @property
    def reason_params(self) -> dict[str, Any]:
        """For the sentence of `item.reason`; in place of the file's name stands the id."""
        return {"name": self.item.id, **(self.item.reason_params or {})}

    @property
    def version(self) -> str:
        """Changes whenever something about the item does that a reviewer goes by."""
        return version_of(self.item, [mark for mark, _ in self.marks])

    @property
    def shown_frame(self) -> int:
        """The frame that stands for the item as a whole; 0 in a photo."""
        return strips.poster_frame(self.sights)

    @property
    def sights(self) -> list[strips.Sight]:
        """Where each face was seen."""
        return [
            strips.Sight(places_of(face.face), SHOWN if face.action is Action.KEEP else REDACTED)
            for face in self.faces
        ]

    def why(self, language: str, question: str = "review-question") -> str:
        """Why it is where it is, or what is asked about it; `question` is the code of asking."""
        if self.questions:
            return " ".join(
                say(question, {"subject": one.subject_id, "shown_as": one.shown_as}, language)
                for one in self.questions
            )
        reason = self.item.reason
        return "" if reason is None else say(reason, self.reason_params, language)

    @property
    def is_pending(self) -> bool:
        """Whether there are marks that the item was not handled with yet."""
        return any(mark.at > self.item.updated_at for mark, _ in self.marks)

    def marks_of(self, number: int) -> list[ReviewMarkRow]:
        """The marks that concern a face, oldest first; the last one counts."""
        return [mark for mark, numbers in self.marks if number in numbers]


class Review:
    """The acts of a reviewer in a home. An item is named by its id or the beginning of it."""

    def __init__(self, app: App) -> None:
        self._app = app

    @cached_property
    def _desk(self) -> ReviewDesk:
        app = self._app
        return ReviewDesk(app.database, app.keyring, now=app.now, actor=app.actor)

    def items(self, *, channel: str | None = None, everything: bool = False) -> list[Reviewed]:
        """What somebody should look at, oldest first; with `everything` all items.

        Without their marks.

        Raises:
            ConfigError: there is no such channel.
        """
        if channel is not None:
            self._app.config.channel(channel)
        rows = self._desk.items(channel=channel, everything=everything)
        asked = defaultdict(list)
        for question in self._desk.questions():
            asked[question.item_id].append(question)
        return [Reviewed(row, faces_of(row.report), [], asked[row.id]) for row in rows]

    def page(
        self,
        *,
        channel: str | None = None,
        everything: bool = False,
        scope: Scope | None = None,
        offset: int = 0,
        limit: int = 25,
    ) -> tuple[list[Reviewed], int]:
        """Some of the same items, and how many there are; without faces and marks.

        Args:
            channel: None for all.
            everything: not only what somebody should look at.
            scope: what may be seen; None for all.
            offset: so many are passed over.
            limit: so many at most.
        """
        rows, count = self._desk.page(
            channel=channel, everything=everything, scope=scope, offset=offset, limit=limit
        )
        asked = defaultdict(list)
        for question in self._desk.questions([row.id for row in rows]):
            asked[question.item_id].append(question)
        return [Reviewed(row, (), [], asked[row.id]) for row in rows], count

    def neighbours(
        self, reviewed: Reviewed, scope: Scope | None = None
    ) -> tuple[str | None, str | None]:
        """What somebody should look at before and after an item, oldest first."""
        return self._desk.neighbours(reviewed.item, scope)

    def item(self, item: str) -> Reviewed:
        """One item.

        Raises:
            InputError: it is not known, or several begin so.
        """
        row, marks = self._desk.find(item)
        faces = faces_of(row.report)
        meant = [(mark, meant_by(as_mark(mark), faces)) for mark in marks]
        return Reviewed(row, faces, meant, self._desk.questions([row.id]))

    def pictures(self, reviewed: Reviewed) -> strips.Pictures:
        """Pictures of the item and its faces from its original; that somebody looks is recorded.

        Raises:
            InputError: the original is not kept any more.
            MediaError: it cannot be opened.
        """
        self._require_original(reviewed.item.id)
        self.seen(reviewed)
        return self.draw(reviewed, strips.Poster())

    def seen(self, reviewed: Reviewed) -> None:
        """Put on record that somebody looks at the item."""
        self._desk.seen(reviewed.item.id)

    def draw(self, reviewed: Reviewed, poster: strips.Poster) -> strips.Pictures:
        """The same pictures for somebody of whom it is on record that they look.

        Raises:
            InputError: the original is not kept any more.
            MediaError: it cannot be opened.
        """
        self._require_original(reviewed.item.id)
        opened = self._opened(reviewed.item.id)
        if isinstance(opened, Clip):
            return strips.of_clip(opened, reviewed.sights, poster)
        return strips.of_photo(opened, reviewed.sights, poster)

    def size(self, reviewed: Reviewed) -> tuple[int, int]:
        """Width and height of the upright picture.

        Raises:
            InputError: the original is not kept any more.
            MediaError: it cannot be opened.
        """
        known = (reviewed.item.report or {}).get("size")
        if known is not None:
            return int(known[0]), int(known[1])
        self._require_original(reviewed.item.id)
        opened = self._opened(reviewed.item.id)
        if isinstance(opened, Clip):
            return opened.info.width, opened.info.height
        return opened.width, opened.height

    def _opened(self, item_id: str) -> Photo | Clip:
        vault = self._app.vault
        with vault.open(item_id) as file:
            container = clip_format(file.read(HEAD_BYTES))
        if container is None:
            return decode(vault.get(item_id), limits=self._app.limits)
        limits = ClipLimits(max_minutes=self._app.config.limits.max_video_minutes)
        return Clip(lambda: vault.open(item_id), container, limits=limits)

    def veto(self, item: str, number: int, *, seen: str | None = None) -> Reviewed:
        """Say that a face is none: what is there stays visible when the item is handled anew.

        Raises:
            InputError: there is no such item or face, or somebody was recognised in it.
        """
        mark = self._desk.mark(item, number, Verdict.NO_FACE, seen=seen)
        return self.item(mark.item_id)

    def tag(self, item: str, number: int, subject_id: str, *, seen: str | None = None) -> Reviewed:
        """Say whose face it is: their consent decides when the item is handled anew.

        Raises:
            InputError: there is no such item, face or subject.
        """
        mark = self._desk.mark(item, number, Verdict.SUBJECT, subject_id, seen=seen)
        return self.item(mark.item_id)

    def deny(self, item: str, number: int, *, seen: str | None = None) -> Reviewed:
        """Say that a face is not that of whom it was taken for: it is redacted.

        Raises:
            InputError: there is no such item or face, or nobody was recognised in it.
        """
        mark = self._desk.mark(item, number, Verdict.NOT_SUBJECT, seen=seen)
        return self.item(mark.item_id)

    def redact(self, item: str, number: int, *, seen: str | None = None) -> Reviewed:
        """Say that a face has to be redacted, whoever it is.

        Raises:
            InputError: there is no such item or face.
        """
        return self.item(self._desk.mark(item, number, Verdict.REDACT, seen=seen).item_id)

    def redact_place(
        self,
        item: str,
        place: Place | Box,
        span: tuple[int, int] | None = None,
        *,
        seen: str | None = None,
    ) -> Reviewed:
        """Say that a place has to be redacted in which no face was found.

        Args:
            item: which one.
            place: where, in pixels of the upright picture; in a clip, perhaps with the frame in
                which it was pointed at.
            span: of a clip the first and the last frame in which it is redacted; None for all.
            seen: the item as they saw it; None if that does not matter.

        Raises:
            InputError: there is no such item, or the place is not one.
        """
        reviewed = self.item(item)
        frame, box = (reviewed.shown_frame, place) if isinstance(place, Box) else place
        width, height = self.size(reviewed)
        values = (box.x, box.y, box.w, box.h)
        inside = box.intersection(Box(0, 0, width, height))
        if not all(math.isfinite(value) for value in values) or not (
            box.w >= LEAST_SIDE and box.h >= LEAST_SIDE and inside > 0
        ):
            raise InputError("review-no-place", width=width, height=height)
        if span is not None and not 0 <= span[0] <= span[1]:
            raise InputError("review-no-span", first=span[0], last=span[1])
        if span is not None:
            frame = min(max(frame, span[0]), span[1])
        mark = Mark(frame, box, Verdict.REDACT, span=span)
        return self.item(self._desk.mark_place(reviewed.item.id, mark, seen=seen).item_id)

    def undo(self, item: str, mark_id: int | None = None, *, seen: str | None = None) -> Reviewed:
        """Take back a mark, the latest one if none is named.

        Raises:
            InputError: there is no such item, or no mark on it.
        """
        return self.item(self._desk.undo(item, mark_id, seen=seen).item_id)

    def let_out(self, item: str, *, seen: str | None = None) -> None:
        """Have the item handled anew with its marks by a worker, as soon as there is one.

        Raises:
            InputError: there is no such item, nobody looked at it yet, or its original is not kept
                any more.
        """
        row, _ = self._desk.find(item)
        if row.report is None:
            raise InputError("review-no-report", item=row.id)
        self._require_original(row.id)
        self._desk.approve(row.id, mistaken=self._mistaken(row), seen=seen)

    def approve(self, item: str, progress: Progress = silent) -> ItemReport:
        """Handle the item anew with its marks, and publish what may go out.

        Raises:
            InputError: there is no such item, or its original is not kept any more.
            Cancelled: `progress` asked for it; a second try goes on.
        """
        row, _ = self._desk.find(item)
        self._require_original(row.id)
        app = self._app
        pipeline, channel = app.pipeline(row.channel, row.groups), app.channel(row.channel)
        with pipeline.book.held(row.id):
            self._desk.approve(row.id, mistaken=self._mistaken(row))
            report = pipeline.process_again(
                row.id, vault=app.vault, channel=channel, progress=progress
            )
        if report.outcome.goes_out:
            # What the watched folder said about the item is not so any more.
            update_note(app, row.channel, report)
        return report

    def reject(self, item: str) -> bool:
        """Say that the item may not go out; returns whether something had to be taken away.

        Raises:
            InputError: there is no such item.
        """
        row, _ = self._desk.find(item)
        was_published = self._desk.reject(row.id)
        remove_note(self._app, row.channel, row.id)
        book = self._app.book(row.channel)
        try:
            with book.held(row.id):
                self._app.take_down(row.id, book)
        except StoreError as error:  # somebody else has it in hand; a worker takes it down
            if error.code != "item-busy":
                raise
        return was_published

    def _mistaken(self, row: ItemRow) -> set[str]:
        """Whose names hold the item; those of others stay on record, should they withdraw."""
        rulings = self._app.book(row.channel).rulings(row.named)
        return {name for name in row.named if name not in rulings or not rulings[name].allowed}

    def _require_original(self, item_id: str) -> None:
        if not self._app.vault.has(item_id):
            raise InputError("review-no-original", item=item_id)
