"""Redaction in a frame's planes: nothing of a head is left in any, and nothing else changes."""

import math

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaguard.core.faces import Box, Detection
from mediaguard.media.planes import BLOCK, Colours, Paint, Planes, fill, paint, patch_for
from mediaguard.media.redaction import FILL_COLOUR, Style, core_mask, head_of

COLOURS = Colours()
FLAT = fill(COLOURS)
UNLIKE = np.array([3, 250, 7], np.uint8).reshape(1, 1, 3)
"""A flat patch of which random planes hold nothing by chance: see `random_planes`."""

coordinates = st.floats(-300, 300)
sides = st.floats(-5, 250)
frame_sizes = st.tuples(st.integers(1, 130), st.integers(1, 100))


def face(x: float, y: float, w: float, h: float, tilt: float | None = None) -> Detection:
    eyes = ()
    if tilt is not None:
        dx, dy = math.cos(tilt), math.sin(tilt)
        eyes = ((x + w / 2 - dx, y + h / 2 - dy), (x + w / 2 + dx, y + h / 2 + dy))
    return Detection(Box(x, y, w, h), 0.9, eyes)


faces = st.builds(
    face, coordinates, coordinates, sides, sides, st.none() | st.floats(-math.pi, math.pi)
)


def random_planes(size: tuple[int, int], seed: int = 0, low: int = 20, high: int = 236) -> Planes:
    width, height = size
    rng = np.random.default_rng(seed)
    half = -(-height // 2), -(-width // 2)
    shapes = ((height, width), half, half)
    return Planes(*(rng.integers(low, high, shape, np.uint8) for shape in shapes))


def copied(planes: Planes) -> Planes:
    return Planes(planes.y.copy(), planes.u.copy(), planes.v.copy())


def chroma_of(mask: np.ndarray) -> np.ndarray:
    """The samples of the colour planes that hold any pixel of the mask."""
    rows, columns = mask.shape
    even = np.pad(mask, ((0, rows % 2), (0, columns % 2)))
    return even.reshape(-(-rows // 2), 2, -(-columns // 2), 2).any(axis=(1, 3))


def core_of(found: Detection, size: tuple[int, int], strength: int = 1) -> np.ndarray:
    if strength == 1:
        return core_mask([found], size)
    return head_of(found, strength=strength).radius(0, 0, *size) <= 1


def changed(before: Planes, after: Planes) -> np.ndarray:
    """The pixels whose brightness or colour changed."""
    luma = before.y != after.y
    chroma = (before.u != after.u) | (before.v != after.v)
    height, width = luma.shape
    return luma | chroma.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]


def blocks_of(mask: np.ndarray) -> np.ndarray:
    rows, columns = mask.shape
    padded = np.pad(mask, ((0, -rows % BLOCK), (0, -columns % BLOCK)))
    shape = padded.shape[0] // BLOCK, BLOCK, padded.shape[1] // BLOCK, BLOCK
    return padded.reshape(shape).any(axis=(1, 3))


# -- nothing of the head is left -------------------------------------------------------------


@given(frame_sizes, st.lists(faces, max_size=3), st.integers(1, 2), st.integers(0, 99))
@settings(max_examples=200)
def test_the_core_is_the_patch_in_all_planes_and_nothing_else_changes(size, found, strength, seed):
    planes = random_planes(size, seed)
    before = copied(planes)
    touched = paint(planes, [Paint(one, UNLIKE) for one in found], strength=strength)
    core = np.zeros(size[::-1], np.bool_)
    for one in found:
        core |= core_of(one, size, strength)
    assert (planes.y[core] == UNLIKE[0, 0, 0]).all()
    assert (planes.u[chroma_of(core)] == UNLIKE[0, 0, 1]).all()
    assert (planes.v[chroma_of(core)] == UNLIKE[0, 0, 2]).all()
    moved = changed(before, planes)
    assert touched.shape == (-(-size[1] // BLOCK), -(-size[0] // BLOCK))
    assert not (blocks_of(moved) & ~touched).any(), "changed where nothing may have changed"
    assert planes.y.shape == before.y.shape
    assert planes.u.shape == before.u.shape
    reach = np.zeros(size[::-1], np.bool_)
    for one in found:
        head = head_of(one, strength=strength)
        reach |= head.radius(0, 0, *size) <= 1 + head.edge + 1e-3
    # A sample of the colour planes stands for four pixels.
    near = chroma_of(reach).repeat(2, axis=0).repeat(2, axis=1)[: size[1], : size[0]]
    assert not ((before.y != planes.y) & ~reach).any()
    assert not (moved & ~near).any()


@given(frame_sizes, st.lists(faces, min_size=1, max_size=3), st.integers(0, 99),
       st.sampled_from([True, False]), st.integers(1, 2))  # fmt: skip
@settings(max_examples=150)
def test_what_lies_over_a_core_does_not_depend_on_what_was_there(
    size, found, seed, smooth, strength
):
    """Whatever the style: the same patch over another head gives the same pixels."""
    rng = np.random.default_rng(seed)
    patch = rng.integers(0, 256, (*rng.integers(1, 9, 2), 3), np.uint8)
    paints = [Paint(one, patch, smooth) for one in found]
    one, other = random_planes(size, seed), random_planes(size, seed + 1)
    paint(one, paints, strength=strength)
    paint(other, paints, strength=strength)
    # Where a later head's soft edge lies over an earlier core, the core under it is the patch.
    core = np.zeros(size[::-1], np.bool_)
    for item in found:
        core |= core_of(item, size, strength)
    assert (one.y[core] == other.y[core]).all()
    assert (one.u[chroma_of(core)] == other.u[chroma_of(core)]).all()
    assert (one.v[chroma_of(core)] == other.v[chroma_of(core)]).all()


@pytest.mark.parametrize(
    "found",
    [
        face(-30, -30, 40, 50), face(80, 50, 40, 50), face(40, 30, 1, 1), face(40, 30, 0, 0),
        face(40, 30, -3, -9), face(-2000, -2000, 5000, 5000), face(95.5, 63.5, 2, 2),
        face(-1e7, 10, 1e7 + 20, 20), face(40, 20, 20, 26, math.pi / 2),
        face(40, 20, 20, 26, math.pi), face(40, 20, 20, 26, 0.3), face(0.5, 0.5, 9, 9, -0.7),
        face(1e12, 0, 5, 5), face(0, 0, 1e12, 1e12),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [(96, 64), (97, 63), (95, 65), (1, 1), (2, 64), (96, 1)])
def test_heads_at_the_border_tiny_huge_tilted(found, size):
    planes = random_planes(size)
    before = copied(planes)
    touched = paint(planes, [Paint(found, UNLIKE)])
    core = core_of(found, size)
    assert (planes.y[core] == UNLIKE[0, 0, 0]).all()
    assert (planes.u[chroma_of(core)] == UNLIKE[0, 0, 1]).all()
    assert (planes.v[chroma_of(core)] == UNLIKE[0, 0, 2]).all()
    assert not (blocks_of(changed(before, planes)) & ~touched).any()


def test_the_whole_box_is_covered():
    found = face(31.3, 20.7, 22.2, 27.9)
    planes = random_planes((96, 64))
    paint(planes, [Paint(found, UNLIKE)])
    assert (planes.y[20:49, 31:54] == UNLIKE[0, 0, 0]).all()


def test_strength_two_reaches_further():
    one, two = random_planes((96, 64)), random_planes((96, 64))
    found = face(38, 24, 14, 18)
    smaller = paint(one, [Paint(found, FLAT)])
    larger = paint(two, [Paint(found, FLAT)], strength=2)
    assert not (smaller & ~larger).any()
    assert (two.y == FLAT[0, 0, 0]).sum() > 1.4 * (one.y == FLAT[0, 0, 0]).sum()


def test_no_paint_changes_nothing():
    planes = random_planes((97, 63))
    before = copied(planes)
    assert not paint(planes, []).any()
    assert not changed(before, planes).any()


def test_a_place_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="place"):
        paint(random_planes((96, 64)), [Paint(face(math.nan, 0, 9, 9), FLAT)])


# -- patches ---------------------------------------------------------------------------------


def test_one_patch_looks_the_same_wherever_the_head_is():
    """A mosaic that moves with a head tells no more than one picture of it."""
    rng = np.random.default_rng(4)
    crop = rng.integers(0, 256, (60, 50, 3), np.uint8)
    patch = patch_for(crop, Style.MOSAIC, COLOURS, rng)
    assert max(patch.shape[:2]) <= 8
    seen = []
    for shift in (0, 16, 30):
        planes = random_planes((160, 96), seed=shift)
        found = face(40 + shift, 30, 26, 32)
        paint(planes, [Paint(found, patch)])
        core = core_of(found, (160, 96))
        seen.append(planes.y[core])
        assert set(planes.y[core]) <= set(patch[..., 0].flat)
        assert set(planes.u[chroma_of(core)]) <= set(patch[..., 1].flat)
        assert set(planes.v[chroma_of(core)]) <= set(patch[..., 2].flat)
    assert (seen[0] == seen[1]).all()
    assert (seen[0] == seen[2]).all()


@pytest.mark.parametrize("style", list(Style))
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (3, 200), (200, 3), (300, 240)])
def test_a_patch_is_coarse_whatever_the_crop(style, shape):
    rng = np.random.default_rng(1)
    crop = rng.integers(0, 256, (*shape, 3), np.uint8)
    patch = patch_for(crop, style, COLOURS, rng)
    assert patch.dtype == np.uint8
    assert patch.shape[0] * patch.shape[1] <= 64
    if style is Style.FILL:
        assert patch.tolist() == FLAT.tolist()


def test_a_patch_is_noisy_so_that_two_are_never_alike():
    crop = np.full((80, 80, 3), 120, np.uint8)
    one, two = (patch_for(crop, Style.BLUR, COLOURS, np.random.default_rng(i)) for i in (1, 2))
    assert np.abs(one[..., 0].astype(int) - two[..., 0]).mean() > 5


# -- colours ---------------------------------------------------------------------------------

MATRICES = {"bt709": 1, "bt601": 5, "bt2020": 9}


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", sorted(MATRICES))
def test_colours_are_those_of_ffmpeg(matrix, full_range):
    """Flat pictures of a colour, so that no chroma is averaged."""
    rng = np.random.default_rng(2)
    colours = [FILL_COLOUR, (0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)]
    colours += rng.integers(0, 256, (40, 3)).tolist()
    for colour in colours:
        picture = np.full((16, 16, 3), colour, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv444p",
            dst_colorspace=MATRICES[matrix],
            dst_color_range=2 if full_range else 1,
        )
        theirs = frame.to_ndarray()[:, 8, 8]
        ours = Colours(matrix, full_range).planes_of(np.array(colour, np.uint8))
        assert np.abs(theirs.astype(int) - ours).max() <= 2, colour


@given(st.sampled_from(sorted(MATRICES)), st.booleans(), st.integers(0, 999))
@settings(max_examples=40)
def test_colours_of_pictures_keep_their_shape_and_range(matrix, full_range, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (5, 7, 3), np.uint8)
    planes = Colours(matrix, full_range).planes_of(rgb)
    assert planes.shape == rgb.shape
    assert planes.dtype == np.uint8
    if not full_range:
        assert planes[..., 0].min() >= 16
        assert planes[..., 0].max() <= 235
        assert 16 <= planes[..., 1:].min() <= planes[..., 1:].max() <= 240


# -- a frame to compare with -----------------------------------------------------------------


@given(frame_sizes, st.integers(0, 99))
@settings(max_examples=60)
def test_the_small_picture_has_a_mean_for_each_block(size, seed):
    planes = random_planes(size, seed)
    small = planes.small()
    width, height = planes.size
    assert (width, height) == size
    assert small.shape == (-(-height // BLOCK), -(-width // BLOCK), 3)
    if not width % 8 and not height % 8:
        means = planes.y.reshape(height // 8, 8, width // 8, 8).mean(axis=(1, 3))
        assert np.abs(small[..., 0] - means).max() <= 1
    assert abs(float(small[..., 0].mean()) - float(planes.y.mean())) < 12
