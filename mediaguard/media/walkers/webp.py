"""WebP: one coded picture, or an animation of them (RFC 9649)."""

from collections.abc import Iterator

from mediaguard.media.findings import Finding

_CODED = (b"VP8 ", b"VP8L")
_ANMF_HEAD = 16


def walk(data: bytes) -> Iterator[Finding]:
    """Findings on a WebP file; none if it holds coded pictures and timing only."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        yield Finding("bytes-not-format", {"format": "WEBP"})
        return
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        yield Finding("bytes-broken", {"offset": 4})
        return
    if end < len(data):
        yield Finding("bytes-trailing", {"count": len(data) - end})
    names: list[bytes] = []
    for name, content, offset in _chunks(data, 12, end):
        names.append(name)
        if name == b"":
            yield Finding("bytes-broken", {"offset": offset})
        elif name == b"ANMF":
            inner = [part[0] for part in _chunks(content, _ANMF_HEAD, len(content))]
            if len(inner) != 1 or inner[0] not in _CODED:
                yield Finding("bytes-foreign", {"part": "ANMF", "offset": offset})
        elif not _allowed(name, content):
            part = name.decode("ascii", "replace").strip()
            yield Finding("bytes-foreign", {"part": part, "offset": offset})
    animated = names[:2] == [b"VP8X", b"ANIM"] and set(names[2:]) == {b"ANMF"}
    if not animated and not (len(names) == 1 and names[0] in _CODED):
        yield Finding("bytes-broken", {"offset": 12})


def _allowed(name: bytes, content: bytes) -> bool:
    if name == b"VP8X":  # flags: animation, and nothing of ICC, alpha, EXIF, XMP
        return len(content) == 10 and content[:4] == b"\x02\0\0\0"
    if name == b"ANIM":
        return len(content) == 6
    return name in _CODED


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, bytes, int]]:
    """Name, content and offset of each chunk; an empty name for one that does not fit."""
    while start < end:
        size = int.from_bytes(data[start + 4 : start + 8], "little")
        following = start + 8 + size + size % 2
        padded = data[start + 8 + size : following].strip(b"\0") != b""
        if start + 8 > end or following > end or padded:
            yield b"", b"", start
            return
        yield data[start : start + 4], data[start + 8 : start + 8 + size], start
        start = following
