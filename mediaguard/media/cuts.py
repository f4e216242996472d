"""Noticing that a clip cuts from one shot to another."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

_CHANGE = 12.0  # of 255, mean over the picture
_TIMES_USUAL = 3.0
_MEMORY = 12  # frames


class CutDetector:
    """Compares each frame with the one before.

    A cut that is not noticed costs a little too much redaction (it reaches over from one shot into
    the next). One noticed where there is none, in a flash of light, would end redaction too
    early; so the change must be large, and much larger than it just was.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.int16] | None = None
        self._usual: deque[float] = deque(maxlen=_MEMORY)

    def is_cut(self, luma: NDArray[np.uint8]) -> bool:
        """Whether this frame starts a shot; the first one does not.

        Args:
            luma: a small picture of the frame's brightness, always of the same shape.
        """
        now = luma.astype(np.int16)
        before, self._before = self._before, now
        if before is None:
            return False
        change = float(np.abs(now - before).mean())
        usual = float(np.median(self._usual)) if self._usual else 0.0
        if change > _CHANGE and change > _TIMES_USUAL * usual:
            self._usual.clear()
            return True
        self._usual.append(change)
        return False
