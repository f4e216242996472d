"""A drawn face: nobody's, and yet a detector finds it."""

import cv2
import numpy as np

from mediaguard.core.faces import Image


def face(height: int = 128, skin: tuple[int, int, int] = (224, 180, 150)) -> Image:
    """A portrait of `height` pixels from hair to chin, on a gray ground, square."""
    side = 256
    image = np.full((side, side, 3), (120, 130, 140), np.uint8)
    dark = tuple(int(c * 0.72) for c in skin)
    cv2.ellipse(image, (128, 262), (105, 60), 0, 0, 360, (70, 80, 120), -1)  # shoulders
    cv2.rectangle(image, (100, 190), (156, 240), dark, -1)  # neck
    cv2.ellipse(image, (128, 112), (80, 96), 0, 0, 360, (60, 45, 35), -1)  # hair
    cv2.ellipse(image, (128, 132), (66, 88), 0, 0, 360, skin, -1)  # face
    for x in (101, 155):
        cv2.ellipse(image, (x, 96), (17, 5), 0, 180, 360, (60, 45, 35), 4)  # brow
        cv2.ellipse(image, (x, 116), (14, 8), 0, 0, 360, (245, 245, 245), -1)
        cv2.circle(image, (x, 116), 7, (70, 50, 40), -1)
        cv2.circle(image, (x, 116), 3, (10, 10, 10), -1)
        cv2.ellipse(image, (x, 124), (16, 8), 0, 20, 160, dark, 2)  # lid
    cv2.line(image, (122, 118), (117, 156), dark, 3)  # nose
    cv2.ellipse(image, (128, 158), (14, 7), 0, 10, 170, dark, 4)
    cv2.ellipse(image, (128, 184), (25, 9), 0, 0, 360, (170, 80, 80), -1)  # mouth
    cv2.line(image, (104, 184), (152, 184), (110, 50, 50), 2)
    cv2.ellipse(image, (128, 206), (14, 5), 0, 200, 340, dark, 2)  # chin
    image = cv2.GaussianBlur(image, (0, 0), 2.0)
    scale = height / 184
    size = (max(round(side * scale), 1),) * 2
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=method), np.uint8)
