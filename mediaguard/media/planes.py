"""A video frame as its three planes, upright, and redaction right in them.

Working in the codec's own colours (4:2:0, 8 bits) shifts no pixel that is not redacted, and costs
half of what a way through RGB costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Detection, Image
from mediaguard.media.redaction import FILL_COLOUR, Style, coarse_blocks, head_of

Plane = NDArray[np.uint8]

_RED_BLUE = {"bt709": (0.2126, 0.0722), "bt2020": (0.2627, 0.0593), "bt601": (0.299, 0.114)}
"""Kr and Kb of the matrices (ITU-T H.273, table 4)."""

BLOCK = 8
"""Pixels: the grid on which a frame is remembered for comparing what came out."""


@dataclass(frozen=True, slots=True)
class Colours:
    """How numbers in the planes are meant.

    Attributes:
        matrix: bt709, bt601 or bt2020.
        full_range: luma from 0 to 255 instead of 16 to 235.
    """

    matrix: str = "bt709"
    full_range: bool = False

    def planes_of(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """RGB to Y, Cb, Cr; shape (..., 3) both."""
        red_share, blue_share = _RED_BLUE[self.matrix]
        red, green, blue = np.moveaxis(rgb.astype(np.float32), -1, 0)
        luma = red_share * red + (1 - red_share - blue_share) * green + blue_share * blue
        cb, cr = (blue - luma) / (2 - 2 * blue_share), (red - luma) / (2 - 2 * red_share)
        if not self.full_range:
            luma, cb, cr = 16 + luma * (219 / 255), cb * (224 / 255), cr * (224 / 255)
        return np.stack([luma, cb + 128, cr + 128], axis=-1).round().clip(0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Planes:
    """One frame, upright, 4:2:0.

    Attributes:
        y: luma, height x width.
        u, v: chroma, half as high and wide (rounded up).
    """

    y: Plane
    u: Plane
    v: Plane

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return int(self.y.shape[1]), int(self.y.shape[0])

    def small(self) -> NDArray[np.uint8]:
        """Means of blocks of `BLOCK` pixels, shape (rows, columns, 3): a frame to compare with."""
        grid = -(-self.size[0] // BLOCK), -(-self.size[1] // BLOCK)
        return np.dstack(
            [
                cv2.resize(plane, grid, interpolation=cv2.INTER_AREA)
                for plane in (self.y, self.u, self.v)
            ]
        ).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Paint:
    """What to lay over one head.

    Attributes:
        face: whose head.
        patch: a few blocks, rows x columns x 3 (Y, Cb, Cr): stretched over the head;
            one block is a flat colour.
        smooth: blend the blocks into each other.
    """

    face: Detection
    patch: NDArray[np.uint8]
    smooth: bool = False


def fill(colours: Colours) -> NDArray[np.uint8]:
    """The patch of the fill style: one block."""
    return colours.planes_of(np.array(FILL_COLOUR, np.uint8).reshape(1, 1, 3))


def paint(planes: Planes, paints: Sequence[Paint], *, strength: int = 1) -> NDArray[np.bool_]:
    """Redact heads in place.

    Args:
        planes: changed.
        paints: whose heads, and with what; a box may leave the picture.
        strength: 2 makes the regions larger.

    Returns:
        Which blocks of `BLOCK` pixels may differ from what they were, shape (rows, columns).
    """
    width, height = planes.size
    touched = np.zeros((-(-height // BLOCK), -(-width // BLOCK)), np.bool_)
    for item in paints:
        head = head_of(item.face, strength=strength)
        left, top, right, bottom = head.window((width, height), 1 + head.edge)
        if left >= right or top >= bottom:
            continue
        # Whole chroma samples: a sample that touches the head at all belongs to it.
        left, top = left - left % 2, top - top % 2
        radius = head.radius(left, top, right, bottom)
        alpha = np.clip((1 + head.edge - radius) / head.edge, 0, 1)
        _blend(planes.y[top:bottom, left:right], alpha, item, 0)
        coarse = _pairs(alpha)
        rows = slice(top // 2, top // 2 + coarse.shape[0])
        columns = slice(left // 2, left // 2 + coarse.shape[1])
        _blend(planes.u[rows, columns], coarse, item, 1)
        _blend(planes.v[rows, columns], coarse, item, 2)
        touched[top // BLOCK : -(-bottom // BLOCK), left // BLOCK : -(-right // BLOCK)] = True
    return touched


def _pairs(alpha: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest of each 2 x 2."""
    rows, columns = alpha.shape
    even = np.pad(alpha, ((0, rows % 2), (0, columns % 2)))
    return np.asarray(even.reshape(-(-rows // 2), 2, -(-columns // 2), 2).max(axis=(1, 3)))


def _blend(plane: Plane, alpha: NDArray[np.float32], item: Paint, channel: int) -> None:
    """Lay the patch over a part of a plane; set, not computed, where it covers fully."""
    blocks = np.ascontiguousarray(item.patch[..., channel])
    if blocks.size == 1:
        cover: NDArray[np.uint8] = np.full(alpha.shape, blocks.flat[0], np.uint8)
    else:
        way = cv2.INTER_CUBIC if item.smooth else cv2.INTER_NEAREST
        cover = np.asarray(cv2.resize(blocks, alpha.shape[::-1], interpolation=way), np.uint8)
    mixed = np.rint(plane + (cover - plane.astype(np.float32)) * alpha).astype(np.uint8)
    np.copyto(mixed, cover, where=alpha >= 1)
    plane[...] = mixed


def patch_for(
    crop: Image, style: Style, colours: Colours, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """The patch for a head; see `redaction.coarse_blocks`.

    One patch is made for a whole track and moves with the head: patches made anew in each frame
    would, taken together, tell more about the face than one picture of blocks does.

    Args:
        crop: the head's surroundings in the frame in which it is seen best.
        style: of the redaction.
        colours: of the clip.
        rng: source of the noise.
    """
    if style is Style.FILL or not crop.size:
        return fill(colours)
    return colours.planes_of(coarse_blocks(crop, max(crop.shape[:2]), rng))
