"""Any pixel format and colour space to 8-bit sRGB.

Works in strips of rows, so that a picture of 150 million pixels needs no second full
copy besides Pillow's own.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pil
from PIL import ImageCms

from mediaguard.core.faces import Image

_STRIP_ROWS = 512
_SPACE_OF_MODE = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab"}
_ALPHA_MODES = ("RGBA", "RGBa", "LA", "La", "PA")

_ToRgb = Callable[[Pil.Image], Pil.Image]


def to_srgb(picture: Pil.Image) -> Image:
    """The pixels of `picture` as upright-agnostic sRGB, height x width x 3, uint8.

    Transparent parts are flattened over white: what lies hidden under them is gone. A
    profile that is broken or belongs to another kind of pixel is ignored, as viewers do.

    Raises:
        ValueError: a pixel format that is not understood.
        OSError and others: whatever Pillow raises while decoding the pixels.
    """
    picture.load()
    width, height = picture.size
    to_base = _base_converter(picture)
    to_rgb: _ToRgb | None = None
    out = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, height)
        base, alpha = to_base(picture.crop((0, top, width, bottom)))
        if to_rgb is None:
            to_rgb = _profile_converter(picture.info.get("icc_profile"), base.mode)
        rgb = to_rgb(base)
        if alpha is not None:
            white = Pil.new("RGB", rgb.size, (255, 255, 255))
            white.paste(rgb, mask=alpha)
            rgb = white
        out[top:bottom] = np.asarray(rgb)
    return out


def _base_converter(
    picture: Pil.Image,
) -> Callable[[Pil.Image], tuple[Pil.Image, Pil.Image | None]]:
    """How a strip becomes one of L, RGB, CMYK, LAB, and its alpha."""
    mode = picture.mode
    transparent = picture.info.get("transparency") is not None
    if mode in _ALPHA_MODES or (transparent and mode in ("1", "L", "P", "RGB")):
        return _split_alpha
    if mode in ("L", "RGB", "CMYK", "LAB"):
        return lambda strip: (strip, None)
    if mode == "1":
        return lambda strip: (strip.convert("L"), None)
    if mode in ("P", "RGBX", "YCbCr", "HSV"):
        return lambda strip: (strip.convert("RGB"), None)
    if mode in ("I", "I;16", "I;16L", "I;16B", "I;16N", "F"):
        low, high = _value_range(picture)
        return lambda strip: (_scaled(strip, low, high), None)
    raise ValueError(f"pixel format {mode}")


def _split_alpha(strip: Pil.Image) -> tuple[Pil.Image, Pil.Image | None]:
    rgba = strip.convert("RGBA")
    return rgba.convert("RGB"), rgba.getchannel("A")


def _value_range(picture: Pil.Image) -> tuple[float, float]:
    """Which values are black and white in a format with more than 8 bits."""
    if picture.mode.startswith("I;16"):
        return 0.0, 65535.0
    extremes = picture.getextrema()
    low, high = (float(value) for value in extremes[:2])  # type: ignore[arg-type]
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("pixel values that are not numbers")
    if low < 0:
        return low, max(high, low + 1.0)
    # Floats run from 0 to 1 by convention, integers to the top of the bits they use.
    tops = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
    return 0.0, next((top for top in tops if high <= top), high)


def _scaled(strip: Pil.Image, low: float, high: float) -> Pil.Image:
    values: NDArray[np.float32] = np.asarray(strip).astype(np.float32)
    scaled = np.rint((values - low) * (255.0 / (high - low)))
    if not np.isfinite(scaled).all():
        raise ValueError("pixel values that are not numbers")
    return Pil.fromarray(scaled.clip(0, 255).astype(np.uint8))


def _profile_converter(icc: bytes | None, mode: str) -> _ToRgb:
    """From `mode` under the profile `icc` to sRGB."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    try:
        if icc:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
            if profile.profile.xcolor_space.strip() == _SPACE_OF_MODE[mode]:
                transform = _transform(profile, srgb, mode)
                if mode != "RGB" or _changes_anything(transform):
                    return lambda strip: _applied(transform, strip)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        pass  # a broken profile: the pixels are taken for what they are without one
    if mode == "LAB":
        lab = _transform(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), srgb, mode)
        return lambda strip: _applied(lab, strip)
    return lambda strip: strip.convert("RGB")


def _transform(
    source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile, mode: str
) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source,
        target,
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def _applied(transform: ImageCms.ImageCmsTransform, strip: Pil.Image) -> Pil.Image:
    out = ImageCms.applyTransform(strip, transform)
    if out is None:  # only when working in place, which is not asked for
        raise ValueError("colour transform failed")
    return out


def _changes_anything(transform: ImageCms.ImageCmsTransform) -> bool:
    """False for the many profiles that are sRGB under another name: no rounding for nothing."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    after = np.asarray(_applied(transform, Pil.fromarray(grid)))
    return bool(np.abs(after.astype(int) - grid).max() > 2)
