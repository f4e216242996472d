"""PNG matters: its chunks, and whether the ones that hold the picture are whole."""

import zlib
from collections.abc import Iterator

from mediaguard.errors import MediaError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PICTURE = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool, int]]:
    """Name, content, whether the checksum is right, and offset of each chunk.

    The last one is IEND, or one with a wrong checksum if the file ends before it.
    """
    position = len(SIGNATURE)
    name = b""
    while name != b"IEND":
        size = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        content = data[position + 8 : position + 8 + size]
        stored = data[position + 8 + size : position + 12 + size]
        sound = len(stored) == 4 and zlib.crc32(name + content) == int.from_bytes(stored, "big")
        yield name, content, sound, position
        position += 12 + size
        if position > len(data):
            return


def check_chunks(data: bytes) -> None:
    """Refuse a PNG whose picture data is damaged; Pillow 13 paints it without a word.

    Raises:
        MediaError: ``photo-truncated`` or ``photo-corrupt``.
    """
    name = b""
    for name, content, sound, position in chunks(data):
        if position + 12 + len(content) > len(data):
            break
        if not sound and name in _PICTURE:
            raise MediaError("photo-corrupt", detail="checksum")
    if name != b"IEND":
        raise MediaError("photo-truncated")
