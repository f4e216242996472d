"""JPEG matters: how coarse a file is, and whether its scans are whole."""

from dataclasses import dataclass
from typing import Any

import simplejpeg  # type: ignore[import-untyped]
from PIL import JpegImagePlugin

from mediaguard.errors import MediaError

_MAX_SCANS = 100
"""A real progressive file has about ten; each scan costs a pass over all pixels."""

# ITU-T T.81 annex K, tables K.1 and K.2 (libjpeg's quality 50), in natural order.
_LUMA_50 = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA_50 = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)  # fmt: skip
_SUBSAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True, slots=True)
class JpegQuality:
    """The numbers that decide how coarse a JPEG is.

    Attributes:
        qtables: for luma and chroma, 64 numbers 1 to 255 each, in natural order.
        subsampling: of the colours, as Pillow names it.
    """

    qtables: tuple[tuple[int, ...], tuple[int, ...]]
    subsampling: str


def quality_of(picture: Any, *, turned: bool) -> JpegQuality:
    """The quality of an opened JPEG, for writing it again without a visible loss.

    Args:
        picture: Pillow's opened JPEG.
        turned: rows become columns when it is made upright, and so do the tables'.
    """
    tables = [tuple(table) for _, table in sorted(picture.quantization.items())]
    luma = tables[0] if tables else _LUMA_50
    chroma = tables[1] if len(tables) > 1 else luma if tables else _CHROMA_50
    subsampling = _SUBSAMPLINGS.get(JpegImagePlugin.get_sampling(picture), "4:4:4")
    if len(getattr(picture, "layer", ())) != 3 or (turned and subsampling == "4:2:2"):
        subsampling = "4:4:4"
    return JpegQuality(
        (_usable(luma, _LUMA_50, turned), _usable(chroma, _CHROMA_50, turned)), subsampling
    )


def check_scans(data: bytes) -> None:
    """Refuse a JPEG whose compressed data is damaged.

    Pillow paints what libjpeg makes of damaged data and says nothing; here libjpeg's
    warnings count. The colours are left out and the size is divided by eight, which makes
    it cheap, while every bit of the compressed data is still read.

    Damage that happens to be valid code again passes: lost bytes were noticed in 71 of 72
    tries, a single flipped bit in 15 of 71 (docs/decisions/0004).

    Raises:
        MediaError: ``photo-truncated`` or ``photo-corrupt``.
    """
    if data.count(b"\xff\xda") > _MAX_SCANS:
        raise MediaError("photo-corrupt", detail="too many scans")
    try:
        simplejpeg.decode_jpeg(data, _plain_colorspace(data), min_factor=8, fastdct=True)
    except ValueError as error:
        message = str(error)
        if "premature end" in message.lower() or "end of file" in message.lower():
            raise MediaError("photo-truncated") from error
        raise MediaError("photo-corrupt", detail=message[:80]) from error


def _plain_colorspace(data: bytes) -> str:
    space = simplejpeg.decode_jpeg_header(data)[2]
    return "CMYK" if space in ("CMYK", "YCCK") else "GRAY"


def _usable(table: tuple[int, ...], standard: tuple[int, ...], turned: bool) -> tuple[int, ...]:
    """A source's table, at most as coarse as quality 50, within the 8 bits of a baseline file."""
    if turned:
        table = tuple(table[8 * (i % 8) + i // 8] for i in range(64))
    return tuple(max(1, min(value, limit)) for value, limit in zip(table, standard, strict=True))
