"""What the pipeline needs of the world, as Protocols; `vision` fulfils the ones that look."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mediaguard.core.faces import Detection, Image, Quality


class Detector(Protocol):
    """Finds faces in one frame."""

    @property
    def name(self) -> str:
        """Identifies the model, its version and its settings in reports."""

    def detect(self, image: Image) -> list[Detection]:
        """All faces with a score above the *redaction* threshold, without duplicates.

        Memory stays bounded whatever the size of `image`.
        """


class Embedder(Protocol):
    """Turns faces into vectors that can be compared."""

    @property
    def name(self) -> str:
        """Identifies the model; vectors of different models are never compared."""

    def embed(self, image: Image, detections: Sequence[Detection]) -> NDArray[np.float32]:
        """One row per detection, shape (len(detections), dimensions)."""


class QualityMeter(Protocol):
    """Measures whether a face can be recognised at all."""

    def __call__(self, image: Image, detection: Detection) -> Quality:
        """Size, sharpness and frontality of one face."""
