"""Animated GIF and WebP, put together from frames that were each encoded on its own.

Pillow's writers merge frames that look alike, which would leave fewer frames than were
verified, and store differences between frames. Here each frame is a whole picture, and
the containers are built from their few fixed parts: GIF89a specification, and the WebP
container specification (RFC 9649).
"""

import io
from collections.abc import Iterable, Iterator, Sequence

from PIL import Image as Pil

from mediaguard.core.faces import Image

_GIF_IMAGE, _GIF_TRAILER, _GIF_EXTENSION = 0x2C, 0x3B, 0x21


def gif(frames: Sequence[Image], durations_ms: Sequence[int], loop: int | None) -> bytes:
    """An animated GIF (a still one if `durations_ms` is empty), a palette for each frame.

    Args:
        frames: all of the same size, at most 65535 pixels a side.
        durations_ms: one for each frame; stored in hundredths of a second.
        loop: repetitions, 0 for ever, None for once.
    """
    height, width = frames[0].shape[:2]
    out = bytearray(b"GIF89a" + _u16(width) + _u16(height) + b"\x00\x00\x00")
    if loop is not None:
        out += b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + _u16(min(loop, 65535)) + b"\x00"
    for index, frame in enumerate(frames):
        if durations_ms:
            hundredths = min(round(durations_ms[index] / 10), 65535)
            # Disposal 1: leave the frame; the next one covers it whole.
            out += b"\x21\xf9\x04\x04" + _u16(hundredths) + b"\x00\x00"
        out += _gif_image(frame)
    out.append(_GIF_TRAILER)
    return bytes(out)


def webp(
    stills: Iterable[bytes], size: tuple[int, int], durations_ms: Sequence[int], loop: int | None
) -> bytes:
    """An animated WebP.

    Args:
        stills: each frame as a WebP file without alpha and metadata.
        size: width and height of all frames.
        durations_ms: one for each frame.
        loop: how often it is shown, 0 or None for ever.
    """
    width, height = (_u24(side - 1) for side in size)
    body = _chunk(b"VP8X", b"\x02\x00\x00\x00" + width + height)
    body += _chunk(b"ANIM", b"\xff\xff\xff\xff" + _u16(min(loop or 0, 65535)))
    for still, duration in zip(stills, durations_ms, strict=True):
        coded = b"".join(_chunk(*c) for c in riff_chunks(still) if c[0] in (b"VP8 ", b"VP8L"))
        # Flags 2: do not blend with the frame before, do not dispose.
        place = b"\x00" * 6 + width + height + _u24(min(duration, 0xFFFFFF)) + b"\x02"
        body += _chunk(b"ANMF", place + coded)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def webp_is_lossless(data: bytes) -> bool:
    """Whether no frame of a WebP file went through its lossy codec."""
    names = {name for name, _ in riff_chunks(data)}
    for name, payload in riff_chunks(data):
        if name == b"ANMF":
            names |= {inner for inner, _ in chunks_in(payload, 16)}
    return b"VP8 " not in names


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk of a WebP file, as far as it can be read."""
    return chunks_in(data, 12)


def chunks_in(data: bytes, start: int) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each RIFF chunk in `data` from offset `start` on."""
    while start + 8 <= len(data):
        size = int.from_bytes(data[start + 4 : start + 8], "little")
        yield data[start : start + 4], data[start + 8 : start + 8 + size]
        start += 8 + size + size % 2


def _chunk(name: bytes, payload: bytes) -> bytes:
    return name + len(payload).to_bytes(4, "little") + payload + b"\x00" * (len(payload) % 2)


def _gif_image(frame: Image) -> bytes:
    """One frame as an image block with its own colour table."""
    buffer = io.BytesIO()
    _with_palette(Pil.fromarray(frame)).save(buffer, "GIF", optimize=False, interlace=False)
    data = buffer.getvalue()
    position = 13
    table, bits = b"", 0
    if data[10] & 0x80:
        bits = data[10] & 7
        table = data[13 : 13 + 6 * 2**bits]
        position += len(table)
    while data[position] == _GIF_EXTENSION:
        position += 2
        while data[position]:
            position += data[position] + 1
        position += 1
    if data[position] != _GIF_IMAGE:
        raise ValueError("no image in the encoded frame")
    if data[position + 9] & 0x80:  # Pillow already gave it a table of its own
        return data[position : data.rindex(_GIF_TRAILER)]
    head = data[position : position + 9] + bytes([0x80 | bits])
    return head + table + data[position + 10 : data.rindex(_GIF_TRAILER)]


def _with_palette(picture: Pil.Image) -> Pil.Image:
    colours = picture.getcolors(256)
    if colours is None:
        palette = picture.quantize(256, Pil.Quantize.MEDIANCUT)
        return picture.quantize(palette=palette, dither=Pil.Dither.FLOYDSTEINBERG)
    palette = Pil.new("P", (1, 1))
    palette.putpalette([part for _, colour in colours for part in colour])  # type: ignore[union-attr]
    return picture.quantize(palette=palette, dither=Pil.Dither.NONE)


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def _u24(value: int) -> bytes:
    return value.to_bytes(3, "little")
