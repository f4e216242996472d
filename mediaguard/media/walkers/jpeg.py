"""JPEG: ITU-T T.81 annex B, and JFIF's one header."""

from collections.abc import Iterator

from mediaguard.errors import MediaError
from mediaguard.media.findings import Finding
from mediaguard.media.jpeg import check_scans

_SOI, _EOI, _SOS, _APP0 = 0xD8, 0xD9, 0xDA, 0xE0
_DHT, _DQT, _DRI = 0xC4, 0xDB, 0xDD
_FRAMES = (0xC0, 0xC2)  # baseline and progressive


def walk(data: bytes) -> Iterator[Finding]:
    """Findings on a JPEG file; none if it holds tables, one frame and its scans only."""
    if data[:2] != bytes([0xFF, _SOI]):
        yield Finding("bytes-not-format", {"format": "JPEG"})
        return
    position = 2
    seen: list[int] = []
    while True:
        if position + 2 > len(data) or data[position] != 0xFF:
            yield Finding("bytes-broken", {"offset": position})
            return
        marker = data[position + 1]
        if marker == _EOI:
            break
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        payload = data[position + 4 : position + 2 + length]
        if length < 2 or len(payload) != length - 2:
            yield Finding("bytes-broken", {"offset": position})
            return
        if not _allowed(marker, payload, seen):
            yield Finding("bytes-foreign", {"part": f"marker {marker:02X}", "offset": position})
        seen.append(marker)
        position += 2 + length
        if marker == _SOS:
            position = _end_of_scan(data, position)
    if position + 2 != len(data):
        yield Finding("bytes-trailing", {"count": len(data) - position - 2})
    if _SOS not in seen or not set(_FRAMES) & set(seen):
        yield Finding("bytes-broken", {"offset": position})
        return
    try:
        check_scans(data)  # also finds bytes hidden between the last pixel and the end
    except MediaError:
        yield Finding("bytes-broken", {"offset": position})


def _allowed(marker: int, payload: bytes, seen: list[int]) -> bool:
    """Whether the segment is one we write and its content has exactly the size it declares."""
    if marker == _APP0:  # JFIF 1.x, at the start, with a thumbnail of 0 x 0
        return not seen and payload[:5] == b"JFIF\0" and payload[12:] == b"\0\0"
    if marker in _FRAMES:
        return not set(_FRAMES) & set(seen) and len(payload) == 6 + 3 * payload[5]
    if marker == _SOS:
        return len(payload) == 4 + 2 * payload[0]
    if marker == _DRI:
        return len(payload) == 2
    if marker == _DQT:
        return len(payload) % 65 == 0 and all(byte < 4 for byte in payload[::65])
    return marker == _DHT and _is_huffman_tables(payload)


def _is_huffman_tables(payload: bytes) -> bool:
    position = 0
    while position + 17 <= len(payload):
        position += 17 + sum(payload[position + 1 : position + 17])
    return position == len(payload)


def _end_of_scan(data: bytes, position: int) -> int:
    """The offset of the next marker that does not belong to the compressed data."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            return len(data)
        following = data[position + 1]
        if following != 0 and not 0xD0 <= following <= 0xD7:
            return position
        position += 2
