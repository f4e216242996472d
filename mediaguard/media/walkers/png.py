"""PNG: header, picture data, end (PNG specification, third edition)."""

import struct
import zlib
from collections.abc import Iterator

from mediaguard.media.findings import Finding

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_STEP = 1 << 20


def walk(data: bytes) -> Iterator[Finding]:
    """Findings on a PNG file; none if it holds 8-bit RGB pixels only."""
    if data[:8] != _SIGNATURE:
        yield Finding("bytes-not-format", {"format": "PNG"})
        return
    position = 8
    names: list[bytes] = []
    header, pixels = b"", []
    while position < len(data) and b"IEND" not in names:
        size = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        content = data[position + 8 : position + 8 + size]
        checksum = data[position + 8 + size : position + 12 + size]
        if len(checksum) != 4 or zlib.crc32(name + content) != int.from_bytes(checksum, "big"):
            yield Finding("bytes-broken", {"offset": position})
            return
        if name == b"IHDR":
            header = content
        elif name == b"IDAT":
            pixels.append(content)
        elif name != b"IEND" or content:
            yield Finding("bytes-foreign", {"part": _printable(name), "offset": position})
        names.append(name)
        position += 12 + size
    if position != len(data):
        yield Finding("bytes-trailing", {"count": len(data) - position})
    if names[:1] != [b"IHDR"] or names.count(b"IHDR") != 1 or names[-1:] != [b"IEND"]:
        yield Finding("bytes-broken", {"offset": position})
    elif not _holds_only_pixels(header, pixels):
        yield Finding("bytes-broken", {"offset": 8})


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
            while waiting:
                length += len(inflater.decompress(waiting, _STEP))
                waiting = inflater.unconsumed_tail
        while produced := len(inflater.decompress(b"", _STEP)):
            length += produced
    except zlib.error:
        return False
    return inflater.eof and not inflater.unused_data and length == height * (1 + 3 * width)


def _printable(name: bytes) -> str:
    return name.decode("ascii", "replace") if name.isalpha() else name.hex()
