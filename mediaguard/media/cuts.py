"""Noticing that a clip cuts from one shot to another."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

_CHANGE = 12.0  # of 255, mean over the picture
_TIMES_USUAL = 3.0
_MEMORY = 12  # frames
_ALIKE = 0.6  # correlation: the same picture, lighter or darker
_EMPTY = 8.0  # standard deviation of a picture that shows nothing: black, white, fog


class CutDetector:
    """Compares each frame with the one before.

    A cut that is not noticed costs a little too much redaction (it reaches over from one shot into
    the next). One noticed where there is none, in a flash of light or a quick pan, would end
    redaction too early; so the change must be large, much larger than it just was, and to another
    picture, not to the same one in another light. Empty frames are passed over.
    """

    def __init__(self) -> None:
        self._before: NDArray[np.float32] | None = None
        self._usual: deque[float] = deque(maxlen=_MEMORY)

    def is_cut(self, luma: NDArray[np.uint8]) -> bool:
        """Whether this frame starts a shot; the first one does not.

        Args:
            luma: a small picture of the frame's brightness, always of the same shape.
        """
        if float(luma.std()) < _EMPTY:
            return False
        now = luma.astype(np.float32)
        before, self._before = self._before, now
        if before is None:
            return False
        change = float(np.abs(now - before).mean())
        usual = float(np.median(self._usual)) if self._usual else None
        if (
            usual is not None
            and change > max(_CHANGE, _TIMES_USUAL * usual)
            and float(np.corrcoef(now.ravel(), before.ravel())[0, 1]) < _ALIKE
        ):
            self._usual.clear()
            return True
        self._usual.append(change)
        return False
