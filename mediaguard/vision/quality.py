"""Whether a face can be recognised at all: size, sharpness, frontality."""

import math

import cv2
import numpy as np

from mediaguard.core.faces import Detection, Image, Quality

_SIDE = 64
"""Sharpness is measured on the face scaled to this many pixels, so that sizes compare."""


def measure(image: Image, detection: Detection) -> Quality:
    """Size, sharpness and frontality of one face."""
    return Quality(
        height=detection.box.h,
        sharpness=_sharpness(image, detection),
        frontality=_frontality(detection),
    )


def _sharpness(image: Image, detection: Detection) -> float:
    """Variance of the Laplacian (Pech-Pacheco et al., ICPR 2000) of the gray face."""
    box, (height, width) = detection.box, image.shape[:2]
    left, top = max(int(box.x), 0), max(int(box.y), 0)
    right, bottom = min(math.ceil(box.right), width), min(math.ceil(box.bottom), height)
    if right - left < 2 or bottom - top < 2:
        return 0.0
    gray = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    shrinking = max(gray.shape) > _SIDE
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    face = cv2.resize(gray, (_SIDE, _SIDE), interpolation=method)
    return float(cv2.Laplacian(face, cv2.CV_64F).var())


def _frontality(detection: Detection) -> float:
    """1 where the nose lies midway between the face's sides, 0 at or beyond one of them.

    The sides are the middles of eye and mouth corner; measured along the line between them, so
    that a tilted head counts as frontal.
    """
    if len(detection.landmarks) != 5 or not np.isfinite(detection.landmarks).all():
        return 0.0
    left_eye, right_eye, nose, left_mouth, right_mouth = map(np.array, detection.landmarks)
    left, right = (left_eye + left_mouth) / 2, (right_eye + right_mouth) / 2
    span = float(np.linalg.norm(right - left))
    if not span > 1.0:
        return 0.0
    along = float((nose - (left + right) / 2) @ (right - left)) / span
    return max(0.0, 1.0 - abs(along) / (span / 2))
