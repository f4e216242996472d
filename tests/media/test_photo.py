"""Pictures of every kind are read upright, in sRGB, or refused with a reason."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pil
from PIL import ImageCms

from mediaguard.errors import MediaError
from mediaguard.media.photo import Limits, Photo, decode, encode
from mediaguard.media.verification import check_bytes
from tests.media import builders
from tests.media.builders import animated, chunk, jpeg_with, saved, scene

ORIENTED = {
    1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2), 6: lambda p: np.rot90(p, 1), 7:
    lambda p: p[::-1, ::-1].transpose(1, 0, 2), 8: lambda p: np.rot90(p, -1),
}  # fmt: skip


def refused(data: bytes, **kwargs) -> str:
    with pytest.raises(MediaError) as caught:
        decode(data, **kwargs)
    return caught.value.code


def near(one, other, tolerance=6.0) -> bool:
    return one.shape == other.shape and np.abs(one.astype(int) - other).mean() < tolerance


# --- what is read -------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_is_applied_once(target, orientation):
    """Stored turned away, it comes out upright, and the written file says nothing of it."""
    upright = scene()
    stored = np.ascontiguousarray(ORIENTED[orientation](upright))
    tag = Pil.Exif()
    tag[0x0112] = orientation
    photo = decode(saved(stored, target, exif=tag.tobytes(), quality=95))
    assert near(photo.frames[0], upright)
    assert (photo.width, photo.height) == (96, 64)
    assert near(decode(encode(photo, photo.frames).data).frames[0], upright)


def test_heic_is_turned_once():
    tag = Pil.Exif()
    tag[0x0112] = 6
    upright = scene(256, 192)
    stored = np.ascontiguousarray(np.rot90(upright, 1))
    assert near(decode(saved(stored, "HEIF", exif=tag.tobytes())).frames[0], upright)


def test_broken_exif_is_no_reason_to_refuse():
    photo = decode(jpeg_with(builders.segment(0xE1, b"Exif\0\0MM\x00*\xff\xff\xff\xff")))
    assert near(photo.frames[0], scene())


def _pixels(mode: str) -> Pil.Image:
    rgb = Pil.fromarray(scene())
    if mode == "I;16":
        return Pil.fromarray(np.asarray(rgb.convert("L")).astype(np.uint16) * 257)
    if mode == "LAB":
        spaces = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        return ImageCms.applyTransform(rgb, ImageCms.buildTransform(*spaces, "RGB", "LAB"))
    return rgb.convert("P").convert("PA") if mode == "PA" else rgb.convert(mode)


WRITTEN_BY_PILLOW = {
    "PNG": ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"],
    "TIFF": ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "I;16", "CMYK", "LAB"],
    "JPEG": ["1", "L", "RGB", "CMYK"],
    "WEBP": ["1", "L", "LA", "P", "RGB", "RGBA"],
    "GIF": ["1", "L", "P", "RGB", "RGBA"],
}


@pytest.mark.parametrize(
    ("target", "mode"), [(t, m) for t, modes in WRITTEN_BY_PILLOW.items() for m in modes]
)
def test_every_kind_of_pixel(target, mode):
    rgb = Pil.fromarray(scene())
    data = saved(_pixels(mode), target)
    frame = decode(data).frames[0]
    assert frame.shape == (64, 96, 3)
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    expected = scene() if mode in ("P", "PA", "RGB", "RGBA", "CMYK", "LAB") else None
    if expected is None and mode != "1":
        expected = np.repeat(np.asarray(rgb.convert("L"))[..., None], 3, axis=2)
    if expected is not None:
        assert near(frame, expected, 25 if mode in ("CMYK", "P", "PA") else 6)


def png_of(depth: int, colour: int, rows: np.ndarray) -> bytes:
    header = struct.pack(">IIBBBBB", 96, 64, depth, colour, 0, 0, 0)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def test_sixteen_bit_png_is_scaled_not_cut():
    wide = (scene().astype(np.uint32) * 257).astype(">u2")
    frame = decode(png_of(16, 2, wide)).frames[0]
    assert np.abs(frame.astype(int) - scene()).max() <= 1
    gray = decode(png_of(16, 0, wide[..., 0])).frames[0]
    assert np.abs(gray[..., 0].astype(int) - scene()[..., 0]).max() <= 1


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_float_tiff(top):
    gray = scene()[..., 0].astype(np.float32) / 255 * top
    frame = decode(saved(Pil.fromarray(gray), "TIFF")).frames[0]
    assert np.abs(frame[..., 0].astype(int) - scene()[..., 0]).max() <= 1


def test_numbers_that_are_none_are_refused():
    gray = np.full((8, 8), np.nan, np.float32)
    assert refused(saved(Pil.fromarray(gray), "TIFF")) == "photo-unreadable"


def wide_gamut() -> bytes:
    """An sRGB profile with its red and green primaries exchanged."""
    icc = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = icc.index(b"rXYZ", 128), icc.index(b"gXYZ", 128)
    icc[red + 4 : red + 8], icc[green + 4 : green + 8] = (
        icc[green + 4 : green + 8], icc[red + 4 : red + 8],
    )  # fmt: skip
    return bytes(icc)


def test_a_colour_profile_is_applied():
    frame = decode(saved(scene(), "PNG", icc_profile=wide_gamut())).frames[0]
    assert near(frame, scene()[..., [1, 0, 2]], 3)


@pytest.mark.parametrize("icc", [b"", b"no profile", b"\0" * 128, wide_gamut()[:300]])
def test_a_broken_profile_means_srgb(icc):
    frame = decode(saved(scene(), "PNG", icc_profile=icc)).frames[0]
    assert np.array_equal(frame, scene())


def test_a_profile_of_another_kind_means_srgb():
    gray = Pil.fromarray(scene()).convert("L")
    frame = decode(saved(gray, "PNG", icc_profile=wide_gamut())).frames[0]
    assert np.array_equal(frame[..., 0], np.asarray(gray))


# --- what comes out -----------------------------------------------------------------

EXPECTED = {
    "JPEG": "JPEG", "PNG": "PNG", "WEBP": "WEBP", "GIF": "GIF", "TIFF": "JPEG", "AVIF": "JPEG",
    "HEIF": "JPEG", "MPO": "JPEG",
}  # fmt: skip


@pytest.mark.parametrize("target", EXPECTED)
def test_formats(target):
    photo = decode(saved(scene(), target))
    rendition = encode(photo, photo.frames)
    assert rendition.format == EXPECTED[target]
    assert Pil.open(io.BytesIO(rendition.data)).format == rendition.format
    assert near(decode(rendition.data).frames[0], scene())
    assert check_bytes(rendition.data, rendition.format) == []


@pytest.mark.parametrize("quality", [5, 30, 75, 95, 100])
@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_a_jpeg_keeps_its_quality(quality, subsampling):
    data = jpeg_with(quality=quality, subsampling=subsampling)
    photo = decode(data)
    rendition = encode(photo, photo.frames)
    assert near(decode(rendition.data).frames[0], photo.frames[0], 1.5)
    if quality >= 50:
        before, after = Pil.open(io.BytesIO(data)), Pil.open(io.BytesIO(rendition.data))
        assert after.quantization == before.quantization
        assert len(rendition.data) < 1.2 * len(data) + 1000


def test_gray_and_cmyk_jpegs_come_out_as_colour():
    for mode in ("L", "CMYK"):
        photo = decode(saved(Pil.fromarray(scene()).convert(mode), "JPEG", quality=90))
        rendition = encode(photo, photo.frames)
        assert check_bytes(rendition.data, "JPEG") == []
        assert near(decode(rendition.data).frames[0], photo.frames[0])


@pytest.mark.parametrize("target", ["GIF", "WEBP"])
@pytest.mark.parametrize("loop", [0, 3])
def test_every_frame_of_an_animation(target, loop):
    photo = decode(animated(target, loop=loop))
    assert len(photo.frames) == 4
    again = decode(encode(photo, photo.frames).data)
    assert again.durations_ms == photo.durations_ms == (100, 120, 140, 160)
    assert again.loop == photo.loop == loop
    for index, (one, other) in enumerate(zip(again.frames, photo.frames, strict=True)):
        assert near(one, other)
        assert near(one, scene(seed=index), 8)


@pytest.mark.parametrize("target", ["GIF", "WEBP"])
def test_frames_that_become_equal_stay_apart(target):
    """Redaction may make frames equal; merged, they would no longer match what was verified."""
    photo = decode(animated(target))
    frames = [photo.frames[0]] * 4
    again = decode(encode(photo, frames).data)
    assert len(again.frames) == 4
    assert again.durations_ms == photo.durations_ms


def test_few_colours_survive_a_gif_exactly():
    blocks = np.zeros((40, 40, 3), np.uint8)
    blocks[:20, :20], blocks[20:, 20:] = (255, 0, 0), (151, 156, 163)
    photo = decode(saved(blocks, "GIF"))
    assert np.array_equal(decode(encode(photo, [blocks]).data).frames[0], blocks)


def test_lossless_webp_stays_lossless():
    photo = decode(saved(scene(), "WEBP", lossless=True))
    assert np.array_equal(decode(encode(photo, photo.frames).data).frames[0], scene())


def test_only_the_photos_own_frames_are_encoded():
    photo = decode(jpeg_with())
    with pytest.raises(ValueError, match="frames"):
        encode(photo, [scene(8, 8)])


# --- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "photo-empty"),
        (b"hello", "photo-unreadable"),
        (b"\xff\xd8\xff", "photo-unreadable"),
        (b"%PDF-1.7", "photo-unsupported"),
        (b"<?xml version='1.0'?><svg/>", "photo-unsupported"),
        (b"BM" + bytes(60), "photo-unsupported"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "photo-unsupported"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "photo-unsupported"),
        (b"RIFF\0\0\0\0AVI LIST", "photo-unsupported"),
        (b"II*\0\x10\0\0\0CR\2\0", "photo-unsupported"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0hevcheic", "photo-animated-unsupported"),
    ],
)
def test_what_is_no_photo(data, code):
    assert refused(data) == code


def test_a_wrong_name_changes_nothing():
    """The content decides; a file name is not even asked for."""
    assert decode(saved(scene(), "PNG")).source_format == "PNG"


@pytest.mark.parametrize("target", ["PNG", "AVIF"])
def test_other_animations_are_held(target):
    assert refused(animated(target)) == "photo-animated-unsupported"


def test_an_apng_with_a_picture_of_its_own_is_held():
    data = animated("PNG", frames=2, default_image=True)
    assert refused(data) == "photo-animated-unsupported"


def test_pages():
    pages = [Pil.fromarray(scene(seed=i)) for i in range(3)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert refused(data) == "photo-several-pages"
    small = Pil.fromarray(scene(24, 16))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    data = saved(pages[0], "TIFF", save_all=True, append_images=[small])
    assert near(decode(data).frames[0], scene(seed=0))


def test_camera_raw_is_not_published_as_its_preview():
    assert refused(saved(scene(), "TIFF", tiffinfo={254: 1})) == "photo-unsupported"
    assert refused(saved(scene(), "TIFF", tiffinfo={50706: b"\1\4\0\0"})) == "photo-unsupported"


def giant(target: str, side: int) -> bytes:
    """A small file that says it is huge."""
    if target == "PNG":
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        return (
            b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", header)
            + chunk(b"IDAT", b"")
            + chunk(b"IEND", b"")
        )
    data = bytearray(saved(scene(), target))
    if target == "JPEG":
        at = data.index(b"\xff\xc0") + 5
        data[at : at + 4] = struct.pack(">HH", side, side)
    elif target == "GIF":
        data[6:10] = struct.pack("<HH", side, side)
    elif target == "TIFF":
        for tag in (256, 257):
            at = data.index(struct.pack("<HH", tag, 4))
            data[at + 8 : at + 12] = struct.pack("<I", side)
    return bytes(data)


@pytest.mark.parametrize("side", [13_000, 20_000, 30_000, 60_000])
@pytest.mark.parametrize("target", ["PNG", "JPEG", "GIF", "TIFF"])
def test_giants_are_refused_before_memory_is_taken(target, side):
    import tracemalloc

    tracemalloc.start()
    code = refused(giant(target, side))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert code in ("photo-too-large", "photo-too-much-memory")
    assert peak < 20_000_000


def test_limits_are_exact():
    data = saved(scene(10, 10), "PNG")
    assert decode(data, limits=Limits(max_pixels=100))
    assert refused(data, limits=Limits(max_pixels=99)) == "photo-too-large"
    movie = animated("GIF")
    assert refused(movie, limits=Limits(max_frames=3)) == "photo-too-many-frames"
    enough = Limits(max_animation_pixels=96 * 64 * 4)
    assert decode(movie, limits=enough)
    short = Limits(max_animation_pixels=96 * 64 * 4 - 1)
    assert refused(movie, limits=short) == "photo-too-large"


def test_text_bombs_are_refused():
    bomb = zlib.compress(b"A" * 80_000_000)
    for part in (chunk(b"zTXt", b"k\0\0" + bomb), chunk(b"iTXt", b"k\0\1\0\0\0" + bomb)):
        assert refused(builders.png_with(part)).startswith("photo-")


def test_scan_bombs_are_refused():
    data = saved(scene(), "JPEG", progressive=True)
    start = data.index(b"\xff\xda")
    assert refused(data[:start] + data[start:-2] * 200 + data[-2:]) == "photo-corrupt"


def test_a_bad_checksum_is_refused():
    data = bytearray(saved(scene(), "PNG"))
    data[data.index(b"IDAT") + 40] ^= 0x55
    assert refused(bytes(data)) == "photo-corrupt"


@pytest.mark.parametrize("target", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_half_a_file_is_refused(target, share):
    data = saved(scene(256, 192), target)
    assert refused(data[: int(len(data) * share)]) in ("photo-truncated", "photo-unreadable")


@pytest.mark.parametrize("progressive", [False, True])
def test_damage_inside_a_jpeg_is_noticed(progressive):
    """Pillow loads these without a word."""
    data = saved(scene(256, 192), "JPEG", quality=90, progressive=progressive)
    middle = len(data) // 2
    # Data lost from the last, refining scan of a progressive file may stay unnoticed.
    gaps = (900,) if progressive else (50, 300, 900)
    holes = [data[:middle] + data[middle + gap :] for gap in gaps]
    assert Pil.open(io.BytesIO(holes[0])).load() is not None
    codes = {refused(hole) for hole in holes}
    assert codes <= {"photo-truncated", "photo-corrupt", "photo-unreadable"}


@pytest.mark.parametrize("options", [{"restart_marker_rows": 2}, {"progressive": True}])
def test_sound_jpegs_of_every_kind_pass_the_scan_check(options):
    for mode in ("L", "RGB", "CMYK"):
        data = saved(Pil.fromarray(scene()).convert(mode), "JPEG", **options)
        assert isinstance(decode(data), Photo)


# --- whatever the bytes -------------------------------------------------------------

SEEDS = {
    "jpeg": saved(scene(32, 24), "JPEG", exif=b"Exif\0\0" + builders.exif()),
    "progressive": saved(scene(32, 24), "JPEG", progressive=True),
    "mpo": builders.jpeg_mpf().data,
    "png": saved(scene(32, 24), "PNG", icc_profile=builders.profile()),
    "palette": saved(Pil.fromarray(scene(32, 24)).quantize(8), "PNG", transparency=1),
    "webp": saved(scene(32, 24), "WEBP"),
    "animated-webp": animated("WEBP", frames=2),
    "gif": animated("GIF", frames=2),
    "tiff": saved(scene(32, 24), "TIFF", compression="tiff_lzw"),
    "heif": saved(scene(64, 64), "HEIF"),
    "avif": saved(scene(32, 24), "AVIF"),
}


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_bytes_raise_nothing_but_media_errors(name, data):
    raw = bytearray(SEEDS[name])
    length = data.draw(st.integers(1, len(raw)))
    del raw[length:]
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        photo = decode(bytes(raw), limits=Limits(1_000_000, 10, 2_000_000))
    except MediaError:
        return
    rendition = encode(photo, photo.frames)
    assert check_bytes(rendition.data, rendition.format) == []


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_bytes_raise_nothing_but_media_errors(data):
    for head in (b"", b"\xff\xd8\xff", b"GIF89a", b"II*\0", b"\0\0\0\x18ftypheic"):
        with pytest.raises(MediaError):
            decode(head + data)
