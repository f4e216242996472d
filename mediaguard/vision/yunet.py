"""YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023), as a drop-in file."""

from pathlib import Path

import cv2
import numpy as np

from mediaguard.core.faces import Box, Detection, Image
from mediaguard.vision.models import verified

_SCORE = 0.3
_NMS = 0.3
_LARGEST = 4096  # longer sides are scaled down: the network's memory grows with the picture


class YuNet:
    """OpenCV's FaceDetectorYN with the file that the school put into the home's model folder.

    Raises:
        ModelError: the file is missing or not the measured one.
    """

    name = "yunet-2023mar"

    def __init__(self, drop_ins: Path) -> None:
        path = str(verified("yunet", drop_ins))
        self._network = cv2.FaceDetectorYN.create(path, "", (320, 320), _SCORE, _NMS)

    def detect(self, image: Image) -> list[Detection]:
        """All faces, best first; see `core.ports.Detector`."""
        height, width = image.shape[:2]
        scale = min(1.0, _LARGEST / max(height, width))
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        self._network.setInputSize(size)
        _, rows = self._network.detect(cv2.resize(image, size)[..., ::-1].copy())
        if rows is None:
            return []
        # Each row: x, y, w, h, five points (right eye first: left in the picture), score.
        detections = []
        for row in np.asarray(rows, np.float64):
            box, points, score = row[:4] / scale, row[4:14].reshape(5, 2) / scale, row[14]
            landmarks = tuple((float(x), float(y)) for x, y in points)
            detections.append(Detection(Box(*map(float, box)), float(score), landmarks))
        return sorted(detections, key=lambda detection: -detection.score)
