"""The measures that say whether a face can be recognised at all."""

import math

import cv2
import numpy as np
import pytest

from mediaguard.core.faces import Box, Detection
from mediaguard.vision.quality import measure
from tests.vision.drawn import face

FRONTAL = ((30.0, 40.0), (70.0, 40.0), (50.0, 60.0), (35.0, 80.0), (65.0, 80.0))
BOX = Box(0, 0, 100, 120)


def at(box=BOX, points=FRONTAL):
    return Detection(box, 0.9, points)


def test_height_is_the_boxs():
    assert measure(face(), at(Box(3, 4, 50, 61.5))).height == 61.5


def test_blur_lowers_sharpness():
    image = face(184)
    sharpness = [
        measure(cv2.GaussianBlur(image, (0, 0), sigma), at(Box(60, 40, 136, 180))).sharpness
        for sigma in (0.5, 1, 2, 4, 8)
    ]
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 4 * sharpness[-1]


def test_sharpness_hardly_depends_on_the_size():
    values = []
    for height in (150, 300, 600):
        image = face(height)
        side = image.shape[0]
        box = Box(side * 0.24, side * 0.17, side * 0.53, side * 0.7)
        values.append(measure(image, at(box)).sharpness)
    assert max(values) < 2 * min(values)


def test_a_face_that_looks_at_the_camera():
    assert measure(face(), at()).frontality == pytest.approx(1.0)


@pytest.mark.parametrize("angle", [0, 20, 45, 90, 180])
def test_a_tilted_head_is_still_frontal(angle):
    turn = np.array(
        [
            [math.cos(math.radians(angle)), -math.sin(math.radians(angle))],
            [math.sin(math.radians(angle)), math.cos(math.radians(angle))],
        ]
    )
    points = tuple(tuple(turn @ (np.array(p) - 50) + 50) for p in FRONTAL)
    assert measure(face(), at(points=points)).frontality == pytest.approx(1.0)


def test_turning_away_lowers_frontality():
    values = []
    for shift in (0, 5, 10, 15, 20, 30):
        points = (*FRONTAL[:2], (50.0 + shift, 60.0), *FRONTAL[3:])
        values.append(measure(face(), at(points=points)).frontality)
    assert values == sorted(values, reverse=True)
    assert values[-1] == 0.0


@pytest.mark.parametrize(
    "points",
    [
        (),
        FRONTAL[:3],
        ((50.0, 50.0),) * 5,
        ((math.nan, 1.0), *FRONTAL[1:]),
        tuple((math.inf, math.inf) for _ in range(5)),
    ],
)
@pytest.mark.filterwarnings("error")
def test_without_usable_landmarks_nothing_is_frontal(points):
    assert measure(face(), at(points=points)).frontality == 0.0


@pytest.mark.parametrize(
    "box",
    [
        Box(-500, -500, 20, 20),
        Box(5000, 5000, 20, 20),
        Box(10, 10, 0, 0),
        Box(10, 10, 1, 50),
        Box(-10, -10, 30, 30),
    ],
)
def test_boxes_at_and_beyond_the_border(box):
    assert measure(face(), at(box)).sharpness >= 0.0
