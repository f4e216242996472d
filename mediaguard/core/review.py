"""What a person said about a face: "this is no face", or who it is.

A mark names a place in the item, not a number in a list: whatever is found there when the item is
looked at again is what was meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from mediaguard.core.faces import Assessment, Box, Face, Match

_SAME_PLACE = 0.5  # intersection over union


class Verdict(StrEnum):
    """What was said."""

    NO_FACE = "no-face"
    SUBJECT = "subject"


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict on one face.

    Attributes:
        frame: index of the frame in which it was pointed at; 0 in a photo.
        box: where.
        verdict: what was said.
        subject_id: who it is, for `Verdict.SUBJECT`; else None.
    """

    frame: int
    box: Box
    verdict: Verdict
    subject_id: str | None = None


def apply_marks(assessment: Assessment, marks: Sequence[Mark]) -> Assessment:
    """The assessment with what people said about its faces; of two marks the later one counts.

    Whether somebody who was named may be seen is still asked of their consent.
    """
    if not marks:
        return assessment
    faces = list(assessment.faces)
    for mark in marks:
        shared = [_box_at(face, mark.frame).iou(mark.box) for face in faces]
        nearest = max(range(len(faces)), key=shared.__getitem__, default=None)
        if nearest is not None and shared[nearest] >= _SAME_PLACE:
            faces[nearest] = _marked(faces[nearest], mark)
    return replace(assessment, faces=faces)


def _marked(face: Face, mark: Mark) -> Face:
    match = Match(mark.subject_id) if mark.verdict is Verdict.SUBJECT else None
    return replace(face, match=match, marked=mark.verdict.value)


def _box_at(face: Face, frame: int) -> Box:
    """Where the face is in a frame; an empty box in frames in which it was not seen."""
    if face.track is None:
        return face.detection.box if frame == face.frame else Box(0, 0, 0, 0)
    if face.track.first <= frame <= face.track.last:
        return face.track.box_at(frame)
    return Box(0, 0, 0, 0)
