"""Who is this track, or nobody that we know.

A face is searched several times along its track, a few times a second. Their mean is compared
with the gallery, and the single answers have to agree with it: docs/decisions/0008.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Detection, Embedding, Match, Quality, Track
from mediaguard.core.matching import GalleryIndex, MatchPolicy, identify

_MIN_PROBES = 2
"""One look alone names nobody in a clip."""
_SINGLE_TOLERANCE = 0.1
"""By so much a single look may be further from the subject than the mean of all has to be, which
averages their noise away."""
_OTHER_PERSON = 0.62
"""Two probes of one track further apart than this are not of one person: same-person distances
of two single vectors end here (docs/decisions/0003)."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A face of a track as it was searched.

    Attributes:
        frame: index of the frame.
        detection: where in it.
        quality: of the face.
        embedding: its vector.
    """

    frame: int
    detection: Detection
    quality: Quality
    embedding: Embedding


def split(track: Track, probes: Sequence[Probe]) -> list[tuple[Track, list[Probe]]]:
    """Cut a track where its face becomes somebody else's; usually it stays whole.

    Two probes in a row, or the last one, that are too far from the mean of those before start
    another person. The cut is made in the middle of the frames between.
    """
    start, pieces = 0, []
    for index in range(1, len(probes)):
        mean = _mean([probe.embedding for probe in probes[start:index]])
        following = probes[index : index + 2]
        if all(float(np.linalg.norm(p.embedding - mean)) > _OTHER_PERSON for p in following):
            pieces.append(((probes[index - 1].frame + probes[index].frame) // 2, index))
            start = index
    result, rest, start = [], track, 0
    for frame, index in pieces:
        head, tail = _cut(rest, frame)
        if head is None or tail is None:
            continue
        result.append((head, list(probes[start:index])))
        rest, start = tail, index
    return [*result, (rest, list(probes[start:]))]


def name_tracks(
    tracks: Sequence[tuple[Track, Sequence[Probe]]], gallery: GalleryIndex, policy: MatchPolicy
) -> list[Match | None]:
    """The gallery's answer to each track; None where nothing could be searched.

    A subject found in two tracks that are seen in one frame is one of them at most.

    Args:
        tracks: with the probes of each, as `split` leaves them.
        gallery: who can be found.
        policy: how sure to be.
    """
    matches = [_name(list(probes), gallery, policy) for _, probes in tracks]
    named = [index for index, match in enumerate(matches) if match and match.subject_id]
    rivals = {
        one: [
            other
            for other in named
            if other != one
            and _subject(matches[other]) == _subject(matches[one])
            and _overlap(tracks[one][0], tracks[other][0])
        ]
        for one in named
    }
    result = list(matches)
    for index, others in rivals.items():
        match = matches[index]
        if match is None or not others:
            continue
        nearest = min(_far(matches[other]) for other in others)
        if nearest - _far(match) < policy.margin or nearest <= _far(match):
            result[index] = _unsure(match)
    return result


def _name(probes: list[Probe], gallery: GalleryIndex, policy: MatchPolicy) -> Match | None:
    if not probes or not gallery.subjects:
        return None
    vectors = np.stack([probe.embedding for probe in probes])
    match = identify(_mean(vectors)[None], gallery, policy)[0]
    if match.subject_id is None:
        return match
    singles = [identify(vector[None], gallery, policy)[0] for vector in vectors]
    agreeing = sum(_leans_to(single, match.subject_id, policy) for single in singles)
    contradicting = sum(
        single.subject_id is not None and single.subject_id != match.subject_id
        for single in singles
    )
    if agreeing < _MIN_PROBES or 2 * agreeing <= len(probes) or contradicting:
        return _unsure(match)
    # A few good looks must not carry those at somebody else who resembles the subject: the half
    # that fits worse has to match as well.
    farthest = sorted(range(len(singles)), key=lambda index: -_far(singles[index]))
    rest = identify(_mean(vectors[farthest[: -(-len(singles) // 2)]])[None], gallery, policy)[0]
    return match if rest.subject_id == match.subject_id else _unsure(match)


def _leans_to(single: Match, subject_id: str, policy: MatchPolicy) -> bool:
    """Whether one look supports a name."""
    return bool(
        single.candidates
        and single.candidates[0].subject_id == subject_id
        and single.candidates[0].distance <= policy.threshold + _SINGLE_TOLERANCE
    )


def _unsure(match: Match) -> Match:
    return Match(None, match.distance, match.margin, match.candidates)


def _subject(match: Match | None) -> str | None:
    return match.subject_id if match else None


def _far(match: Match | None) -> float:
    return match.distance if match and match.distance is not None else math.inf


def _overlap(one: Track, other: Track) -> bool:
    return one.first <= other.last and other.first <= one.last


def _mean(vectors: Sequence[Embedding] | NDArray[np.float32]) -> Embedding:
    """Scaled to the usual length of the vectors, as the references are."""
    stack = np.asarray(vectors, np.float64)
    mean = stack.mean(axis=0)
    length = float(np.linalg.norm(stack, axis=1).mean())
    return np.asarray(mean * (length / max(float(np.linalg.norm(mean)), 1e-9)), np.float32)


def _cut(track: Track, frame: int) -> tuple[Track | None, Track | None]:
    """What was seen up to `frame`, and what was seen after it."""
    until = sum(f <= frame for f in track.frames)
    return _part(track, 0, until), _part(track, until, len(track.frames))


def _part(track: Track, start: int, end: int) -> Track | None:
    if start >= end:
        return None
    return Track(track.frames[start:end], track.detections[start:end])
