"""CenterFace on OpenVINO, over a pyramid of scales, in tiles of bounded size.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2020.

Why this detector, these scales and these thresholds: docs/decisions/0002.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Box, Detection, Image
from mediaguard.vision.models import verified

REDACT_SCORES = ((12.0, 0.40), (20.0, 0.20))
"""Detections from these scores on are redacted, by face height in pixels; between and beyond the
heights as `numpy.interp` does. A face large enough to be recognised costs more when it is missed
than one too many; one of 12 pixels cannot be recognised, and most false ones are as small."""

VERIFY_STRICTER = 0.1
"""By how much higher scores must be when a rendition is searched again: encoding moves a score by
up to this much, so with equal thresholds faces that are none appear and vanish."""

VERIFY_CLIP_STRICTER = 0.2
"""The same for the frames of a clip, of which many more are searched: a face that is found in one
frame only is redacted from a score of 0.3 on (`core.tracking`), and must be missing at 0.4."""

_TILE = 1280
"""Longest side of a tile: what bounds the memory."""
_OVERLAP = 128
"""Neighbouring tiles share this many pixels: a face smaller than this is whole in one of them;
a larger one is whole at a coarser scale."""
_STEP = 128  # tiles are padded to multiples of this, so that few shapes have to be compiled
_COARSEST = 1024
"""The picture is halved until its longer side is at most this: a face that fills it is then of a
size at which the network finds it."""
_ENLARGE_BELOW = 1_500_000
"""Pictures with fewer pixels are also searched at twice their size: it finds the faces of 8 to
16 pixels. In larger ones such a face is a stray pixel of the background."""
_SAME_FACE = 0.3  # intersection over union
_LARGEST = 200
"""In pixels of a scale: what is larger may be a part of a face that a coarser scale sees whole.
A fine scale gives parts of large faces scores up to 0.9."""
_TALL_SLICE = (0.55, 0.6)
"""A box is a slice of a better one if this share of it lies within and their heights are this
much alike,"""
_FLAT_SLICE = (0.8, 1.4)
"""or if this share lies within and it is so much wider than high, as no whole face is."""
_PART_WITHIN = 0.7  # of a box that may be a part: its share within a whole one
_STRIDE = 4


@dataclass(frozen=True, slots=True)
class _Found:
    """Detections of one tile in picture coordinates: rows of x, y, w, h, score, 5 x (x, y)."""

    rows: NDArray[np.float32]
    part: NDArray[np.bool_]
    """Which may be a part of a face only: cut off by a border of the tile, or large for a scale
    that is not the coarsest."""


class CenterFace:
    """Finds faces from about 8 pixels to the size of the picture.

    May be used by several threads at once.

    Args:
        stricter: added to the redaction scores; `VERIFY_STRICTER` to search a rendition.
        enlarge: search small pictures at twice their size too. The frames of a clip are not:
            it costs four times as much as the rest, and a face of under 16 pixels tells nobody
            who it is (docs/decisions/0008).

    Raises:
        ModelError: the model file is missing or not the measured one.
    """

    def __init__(self, stricter: float = 0.0, *, enlarge: bool = True) -> None:
        self._path = verified("centerface")
        self._stricter = stricter
        self._enlarge = enlarge

    @property
    def name(self) -> str:
        """For reports."""
        return "centerface-1x2x" if self._enlarge else "centerface-1x"

    def detect(self, image: Image) -> list[Detection]:
        """All faces with at least the redaction score, best first; see `core.ports.Detector`."""
        scales = _scales(image.shape[1], image.shape[0], enlarge=self._enlarge)
        found = [
            self._search(image, scale, math.inf if scale == scales[-1] else _LARGEST)
            for scale in scales
        ]
        rows = np.concatenate([tile.rows for level in found for tile in level])
        part = np.concatenate([tile.part for level in found for tile in level])
        return [_detection(row) for row in rows[_suppress(rows, part)]]

    def _search(self, image: Image, scale: float, largest: float) -> list[_Found]:
        height, width = image.shape[:2]
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        if scale == 1:
            level = image
        else:
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            level = np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
        ratio = np.array([width / size[0], height / size[1]], np.float32)
        return [self._search_tile(level, tile, ratio, largest) for tile in _tiles(size)]

    def _search_tile(
        self,
        level: Image,
        tile: tuple[int, int, int, int],
        ratio: NDArray[np.float32],
        largest: float,
    ) -> _Found:
        left, top, right, bottom = tile
        crop = level[top:bottom, left:right]
        shape = _padded(bottom - top), _padded(right - left)
        batch = np.zeros((1, 3, *shape), np.float32)
        batch[0, :, : crop.shape[0], : crop.shape[1]] = crop.transpose(2, 0, 1)
        # A request of its own: the one inside a compiled model is busy in another thread.
        outputs = _compiled(self._path, shape).create_infer_request().infer(batch)
        rows = _decode([outputs[i][0] for i in range(4)], self._required(math.inf))
        # What lies wholly in the padding is no face of the picture.
        rows = rows[(rows[:, 0] < crop.shape[1]) & (rows[:, 1] < crop.shape[0])]
        x1, y1 = rows[:, 0] + rows[:, 2], rows[:, 1] + rows[:, 3]
        height, width = level.shape[:2]
        part = (
            (rows[:, 3] > largest)
            | ((rows[:, 0] < 2) & (left > 0))
            | ((rows[:, 1] < 2) & (top > 0))
            | ((x1 > crop.shape[1] - 2) & (right < width))
            | ((y1 > crop.shape[0] - 2) & (bottom < height))
        )
        enough = rows[:, 4] >= self._required(rows[:, 3] * ratio[1])
        rows, part = rows[enough], part[enough]
        rows[:, [0, 5, 7, 9, 11, 13]] += left
        rows[:, [1, 6, 8, 10, 12, 14]] += top
        rows[:, [0, 2, 5, 7, 9, 11, 13]] *= ratio[0]
        rows[:, [1, 3, 6, 8, 10, 12, 14]] *= ratio[1]
        return _Found(rows, part)

    def _required(self, height: float | NDArray[np.float32]) -> NDArray[np.float64]:
        heights, scores = zip(*REDACT_SCORES, strict=True)
        return np.asarray(np.interp(height, heights, scores) + self._stricter)


def _scales(width: int, height: int, *, enlarge: bool = True) -> list[float]:
    """Twice the size for small pictures, then halves down to the coarsest."""
    scales = [2.0] if enlarge and width * height < _ENLARGE_BELOW else []
    scale = 1.0
    scales.append(scale)
    while max(width, height) * scale > _COARSEST:
        scale /= 2
        scales.append(scale)
    return scales


def _tiles(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right, bottom of overlapping tiles that cover a picture of `size`."""
    for top, bottom in _spans(size[1]):
        for left, right in _spans(size[0]):
            yield left, top, right, bottom


def _spans(length: int) -> list[tuple[int, int]]:
    if length <= _TILE:
        return [(0, length)]
    count = -(-(length - _OVERLAP) // (_TILE - _OVERLAP))
    # No longer than so many tiles need to be: what they share is searched twice.
    side = _padded(-(-(length + (count - 1) * _OVERLAP) // count))
    starts = [round(i * (length - side) / (count - 1)) for i in range(count)]
    return [(start, start + side) for start in starts]


def _padded(length: int) -> int:
    return -(-length // _STEP) * _STEP


@lru_cache(maxsize=8)
def _compiled(path: Path, shape: tuple[int, int]) -> Any:
    """The network for one input shape; static shapes run about twice as fast as dynamic ones."""
    import openvino

    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({"input.1": [1, 3, *shape]})
    # 16-bit floats where the processor has them: twice as fast, and no worse (docs/decisions/0002).
    return core.compile_model(model, "CPU", {"PERFORMANCE_HINT": "LATENCY"})


def _decode(
    outputs: list[NDArray[np.float32]], threshold: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Heatmap, log-size (h, w), offset (y, x), landmarks (y, x) to rows in tile pixels."""
    heat, size, offset, landmarks = outputs
    ys, xs = np.nonzero(heat[0] >= threshold)
    rows = np.empty((len(ys), 15), np.float32)
    height = np.exp(size[0, ys, xs]) * _STRIDE
    width = np.exp(size[1, ys, xs]) * _STRIDE
    rows[:, 0] = (xs + offset[1, ys, xs] + 0.5) * _STRIDE - width / 2
    rows[:, 1] = (ys + offset[0, ys, xs] + 0.5) * _STRIDE - height / 2
    rows[:, 2], rows[:, 3], rows[:, 4] = width, height, heat[0, ys, xs]
    for point in range(5):
        rows[:, 5 + 2 * point] = landmarks[2 * point + 1, ys, xs] * width + rows[:, 0]
        rows[:, 6 + 2 * point] = landmarks[2 * point, ys, xs] * height + rows[:, 1]
    return rows[np.isfinite(rows).all(axis=1)]


def _suppress(rows: NDArray[np.float32], part: NDArray[np.bool_]) -> list[int]:
    """Indices of the best detection of each face, best first.

    Two scales often give one face a second box, narrower or lower than the first: it goes. So
    does what may be a part, within a whole one. Otherwise a small box within a large one may
    be somebody in front, and stays.
    """
    order = np.lexsort((-rows[:, 4], part))
    x0, y0 = rows[:, 0], rows[:, 1]
    x1, y1 = x0 + rows[:, 2], y0 + rows[:, 3]
    area = rows[:, 2] * rows[:, 3]
    kept: list[int] = []
    for i in order:
        if kept:
            others = np.array(kept)
            w = np.minimum(x1[i], x1[others]) - np.maximum(x0[i], x0[others])
            h = np.minimum(y1[i], y1[others]) - np.maximum(y0[i], y0[others])
            shared = np.maximum(w, 0) * np.maximum(h, 0)
            if (shared / (area[i] + area[others] - shared) > _SAME_FACE).any():
                continue
            within = shared / area[i]
            heights = rows[others, 3] / rows[i, 3]
            tall = (within > _TALL_SLICE[0]) & (_TALL_SLICE[1] < heights)
            tall &= heights < 1 / _TALL_SLICE[1]
            flat = (within > _FLAT_SLICE[0]) & (rows[i, 2] > _FLAT_SLICE[1] * rows[i, 3])
            if (tall | flat | ((within > _PART_WITHIN) & part[i])).any():
                continue
        kept.append(int(i))
    return sorted(kept, key=lambda i: -rows[i, 4])


def _detection(row: NDArray[np.float32]) -> Detection:
    values = [float(value) for value in row]
    points = tuple((values[i], values[i + 1]) for i in range(5, 15, 2))
    return Detection(Box(*values[:4]), values[4], points)
