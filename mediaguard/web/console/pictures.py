"""Pictures of items under review: drawn one at a time, and kept in memory for a short while.

They show faces that were not made unrecognisable, so they are never written to a disk.
"""

import threading
import time
from collections import OrderedDict

from mediaguard.media.strips import Pictures
from mediaguard.review import ON_SCREEN, Review, Reviewed

_MOST, _SECONDS = 6, 600.0
"""So many items are kept, and for so long."""


class Drawn:
    """Draws what is asked for, and remembers it while somebody works on the item."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # for the sake of memory: a large photo fills a lot of it
        self._kept: OrderedDict[tuple[str, str], tuple[float, Pictures]] = OrderedDict()

    def of(self, review: Review, reviewed: Reviewed) -> Pictures:
        """The pictures of an item.

        Raises:
            InputError: the original is not kept any more.
            MediaError: it cannot be opened.
        """
        key = (reviewed.item.id, reviewed.item.updated_at.isoformat())
        with self._lock:
            self._forget()
            found = self._kept.get(key)
            pictures = review.draw(reviewed, ON_SCREEN) if found is None else found[1]
            self._kept[key] = (time.monotonic(), pictures)
            self._kept.move_to_end(key)
            return pictures

    def _forget(self) -> None:
        now = time.monotonic()
        while self._kept:
            at, _ = next(iter(self._kept.values()))
            if len(self._kept) < _MOST and now - at < _SECONDS:
                return
            self._kept.popitem(last=False)
