"""Whom a face was taken for when its item was looked at before.

References are deleted with the consent to matching, and then a face of whoever withdrew may look
most like a sibling who agreed. The item's own record still says who it was: two looks that
disagree about a face are not sure of it, until a person says who it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mediaguard.core.faces import Assessment, Box, Face

_SAME_PLACE = 0.3  # intersection over union; a neighbour that is taken for it is redacted, no more
_LOOKS = 12  # so many places of a track are compared


def doubt(assessment: Assessment, earlier: Sequence[Face]) -> Assessment:
    """The assessment without the names that an earlier look contradicts.

    Args:
        assessment: what was found now.
        earlier: faces that were given a name before.
    """
    faces = [
        replace(face, match=replace(face.match, subject_id=None))
        if face.match and any(_contradicts(before, face) for before in earlier)
        else face
        for face in assessment.faces
    ]
    return replace(assessment, faces=faces)


def _contradicts(before: Face, face: Face) -> bool:
    names = [match.subject_id for match in (before.match, face.match) if match is not None]
    return (
        None not in names
        and len(set(names)) > 1
        and any(one.iou(other) >= _SAME_PLACE for one, other in _both(before, face))
    )


def _both(one: Face, other: Face) -> Iterator[tuple[Box, Box]]:
    """Where both are at the same moment.

    Of an animation at any moment: a face of it is redacted in all frames.
    """
    if one.track is None or other.track is None:
        yield one.detection.box, other.detection.box
        return
    first = max(one.track.first, other.track.first)
    last = min(one.track.last, other.track.last)
    seen = {frame for track in (one.track, other.track) for frame, _ in track.sightings(_LOOKS)}
    for frame in sorted({first, last} | seen):
        if first <= frame <= last:
            yield one.track.box_at(frame), other.track.box_at(frame)
