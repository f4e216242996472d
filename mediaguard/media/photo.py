"""Open a picture that anybody may have made, and write a clean one from its pixels.

Nothing of the source's bytes survives: `decode` keeps pixels, timing and how coarse the
compression was; `encode` writes a fresh file from pixels and those numbers
(docs/decisions/0004).
"""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pillow_heif
from PIL import ExifTags
from PIL import Image as Pil

from mediaguard.core.faces import Image
from mediaguard.errors import MediaError
from mediaguard.media import animation
from mediaguard.media.colour import to_srgb
from mediaguard.media.jpeg import JpegQuality, check_scans, quality_of
from mediaguard.media.png import check_chunks
from mediaguard.media.sniffing import sniff

# What Pillow only warns of is harmless or checked below; nobody reads it on a server.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")
# Set once for the process: Pillow refuses above twice this number, and the filter turns its
# warning, above once, into an error. `Limits` are checked besides, before pixels are loaded.
Pil.MAX_IMAGE_PIXELS = 200_000_000
warnings.filterwarnings("error", category=Pil.DecompressionBombWarning)
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

_TAG_SUBFILE_TYPE = 254  # TIFF 6.0: bit 0 reduced-resolution copy, bit 2 transparency mask
_TAG_DNG_VERSION = 50706
_MAX_PAGES = 32  # of a TIFF: previews of one photo are fewer
_WEBP_QUALITY = 90
_JPEG_QUALITY = 93


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused as too large.

    Attributes:
        max_pixels: of one frame. 108 and 125 megapixel phones and cameras must pass.
        max_frames: of an animation.
        max_animation_pixels: frames x pixels; three bytes of memory each.
    """

    max_pixels: int = 150_000_000
    max_frames: int = 500
    max_animation_pixels: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Encoding:
    """How coarse the source's compression was, in numbers only.

    Attributes:
        jpeg: quantisation and subsampling; None if the source is not a JPEG.
        lossless: the source is a WebP that stores its pixels exactly.
    """

    jpeg: JpegQuality | None = None
    lossless: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded picture or animation.

    Attributes:
        frames: one for a still picture; upright, sRGB, all of the same size. An MPO's or
            HEIC's further pictures (stereo view, gain map, preview) are not among them.
        durations_ms: of each frame; empty for a still picture.
        loop: as the format counts it, 0 for ever; None if not said. Only for animations.
        source_format: one of `mediaguard.media.sniffing.READABLE`.
        encoding: what `encode` needs to keep the source's quality.
    """

    frames: tuple[Image, ...]
    source_format: str
    durations_ms: tuple[int, ...] = ()
    loop: int | None = None
    encoding: Encoding = field(default_factory=Encoding)

    @property
    def width(self) -> int:
        """In pixels, upright."""
        return int(self.frames[0].shape[1])

    @property
    def height(self) -> int:
        """In pixels, upright."""
        return int(self.frames[0].shape[0])


@dataclass(frozen=True, slots=True)
class Encoded:
    """A file's content, not yet written anywhere.

    Attributes:
        data: the bytes.
        format: JPEG, PNG, WEBP or GIF, as `verification.check_bytes` expects it.
        suffix: a file name's ending with its dot.
    """

    data: bytes
    format: str
    suffix: str


def decode(data: bytes, *, limits: Limits = Limits()) -> Photo:
    """Read a picture from the bytes of a file.

    Args:
        data: the whole file.
        limits: what is too large; checked before memory for pixels is taken.

    Raises:
        MediaError: the picture cannot be read safely and completely. No other exception
            leaves this function, whatever the bytes.
    """
    source_format = sniff(data)
    try:
        with Pil.open(io.BytesIO(data), formats=_decoders(source_format)) as picture:
            _check_size(picture, limits)
            if source_format == "JPEG":
                check_scans(data)
            if source_format == "PNG":
                check_chunks(data)
            return _read(picture, source_format, data, limits)
    except MediaError:
        raise
    except Exception as error:  # parsers of hostile bytes raise anything at all
        raise _explained(error) from error


def encode(photo: Photo, frames: Sequence[Image]) -> Encoded:
    """Write `frames` as a fresh file that holds pixels and timing and nothing else.

    JPEG, PNG, WebP and GIF stay what they are; HEIC, AVIF and TIFF become JPEG, which
    every browser and newsletter shows.

    Args:
        photo: the decoded source: format, quality and timing are taken from it.
        frames: as many as the photo has, of its size.

    Raises:
        MediaError: ``photo-encode-failed``.
        ValueError: frames that do not belong to `photo`. A mistake in the program.
    """
    if [frame.shape for frame in frames] != [frame.shape for frame in photo.frames]:
        raise ValueError("the frames are not those of the photo")
    try:
        if photo.source_format == "GIF":
            return Encoded(animation.gif(frames, photo.durations_ms, photo.loop), "GIF", ".gif")
        if photo.source_format == "PNG":
            return Encoded(_saved(frames[0], "PNG"), "PNG", ".png")
        if photo.source_format == "WEBP":
            return Encoded(_webp(photo, frames), "WEBP", ".webp")
        return Encoded(_jpeg(photo, frames[0]), "JPEG", ".jpg")
    except (OSError, ValueError, MemoryError) as error:
        raise MediaError("photo-encode-failed", detail=type(error).__name__) from error


def _decoders(source_format: str) -> list[str]:
    # Pillow's JPEG opener hands files with several pictures to MPO; only its first is read.
    return ["JPEG", "MPO"] if source_format == "JPEG" else [source_format]


def _check_size(picture: Pil.Image, limits: Limits) -> None:
    pixels = picture.width * picture.height
    if pixels > limits.max_pixels:
        raise _too_large(pixels, limits.max_pixels)


def _too_large(pixels: int, limit: int) -> MediaError:
    return MediaError("photo-too-large", megapixels=round(pixels / 1e6), limit=round(limit / 1e6))


def _read(picture: Pil.Image, source_format: str, data: bytes, limits: Limits) -> Photo:
    if source_format in ("GIF", "WEBP") and _moves(picture):
        return _read_animation(picture, source_format, data, limits)
    if source_format in ("PNG", "AVIF") and _moves(picture):
        raise MediaError("photo-animated-unsupported", kind=source_format)
    if source_format == "TIFF":
        _check_pages(picture)
    picture.load()  # before asking: Pillow's TIFF turns itself while loading, and says so
    orientation = _orientation(picture)
    encoding = Encoding(
        jpeg=quality_of(picture, turned=orientation >= 5) if source_format == "JPEG" else None,
        lossless=source_format == "WEBP" and animation.webp_is_lossless(data),
    )
    frame = _upright(to_srgb(picture), orientation)
    return Photo((frame,), source_format, encoding=encoding)


def _read_animation(picture: Any, source_format: str, data: bytes, limits: Limits) -> Photo:
    count = _count_frames(picture, limits)
    pixels = count * picture.width * picture.height
    if pixels > limits.max_animation_pixels:
        raise _too_large(pixels, limits.max_animation_pixels)
    picture.load()
    orientation = _orientation(picture)
    size = picture.size
    frames: list[Image] = []
    durations: list[int] = []
    for index in range(count):
        picture.seek(index)
        picture.load()
        if picture.size != size:
            raise MediaError("photo-unreadable", detail="frames of different sizes")
        frames.append(_upright(to_srgb(picture), orientation))
        durations.append(round(picture.info.get("duration", 0)))
    loop = picture.info.get("loop")
    return Photo(
        tuple(frames),
        source_format,
        tuple(durations),
        None if loop is None else int(loop),
        Encoding(lossless=source_format == "WEBP" and animation.webp_is_lossless(data)),
    )


def _count_frames(picture: Any, limits: Limits) -> int:
    """How many frames there are; counts no further than it has to, as counting costs time."""
    try:
        picture.seek(limits.max_frames)
    except EOFError:
        picture.seek(0)
        return int(picture.n_frames)
    raise MediaError("photo-too-many-frames", limit=limits.max_frames)


def _moves(picture: Pil.Image) -> bool:
    return bool(getattr(picture, "is_animated", False) or getattr(picture, "default_image", False))


def _check_pages(picture: Any) -> None:
    """Only a TIFF with one real page is a photo; previews and masks do not count."""
    tags = picture.tag_v2
    if _TAG_DNG_VERSION in tags or int(tags.get(_TAG_SUBFILE_TYPE, 0)) & 1:
        # The first page is only a preview: a camera's raw file.
        raise MediaError("photo-unsupported", kind="RAW")
    for index in range(1, _MAX_PAGES + 1):
        try:
            picture.seek(index)
        except EOFError:
            picture.seek(0)
            return
        if not int(picture.tag_v2.get(_TAG_SUBFILE_TYPE, 0)) & 5:
            break
    raise MediaError("photo-several-pages")


def _orientation(picture: Pil.Image) -> int:
    """EXIF orientation 1 to 8; 1 if it cannot be read, as viewers do.

    That is safe: faces are looked for in, and written to, the very same pixels.
    """
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF raises anything
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(frame: Image, orientation: int) -> Image:
    """Apply an EXIF orientation (TIFF 6.0, tag 274)."""
    if orientation in (5, 6, 7, 8):
        frame = frame.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        frame = frame[:, ::-1]
    if orientation in (3, 4, 7, 8):
        frame = frame[::-1]
    return np.ascontiguousarray(frame)


def _explained(error: Exception) -> MediaError:
    bombs = (MemoryError, Pil.DecompressionBombError, Pil.DecompressionBombWarning)
    if isinstance(error, bombs):
        return MediaError("photo-too-much-memory")
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return MediaError("photo-truncated")
    return MediaError("photo-unreadable", detail=type(error).__name__)


def _jpeg(photo: Photo, frame: Image) -> bytes:
    quality = photo.encoding.jpeg
    if quality is not None:
        return _saved(frame, "JPEG", qtables=quality.qtables, subsampling=quality.subsampling)
    subsampling = "4:4:4" if photo.source_format == "TIFF" else "4:2:0"
    return _saved(frame, "JPEG", quality=_JPEG_QUALITY, subsampling=subsampling)


def _webp(photo: Photo, frames: Sequence[Image]) -> bytes:
    options = {"lossless": photo.encoding.lossless, "quality": _WEBP_QUALITY}
    if not photo.durations_ms:
        return _saved(frames[0], "WEBP", **options)
    stills = (_saved(frame, "WEBP", **options) for frame in frames)
    return animation.webp(stills, (photo.width, photo.height), photo.durations_ms, photo.loop)


def _saved(frame: Image, target: str, **options: object) -> bytes:
    # A picture made from an array carries no `info`, so Pillow has nothing to pass on.
    buffer = io.BytesIO()
    Pil.fromarray(frame).save(buffer, target, **options)
    return buffer.getvalue()
