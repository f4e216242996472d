"""GIF: frames with their tables and timing (GIF89a specification)."""

from collections.abc import Iterator

from mediaguard.media.findings import Finding

_IMAGE, _TRAILER, _EXTENSION = 0x2C, 0x3B, 0x21
_TIMING, _APPLICATION = 0xF9, 0xFF


def walk(data: bytes) -> Iterator[Finding]:
    """Findings on a GIF file; none if it holds frames, their timing and a loop count only."""
    if data[:6] != b"GIF89a" or len(data) < 14:
        yield Finding("bytes-not-format", {"format": "GIF"})
        return
    position = 13 + _table_size(data[10])
    frames = 0
    try:
        while data[position] != _TRAILER:
            start = position
            if data[position] == _IMAGE:
                frames += 1
                position += 10 + _table_size(data[position + 9]) + 1
                position, _ = _sub_blocks(data, position)
            elif data[position] == _EXTENSION:
                label = data[position + 1]
                position, blocks = _sub_blocks(data, position + 2)
                if not _allowed(label, blocks):
                    part = f"extension {label:02X}"
                    yield Finding("bytes-foreign", {"part": part, "offset": start})
            else:
                yield Finding("bytes-broken", {"offset": position})
                return
    except IndexError:
        yield Finding("bytes-broken", {"offset": position})
        return
    if position + 1 != len(data):
        yield Finding("bytes-trailing", {"count": len(data) - position - 1})
    if not frames:
        yield Finding("bytes-broken", {"offset": position})


def _allowed(label: int, blocks: list[bytes]) -> bool:
    if label == _TIMING:
        return [len(block) for block in blocks] == [4]
    return (
        label == _APPLICATION
        and [len(block) for block in blocks] == [11, 3]
        and blocks[0] == b"NETSCAPE2.0"
        and blocks[1][0] == 1
    )


def _table_size(flags: int) -> int:
    return 6 * 2 ** (flags & 7) if flags & 0x80 else 0


def _sub_blocks(data: bytes, position: int) -> tuple[int, list[bytes]]:
    """The offset behind the block's terminator, and its parts."""
    blocks = []
    while size := data[position]:
        blocks.append(data[position + 1 : position + 1 + size])
        position += 1 + size
    return position + 1, blocks
