"""Faces as every step sees them: boxes, detections, matches.

Coordinates are pixels in the *upright* picture (orientation applied), x to the right,
y down, origin at the top left corner of the top left pixel.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""A picture: height x width x 3, uint8, sRGB, upright, C-contiguous."""

Embedding = NDArray[np.float32]
"""A face's vector, shape (dimensions,), compared by Euclidean distance."""


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-parallel rectangle: left, top, width, height in pixels (may leave the picture)."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        """The x coordinate just right of the box."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """The y coordinate just below the box."""
        return self.y + self.h

    @property
    def area(self) -> float:
        """Area in square pixels; 0 for an empty box."""
        return max(self.w, 0.0) * max(self.h, 0.0)

    @property
    def center(self) -> tuple[float, float]:
        """The middle point (x, y)."""
        return self.x + self.w / 2, self.y + self.h / 2

    def intersection(self, other: "Box") -> float:
        """Area shared with `other`, in square pixels."""
        w = min(self.right, other.right) - max(self.x, other.x)
        h = min(self.bottom, other.bottom) - max(self.y, other.y)
        return w * h if w > 0 and h > 0 else 0.0

    def iou(self, other: "Box") -> float:
        """Intersection over union with `other`, 0 to 1."""
        shared = self.intersection(other)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def rounded(self) -> tuple[int, int, int, int]:
        """The box as whole pixels `(x, y, w, h)`, as the reports print it."""
        return round(self.x), round(self.y), round(self.w), round(self.h)


def between(start: Box, end: Box, share: float) -> Box:
    """The box that lies `share` (0 to 1) of the way from `start` to `end`."""
    return Box(
        start.x + (end.x - start.x) * share,
        start.y + (end.y - start.y) * share,
        start.w + (end.w - start.w) * share,
        start.h + (end.h - start.h) * share,
    )


@dataclass(frozen=True, slots=True)
class Detection:
    """A face found in a frame.

    Attributes:
        box: forehead to chin, ear to ear.
        score: the detector's confidence, 0 to 1.
        landmarks: (x, y) of: eye on the picture's left, eye on its right, nose tip,
            mouth corner left, mouth corner right; or empty if the detector gives none.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """What decides whether a face can be recognised at all.

    Attributes:
        height: of the face box, in pixels.
        sharpness: variance of the Laplacian of the face at a fixed size; higher is sharper.
        frontality: 1 for a face that looks at the camera, towards 0 for a profile.
    """

    height: float
    sharpness: float
    frontality: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject of the gallery near a probe, and how near."""

    subject_id: str
    distance: float


@dataclass(frozen=True, slots=True)
class Match:
    """The gallery's answer to a probe.

    Attributes:
        subject_id: who it is taken for, or None: not sure of anyone.
        distance: to the nearest subject, None if the gallery is empty.
        margin: how much further the second nearest is, None without a second.
        candidates: the nearest subjects, nearest first: suggestions for a reviewer.
    """

    subject_id: str | None
    distance: float | None = None
    margin: float | None = None
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Track:
    """One face across the frames of a clip, as far as it could be followed without a doubt.

    Attributes:
        frames: indices of the frames in which it was seen, ascending.
        detections: where, one for each of `frames`.
        seconds: when it is first and last seen, from the start of the clip.
    """

    frames: tuple[int, ...]
    detections: tuple[Detection, ...]
    seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def first(self) -> int:
        """The first frame in which it was seen."""
        return self.frames[0]

    @property
    def last(self) -> int:
        """The last frame in which it was seen."""
        return self.frames[-1]

    def sightings(self, most: int) -> list[tuple[int, Box]]:
        """At most so many frames in which it was seen, spread evenly, and where."""
        last, count = len(self.frames) - 1, min(most, len(self.frames))
        steps = sorted({round(i * last / max(count - 1, 1)) for i in range(count)})
        return [(self.frames[index], self.detections[index].box) for index in steps]

    def box_at(self, frame: int) -> Box:
        """Where it is in a frame; between two sightings on the line from one to the other.

        Before the first and after the last sighting: where it was then.
        """
        after = bisect_left(self.frames, frame)
        if after == len(self.frames):
            return self.detections[-1].box
        if after == 0 or self.frames[after] == frame:
            return self.detections[after].box
        start, end = self.frames[after - 1], self.frames[after]
        return between(
            self.detections[after - 1].box,
            self.detections[after].box,
            (frame - start) / (end - start),
        )


@dataclass(frozen=True, slots=True)
class Face:
    """A detected face with all that is known of it.

    Attributes:
        detection: where it is; in a clip, where it is seen best.
        frame: index of the frame it was found in (0 in a still photo).
        quality: None when nothing asked for it.
        match: None when it was not searched (gallery empty, too small, not sharp).
        track: in a clip, all the frames in which it was seen; None in a photo or animation.
        marked: what a person said about it (`core.review.Verdict`); None if nobody did.
        remembered: the match is that of an earlier look, which this one does not confirm.
    """

    detection: Detection
    frame: int = 0
    quality: Quality | None = None
    match: Match | None = None
    track: Track | None = None
    marked: str | None = None
    remembered: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that was found in an item, before any rule is applied.

    Attributes:
        width, height: of the upright picture in pixels.
        frames: number of frames (1 for a still photo).
        faces: in no particular order.
        moments: of a clip: when each frame is shown, in seconds from its start.
    """

    width: int
    height: int
    frames: int
    faces: Sequence[Face]
    moments: Sequence[float] = ()

    def moment(self, frame: int) -> float:
        """When a frame is shown; 0 if that is not known, as in an animation."""
        return self.moments[frame] if frame < len(self.moments) else 0.0

    @property
    def subjects(self) -> frozenset[str]:
        """Everybody somebody was taken for."""
        return frozenset(
            face.match.subject_id
            for face in self.faces
            if face.match is not None and face.match.subject_id is not None
        )
