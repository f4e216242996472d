"""The weights of the `face_recognition` package: embedding and detection.

For detection `face_recognition` itself is used where it is installed; where it is not (no wheel of
it can be installed without a compiler, see docs/decisions/0001), dlib is called with the same
weights, which is all that the package does. For embedding its weights run on OpenVINO.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Box, Detection, Image
from mediaguard.vision.dlib_network import SIDE, FaceNetwork
from mediaguard.vision.models import verified

DIMENSIONS = 128

_SIDE = 0.85  # of the square face box given to the landmark predictor, in box heights
_LOWER = 0.05  # by which its centre lies below the box's, in box heights
_PADDING = 0.25  # the border around the face with which the network was trained
_MOST_PIXELS = {"hog": 6_000_000, "cnn": 1_000_000}  # dlib enlarges fourfold before it looks
_LENGTH = 1.42  # the median length of dlib's own vectors, measured on 576 faces


class DlibEmbedder:
    """dlib's ResNet-128 (King, "High Quality Face Recognition with Deep Metric Learning", 2017).

    Aligned with the 5-point predictor on the detector's box. The vectors of the face and of its
    mirror image are averaged, and the result is given the same length for every face: that
    more than halves the errors (docs/decisions/0003). The length is the usual one of dlib's
    vectors, so distances keep dlib's scale; same person below about 0.44.

    Raises:
        ModelError: a model file is missing or not the measured one.
    """

    name = "dlib-resnet-1-mirrored"

    def __init__(self) -> None:
        self._landmarks = dlib.shape_predictor(str(verified("dlib-landmarks-5")))
        self._network = FaceNetwork(verified("dlib-resnet"), batch=2)

    def embed(self, image: Image, detections: Sequence[Detection]) -> NDArray[np.float32]:
        """One row per detection, shape (len(detections), 128).

        The row of a box that lies outside the picture is not a number: it matches nobody.
        """
        rows = np.full((len(detections), DIMENSIONS), np.nan, np.float32)
        for row, detection in zip(rows, detections, strict=True):
            # Only the surroundings of the face are handed over: dlib copies what it is given.
            crop, rectangle = _surroundings(image, detection.box)
            if not crop.size:
                continue
            shape = self._landmarks(crop, rectangle)
            chip = dlib.get_face_chip(crop, shape, size=SIDE, padding=_PADDING)
            total = self._network.vectors(np.stack([chip, chip[:, ::-1]])).sum(axis=0)
            row[:] = total * (_LENGTH / max(float(np.linalg.norm(total)), 1e-6))
        return rows


class FaceRecognitionDetector:
    """The detectors of `face_recognition`: HOG (quick, misses much) or CNN (slow).

    For comparison; as a safety net both are unfit (docs/decisions/0002).

    Args:
        model: which of the two.

    Raises:
        ModelError: a model file is missing or not the measured one.
    """

    def __init__(self, model: Literal["hog", "cnn"] = "hog") -> None:
        self._model = model
        self._locate = _locator()
        if model == "cnn":
            verified("dlib-mmod")

    @property
    def name(self) -> str:
        """For reports."""
        return f"face_recognition-{self._model}"

    def detect(self, image: Image) -> list[Detection]:
        """All faces; dlib gives no usable score or landmarks, so each counts as certain.

        Larger pictures are scaled down, since dlib's memory grows with them; what is lost by
        that is another reason not to rely on it.
        """
        height, width = image.shape[:2]
        scale = min(1.0, (_MOST_PIXELS[self._model] / (height * width)) ** 0.5)
        if scale < 1:
            size = max(int(width * scale), 1), max(int(height * scale), 1)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        found = self._locate(np.ascontiguousarray(image), self._model)
        across, down = width / image.shape[1], height / image.shape[0]
        return [
            Detection(
                Box(left * across, top * down, (right - left) * across, (bottom - top) * down), 1.0
            )
            for top, right, bottom, left in found
            if right > left and bottom > top
        ]


Locator = Callable[[Image, str], list[tuple[int, int, int, int]]]
"""Picture and model to boxes as (top, right, bottom, left)."""


def _locator() -> Locator:
    try:
        import face_recognition
    except (ImportError, SystemExit):
        # face_recognition 1.3 ends the program when it cannot import its models package.
        return _locate_with_dlib
    return lambda image, model: list(face_recognition.face_locations(image, 1, model))


def _locate_with_dlib(image: Image, model: str) -> list[tuple[int, int, int, int]]:
    """What `face_recognition.face_locations` does with one enlargement."""
    height, width = image.shape[:2]
    found = _network(model)(image, 1)
    rectangles = [getattr(face, "rect", face) for face in found]
    return [
        (
            max(rectangle.top(), 0),
            min(rectangle.right(), width),
            min(rectangle.bottom(), height),
            max(rectangle.left(), 0),
        )
        for rectangle in rectangles
    ]


@cache
def _network(model: str) -> Any:
    if model == "cnn":
        return dlib.cnn_face_detection_model_v1(str(verified("dlib-mmod")))
    return dlib.get_frontal_face_detector()


def _surroundings(image: Image, box: Box) -> tuple[Image, dlib.rectangle]:
    """A crop with one box height around the face, and the landmark predictor's box in it."""
    height, width = image.shape[:2]
    left, top = max(int(box.x - box.h), 0), max(int(box.y - box.h), 0)
    right, bottom = min(int(box.right + box.h) + 1, width), min(int(box.bottom + box.h) + 1, height)
    crop = np.ascontiguousarray(image[top : max(bottom, top + 1), left : max(right, left + 1)])
    x, y = box.center
    x, y, half = x - left, y + _LOWER * box.h - top, _SIDE * box.h / 2
    corners = (x - half, y - half, x + half, y + half)
    return crop, dlib.rectangle(*(round(corner) for corner in corners))
