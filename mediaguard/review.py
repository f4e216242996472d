"""Reviewing: what staff can do with an item that was held or finished, for every entry point."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mediaguard.app import App
from mediaguard.core.decision import Action, FaceDecision
from mediaguard.core.media import ItemReport
from mediaguard.core.reported import faces_of, meant_by, places_of
from mediaguard.core.review import Verdict
from mediaguard.errors import InputError, StoreError
from mediaguard.media import strips
from mediaguard.media.clip import Clip, ClipLimits
from mediaguard.media.photo import decode
from mediaguard.media.sniffing import HEAD_BYTES, clip_format
from mediaguard.notes import update_note
from mediaguard.pipeline.ports import Progress, silent
from mediaguard.store.marks import as_mark
from mediaguard.store.review_desk import ReviewDesk
from mediaguard.store.tables import ItemRow, ReviewMarkRow, ReviewQuestionRow

SHOWN, REDACTED = "#1a7f37", "#c62828"
"""Colours of the outlines: a face that would be shown, and one that would not."""


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

    def item(self, item: str) -> Reviewed:
        """One item.

        Raises:
            InputError: it is not known, or several begin so.
        """
        row, marks = self._desk.find(item)
        faces = faces_of(row.report)
        meant = [(mark, meant_by(as_mark(mark), faces)) for mark in marks]
        return Reviewed(row, faces, meant, self._desk.questions(row.id))

    def pictures(self, reviewed: Reviewed) -> strips.Pictures:
        """Pictures of the item and its faces from its original; that somebody looks is recorded.

        Raises:
            InputError: the original is not kept any more.
            MediaError: it cannot be opened.
        """
        item_id = reviewed.item.id
        self._require_original(item_id)
        self._desk.seen(item_id)
        sights = [
            strips.Sight(places_of(face.face), SHOWN if face.action is Action.KEEP else REDACTED)
            for face in reviewed.faces
        ]
        vault = self._app.vault
        with vault.open(item_id) as file:
            container = clip_format(file.read(HEAD_BYTES))
        if container is None:
            return strips.of_photo(decode(vault.get(item_id), limits=self._app.limits), sights)
        limits = ClipLimits(max_minutes=self._app.config.limits.max_video_minutes)
        return strips.of_clip(Clip(lambda: vault.open(item_id), container, limits=limits), sights)

    def veto(self, item: str, number: int) -> Reviewed:
        """Say that a face is none: what is there stays visible when the item is handled anew.

        Raises:
            InputError: there is no such item or face, or somebody was recognised in it.
        """
        return self.item(self._desk.mark(item, number, Verdict.NO_FACE).item_id)

    def tag(self, item: str, number: int, subject_id: str) -> Reviewed:
        """Say whose face it is: their consent decides when the item is handled anew.

        Raises:
            InputError: there is no such item, face or subject.
        """
        return self.item(self._desk.mark(item, number, Verdict.SUBJECT, subject_id).item_id)

    def undo(self, item: str) -> Reviewed:
        """Take back the latest mark.

        Raises:
            InputError: there is no such item, or no mark on it.
        """
        return self.item(self._desk.undo(item).item_id)

    def approve(self, item: str, progress: Progress = silent) -> ItemReport:
        """Handle the item anew with its marks, and publish what may go out.

        Raises:
            InputError: there is no such item, or its original is not kept any more.
            Cancelled: `progress` asked for it; a second try goes on.
        """
        row, _ = self._desk.find(item)
        self._require_original(row.id)
        app = self._app
        pipeline, channel = app.pipeline(row.channel), app.channel(row.channel)
        with pipeline.book.held(row.id):
            self._desk.approve(row.id)
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
        book = self._app.book(row.channel)
        try:
            with book.held(row.id):
                self._app.take_down(row.id, book)
        except StoreError as error:  # somebody else has it in hand; a worker takes it down
            if error.code != "item-busy":
                raise
        return was_published

    def _require_original(self, item_id: str) -> None:
        if not self._app.vault.has(item_id):
            raise InputError("review-no-original", item=item_id)
