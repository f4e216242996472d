"""Make heads unrecognisable for good (docs/decisions/0005).

A head is larger than the face that a detector boxes: hair line, ears and chin are
features too. The *core* covers them; nothing of the original remains inside. A soft edge
lies outside the core, so that it never lets anything of the head through.

All work is done on crops, in bands of rows: thirty heads in a picture of 48 million
pixels cost little more than the one copy of the picture.
"""

import math
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Detection, Image

Mask = NDArray[np.bool_]
"""Height x width of a picture: True where a pixel may differ from the original."""

FILL_COLOUR = (151, 156, 163)
"""Of the fill style, sRGB. Fixed, so that it says nothing about what it covers."""

_EXPONENT = 2.5  # of the superellipse: fuller than an ellipse, so that it holds the box's corners
_EDGE = 0.10  # width of the soft edge, as a share of the semi-axes
_LARGER = 1.3  # at strength 2
_MARGIN = 1.0  # pixels: a pixel that lies only partly in the box belongs to it
_BLOCKS = 8  # across a head, so at most 5 across the face: see docs/decisions/0005
_MIN_BLOCK = 6.0  # pixels
_NOISE = 14.0  # standard deviation of the brightness added to a block, of 255
_TILT = math.radians(12)  # heads tilted less need no shape of their own
_BAND = 256  # rows worked on at once


class Style(StrEnum):
    """How a head is redacted."""

    FILL = "fill"
    """A flat colour; owes nothing to the face."""
    MOSAIC = "mosaic"
    """Blocks so coarse that recognition fails, with noise."""
    BLUR = "blur"
    """The same blocks and noise, smoothed."""


@dataclass(frozen=True, slots=True)
class HeadShape:
    """A superellipse around a head, in pixels of the picture.

    Attributes:
        x, y: its middle.
        a, b: semi-axes across the head and along it.
        angle: by which the head is tilted, radians, clockwise in the picture.
    """

    x: float
    y: float
    a: float
    b: float
    angle: float = 0.0

    def radius(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.float32]:
        """How far each pixel of a rectangle lies from the middle; 1 is the shape's outline."""
        across = np.arange(left, right, dtype=np.float32)[None, :] + np.float32(0.5 - self.x)
        down = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5 - self.y)
        if self.angle == 0:  # the axes apart: powers of rows and columns, not of every pixel
            u, v = np.abs(across) / np.float32(self.a), np.abs(down) / np.float32(self.b)
        else:
            cos, sin = np.float32(math.cos(self.angle)), np.float32(math.sin(self.angle))
            u = np.abs(across * cos + down * sin) / np.float32(self.a)
            v = np.abs(down * cos - across * sin) / np.float32(self.b)
        power = u ** np.float32(_EXPONENT) + v ** np.float32(_EXPONENT)
        return np.asarray(power ** np.float32(1 / _EXPONENT), np.float32)

    def bounds(self, scale: float) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of a rectangle that holds the shape enlarged by `scale`."""
        if self.angle == 0:
            half_w, half_h = self.a * scale, self.b * scale
        else:
            half_w = half_h = math.hypot(self.a, self.b) * scale
        return self.x - half_w, self.y - half_h, self.x + half_w, self.y + half_h


@dataclass(frozen=True, slots=True)
class Head:
    """The region of one head: all of its shapes together (a second one if it is tilted)."""

    shapes: tuple[HeadShape, ...]

    @property
    def edge(self) -> float:
        """Width of the soft edge in the unit of `HeadShape.radius`."""
        return max(_EDGE, 1.5 / min(min(shape.a, shape.b) for shape in self.shapes))

    def radius(self, left: int, top: int, right: int, bottom: int) -> NDArray[np.float32]:
        """At most 1 inside the core, at most 1 + `edge` in the soft edge."""
        fields = [shape.radius(left, top, right, bottom) for shape in self.shapes]
        return fields[0] if len(fields) == 1 else np.minimum(*fields)

    def window(self, size: tuple[int, int], scale: float = 1.0) -> tuple[int, int, int, int]:
        """The pixels that the region can touch: left, top, right, bottom within the picture.

        Args:
            size: width and height of the picture.
            scale: 1 for the core, 1 + `edge` for all.
        """
        bounds = [shape.bounds(scale) for shape in self.shapes]
        left, top = (min(b[i] for b in bounds) for i in (0, 1))
        right, bottom = (max(b[i] for b in bounds) for i in (2, 3))
        width, height = size
        return (
            min(max(math.floor(left), 0), width),
            min(max(math.floor(top), 0), height),
            min(max(math.ceil(right), 0), width),
            min(max(math.ceil(bottom), 0), height),
        )


def head_of(face: Detection, *, strength: int = 1) -> Head:
    """The region that has to be covered to hide the head of a detected face.

    It holds the whole box, which runs from forehead to chin: 0.43 box heights more above
    (hair), 0.17 below (chin, collar), at least a quarter of the width at each side (ears).

    Args:
        face: box and, if there are any, landmarks, whose eyes tell the tilt.
        strength: 2 makes it a third larger.

    Raises:
        ValueError: coordinates that are not numbers.
    """
    box = face.box
    if not all(math.isfinite(value) for value in (box.x, box.y, box.w, box.h)):
        raise ValueError("a face without a place")
    w, h = max(box.w, 6.0), max(box.h, 6.0)
    middle_x, middle_y = box.center
    larger = _LARGER if strength > 1 else 1.0
    # 0.6 x height: the back of a head seen from the side sticks out of a narrow box.
    a, b = max(0.75 * w, 0.6 * h) * larger + _MARGIN, 0.8 * h * larger + _MARGIN
    shapes = [HeadShape(middle_x, middle_y - 0.13 * h, a, b)]
    angle = _tilt(face)
    if abs(angle) > _TILT:
        h, w = max(w, h), min(w, h)
        up_x, up_y = math.sin(angle) * 0.13 * h, -math.cos(angle) * 0.13 * h
        a, b = max(0.75 * w, 0.6 * h) * larger + _MARGIN, 0.8 * h * larger + _MARGIN
        shapes.append(HeadShape(middle_x + up_x, middle_y + up_y, a, b, angle))
    return Head(tuple(shapes))


def core_mask(faces: Sequence[Detection], size: tuple[int, int]) -> Mask:
    """Where nothing of the original may remain when `faces` are redacted.

    Args:
        faces: to be redacted.
        size: width and height of the picture.
    """
    mask = np.zeros(size[::-1], np.bool_)
    for face in faces:
        head = head_of(face)
        for left, top, right, bottom in _bands(head.window(size)):
            mask[top:bottom, left:right] |= head.radius(left, top, right, bottom) <= 1
    return mask


def redact(
    image: Image,
    faces: Sequence[Detection],
    style: Style,
    *,
    strength: int = 1,
    rng: np.random.Generator | None = None,
) -> tuple[Image, Mask]:
    """Make the heads of `faces` unrecognisable.

    Where a head overlaps a face that is kept, redaction wins.

    Args:
        image: stays as it is.
        faces: to be redacted; a box may leave the picture or be empty.
        style: of the redaction.
        strength: 1; or 2 for larger regions, always filled, when 1 was not enough.
        rng: source of the noise; by default one seeded from the system's secrets, so that
            nobody can compute the noise and subtract it.

    Returns:
        The redacted picture, and where its pixels may differ from `image`.

    Raises:
        ValueError: a face whose coordinates are not numbers.
    """
    if rng is None:
        rng = np.random.default_rng(secrets.randbits(128))
    if strength > 1:
        style = Style.FILL
    out = image.copy()
    size = image.shape[1], image.shape[0]
    mask = np.zeros(image.shape[:2], np.bool_)
    for face in faces:
        head = head_of(face, strength=strength)
        window = head.window(size, 1 + head.edge)
        left, top, right, bottom = window
        if left >= right or top >= bottom:
            continue
        patch = _patch(out[top:bottom, left:right], head, style, rng)
        for x0, y0, x1, y1 in _bands(window):
            part = out[y0:y1, x0:x1]
            cover = patch[y0 - top : y1 - top] if patch.ndim == 3 else patch
            radius = head.radius(x0, y0, x1, y1)
            alpha = np.clip((1 + head.edge - radius) / head.edge, 0, 1)[..., None]
            blended = np.rint(part + (cover - part.astype(np.float32)) * alpha).astype(np.uint8)
            # Set, not computed, in the core: rounding must not let anything through.
            np.copyto(blended, cover, where=radius[..., None] <= 1)
            out[y0:y1, x0:x1] = blended
            mask[y0:y1, x0:x1] |= alpha[..., 0] > 0
    return out, mask


def _tilt(face: Detection) -> float:
    """The angle of the line through the eyes; 0 if it is not known."""
    if len(face.landmarks) < 2:
        return 0.0
    (x0, y0), (x1, y1) = face.landmarks[:2]
    angle = math.atan2(y1 - y0, x1 - x0)
    return angle if math.isfinite(angle) else 0.0


def _bands(window: tuple[int, int, int, int]) -> Iterator[tuple[int, int, int, int]]:
    left, top, right, bottom = window
    for start in range(top, bottom, _BAND):
        yield left, start, right, min(start + _BAND, bottom)


def _patch(crop: Image, head: Head, style: Style, rng: np.random.Generator) -> Image:
    """What is laid over the head: a picture of the crop's size, or the fill's one colour."""
    if style is Style.FILL:
        return np.array(FILL_COLOUR, np.uint8)
    height, width = crop.shape[:2]
    extent = 2 * max(max(shape.a, shape.b) for shape in head.shapes)
    coarse = coarse_blocks(crop, extent, rng)
    way = cv2.INTER_NEAREST if style is Style.MOSAIC else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=way), np.uint8)


def coarse_blocks(crop: Image, extent: float, rng: np.random.Generator) -> Image:
    """The blocks, with noise, that stand for a head: all that the mosaic and blur styles keep.

    Args:
        crop: the head's surroundings.
        extent: of the head, in pixels.
        rng: source of the noise.
    """
    height, width = crop.shape[:2]
    block = max(extent / _BLOCKS, _MIN_BLOCK)
    count = max(1, round(width / block)), max(1, round(height / block))
    blocks = cv2.resize(crop, count, interpolation=cv2.INTER_AREA).astype(np.float32)
    blocks += rng.normal(0, _NOISE, (count[1], count[0], 1))
    blocks += rng.normal(0, _NOISE / 3, (count[1], count[0], 3))
    return np.asarray(blocks.clip(0, 255), np.uint8)
