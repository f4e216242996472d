"""Look at a clip that was written as a stranger would, and prove that it may go out.

Each segment is decoded again: every frame is compared with the original outside what is redacted,
every redacted head must be one flat colour (or must have lost its fine structure), and faces are
searched anew. The finished file is then walked: only allowed parts, the verified packets and no
other, every timestamp and all of the sound as in the source.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Box, Detection, Image
from mediaguard.media.clip import Clip
from mediaguard.media.clip_writer import COPIED_SOUND, frames_of
from mediaguard.media.findings import Finding
from mediaguard.media.frames import pixels_of, plane_of
from mediaguard.media.planes import Colours, Planes, fill
from mediaguard.media.redaction import core_mask, head_of
from mediaguard.media.verification import COVERED, MAX_CHANGE, MAX_DETAIL, SAME_FACE, detail_left
from mediaguard.media.walkers.mp4 import walk_mp4

FLAT, SHADE = 8.0, 10.0
"""Standard deviation in a core of the fill's colour, and how far its mean may be off, of 255;
compression of moving pictures leaves a little more than that of photos."""
_EDGE_SIDES = (256, 512)
"""Pixels: sides of the parts that are searched at the edges of redaction. Few sizes, because a
network is made ready for each."""
_SOUND_SECONDS = Fraction(1, 10)
"""By so much sound that was encoded anew may start or end at another time."""
_ROUNDING_SECONDS = Fraction(1, 1000)
"""Some containers count in milliseconds, others in samples."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A head that must be gone.

    Attributes:
        face: whose head.
        before: the planes of the original in its window; None if it has to be of the fill's
            colour, which is proof by itself.
    """

    face: Detection
    before: Planes | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What one frame of a segment must be.

    Attributes:
        frame: index in the clip.
        pts: relative to the segment's first frame, in the clip's time base.
        small: block means of the original (`Planes.small`).
        touched: which blocks may differ.
        heads: what must be gone.
        visible: where faces may be seen.
        search: whether faces are searched in all of it.
        edges: places in which faces are searched: where redaction begins or ends.
    """

    frame: int
    pts: int
    small: NDArray[np.uint8]
    touched: NDArray[np.bool_]
    heads: Sequence[Hidden]
    visible: Sequence[Box]
    search: bool
    edges: Sequence[Box] = ()


@dataclass(slots=True)
class SegmentVerification:
    """What was found in a segment.

    Attributes:
        findings: why it may not go out; empty if it may.
        new_faces: faces that are visible though nobody decided to keep them, with their frames.
    """

    findings: list[Finding] = field(default_factory=list)
    new_faces: list[tuple[int, Detection]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings and not self.new_faces


def verify_segment(
    path: Path,
    expected: Sequence[Expected],
    *,
    size: tuple[int, int],
    time_base: Fraction,
    colours: Colours,
    find_faces: Callable[[Image], list[Detection]],
) -> SegmentVerification:
    """Compare a written segment with what it must be, frame by frame."""
    filled = fill(colours)[0, 0]
    result = SegmentVerification()
    count = 0
    try:
        for count, frame in enumerate(frames_of(path), 1):
            if count <= len(expected):
                wanted = expected[count - 1]
                _check_frame(frame, wanted, size, time_base, filled, find_faces, result)
    except av.error.FFmpegError as error:
        result.findings.append(Finding("output-unreadable", {"why": type(error).__name__}))
        return result
    if count != len(expected):
        result.findings.append(Finding("output-frames", {"count": count, "wanted": len(expected)}))
    return result


def _check_frame(
    frame: av.VideoFrame,
    wanted: Expected,
    size: tuple[int, int],
    time_base: Fraction,
    filled: NDArray[np.uint8],
    find_faces: Callable[[Image], list[Detection]],
    result: SegmentVerification,
) -> None:
    width, height = size
    at = {"frame": wanted.frame}
    if frame.time is None or (frame.pts or 0) * Fraction(frame.time_base or 0) != (
        wanted.pts * time_base
    ):
        result.findings.append(Finding("output-times", at))
    if _differs(frame, size, wanted):
        result.findings.append(Finding("output-differs", at))
    half = (slice(-(-height // 2)), slice(-(-width // 2)))
    planes = Planes(
        plane_of(frame, 0)[:height, :width], plane_of(frame, 1)[half], plane_of(frame, 2)[half]
    )
    for head in wanted.heads:
        if head.before is None and not _is_filled(planes, head.face, filled):
            result.findings.append(Finding("redaction-incomplete", at))
        elif head.before is not None and _shows(planes, head.face, head.before):
            result.findings.append(Finding("redaction-recognisable", {**at, "count": 1}))
    if wanted.search or wanted.edges:
        picture = np.ascontiguousarray(pixels_of(frame)[:height, :width])
        found = find_faces(picture) if wanted.search else _near_edges(picture, wanted, find_faces)
        heads = [head.face for head in wanted.heads]
        strangers = unexpected(found, heads, wanted.visible, size)
        result.new_faces += [(wanted.frame, face) for face in strangers]


def unexpected(
    found: Iterable[Detection],
    heads: Sequence[Detection],
    visible: Sequence[Box],
    size: tuple[int, int],
    share: float = COVERED,
) -> list[Detection]:
    """The faces that can be seen though nobody decided to keep them.

    Args:
        found: all faces found in a frame.
        heads: what is redacted in it, or will be.
        visible: where faces may be seen.
        size: width and height of the frame.
        share: of a face's box that has to be redacted.
    """
    return [
        face
        for face in found
        if not _is_kept(face, visible) and not _is_covered(face, heads, size, share)
    ]


def _near_edges(
    picture: Image, wanted: Expected, find_faces: Callable[[Image], list[Detection]]
) -> list[Detection]:
    """What is found in the surroundings of places; each is searched as a small picture."""
    height, width = picture.shape[:2]
    found: list[Detection] = []
    for box in wanted.edges:
        wide = min(math.ceil(3 * max(box.w, box.h)), width, height)
        side = next((s for s in _EDGE_SIDES if s >= wide), _EDGE_SIDES[-1])
        # A face that is too large for the largest part is looked at smaller.
        wide = max(wide, min(side, width, height))
        x, y = box.center
        left = min(max(round(x - wide / 2), 0), width - wide)
        top = min(max(round(y - wide / 2), 0), height - wide)
        part = picture[top : top + wide, left : left + wide]
        if wide > side:
            smaller = cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA)
            part = np.asarray(smaller, np.uint8)
        scale = max(wide / side, 1.0)
        faces = (_scaled(face, scale) for face in find_faces(np.ascontiguousarray(part)))
        # What the part's border cuts through is in the way, not what is looked for.
        whole = (shifted(face, -left, -top) for face in faces)
        inner = _inner((left, top, left + wide, top + wide), (width, height))
        found += [face for face in whole if _is_within(face.box, inner)]
    return found


def _inner(
    part: tuple[int, int, int, int], size: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A part of a picture without its rim, but for where the picture itself ends."""
    left, top, right, bottom = part
    return (
        left + 1 if left > 0 else -math.inf,
        top + 1 if top > 0 else -math.inf,
        right - 1 if right < size[0] else math.inf,
        bottom - 1 if bottom < size[1] else math.inf,
    )


def _is_within(box: Box, inner: tuple[float, float, float, float]) -> bool:
    left, top, right, bottom = inner
    return left < box.x and top < box.y and box.right < right and box.bottom < bottom


def _scaled(face: Detection, scale: float) -> Detection:
    box = face.box
    points = tuple((x * scale, y * scale) for x, y in face.landmarks)
    return Detection(
        Box(box.x * scale, box.y * scale, box.w * scale, box.h * scale), face.score, points
    )


def _differs(frame: av.VideoFrame, size: tuple[int, int], wanted: Expected) -> bool:
    width, height = size
    grid = wanted.small.shape[1], wanted.small.shape[0]
    half = -(-height // 2), -(-width // 2)
    sides = ((height, width), half, half)
    after = np.dstack(
        [
            cv2.resize(plane_of(frame, i)[:h, :w], grid, interpolation=cv2.INTER_AREA)
            for i, (h, w) in enumerate(sides)
        ]
    )
    change = np.abs(after.astype(np.int16) - wanted.small).max(axis=2)
    # Compression carries a change into the neighbouring blocks.
    near = cv2.dilate(wanted.touched.astype(np.uint8), np.ones((5, 5), np.uint8))
    return bool(change[near == 0].max(initial=0) > MAX_CHANGE)


def _is_filled(planes: Planes, face: Detection, colour: NDArray[np.uint8]) -> bool:
    """Whether the core of a head has the fill's colour and nothing else."""
    head = head_of(face)
    left, top, right, bottom = head.window(planes.size)
    if left >= right or top >= bottom:
        return True
    # Whole chroma samples: each stands for two by two pixels.
    left, top = left + left % 2, top + top % 2
    inside = head.radius(left, top, max(right, left), max(bottom, top)) <= 0.9
    luma = planes.y[top:bottom, left:right]
    parts = [(luma, np.ascontiguousarray(inside[: luma.shape[0], : luma.shape[1]]))]
    coarse = inside[::2, ::2]
    for plane in (planes.u, planes.v):
        part = plane[top // 2 :, left // 2 :][: coarse.shape[0], : coarse.shape[1]]
        parts.append((part, np.ascontiguousarray(coarse[: part.shape[0], : part.shape[1]])))
    for (part, where), wanted in zip(parts, colour, strict=True):
        if where.any():
            mean, deviation = cv2.meanStdDev(np.ascontiguousarray(part), mask=where.view(np.uint8))
            if deviation[0, 0] >= FLAT or abs(mean[0, 0] - int(wanted)) >= SHADE:
                return False
    return True


def _shows(planes: Planes, face: Detection, before: Planes) -> bool:
    """Whether fine structure of the original is left in the brightness or in a colour."""
    left, top, right, bottom = head_window(face, planes.size)
    after = window_of(planes, (left, top, right, bottom))
    box = face.box
    half = Detection(Box(box.x / 2, box.y / 2, box.w / 2, box.h / 2), face.score)
    pairs = [
        (before.y, after.y, face, (left, top)),
        (before.u, after.u, half, (left // 2, top // 2)),
        (before.v, after.v, half, (left // 2, top // 2)),
    ]
    return any(
        min(old.shape) >= 4 and detail_left(old, new, one, corner) > MAX_DETAIL
        for old, new, one, corner in pairs
    )


def head_window(face: Detection, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The part of a picture in which a head is compared: left, top, right, bottom."""
    return head_of(face).window(size)


def window_of(planes: Planes, window: tuple[int, int, int, int]) -> Planes:
    """A copy of a part of the planes; of the colours all samples that touch it."""
    left, top, right, bottom = window
    half = (slice(top // 2, -(-bottom // 2)), slice(left // 2, -(-right // 2)))
    return Planes(
        planes.y[top:bottom, left:right].copy(), planes.u[half].copy(), planes.v[half].copy()
    )


def shifted(face: Detection, left: int, top: int) -> Detection:
    """A face in coordinates that start at (left, top)."""
    box = face.box
    points = tuple((x - left, y - top) for x, y in face.landmarks)
    return Detection(Box(box.x - left, box.y - top, box.w, box.h), face.score, points)


def _is_kept(face: Detection, visible: Iterable[Box]) -> bool:
    return any(face.box.iou(box) >= SAME_FACE for box in visible)


def _is_covered(
    face: Detection, heads: Sequence[Detection], size: tuple[int, int], share: float
) -> bool:
    """Whether what was found lies on redacted pixels."""
    near = [head for head in heads if _near(head.box, face.box)]
    if not near:
        return False
    if any(face.box.intersection(_surely(head.box)) >= share * face.box.area > 0 for head in near):
        return True
    width, height = size
    left, top = min(max(int(face.box.x), 0), width), min(max(int(face.box.y), 0), height)
    right, bottom = min(int(face.box.right) + 1, width), min(int(face.box.bottom) + 1, height)
    if right <= left or bottom <= top:
        return True  # wholly outside the picture
    moved = [shifted(head, left, top) for head in near]
    mask = core_mask(moved, (right - left, bottom - top))
    return bool(mask.mean() >= share and mask[mask.shape[0] // 2, mask.shape[1] // 2])


def _surely(box: Box) -> Box:
    """A rectangle within the region that `redaction.head_of` covers for a face's box."""
    x, y = box.center
    return Box(x - 0.56 * box.w, y - 0.73 * box.h, 1.12 * box.w, 1.2 * box.h)


def _near(head: Box, face: Box) -> bool:
    reach = 1.2 * max(head.w, head.h) + max(face.w, face.h)
    (x0, y0), (x1, y1) = head.center, face.center
    return abs(x0 - x1) < reach and abs(y0 - y1) < reach


def packet_digest(paths: Sequence[Path]) -> str:
    """Of all picture packets of some files, in their order."""
    digest = hashlib.sha256()
    for path in paths:
        with av.open(str(path)) as container:
            for packet in container.demux(video=0):
                if packet.size:
                    digest.update(bytes(packet))
    return digest.hexdigest()


def verify_file(
    path: Path, clip: Clip, pts: Sequence[int], segments: Sequence[Path], *, sound: bool
) -> list[Finding]:
    """Check the finished file.

    Args:
        path: of the file.
        clip: the source.
        pts: the timestamp of each frame of the source.
        segments: what was verified.
        sound: whether the source's sound must be in it.
    """
    with path.open("rb") as file:
        findings = list(walk_mp4(file))
    if findings:
        return findings
    with_sound = sound and clip.info.sound is not None
    try:
        with av.open(str(path)) as output:
            kinds = [stream.type for stream in output.streams]
            if kinds != ["video", "audio"][: 1 + with_sound]:
                return [Finding("output-streams", {"found": ", ".join(kinds)})]
            times = sorted(
                packet.pts * packet.time_base
                for packet in output.demux(video=0)
                if packet.pts is not None
            )
        if times != [value * clip.info.time_base for value in pts]:
            return [Finding("output-times", {"frame": 0})]
        if packet_digest([path]) != packet_digest(segments):
            return [Finding("output-differs", {"frame": 0})]
        if with_sound and not _same_sound(path, clip):
            return [Finding("output-sound")]
    except av.error.FFmpegError as error:
        return [Finding("output-unreadable", {"why": type(error).__name__})]
    return []


def _same_sound(path: Path, clip: Clip) -> bool:
    sound = clip.info.sound
    if sound is None:
        return False
    with clip.open() as source, av.open(str(path)) as output:
        before, after = _sounds(source, sound.index), _sounds(output, 1)
        if sound.codec in COPIED_SOUND:
            return all(
                one is not None
                and other is not None
                and one.data == other.data
                and abs(one.start - other.start) < _ROUNDING_SECONDS
                for one, other in zip_longest(before, after)
            )
        (start, end), (new_start, new_end) = _span(before), _span(after)
    return max(abs(start - new_start), abs(end - new_end)) < _SOUND_SECONDS


@dataclass(frozen=True, slots=True)
class _Piece:
    """A packet of sound: when it is heard, in seconds, and what it holds."""

    start: Fraction
    end: Fraction
    data: bytes


def _sounds(container: av.container.InputContainer, index: int) -> Iterator[_Piece]:
    for packet in container.demux(container.streams[index]):
        if packet.pts is not None:
            start = packet.pts * packet.time_base
            end = start + (packet.duration or 0) * packet.time_base
            yield _Piece(start, end, bytes(packet))


def _span(pieces: Iterable[_Piece]) -> tuple[Fraction, Fraction]:
    ends = [(piece.start, piece.end) for piece in pieces]
    if not ends:
        return Fraction(0), Fraction(0)
    return ends[0][0], max(end for _, end in ends)
