"""What a person said about a face: "this is no face", who it is or is not, "redact it".

A mark names a place in the item, not a number in a list: whatever is found there when the item is
looked at again is what was meant. A place that is to be redacted is redacted whether a face is
found there or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mediaguard.core.faces import Assessment, Box, Detection, Face, Match, Track

_SAME_PLACE = 0.5  # intersection over union
_INSIDE = 0.5  # of a face: so much of it in a box that is redacted, and it counts as redacted too
_ALL_OF_IT = 0.9  # of a box: so much of it in a face, and redacting the face redacts the box


class Verdict(StrEnum):
    """What was said."""

    NO_FACE = "no-face"
    SUBJECT = "subject"
    NOT_SUBJECT = "not-subject"
    """It is not who it was taken for: then it is nobody who is known."""
    REDACT = "redact"
    """It must not be seen, whoever it is; also of a place where no face was found."""


NAMING = frozenset({Verdict.SUBJECT, Verdict.NOT_SUBJECT})
"""Verdicts that are about a subject."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict on one face or place.

    Attributes:
        frame: index of the frame in which it was pointed at; 0 in a photo.
        box: where.
        verdict: what was said.
        subject_id: who it is, or is not; None for the other verdicts.
        span: of `Verdict.REDACT`: the first and the last frame in which the place is redacted if
            no face is found there; None for all frames.
    """

    frame: int
    box: Box
    verdict: Verdict
    subject_id: str | None = None
    span: tuple[int, int] | None = None


def apply_marks(assessment: Assessment, marks: Sequence[Mark]) -> Assessment:
    """The assessment with what people said about its faces; of two marks the later one counts.

    That something is to be redacted counts more than all else, whenever it was said. Whether
    somebody who was named may be seen is still asked of their consent.
    """
    if not marks:
        return assessment
    faces = list(assessment.faces)
    for mark in marks:
        nearest = _meant(faces, mark)
        if mark.verdict is not Verdict.REDACT and nearest is not None:
            faces[nearest] = _marked(faces[nearest], mark)
    for mark in marks:
        if mark.verdict is Verdict.REDACT:
            _redact(faces, mark, assessment)
    return replace(assessment, faces=faces)


def _meant(faces: Sequence[Face], mark: Mark) -> int | None:
    """The index of the face at the mark's place."""
    shared = [_box_at(face, mark.frame).iou(mark.box) for face in faces]
    nearest = max(range(len(faces)), key=shared.__getitem__, default=None)
    return nearest if nearest is not None and shared[nearest] >= _SAME_PLACE else None


def _marked(face: Face, mark: Mark) -> Face:
    match: Match | None = None
    if mark.verdict is Verdict.SUBJECT:
        match = Match(mark.subject_id)
    elif mark.verdict is Verdict.NOT_SUBJECT and face.match is not None:
        match = replace(face.match, subject_id=None)  # whom it resembles may still help a reviewer
    return replace(face, match=match, marked=mark.verdict.value)


def _redact(faces: list[Face], mark: Mark, assessment: Assessment) -> None:
    """Mark what is at the place, and add the place itself if that is not all of it."""
    meant = _meant(faces, mark)
    hit = {index for index, face in enumerate(faces) if _is_inside(face, mark.box)}
    hit |= set() if meant is None else {meant}
    for index in hit:
        faces[index] = replace(faces[index], marked=mark.verdict.value)
    held = [_box_at(faces[index], mark.frame).intersection(mark.box) for index in hit]
    if max(held, default=0.0) < _ALL_OF_IT * mark.box.area or not hit:
        place = _place(mark, assessment)
        faces += [] if place is None else [place]


def _is_inside(face: Face, box: Box) -> bool:
    """Whether a face of a photo or animation lies in the box, at least half of it.

    In an animation in any frame: what is redacted in one is redacted in all. A face of a clip
    moves on: there the place is covered, and not all that ever passes it.
    """
    where = face.detection.box
    return face.track is None and 0 < _INSIDE * where.area <= where.intersection(box)


def _place(mark: Mark, assessment: Assessment) -> Face | None:
    """The place as a face; None if it lies outside of the picture, where nothing can be seen."""
    box = _within(mark.box, assessment.width, assessment.height)
    if not box.area:
        return None
    there = Detection(box, 1.0)
    last = assessment.frames - 1
    if last < 1:
        return Face(there, marked=mark.verdict.value)
    start, end = mark.span or (0, last)
    start, end = (0, last) if not 0 <= start <= min(end, last) else (start, min(end, last))
    frame = min(max(mark.frame, start), end)
    frames = tuple(sorted({start, frame, end}))
    seconds = (assessment.moment(start), assessment.moment(end))
    track = Track(frames, (there,) * len(frames), seconds)
    return Face(there, frame, track=track, marked=mark.verdict.value)


def _within(box: Box, width: int, height: int) -> Box:
    left, top = max(box.x, 0.0), max(box.y, 0.0)
    right, bottom = min(box.right, float(width)), min(box.bottom, float(height))
    return Box(left, top, max(right - left, 0.0), max(bottom - top, 0.0))


def _box_at(face: Face, frame: int) -> Box:
    """Where the face is in a frame; an empty box in frames in which it was not seen."""
    if face.track is None:
        return face.detection.box if frame == face.frame else Box(0, 0, 0, 0)
    if face.track.first <= frame <= face.track.last:
        return face.track.box_at(frame)
    return Box(0, 0, 0, 0)
