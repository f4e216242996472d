"""dlib's networks with the weights of the `face_recognition` package: embedding and detection.

`face_recognition` itself is used where it is installed; where it is not (no wheel of it can be
installed without a compiler, see docs/decisions/0001), dlib is called with the same weights,
which is all that the package does.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, Literal

import dlib
import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Box, Detection, Image
from mediaguard.vision.models import verified

DIMENSIONS = 128

_SIDE = 0.85  # of the square face box given to the landmark predictor, in box heights
_LOWER = 0.05  # by which its centre lies below the box's, in box heights


class DlibEmbedder:
    """dlib's ResNet-128 (King, "High Quality Face Recognition with Deep Metric Learning", 2017).

    Aligned with the 5-point predictor on the detector's box; same person below about 0.45.

    Raises:
        ModelError: a model file is missing or not the measured one.
    """

    name = "dlib-resnet-1"

    def __init__(self) -> None:
        self._landmarks = dlib.shape_predictor(str(verified("dlib-landmarks-5")))
        self._network = dlib.face_recognition_model_v1(str(verified("dlib-resnet")))

    def embed(self, image: Image, detections: Sequence[Detection]) -> NDArray[np.float32]:
        """One row per detection, shape (len(detections), 128)."""
        rows = np.empty((len(detections), DIMENSIONS), np.float32)
        for row, detection in zip(rows, detections, strict=True):
            # Only the surroundings of the face are handed over: dlib copies what it is given.
            crop, rectangle = _surroundings(image, detection.box)
            shape = self._landmarks(crop, rectangle)
            row[:] = np.asarray(self._network.compute_face_descriptor(crop, shape))
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
        """All faces; dlib gives no usable score or landmarks, so each counts as certain."""
        return [
            Detection(Box(left, top, right - left, bottom - top), 1.0)
            for top, right, bottom, left in self._locate(image, self._model)
        ]


Locator = Callable[[Image, str], list[tuple[int, int, int, int]]]
"""Picture and model to boxes as (top, right, bottom, left)."""


def _locator() -> Locator:
    if find_spec("face_recognition") is not None:
        import face_recognition

        return lambda image, model: list(face_recognition.face_locations(image, 1, model))
    return _locate_with_dlib


def _locate_with_dlib(image: Image, model: str) -> list[tuple[int, int, int, int]]:
    """What `face_recognition.face_locations` does with one enlargement."""
    height, width = image.shape[:2]
    found = _network(model)(np.ascontiguousarray(image), 1)
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
