"""A cut is noticed; movement, fading and flashes are none, or redaction would end too early."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaguard.media.cuts import CutDetector

SHAPE = (36, 64)
"""Rows and columns of `Frame.luma_sample`."""


def texture(seed: int, width: int = SHAPE[1], cells: int = 12) -> np.ndarray:
    """A picture with light and dark parts of `cells` samples."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(30, 226, (SHAPE[0] // cells, -(-width // cells))).astype(np.uint8)
    return cv2.resize(coarse, (width, SHAPE[0]), interpolation=cv2.INTER_CUBIC)


def cuts(pictures) -> list[int]:
    detector = CutDetector()
    return [index for index, picture in enumerate(pictures) if detector.is_cut(picture)]


def trembling(picture: np.ndarray, frames: int, seed: int = 1) -> list[np.ndarray]:
    """As a camera in a hand sees it: shifted by a sample now and then, with noise."""
    rng = np.random.default_rng(seed)
    return [
        (np.roll(picture, int(rng.integers(0, 2)), axis=1) + rng.normal(0, 3, SHAPE))
        .clip(0, 255)
        .astype(np.uint8)
        for _ in range(frames)
    ]


def panned(speed: float, frames: int, seed: int = 5) -> list[np.ndarray]:
    """The camera swings by so many samples a frame."""
    wide = texture(seed, 64 + round(speed * frames), cells=12)
    return [wide[:, round(i * speed) : round(i * speed) + SHAPE[1]] for i in range(frames)]


# -- cuts ------------------------------------------------------------------------------------


def test_nothing_is_no_cut():
    assert cuts([]) == []
    assert cuts([texture(1)]) == []
    assert cuts([texture(1)] * 50) == []
    assert cuts(np.full((30, *SHAPE), 255, np.uint8)) == []


@pytest.mark.parametrize("length", [2, 5, 12, 13, 40])
def test_cuts_between_shots_are_found(length):
    pictures = [texture(index // length) for index in range(4 * length)]
    assert cuts(pictures) == [length, 2 * length, 3 * length]


@given(st.integers(0, 10_000), st.integers(4, 30))
@settings(max_examples=40)
def test_cuts_between_shots_in_a_moving_hand_are_found(seed, length):
    shots = [trembling(texture(seed + i, cells=6), length, seed + i) for i in range(3)]
    assert {length, 2 * length} <= set(cuts([frame for shot in shots for frame in shot]))


def test_a_cut_from_a_still_to_a_quick_shot_is_found():
    still, quick = [texture(1)] * 20, panned(1.5, 30)
    assert 20 in cuts([*still, *quick])


# -- what is no cut --------------------------------------------------------------------------


@pytest.mark.parametrize("frames", [12, 25, 60])
def test_a_slow_fade_is_no_cut(frames):
    one, other = texture(1).astype(float), texture(2)
    shares = np.linspace(0, 1, frames)[:, None, None]
    faded = (one + (other - one) * shares).astype(np.uint8)
    assert cuts([*[texture(1)] * 10, *faded, *[other] * 10]) == []


def test_a_fade_to_black_is_no_cut():
    pictures = [(texture(1) * share).astype(np.uint8) for share in np.linspace(1, 0, 25)]
    assert cuts([*[texture(1)] * 10, *pictures, *pictures[::-1]]) == []


@pytest.mark.parametrize("speed", [0.25, 0.5, 1.0])
def test_a_slow_pan_is_no_cut(speed):
    assert cuts(panned(speed, 60)) == []


@pytest.mark.parametrize("speed", [5.0, 7.0, 9.0])
def test_a_quick_pan_is_no_cut_in_every_frame(speed):
    """The camera swings round: each frame differs much from the one before, as it just did.

    Where it sets in there may be one; after that the change is what it was.
    """
    swing = panned(speed, 40)
    change = np.abs(np.diff(np.array(swing).astype(int), axis=0)).mean()
    assert change > 12, "not quick enough to prove anything"
    assert len(cuts(swing)) <= 1
    still = [swing[0]] * 15
    assert len(cuts([*still, *swing])) <= 1


def test_a_shot_that_is_restless_from_its_first_frame_is_cut_once():
    """After a cut nothing is known of how much the new shot moves."""
    assert cuts([*[texture(9)] * 20, *panned(7.0, 40)]) in ([20], [20, 21])


@pytest.mark.parametrize("brighter", [40, 90, 235])
@pytest.mark.parametrize("hand", ["still", "moving"])
def test_a_flash_is_no_cut(hand, brighter):
    """One frame is much brighter: a photographer beside the camera. The next is as before."""
    picture = texture(1)
    shot = [picture] * 31 if hand == "still" else trembling(picture, 31)
    shot[15] = (shot[15].astype(int) + brighter).clip(0, 255).astype(np.uint8)
    assert cuts(shot) == []


def test_a_light_that_flickers_is_no_cut_in_every_frame():
    """Coloured lights in a school's theatre, on and off."""
    picture = texture(1)
    shot = [(picture * (1.0 if i // 3 % 2 else 0.45)).astype(np.uint8) for i in range(60)]
    assert len(cuts(shot)) <= 2


def test_somebody_walking_past_the_camera_is_no_cut():
    """A dark figure of a sixth of the picture's width crosses it."""
    shot = []
    for index in range(40):
        picture = texture(1).copy()
        left = 2 * (index - 4) - 10
        picture[:, max(left, 0) : max(left + 10, 0)] = 25
        shot.append(picture)
    assert cuts(shot) == []
