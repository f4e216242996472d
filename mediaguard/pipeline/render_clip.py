"""Make a clip's rendition, a segment at a time: redact, encode, decode again and verify.

In the frames in which faces were not looked for before they are now, and each must be redacted or
kept. Where that, or verification, finds a face that was missed, it is redacted too, and the
segments that it touches are made again. Segments that passed lie in the workspace under
a name that says what they hold, so that neither a second try nor a restart makes them twice.
"""

import hashlib
import secrets
import shutil
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mediaguard.core.decision import Action, Decision
from mediaguard.core.faces import Box, Detection, Face, Track
from mediaguard.core.media import Encoding
from mediaguard.core.tracking import Cover, Coverage
from mediaguard.errors import MediaError
from mediaguard.media.clip import Clip
from mediaguard.media.clip_verification import (
    Expected,
    Hidden,
    SegmentVerification,
    head_window,
    unexpected,
    verify_file,
    verify_segment,
    window_of,
)
from mediaguard.media.clip_writer import SegmentWriter, assemble
from mediaguard.media.findings import Finding
from mediaguard.media.frames import Frame
from mediaguard.media.planes import Paint, Planes, fill, paint, patch_for
from mediaguard.media.redaction import Style
from mediaguard.pipeline.assess_clip import Timeline
from mediaguard.pipeline.found_faces import as_line, as_row, recall
from mediaguard.pipeline.ports import Looking, Progress
from mediaguard.pipeline.render import TRIES, Rendition

_SEGMENT_FRAMES = 48
_SAMPLE_SECONDS = 0.5
"""So often all of an encoded frame is searched; besides, every edge of redaction."""
_LATE_SCORE = 0.3
"""A face found so late counts from this score on, somewhat lower than in what came out, where
encoding has moved scores a little."""
_WHOLE = 0.95
"""So much of its box has to be redacted already; a strip of a face that runs past tells something
too, though no detector finds it."""
_ROOM_BYTES = 50_000_000
"""Besides twice the source's size: what has to be free on the disk before the work starts."""


@dataclass(frozen=True, slots=True)
class Making:
    """How a clip is written.

    Attributes:
        style: how faces are redacted.
        encoding: of the picture.
        sound: whether the sound goes along.
        folder: where the work is done.
    """

    style: Style
    encoding: Encoding
    sound: bool
    folder: Path


def require_room(folder: Path, source_bytes: int) -> None:
    """See that the disk will not run full half way.

    Raises:
        MediaError: ``no-room-clip``.
    """
    needed = 2 * source_bytes + _ROOM_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise MediaError(
            "no-room-clip", needed=-(-needed // 1_000_000), free=free // 1_000_000, folder=folder
        )


def render_clip(
    clip: Clip,
    timeline: Timeline,
    decision: Decision,
    *,
    making: Making,
    looking: Looking,
    progress: Progress,
) -> Rendition:
    """Write the decision into pixels and prove it on the encoded result.

    Args:
        clip: the original.
        timeline: its frames.
        decision: which tracks stay.
        making: how and where it is written.
        looking: what looks at the result as a stranger would.
        progress: told how far it is.

    Raises:
        MediaError: it could not be written, or the source was damaged meanwhile.
    """
    writer = _Writer(clip, timeline, decision, making, looking, progress)
    findings = writer.write_all()
    path = making.folder / "rendition.mp4"
    if not findings:
        paths = [segment.path for segment in writer.segments]
        starts = [timeline.pts[segment.first] for segment in writer.segments]
        assemble(path, paths, starts, clip, sound=making.sound)
        findings = verify_file(path, clip, timeline.pts, paths, sound=making.sound)
    digest = ""
    if not findings:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Rendition(
        open=lambda: path.open("rb"),
        suffix=".mp4",
        sha256=digest,
        verified=not findings,
        findings=tuple(findings),
        late=writer.late_faces(),
    )


@dataclass(slots=True)
class _Segment:
    """Frames `first` to `last`, both inclusive, and the file that they are in."""

    first: int
    last: int
    path: Path = field(default_factory=Path)


class _Writer:
    """Writes segments until all of them are verified, or the tries are used up."""

    def __init__(
        self,
        clip: Clip,
        timeline: Timeline,
        decision: Decision,
        making: Making,
        looking: Looking,
        progress: Progress,
    ) -> None:
        self._clip = clip
        self._timeline = timeline
        self._making = making
        self._looking = looking
        self._progress = progress
        tracks = {
            action: [f.face.track for f in decision.faces if f.action is action and f.face.track]
            for action in Action
        }
        self._redacted: list[Track] = tracks[Action.REDACT]
        self._kept: list[Track] = tracks[Action.KEEP]
        self._late = _Late(making.folder / "late.jsonl")
        self._coverage = self._covered()
        self._patches: dict[int, NDArray[np.uint8]] = {}
        self._rng = np.random.default_rng(secrets.randbits(128))
        self._strength = 1
        self._told = 0
        self._looked: set[int] = set()
        self._sample = max(1, round(_SAMPLE_SECONDS * clip.info.fps))
        frames = len(timeline.pts)
        borders = [*range(0, frames, _SEGMENT_FRAMES), frames]
        self.segments = [_Segment(start, end - 1) for start, end in pairwise(borders)]

    def _covered(self) -> Coverage:
        return Coverage(
            self._redacted, self._kept, self._timeline.shots, self._clip.info.fps, self._late.tracks
        )

    def late_faces(self) -> tuple[Face, ...]:
        """The faces that were found while writing, each for itself."""
        start = self._timeline.pts[0]
        found = []
        for track in self._late.tracks:
            second = self._clip.info.seconds(self._timeline.pts[track.first] - start)
            timed = replace(track, seconds=(second, second))
            found.append(Face(track.detections[0], track.first, track=timed))
        return tuple(found)

    def write_all(self) -> list[Finding]:
        """Try until nothing is found; else what was found last."""
        findings: list[Finding] = []
        for _ in range(TRIES):
            findings = self._try()
            self._coverage = self._covered()
            if not findings and all(self._path_of(s).exists() for s in self.segments):
                return []
            if any(finding.code != "face-visible" for finding in findings):
                self._strength = 2  # what was covered is not gone: larger and solid
        return findings or [Finding("face-visible", {"frame": 0, "count": 1})]

    def _try(self) -> list[Finding]:
        """Write and verify the segments that are not there yet as they have to be."""
        findings: list[Finding] = []
        edges = self._coverage.edges()
        frames: Iterator[tuple[int, Frame]] | None = None
        for segment in self.segments:
            segment.path = self._path_of(segment)
            if segment.path.exists():
                frames = None
            else:
                if frames is None:
                    frames = self._looked_ahead(segment.first)
                draft = self._making.folder / "draft.mp4"
                result = self._verify(draft, self._write(draft, segment, frames, edges))
                if result.ok:
                    # Faces found on the way are redacted in it, so that it may have another name.
                    segment.path = self._path_of(segment)
                    draft.replace(segment.path)
                findings += result.findings
                for frame, face in result.new_faces:
                    self._late.add(frame, face)
                    findings.append(Finding("face-visible", {"frame": frame, "count": 1}))
            self._tell(segment.last + 1)
        return findings

    def _looked_ahead(self, first: int) -> Iterator[tuple[int, Frame]]:
        """The frames from `first` on, with their numbers; looked at before they are needed.

        A frame that was not looked at before is looked at now, and what is found there and not
        redacted whole is redacted, also in the frames just before: these wait for that.
        """
        pts, looked = self._timeline.pts, self._timeline.looked
        waiting: deque[tuple[int, Frame]] = deque()
        frames = self._clip.frames(pts[first] if first else None)
        for index, frame in enumerate(frames, first):
            if index >= len(pts) or frame.pts != pts[index]:
                raise MediaError("clip-changed")
            if index not in looked and index not in self._looked:
                self._looked.add(index)
                missed = self._missed(index, frame)
                for face in missed:
                    self._late.add(index, face)
                if missed:
                    self._coverage = self._covered()
            waiting.append((index, frame))
            if len(waiting) > self._coverage.pad:
                yield waiting.popleft()
        yield from waiting

    def _missed(self, index: int, frame: Frame) -> list[Detection]:
        """The faces in an original frame that are neither kept nor redacted as a whole."""
        picture = frame.rgb()
        found = [f for f in self._looking.detector.detect(picture) if f.score >= _LATE_SCORE]
        heads = [cover.detection for cover in self._coverage.covers(index, index)[0]]
        size = picture.shape[1], picture.shape[0]
        return unexpected(found, heads, self._coverage.visible(index), size, _WHOLE)

    def _path_of(self, segment: _Segment) -> Path:
        """Named by all that decides what is in it."""
        making = self._making
        covers = self._coverage.covers(segment.first, segment.last)
        what = (
            [[as_row(cover.detection) for cover in frame] for frame in covers],
            [
                [as_row(Detection(box, 0.0)) for box in self._coverage.visible(frame)]
                for frame in range(segment.first, segment.last + 1)
            ],
            (making.style, making.encoding, self._strength, self._looking.verifier.name),
        )
        digest = hashlib.sha256(repr(what).encode()).hexdigest()[:16]
        return making.folder / f"{segment.first:08}-{digest}.mp4"

    def _write(
        self,
        path: Path,
        segment: _Segment,
        frames: Iterator[tuple[int, Frame]],
        edges: Mapping[int, Sequence[Box]],
    ) -> list[Expected]:
        """Redact and encode; returns what verification compares with."""
        expected = []
        start = self._timeline.pts[segment.first]
        with SegmentWriter(path, self._clip.info, self._making.encoding) as writer:
            for index, frame in islice(frames, segment.last - segment.first + 1):
                covers = self._coverage.covers(index, index)[0]
                planes = frame.planes()
                small = planes.small()
                heads = [Hidden(c.detection, self._original(planes, c)) for c in covers]
                paints = [self._paint(frame, cover) for cover in covers]
                touched = paint(planes, paints, strength=self._strength)
                writer.write(planes, frame.pts, frame.duration)
                expected.append(
                    Expected(
                        frame=index,
                        pts=frame.pts - start,
                        small=small,
                        touched=touched,
                        heads=heads,
                        visible=self._coverage.visible(index),
                        search=index % self._sample == 0,
                        edges=edges.get(index, ()),
                    )
                )
                self._tell(index)
            writer.finish()
        if len(expected) != segment.last - segment.first + 1:
            raise MediaError("clip-changed")
        return expected

    def _verify(self, path: Path, expected: Sequence[Expected]) -> SegmentVerification:
        info = self._clip.info
        return verify_segment(
            path,
            expected,
            size=(info.width, info.height),
            time_base=info.time_base,
            colours=info.colours,
            find_faces=self._looking.verifier.detect,
        )

    def _is_flat(self, cover: Cover) -> bool:
        """Whether one colour is laid over it: over what was found late, always."""
        late = not 0 <= cover.track < len(self._redacted)
        return late or self._making.style is Style.FILL or self._strength > 1

    def _paint(self, frame: Frame, cover: Cover) -> Paint:
        colours = self._clip.info.colours
        if self._is_flat(cover):
            return Paint(cover.detection, fill(colours))
        patch = self._patches.get(cover.track)
        if patch is None:
            picture = frame.rgb()
            left, top, right, bottom = head_window(cover.detection, picture.shape[1::-1])
            crop = picture[top:bottom, left:right]
            patch = patch_for(crop, self._making.style, colours, self._rng)
            self._patches[cover.track] = patch
        return Paint(cover.detection, patch, smooth=self._making.style is Style.BLUR)

    def _original(self, planes: Planes, cover: Cover) -> Planes | None:
        """What verification compares a head with where a flat colour is no proof."""
        if self._is_flat(cover):
            return None
        return window_of(planes, head_window(cover.detection, planes.size))

    def _tell(self, done: int) -> None:
        # A second try goes over the same frames: progress does not run backwards.
        self._told = max(self._told, done)
        self._progress("write", self._told, len(self._timeline.pts))


class _Late:
    """Faces that were found while writing, kept on disk so that a restart knows them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tracks = [Track((frame,), (face,)) for frame, faces in recall(path) for face in faces]

    def add(self, frame: int, face: Detection) -> None:
        self.tracks.append(Track((frame,), (face,)))
        with self._path.open("ab") as file:
            file.write(as_line(frame, [face]))
