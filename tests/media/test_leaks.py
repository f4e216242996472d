"""Whatever hides in a source, nothing of it is in what is made of it."""

import io
import json
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image as Pil

from mediaguard.media.photo import decode, encode
from mediaguard.media.verification import check_bytes
from mediaguard.media.walkers import WALKERS
from tests.media import builders
from tests.media.builders import CANARY, Nasty, saved, scene

SECRETS = builders.secrets()
EXIFTOOL = shutil.which("exiftool")
# What exiftool prints of any picture: about the file itself and its pixels, not metadata.
STRUCTURAL = {
    "SourceFile", "ExifTool", "File", "JFIF", "PNG", "RIFF", "GIF", "Composite",
}  # fmt: skip
STRUCTURAL_TAGS = {
    "JFIF": {"JFIFVersion", "ResolutionUnit", "XResolution", "YResolution"},
    "PNG": {"ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter",
            "Interlace"},
    "RIFF": {"ImageWidth", "ImageHeight", "VP8Version", "HorizontalScale", "VerticalScale",
             "AlphaIsUsed", "WebP_Flags", "AnimationLoopCount", "BackgroundColor", "FrameCount",
             "Duration"},
    "GIF": {"GIFVersion", "ImageWidth", "ImageHeight", "HasColorMap", "ColorResolutionDepth",
            "BitsPerPixel", "BackgroundColor", "AnimationIterations", "FrameCount", "Duration"},
    "Composite": {"ImageSize", "Megapixels"},
}  # fmt: skip


def clean(data: bytes):
    photo = decode(data)
    return encode(photo, photo.frames)


@pytest.mark.parametrize("name", SECRETS)
def test_nothing_hidden_survives(name):
    nasty = SECRETS[name]()
    if nasty.in_source:
        assert all(needle in nasty.data for needle in nasty.needles), "the file hides nothing"
    rendition = clean(nasty.data)
    for needle in (*nasty.needles, CANARY, CANARY.decode().encode("utf-16-be")):
        assert needle not in rendition.data
    assert check_bytes(rendition.data, rendition.format) == []


@pytest.mark.parametrize("name", [n for n in SECRETS if n.split("-")[0].upper() in WALKERS])
def test_a_source_that_hides_something_fails_the_walk(name):
    """The walker itself sees each of these, not only its absence."""
    assert check_bytes(SECRETS[name]().data, name.split("-")[0].upper())


@pytest.mark.skipif(EXIFTOOL is None, reason="exiftool is not installed")
def test_exiftool_sees_only_structure(tmp_path):
    for name, build in SECRETS.items():
        rendition = clean(build().data)
        (tmp_path / (name + rendition.suffix)).write_bytes(rendition.data)
    _assert_only_structure(tmp_path)


def test_foreign_files_come_out_clean(shared_data, tmp_path):
    """The metadata-rich test files of another project, where they are at hand."""
    for path in sorted((shared_data / "dirty").iterdir()):
        if path.suffix == ".mp4":
            continue
        rendition = clean(path.read_bytes())
        assert check_bytes(rendition.data, rendition.format) == []
        (tmp_path / (path.stem + path.suffix.strip(".") + rendition.suffix)).write_bytes(
            rendition.data
        )
    if EXIFTOOL is not None:
        _assert_only_structure(tmp_path)


def _assert_only_structure(folder):
    done = subprocess.run(
        [EXIFTOOL, "-j", "-G", "-a", "-u", "-ee", str(folder)], capture_output=True, check=True
    )
    assert CANARY not in done.stdout
    for report in json.loads(done.stdout):
        for key in report:
            group, _, tag = key.partition(":")
            assert group in STRUCTURAL, (report["SourceFile"], key)
            assert group not in STRUCTURAL_TAGS or tag in STRUCTURAL_TAGS[group], key
        assert "ExifTool:Warning" not in report, report


@pytest.mark.parametrize("target", ["PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_what_lies_under_transparency_is_gone(target):
    rgba = builders.hidden_pixels()
    options = {"WEBP": {"lossless": True, "exact": True}, "AVIF": {"quality": 100}}
    data = saved(Pil.fromarray(rgba, "RGBA"), target, **options.get(target, {}))
    before = np.asarray(Pil.open(io.BytesIO(data)).convert("RGBA"))
    assert before[:, :40, :3].std() > 5, "nothing is hidden in this file"
    for frame in (decode(data).frames[0], decode(clean(data).data).frames[0]):
        assert np.abs(frame[:, :40].astype(int) - 255).max() <= 4
        assert frame[:, 56:].std() > 5


def test_a_transparent_palette_colour_is_gone():
    picture = Pil.fromarray(scene()).quantize(16)
    data = saved(picture, "PNG", transparency=3)
    hidden = np.asarray(picture) == 3
    assert hidden.any()
    assert (decode(data).frames[0][hidden] == 255).all()


def test_a_colour_named_transparent_is_gone():
    array = scene()
    array[:10] = (1, 2, 3)
    frame = decode(saved(array, "PNG", transparency=(1, 2, 3))).frames[0]
    assert (frame[:10] == 255).all()
    assert np.array_equal(frame[10:], array[10:])


def test_only_the_first_picture_of_an_mpo_is_read():
    photo = decode(builders.jpeg_mpf().data)
    assert len(photo.frames) == 1
    assert np.abs(photo.frames[0].astype(int) - scene()).mean() < 4


def test_the_name_of_a_colour_profile_does_not_colour_its_treatment():
    """A working profile is applied and not copied."""
    with_profile = clean(Nasty(builders.jpeg_with(icc_profile=builders.profile())).data)
    assert (
        np.abs(
            decode(with_profile.data).frames[0].astype(int) - decode(builders.jpeg_with()).frames[0]
        ).mean()
        < 2
    )
