"""Look through a clip: follow each face, and search it in the gallery a few times on its way."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from mediaguard.core.faces import Assessment, Detection, Face, Image, Match, Quality, Track
from mediaguard.core.track_matching import Probe, name_tracks, split
from mediaguard.core.tracking import Shots, Tracker, is_evident, joined
from mediaguard.media.clip import Clip
from mediaguard.media.cuts import CutDetector
from mediaguard.media.frames import Frame
from mediaguard.pipeline.found_faces import as_line, recall
from mediaguard.pipeline.ports import Looking, Progress

LOOK_SECONDS = 0.085
"""Faces are looked for this often: every second frame at 25 or 30 a second. What would be seen in
the frames between is searched in what comes out."""
_PROBE_SECONDS = 0.4
"""How often a face is searched in the gallery while it is followed;"""
_FIRST_PROBES = 3
"""the first times at every look, so that a short track has enough."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The frames of a clip, and which of them were looked at.

    Attributes:
        pts: timestamp of each frame, in the clip's time base.
        durations: of each, in the same unit; 0 if the file does not say.
        shots: where it cuts.
        looked: the frames in which faces were looked for.
    """

    pts: tuple[int, ...]
    durations: tuple[int, ...]
    shots: Shots
    looked: frozenset[int]


def assess_clip(
    clip: Clip,
    looking: Looking,
    *,
    every_frame: bool,
    remembered: Path | None,
    progress: Progress,
) -> tuple[Assessment, Timeline]:
    """Find and follow every face of a clip.

    Args:
        clip: opened.
        looking: what looks, and who can be recognised.
        every_frame: look at all frames; for a clip that is not written, in which nobody will look
            again.
        remembered: a file in which the places of the faces found are kept, so that a second try
            need not look again; None if there is to be none. Face vectors are never written.
        progress: told how far it is.

    Raises:
        MediaError: the clip is damaged.
    """
    with _Memory(remembered) as memory:
        follower = _Follower(clip.info.fps, looking, memory)
        cuts = CutDetector()
        step = 1 if every_frame else max(1, math.floor(LOOK_SECONDS * clip.info.fps))
        pts: list[int] = []
        durations: list[int] = []
        since_look, before = step, None
        for index, frame in enumerate(clip.frames()):
            pts.append(frame.pts)
            durations.append(frame.duration)
            is_cut = cuts.is_cut(frame.luma_sample())
            if is_cut:
                if before is not None:  # the last frame of a shot
                    follower.look(index - 1, before)
                follower.cut(index)
            since_look += 1
            if is_cut or since_look >= step:
                follower.look(index, frame)
                since_look, before = 0, None
            else:
                before = frame
            progress("look", index + 1, max(clip.info.expected_frames, index + 1))
        if before is not None:
            follower.look(len(pts) - 1, before)
    shots = Shots(len(pts), tuple(follower.cuts))
    timeline = Timeline(tuple(pts), tuple(durations), shots, frozenset(follower.looked))
    start = pts[0]
    moments = [clip.info.seconds(value - start) for value in pts]
    faces = [_timed(face, moments) for face in follower.faces()]
    assessment = Assessment(clip.info.width, clip.info.height, len(pts), faces, moments)
    return assessment, timeline


@dataclass(slots=True)
class _Searched:
    """What was tried to recognise one track."""

    probes: list[Probe] = field(default_factory=list)
    last: int = -1
    unclear: tuple[Detection, Quality] | None = None


class _Follower:
    """Looks at single frames and remembers what belongs together."""

    def __init__(self, fps: float, looking: Looking, memory: "_Memory") -> None:
        self._fps = fps
        self._looking = looking
        self._memory = memory
        self._tracker = Tracker(fps)
        self._searched: dict[int, _Searched] = defaultdict(_Searched)
        self.cuts: list[int] = []
        self.looked: list[int] = []

    def cut(self, frame: int) -> None:
        self._tracker.cut()
        self.cuts.append(frame)

    def look(self, index: int, frame: Frame) -> None:
        picture: Image | None = None
        detections = self._memory.recall(index)
        if detections is None:
            picture = frame.rgb()
            detections = self._looking.detector.detect(picture)
            self._memory.keep(index, detections)
        numbers = self._tracker.see(index, detections)
        self.looked.append(index)
        due = [
            (number, detection)
            for number, detection in zip(numbers, detections, strict=True)
            if self._is_due(number, detection, index)
        ]
        if due:
            self._search(index, frame.rgb() if picture is None else picture, due)

    def _is_due(self, number: int, detection: Detection, index: int) -> bool:
        policy = self._looking.policy
        if not self._looking.gallery.subjects:
            return False
        if not (policy.is_large(detection) and policy.is_sure(detection)):
            return False
        searched = self._searched[number]
        few = len(searched.probes) < _FIRST_PROBES
        return few or index - searched.last >= _PROBE_SECONDS * self._fps

    def _search(self, index: int, picture: Image, due: Sequence[tuple[int, Detection]]) -> None:
        clear = []
        for number, detection in due:
            quality = self._looking.measure(picture, detection)
            searched = self._searched[number]
            if self._looking.policy.is_clear(detection, quality):
                clear.append((searched, detection, quality))
            else:
                searched.unclear = detection, quality
        if not clear:
            return
        vectors = self._looking.embedder.embed(picture, [detection for _, detection, _ in clear])
        for (searched, detection, quality), vector in zip(clear, vectors, strict=True):
            searched.probes.append(Probe(index, detection, quality, vector))
            searched.last = index

    def faces(self) -> list[Face]:
        """One for each track, by the time of its first frame; the vectors are dropped."""
        pieces = [
            _Piece(number, part, probes, self._searched[number].unclear)
            for number, track in enumerate(self._tracker.tracks())
            if is_evident(track)
            for part, probes in split(track, self._searched[number].probes)
        ]
        matches = name_tracks(
            [(piece.track, piece.probes) for piece in pieces],
            self._looking.gallery,
            self._looking.matching,
        )
        self._searched.clear()
        faces = self._join(pieces, matches)
        return sorted(faces, key=lambda face: face.track.first if face.track else 0)

    def _join(self, pieces: Sequence["_Piece"], matches: Sequence[Match | None]) -> list[Face]:
        """Make one face of tracks that most likely go on from each other and are one subject's.

        It saves readers from seeing one person many times. What is shown does not change: each
        track was named by itself. Unknown people stay apart: a mark on one must not hit another.
        """
        whole: dict[int, Face] = {}
        faces: list[Face] = []
        counts = Counter(piece.number for piece in pieces)
        for piece, match in zip(pieces, matches, strict=True):
            face = _face(piece, match)
            before = self._tracker.follows.get(piece.number)
            earlier = whole.get(-1 if before is None else before)
            if earlier is not None and counts[piece.number] == 1 and _same_name(earlier, face):
                faces.remove(earlier)
                face = _better(earlier, face)
            if counts[piece.number] == 1:
                whole[piece.number] = face
            faces.append(face)
        return faces


@dataclass(frozen=True, slots=True)
class _Piece:
    """A track, or the part of one that shows one person."""

    number: int
    track: Track
    probes: Sequence[Probe]
    unclear: tuple[Detection, Quality] | None


def _same_name(one: Face, other: Face) -> bool:
    names = [face.match.subject_id if face.match else None for face in (one, other)]
    return names[0] is not None and names[0] == names[1]


def _better(one: Face, other: Face) -> Face:
    """The face that says more, over the frames of both."""
    if one.track is None or other.track is None:
        raise ValueError("only tracks can be joined")
    best = max(one, other, key=lambda face: face.detection.box.h)
    return replace(best, track=joined(one.track, other.track))


def _timed(face: Face, moments: Sequence[float]) -> Face:
    if face.track is None:
        return face
    seconds = moments[face.track.first], moments[face.track.last]
    return replace(face, track=replace(face.track, seconds=seconds))


def _face(piece: _Piece, match: Match | None) -> Face:
    track = piece.track
    if piece.probes:
        best = max(piece.probes, key=lambda probe: probe.quality.height * probe.quality.frontality)
        return Face(best.detection, best.frame, best.quality, match, track)
    index = max(
        range(len(track.frames)),
        key=lambda i: track.detections[i].score * track.detections[i].box.h,
    )
    quality = piece.unclear[1] if piece.unclear else None
    return Face(track.detections[index], track.frames[index], quality, match, track)


class _Memory:
    """The faces found in the frames looked at, on disk as they are found."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._found = dict(recall(path)) if path else {}
        self._file: BinaryIO | None = None

    def __enter__(self) -> "_Memory":
        if self._path is not None:
            self._file = self._path.open("ab")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def recall(self, frame: int) -> list[Detection] | None:
        return self._found.pop(frame, None)

    def keep(self, frame: int, detections: Sequence[Detection]) -> None:
        if self._file is not None:
            self._file.write(as_line(frame, detections))
            self._file.flush()
