"""PNG: header, picture data, end (PNG specification, third edition)."""

import struct
import zlib
from collections.abc import Iterator

from mediaguard.media.findings import Finding
from mediaguard.media.png import SIGNATURE, chunks

_STEP = 1 << 20


def walk(data: bytes) -> Iterator[Finding]:
    """Findings on a PNG file; none if it holds 8-bit RGB pixels only."""
    if not data.startswith(SIGNATURE):
        yield Finding("bytes-not-format", {"format": "PNG"})
        return
    names: list[bytes] = []
    header, pixels, end = b"", [], len(SIGNATURE)
    for name, content, sound, position in chunks(data):
        if not sound:
            yield Finding("bytes-broken", {"offset": position})
            return
        if name == b"IHDR":
            header = content
        elif name == b"IDAT":
            pixels.append(content)
        elif name != b"IEND" or content:
            yield Finding("bytes-foreign", {"part": _printable(name), "offset": position})
        names.append(name)
        end = position + 12 + len(content)
    if end != len(data):
        yield Finding("bytes-trailing", {"count": len(data) - end})
    if names[:1] != [b"IHDR"] or names.count(b"IHDR") != 1 or names[-1:] != [b"IEND"]:
        yield Finding("bytes-broken", {"offset": end})
    elif not _holds_only_pixels(header, pixels):
        yield Finding("bytes-broken", {"offset": len(SIGNATURE)})


def _holds_only_pixels(header: bytes, pixels: list[bytes]) -> bool:
    """Whether the compressed data is as long as the pixels need, and nothing follows it."""
    if len(header) != 13:
        return False
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", header)
    if (depth, colour, rest) != (8, 2, [0, 0, 0]):
        return False
    inflater = zlib.decompressobj()
    length = 0
    try:
        for part in pixels:
            if inflater.eof:
                return False
            waiting = part
            while waiting and not inflater.eof:
                length += len(inflater.decompress(waiting, _STEP))
                waiting = inflater.unconsumed_tail
    except zlib.error:
        return False
    return inflater.eof and not inflater.unused_data and length == height * (1 + 3 * width)


def _printable(name: bytes) -> str:
    return name.decode("ascii", "replace") if name.isalpha() else name.hex()
