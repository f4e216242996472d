"""A decoded frame: upright, as planes or as a picture, and what it says about its colours."""

import struct
from dataclasses import dataclass
from typing import Any

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideData
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from mediaguard.core.faces import Image
from mediaguard.errors import MediaError
from mediaguard.media.planes import Plane, Planes

_PLANAR = ("yuv420p", "yuvj420p")
UNSPECIFIED = 2
"""Of a colour's matrix: the file says nothing (ITU-T H.273, table 4)."""


@dataclass(frozen=True, slots=True)
class ColourTags:
    """What the stream says about its colours, as numbers of ITU-T H.273; kept as they are."""

    colour_range: int
    matrix: int
    primaries: int
    transfer: int


@dataclass(frozen=True, slots=True)
class Turn:
    """How the stored picture is made upright: transposed first, then mirrored.

    Attributes:
        transpose: rows become columns.
        across, down: mirrored left to right, and top to bottom.
    """

    transpose: bool = False
    across: bool = False
    down: bool = False

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """To a plane or a picture; the first two axes are rows and columns."""
        if self.transpose:
            pixels = pixels.swapaxes(0, 1)
        if self.across:
            pixels = pixels[:, ::-1]
        if self.down:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


class Frame:
    """One decoded frame.

    Attributes:
        pts: when it is shown, in the clip's time base.
        duration: for how long, in the same unit; 0 if the file does not say.
    """

    def __init__(self, frame: av.VideoFrame, turn: Turn) -> None:
        self._frame = frame
        self._turn = turn
        self.pts: int = frame.pts or 0
        self.duration: int = frame.duration or 0

    def rgb(self) -> Image:
        """As a picture, upright."""
        return self._turn.apply(pixels_of(self._frame))

    def planes(self) -> Planes:
        """As planes, upright; they may be changed."""
        frame = self._frame
        if frame.format.name not in _PLANAR:
            is_rgb = not frame.format.name.startswith(("yuv", "nv", "p0", "gray", "y2", "uyvy"))
            # Range and matrix stay what they are, but for RGB, which has neither.
            frame = frame.reformat(
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709 if is_rgb else None,
                dst_color_range=ColorRange.MPEG if is_rgb else frame.color_range or None,
            )
        width, height = frame.width, frame.height
        sizes = [(height, width), *[(-(-height // 2), -(-width // 2))] * 2]
        parts = [
            np.array(plane_of(frame, index)[: size[0], : size[1]])
            for index, size in enumerate(sizes)
        ]
        return Planes(*(self._turn.apply(part) for part in parts))

    def luma_sample(self) -> NDArray[np.uint8]:
        """The brightness as 36 x 64 numbers, as stored: to notice that the picture changes."""
        frame = self._frame
        if frame.format.is_planar and frame.format.components[0].bits == 8:
            # Every other row is enough to average, and half the work.
            plane = plane_of(frame, 0)[: frame.height : 2, : frame.width]
        else:
            plane = np.asarray(frame.reformat(128, 72, "gray").to_ndarray(), np.uint8)
        return np.asarray(cv2.resize(plane, (64, 36), interpolation=cv2.INTER_AREA), np.uint8)


def pixels_of(frame: av.VideoFrame) -> Image:
    """A decoded frame as sRGB, as it is stored."""
    # Without a word in the file, players take large pictures for BT.709; the scaler does not.
    guess = frame.colorspace == UNSPECIFIED and max(frame.width, frame.height) > 1024
    source = Colorspace.ITU709 if guess else None
    return np.asarray(frame.to_ndarray(format="rgb24", src_colorspace=source), np.uint8)


def frame_of(planes: Planes, tags: ColourTags) -> av.VideoFrame:
    """Planes as a frame of the container library, with even sides as encoders want them.

    An odd side gets its last row or column twice.
    """
    width, height = planes.size
    y = np.pad(planes.y, ((0, height % 2), (0, width % 2)), mode="edge")
    parts = np.concatenate([part.reshape(-1) for part in (y, planes.u, planes.v)])
    stacked = parts.reshape(y.shape[0] * 3 // 2, y.shape[1])
    frame = av.VideoFrame.from_ndarray(stacked, format="yuv420p")
    frame.color_range, frame.colorspace = tags.colour_range, tags.matrix
    frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
    return frame


def plane_of(frame: av.VideoFrame, index: int) -> Plane:
    """One plane of a decoded frame, with its padding to the right; a view, not a copy."""
    plane = frame.planes[index]
    return np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)


def tags_of(frame: av.VideoFrame) -> ColourTags:
    """What a frame says about its colours; RGB becomes BT.709 when it is made into planes."""
    if frame.format.name.startswith(("rgb", "bgr", "gbr", "pal", "argb", "abgr")):
        return ColourTags(int(ColorRange.MPEG), 1, 1, 1)
    full = frame.format.name.startswith("yuvj")
    return ColourTags(
        int(ColorRange.JPEG) if full else int(frame.color_range),
        int(frame.colorspace),
        int(frame.color_primaries),
        int(frame.color_trc),
    )


def turn_of(frame: av.VideoFrame) -> Turn:
    """The display matrix (ISO/IEC 14496-12, 8.3.2) as one of the eight ways to lie.

    Raises:
        MediaError: it is another one: slanted, stretched.
    """
    data: Any = frame.side_data.get(SideData.DISPLAYMATRIX)  # type: ignore[call-overload]
    if data is None:
        return Turn()
    a, b, _, c, d, _, _, _, _ = (value / 65536 for value in struct.unpack("<9i", bytes(data)))
    signs = tuple(round(value, 3) for value in (a, b, c, d))
    if {abs(value) for value in signs} <= {0.0, 1.0}:
        if not b and not c and a and d:
            return Turn(across=a < 0, down=d < 0)
        if not a and not d and b and c:
            return Turn(transpose=True, across=c < 0, down=b < 0)
    raise MediaError("clip-orientation")
