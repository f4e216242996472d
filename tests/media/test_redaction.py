"""Nothing of a redacted head remains, whatever the face, the box and the picture."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaguard.core.faces import Box, Detection
from mediaguard.media.redaction import (
    FILL_COLOUR,
    Style,
    core_mask,
    head_of,
    redact,
)
from tests.media.builders import scene

STYLES = list(Style)
coordinates = st.floats(-300, 300, allow_nan=False)
sizes = st.floats(-5, 200, allow_nan=False)


def face(x, y, w, h, tilt=None) -> Detection:
    eyes = ()
    if tilt is not None:
        dx, dy = math.cos(tilt), math.sin(tilt)
        eyes = ((x + w / 2 - dx, y + h / 2 - dy), (x + w / 2 + dx, y + h / 2 + dy))
    return Detection(Box(x, y, w, h), 0.9, eyes)


faces = st.lists(
    st.builds(
        face, coordinates, coordinates, sizes, sizes, st.none() | st.floats(-math.pi, math.pi)
    ),
    max_size=4,
)


@given(faces, st.integers(1, 120), st.integers(1, 90), st.sampled_from(STYLES), st.integers(1, 2))
@settings(max_examples=120, deadline=None)
def test_nothing_outside_the_mask_changes_and_nothing_is_left_to_see(
    found, width, height, style, strength
):
    image = scene(width, height)
    before = image.copy()
    out, mask = redact(image, found, style, strength=strength)
    assert np.array_equal(image, before), "the original was changed"
    assert out.shape == image.shape
    assert np.array_equal(out[~mask], image[~mask])
    core = core_mask(found, (width, height))
    assert not (core & ~mask).any()
    if style is Style.FILL or strength == 2:
        assert (out[core] == FILL_COLOUR).all()


@given(faces, st.sampled_from([0, 255]))
@settings(max_examples=60, deadline=None)
def test_a_filled_head_does_not_depend_on_the_face(found, other):
    image = scene(120, 90)
    core = core_mask(found, (120, 90))
    swapped = image.copy()
    swapped[core] = other
    one, one_mask = redact(image, found, Style.FILL)
    two, two_mask = redact(swapped, found, Style.FILL)
    assert np.array_equal(one, two)
    assert np.array_equal(one_mask, two_mask)


@given(st.builds(face, coordinates, coordinates, st.floats(0, 200), st.floats(0, 200),
                 st.none() | st.floats(-math.pi, math.pi)))  # fmt: skip
def test_the_core_holds_the_whole_box(found):
    core = core_mask([found], (400, 300))
    box = found.box
    left, top = max(math.floor(box.x), 0), max(math.floor(box.y), 0)
    right, bottom = max(math.ceil(box.right), 0), max(math.ceil(box.bottom), 0)
    assert core[top:bottom, left:right].all()


def test_hair_ears_and_chin_are_covered():
    core = core_mask([face(150, 150, 75, 100)], (400, 400))
    assert core[150 - 40, 187]
    assert core[250 + 15, 187]
    assert core[200, 150 - 18]
    assert core[200, 225 + 18]


def test_a_tilted_head_is_covered_along_its_own_axis():
    upright = core_mask([face(150, 150, 100, 100)], (400, 400))
    lying = core_mask([face(150, 150, 100, 100, math.pi / 2)], (400, 400))
    assert not (upright & ~lying).any()
    # Eyes one above the other, the first on top: the top of the head is on the right.
    assert lying[200, 250 + 38]
    assert not upright[200, 250 + 38]


def test_the_soft_edge_lies_outside():
    image = np.zeros((300, 300, 3), np.uint8)
    found = face(120, 120, 60, 70)
    out, mask = redact(image, [found], Style.FILL)
    core = core_mask([found], (300, 300))
    edge = mask & ~core
    assert edge.any()
    assert (out[core] == FILL_COLOUR).all()
    assert 0 < out[edge].mean() < np.mean(FILL_COLOUR)


@pytest.mark.parametrize("style", [Style.MOSAIC, Style.BLUR])
def test_coarse_styles_are_coarse_and_never_the_same_twice(style):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (400, 400, 3), dtype=np.uint8)
    found = face(120, 120, 120, 150)
    one, _ = redact(image, [found], style)
    two, _ = redact(image, [found], style)
    core = core_mask([found], (400, 400))
    assert (one[core] != two[core]).mean() > 0.5
    again, _ = redact(image, [found], style, rng=np.random.default_rng(7))
    same, _ = redact(image, [found], style, rng=np.random.default_rng(7))
    assert np.array_equal(again, same)
    if style is Style.MOSAIC:
        box = one[130:260, 130:230]
        assert len(np.unique(box.reshape(-1, 3), axis=0)) <= 8 * 8


@pytest.mark.parametrize("style", STYLES)
def test_a_face_beside_does_not_save_a_redacted_one(style):
    """Two overlapping heads: the second's soft edge must not bring the first one back."""
    image = scene(300, 300)
    pair = [face(80, 100, 60, 70), face(120, 100, 60, 70)]
    out, _ = redact(image, pair, style)
    core = core_mask(pair, (300, 300))
    if style is Style.FILL:
        assert (out[core] == FILL_COLOUR).all()
    assert (out[core] != image[core]).any(axis=1).mean() > 0.9


def test_no_faces_no_change():
    image = scene()
    out, mask = redact(image, [], Style.FILL)
    assert np.array_equal(out, image)
    assert out is not image
    assert not mask.any()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_face_without_a_place_is_an_error(value):
    with pytest.raises(ValueError, match="place"):
        redact(scene(), [face(value, 1, 5, 5)], Style.FILL)


def test_broken_landmarks_do_not_matter():
    odd = Detection(Box(10, 10, 20, 20), 0.9, ((math.nan, 1.0), (2.0, math.inf)))
    assert np.array_equal(core_mask([odd], (96, 64)), core_mask([face(10, 10, 20, 20)], (96, 64)))


def test_strength_two_covers_more():
    found = face(40, 30, 10, 12)
    first = redact(scene(), [found], Style.FILL)[1]
    second = redact(scene(), [found], Style.FILL, strength=2)[1]
    assert second.sum() > 1.3 * first.sum()
    assert not (first & ~second).any()


def test_work_is_done_on_crops():
    """A huge picture costs its copy and the mask, however many heads."""
    import tracemalloc

    image = np.zeros((3000, 4000, 3), np.uint8)
    heads = [face(100 + 120 * i, 1000, 60, 70) for i in range(30)]
    tracemalloc.start()
    redact(image, heads, Style.BLUR)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < image.nbytes * 1.5


def test_one_huge_head_is_bounded_too():
    import tracemalloc

    image = np.zeros((3000, 4000, 3), np.uint8)
    tracemalloc.start()
    redact(image, [face(500, 500, 2500, 2500)], Style.BLUR)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < image.nbytes * 3.5


def test_the_window_holds_the_region():
    for tilt in (None, 0.4, 1.5, -2.5):
        head = head_of(face(100, 100, 50, 70, tilt))
        everywhere = head.radius(0, 0, 300, 300) <= 1
        left, top, right, bottom = head.window((300, 300))
        everywhere[top:bottom, left:right] = False
        assert not everywhere.any()
