"""Whom a face was taken for when the same photo or video was looked at before.

References are deleted with the consent to matching, and then a face of whoever withdrew may look
most like a sibling who agreed. The records of the item still say who it was: a face stays whose
it was, and out of sight, until a look says the same again or a person says who it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mediaguard.core.faces import Assessment, Box, Face

_SAME_PLACE = 0.3  # intersection over union; a neighbour that is taken for it is redacted, no more
_LOOKS = 12  # so many places of a track are compared


def remember(assessment: Assessment, earlier: Sequence[Face]) -> Assessment:
    """The assessment in which faces stay whose they were, where this look does not say the same.

    Args:
        assessment: what was found now.
        earlier: faces that were given a name before.
    """
    return replace(assessment, faces=[_remembered(face, earlier) for face in assessment.faces])


def _remembered(face: Face, earlier: Sequence[Face]) -> Face:
    before = max(earlier, key=lambda one: _nearness(one, face), default=None)
    if before is None or before.match is None or _shared(before, face) < _SAME_PLACE:
        return face
    if _name(before) == _name(face):
        return face
    # Whom it resembles now may help a reviewer.
    candidates = face.match.candidates if face.match else ()
    return replace(face, match=replace(before.match, candidates=candidates), remembered=True)


def _nearness(before: Face, face: Face) -> tuple[float, bool, bool]:
    """Sorts faces by how likely each is this one; in doubt it is the one with another name."""
    return _shared(before, face), before.frame == face.frame, _name(before) != _name(face)


def _name(face: Face) -> str | None:
    return face.match.subject_id if face.match else None


def _shared(before: Face, face: Face) -> float:
    """How much of one place both have, at the moment at which it is most."""
    return max((one.iou(other) for one, other in _both(before, face)), default=0.0)


def _both(one: Face, other: Face) -> Iterator[tuple[Box, Box]]:
    """Where both are at the same moment.

    Of an animation at any moment: a face of it is redacted in all frames.
    """
    if one.track is None or other.track is None:
        yield one.detection.box, other.detection.box
        return
    first = max(one.track.first, other.track.first)
    last = min(one.track.last, other.track.last)
    if first > last:
        return
    seen = {frame for track in (one.track, other.track) for frame, _ in track.sightings(_LOOKS)}
    for frame in sorted({first, last} | seen):
        if first <= frame <= last:
            yield one.track.box_at(frame), other.track.box_at(frame)
