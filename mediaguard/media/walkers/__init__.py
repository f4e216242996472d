"""Read a rendition byte by byte and accept only what `mediaguard` itself writes.

One module per format. Each `walk` is an allow-list: a part that is not named in it is a
finding, whatever it holds.
"""

from collections.abc import Callable, Iterator

from mediaguard.media.findings import Finding
from mediaguard.media.walkers import gif, jpeg, png, webp

WALKERS: dict[str, Callable[[bytes], Iterator[Finding]]] = {
    "JPEG": jpeg.walk,
    "PNG": png.walk,
    "WEBP": webp.walk,
    "GIF": gif.walk,
}
