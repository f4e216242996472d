"""One face across frames: linking what was found in single frames, and covering what lies between.

A track is for two things. For *recognising* it has to be one person beyond doubt, so it ends
wherever two faces touch, at cuts, and where a face was lost. For *redacting* it has to leave no
frame out, so `Coverage` reaches further: over gaps between two tracks, and some frames beyond
their ends. How well this does on real clips: docs/decisions/0008.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mediaguard.core.faces import Box, Detection, Track, between

_NEAR = 0.75
"""A detection may continue a track if it lies within this many face heights of where the track is
expected,"""
_ALIKE = 0.6
"""and if the smaller of the two heights is at least this share of the larger."""
_TOUCH, _APART = 0.75, 1.0
"""Two faces touch when their middles come nearer than this many face heights, and part again at
the second number: then each is followed anew, because they may have been exchanged."""
_LOST_SECONDS = 0.25
"""A face that was not seen for longer is not the same track any more."""

PAD_SECONDS = 0.2
"""Redaction starts so much before a face is first found and ends so much after: a face turns into
sight and out of it gradually, and motion blurs it."""
BRIDGE_SECONDS = 1.0
"""A gap up to this long between two tracks near each other is redacted too."""
_BRIDGE_NEAR = 1.2  # face heights, and
_GONE_ON_SECONDS = 0.12
"""A track that starts so soon after another one ended, at its place, goes on from it."""
_BRIDGE_SPEED = 4.0  # face heights per second that somebody may have moved meanwhile
_MOTION_MARGIN = 0.25  # of the way moved since the last sighting: motion is not quite straight
_MOST_STEPS = 20  # on the way of a face that seems to fly
_SURE_SCORE = 0.3
"""A face found just once or twice counts only from this score on; more often, always."""
_SURE_SIGHTINGS = 3


@dataclass(slots=True)
class _Trail:
    """A track that is still growing."""

    number: int
    frames: list[int]
    detections: list[Detection]
    touching: bool = False

    def expected(self, frame: int) -> Box:
        """Where the face should be: it goes on as it moved last."""
        box = self.detections[-1].box
        if len(self.frames) < 2:
            return box
        before = self.detections[-2].box
        share = (frame - self.frames[-1]) / (self.frames[-1] - self.frames[-2])
        x = box.x + (box.center[0] - before.center[0]) * share
        y = box.y + (box.center[1] - before.center[1]) * share
        return Box(x, y, box.w, box.h)


@dataclass(slots=True)
class Tracker:
    """Links detections, frame after frame.

    Attributes:
        fps: frames per second, for what is meant in seconds.
        follows: number of a track → of the one that it went on from, most likely, when two faces
            touched or parted.
    """

    fps: float
    follows: dict[int, int] = field(default_factory=dict)
    _growing: list[_Trail] = field(default_factory=list)
    _ended: list[_Trail] = field(default_factory=list)
    _count: int = 0

    def see(self, frame: int, detections: Sequence[Detection]) -> list[int]:
        """Take in what was found in `frame`, a later one than before.

        Returns:
            For each detection the number of its track.
        """
        self._end(t for t in self._growing if frame - t.frames[-1] > _LOST_SECONDS * self.fps + 1)
        expected = {trail.number: trail.expected(frame) for trail in self._growing}
        owner = self._assign(expected, detections)
        by_number = {trail.number: trail for trail in self._growing}

        def seen_before(index: int) -> Sequence[Detection]:
            return by_number[owner[index]].detections if index in owner else ()

        # Who touches whom is asked of everybody, also of those hidden behind another just now;
        # not of what may be no face at all.
        places = [
            detection.box if _evident([*seen_before(index), detection]) else None
            for index, detection in enumerate(detections)
        ]
        hidden = [t for t in self._growing if t.number not in owner.values()]
        # Who is hidden where somebody is seen might come out with the other's track.
        self._end(
            trail
            for trail in hidden
            if any(box and _distance(expected[trail.number], box) < _TOUCH for box in places)
        )
        places += [expected[trail.number] for trail in hidden if _evident(trail.detections)]
        numbers = []
        for index, detection in enumerate(detections):
            trail = by_number.get(owner.get(index, -1))
            limit = _APART if trail is not None and trail.touching else _TOUCH
            others = [box for i, box in enumerate(places) if i != index and box is not None]
            touching = any(_distance(detection.box, box) < limit for box in others)
            if trail is not None and trail.touching != touching:
                self._end([trail])
                self.follows[self._count] = trail.number
                trail = None
            if trail is None:
                trail = _Trail(self._count, [], [], touching)
                self._count += 1
                self._growing.append(trail)
            trail.frames.append(frame)
            trail.detections.append(detection)
            numbers.append(trail.number)
        return numbers

    def cut(self) -> None:
        """The next frame shows something else."""
        self._end(list(self._growing))

    def tracks(self) -> list[Track]:
        """All tracks so far, by number."""
        trails = sorted([*self._ended, *self._growing], key=lambda trail: trail.number)
        return [Track(tuple(t.frames), tuple(t.detections)) for t in trails]

    def _end(self, trails: Iterable[_Trail]) -> None:
        ending = list(trails)
        self._ended += ending
        gone = {trail.number for trail in ending}
        self._growing = [trail for trail in self._growing if trail.number not in gone]

    def _assign(
        self, expected: Mapping[int, Box], detections: Sequence[Detection]
    ) -> dict[int, int]:
        """Index of a detection → number of the track it continues, nearest pairs first."""
        pairs = sorted(
            (distance, index, number)
            for index, detection in enumerate(detections)
            for number, box in expected.items()
            if (distance := _distance(detection.box, box)) <= _NEAR and _alike(detection.box, box)
        )
        owner: dict[int, int] = {}
        for _, index, number in pairs:
            if index not in owner and number not in owner.values():
                owner[index] = number
        return owner


def joined(one: Track, other: Track) -> Track:
    """Two tracks, the second of which starts after the first ended, as one."""
    return Track(one.frames + other.frames, one.detections + other.detections)


def is_evident(track: Track) -> bool:
    """Whether it was seen often or clearly enough to be a face.

    Not seen often and never clearly: a detector's passing mistake, or a face of which nobody
    could tell whose it is.
    """
    return _evident(track.detections)


@dataclass(frozen=True, slots=True)
class Shots:
    """Where the picture changes as a whole.

    Attributes:
        frames: how many there are.
        cuts: index of the first frame of each shot but the first, ascending.
    """

    frames: int
    cuts: tuple[int, ...] = ()

    def around(self, frame: int) -> tuple[int, int]:
        """First and last frame of the shot that `frame` belongs to."""
        after = bisect_right(self.cuts, frame)
        first = self.cuts[after - 1] if after else 0
        return first, (self.cuts[after] if after < len(self.cuts) else self.frames) - 1


@dataclass(frozen=True, slots=True)
class Cover:
    """A face's place in one frame, to be redacted.

    Attributes:
        track: index of the track in what `Coverage` was given.
        detection: the place; the tilt of the head is that of the nearest sighting.
    """

    track: int
    detection: Detection


class Coverage:
    """Every place that has to be redacted in a clip.

    A redacted face is covered in each frame from a little before it was first found until a
    little after it was last found. Between two of its tracks it is covered too (it turned away,
    or was missed), unless a face that may be seen is in the way: then it is hidden behind it.
    Nothing reaches over a cut.

    Args:
        redacted: who has to be covered.
        kept: who may be seen.
        shots: of the clip.
        fps: frames per second.
        late: who has to be covered besides, each for itself: found when the clip was written.

    Attributes:
        pad: so many frames redaction reaches further than a track.
    """

    def __init__(
        self,
        redacted: Sequence[Track],
        kept: Sequence[Track],
        shots: Shots,
        fps: float,
        late: Sequence[Track] = (),
    ) -> None:
        self._redacted = [*redacted, *late]
        self._kept = kept
        self._fps = fps
        self.pad = max(1, math.ceil(PAD_SECONDS * fps))
        self._shots = shots
        self._reach = [self.reach(track) for track in self._redacted]
        everyone = [*redacted, *kept]
        self._bridges = [
            (owner, Track((start.last, end.first), (start.detections[-1], end.detections[0])))
            for one, other in _bridges(everyone, len(redacted), shots, fps)
            for start, end in [(everyone[one], everyone[other])]
            # From somebody who may be seen to somebody who may be seen nothing is hidden.
            if (owner := min(one, other)) < len(redacted)
        ]
        self._visible = [(self.reach(track), track) for track in kept]

    def reach(self, track: Track) -> tuple[int, int]:
        """The first and the last frame in which a track is covered if it is redacted."""
        first, last = self._shots.around(track.first)[0], self._shots.around(track.last)[1]
        return max(first, track.first - self.pad), min(last, track.last + self.pad)

    def covers(self, first: int, last: int) -> list[list[Cover]]:
        """What is redacted in each of the frames from `first` to `last`, both inclusive."""
        result: list[list[Cover]] = [[] for _ in range(first, last + 1)]
        for index, (track, (start, end)) in enumerate(
            zip(self._redacted, self._reach, strict=True)
        ):
            for frame in range(max(first, start), min(last, end) + 1):
                places = _places(track, frame, self._fps)
                result[frame - first] += [Cover(index, place) for place in places]
        for owner, gap in self._bridges:
            for frame in range(max(first, gap.first + 1), min(last, gap.last - 1) + 1):
                (place,) = _places(gap, frame, self._fps)
                if not any(
                    _hides(track.box_at(frame), place.box)
                    for track in self._kept
                    if track.first <= frame <= track.last
                ):
                    result[frame - first].append(Cover(owner, place))
        return result

    def visible(self, frame: int) -> list[Box]:
        """Where faces may be seen in a frame, as far as somebody knows who they are."""
        return [
            track.box_at(frame) for (first, last), track in self._visible if first <= frame <= last
        ]

    def edges(self) -> dict[int, list[Box]]:
        """Where a face would show that is covered too late or not for long enough.

        The frames just outside of each track's redaction, unless a cut is there, and its places.
        """
        result: dict[int, list[Box]] = {}
        for track, (start, end) in zip(self._redacted, self._reach, strict=True):
            first, last = self._shots.around(track.first)[0], self._shots.around(track.last)[1]
            for frame in (start - 1, end + 1):
                if first <= frame <= last:
                    result.setdefault(frame, []).append(track.box_at(frame))
        return result


def _places(track: Track, frame: int, fps: float) -> list[Detection]:
    """Where a track's face may be in a frame within its range or near it."""
    after = min(bisect_left(track.frames, frame), len(track.frames) - 1)
    before = max(after - 1, 0)
    nearest = min(before, after, key=lambda index: abs(track.frames[index] - frame))
    seen = track.detections[nearest]
    if track.frames[nearest] == frame:
        return [seen]
    box = track.box_at(frame)
    if track.first < frame < track.last:
        moved = _moved(track.detections[before].box, track.detections[after].box)
        return [_moved_to(seen, _grown(box, moved[0] * _MOTION_MARGIN, moved[1] * _MOTION_MARGIN))]
    # Where it was, where it would be had it gone on as it moved, and all the way between.
    velocity = _velocity(track, frame < track.first, fps)
    offset = frame - (track.first if frame < track.first else track.last)
    ahead = Box(box.x + velocity[0] * offset, box.y + velocity[1] * offset, box.w, box.h)
    way = 2 * _distance(box, ahead)
    steps = math.ceil(min(way, _MOST_STEPS)) if math.isfinite(way) else 0
    return [_moved_to(seen, between(box, ahead, i / max(steps, 1))) for i in range(steps + 1)]


def _moved_to(seen: Detection, box: Box) -> Detection:
    """The same face elsewhere, with its tilt."""
    shift = box.center[0] - seen.box.center[0], box.center[1] - seen.box.center[1]
    landmarks = tuple((x + shift[0], y + shift[1]) for x, y in seen.landmarks)
    return Detection(box, seen.score, landmarks)


def _velocity(track: Track, at_start: bool, fps: float) -> tuple[float, float]:
    """Pixels per frame at one end of a track, over about a sixth of a second."""
    span = max(2, math.ceil(fps / 6))
    if at_start:
        near, far = track.first, min(track.first + span, track.last)
    else:
        near, far = track.last, max(track.last - span, track.first)
    if near == far:
        return 0.0, 0.0
    (x0, y0), (x1, y1) = track.box_at(near).center, track.box_at(far).center
    return (x1 - x0) / (far - near), (y1 - y0) / (far - near)


def _bridges(
    tracks: Sequence[Track], redacted: int, shots: Shots, fps: float
) -> list[tuple[int, int]]:
    """Pairs (ends, starts again) that may be one face that was lost in between.

    Only tracks that nobody goes on from, and that go on from nobody, can be such ends. Of the
    first `redacted` tracks every possible pair counts: when several people are lost at once,
    nobody knows who is who. Of a redacted and a kept one only the nearest.
    """
    by_end = sorted(range(len(tracks)), key=lambda index: tracks[index].last)
    ends = [tracks[index].last for index in by_end]

    def ended_before(later: int, seconds: float, gap: int) -> Iterator[tuple[int, float]]:
        """Which tracks ended so shortly before another one starts, and how far from there."""
        track = tracks[later]
        since = max(shots.around(track.first)[0], track.first - seconds * fps)
        for earlier in by_end[bisect_left(ends, since) : bisect_left(ends, track.first - gap)]:
            end, start = tracks[earlier].detections[-1].box, track.detections[0].box
            if _alike(end, start):
                yield earlier, _distance(end, start)

    gone_on, going_on = set(), set()
    for later in range(len(tracks)):
        for earlier, distance in ended_before(later, _GONE_ON_SECONDS, 0):
            if distance <= _NEAR:
                gone_on.add(earlier)
                going_on.add(later)
    pairs = []
    for later in set(range(len(tracks))) - going_on:
        near = []
        for earlier, distance in ended_before(later, BRIDGE_SECONDS, 1):
            gap = (tracks[later].first - tracks[earlier].last) / fps
            if earlier not in gone_on and distance <= _BRIDGE_NEAR + _BRIDGE_SPEED * gap:
                near.append((distance, earlier))
        pairs += [
            (earlier, later)
            for distance, earlier in near
            if max(earlier, later) < redacted or (distance, earlier) == min(near)
        ]
    return pairs


def _hides(front: Box, behind: Box) -> bool:
    """Whether a face in front covers most of the place of one behind it."""
    return front.intersection(behind) >= 0.4 * behind.area > 0


def _evident(seen: Sequence[Detection]) -> bool:
    return len(seen) >= _SURE_SIGHTINGS or any(d.score >= _SURE_SCORE for d in seen)


def _distance(one: Box, other: Box) -> float:
    """Between two middles, in face heights."""
    size = max((_side(one) + _side(other)) / 2, 1e-6)
    return math.dist(one.center, other.center) / size


def _side(box: Box) -> float:
    return max(box.w, box.h)


def _alike(one: Box, other: Box) -> bool:
    small, large = sorted((_side(one), _side(other)))
    return small >= _ALIKE * large


def _moved(start: Box, end: Box) -> tuple[float, float]:
    return abs(end.center[0] - start.center[0]), abs(end.center[1] - start.center[1])


def _grown(box: Box, across: float, down: float) -> Box:
    return Box(box.x - across, box.y - down, box.w + 2 * across, box.h + 2 * down)
