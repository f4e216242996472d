"""MP4 (ISO/IEC 14496-12) as PyAV's muxer writes it: one picture track, at most one sound track.

The file may be large: its index is read, and of pictures and sound only where they lie.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from os import SEEK_END
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from mediaguard.media.findings import Finding

_MAX_FINDINGS = 100
_MAX_INDEX = 1 << 26
"""Bytes. An hour at 240 frames a second, each with a time of its own, takes half of it."""

_Check = Callable[[memoryview], object]
"""Whether a box's content is what we write; what counts or measures something is free."""


@dataclass(frozen=True, slots=True)
class _Box:
    """Where a box lies in the file, and its content; without a path if it does not fit."""

    path: str
    offset: int
    start: int
    end: int
    body: memoryview


def _like(pattern: bytes) -> _Check:
    return re.compile(pattern, re.DOTALL).fullmatch


_NOTHING = _like(b"")


@dataclass(frozen=True, slots=True)
class _Holder:
    """What a box of boxes may hold, each once, behind `size` bytes of its own."""

    children: "Mapping[str, _Holder | _Check]"
    size: int = 0
    own: _Check = _NOTHING


def _number(body: bytes | memoryview, at: int, size: int = 4) -> int:
    return int.from_bytes(body[at : at + size], "big")


def _is_table(body: memoryview, *, width: int) -> bool:
    return _number(body, 0) == 0 and len(body) == 8 + width * _number(body, 4)


def _is_sizes(body: memoryview) -> bool:
    """One size for all samples, or one for each."""
    entries = 0 if _number(body, 4) else _number(body, 8)
    return _number(body, 0) == 0 and len(body) == 12 + 4 * entries


def _is_avc(body: memoryview) -> bool:
    """Two lists of parameter sets (ISO/IEC 14496-15, 5.3.3), and nothing behind them."""
    position = 5
    for mask in (0x1F, 0xFF):
        count, position = _number(body, position, 1) & mask, position + 1
        for _ in range(count):
            position += 2 + _number(body, position, 2)
    return len(body) - position in (0, 4)


def _is_av1(body: memoryview) -> bool:
    """Four bytes of flags and one sequence header."""
    return 6 < len(body) < 64 and body[4] == 0x0A and body[5] == len(body) - 6


# No raw literals: in a pattern, a byte stands for itself. Times of making and changing are 0.
_TIMED = b"(?:\0{12}.{8}|\1\0{19}.{12})"  # in 32 or 64 bits: timescale, duration
_UPRIGHT = b"\0\1\0\0\0{12}\0\1\0\0\0{12}@\0\0\0"  # a matrix that turns nothing
_NO_TAGS = b"\0\0\0\x35meta\0{4}\0\0\0\x21hdlr\0{8}mdirappl\0{9}\0\0\0\x08ilst"
_ESDS = b"\x03\x80{3}.\0.\0\x04\x80{3}.[@\x69\x6b]\x15.{11}(?:\x05\x80{3}.{2,33})?\x06\x80{3}\1\2"
_ONE = _like(b"\0{7}\1")  # entry
_BITRATE: dict[str, _Check] = {"btrt": _like(b".{12}")}
_SHAPE: dict[str, _Check] = {
    "pasp": _like(b".{8}"),
    "colr": _like(b"nclx.{6}[\0\x80]"),
    "fiel": _like(b"\1\0"),
}
_PICTURE = _like(b"\0{6}\0\1\0{16}.{4}\0H\0\0\0H\0\0\0{4}\0\1\0{32}\0\x18\xff\xff")
_PICTURES = {
    name: _Holder({config: check, **_SHAPE, **_BITRATE}, 78, _PICTURE)
    for name, config, check in (
        ("avc1", "avcC", _is_avc),
        ("vp09", "vpcC", _like(b"\1\0{3}.{6}\0\0")),
        ("av01", "av1C", _is_av1),
    )
}
_SOUND = _like(b"\0{6}\0\1\0{8}\0.\0[\x10\x18\x20]\0{4}.{4}")
_SOUNDS = {
    name: _Holder({config: check, **_BITRATE}, 28, _SOUND)
    for name, config, check in (
        ("mp4a", "esds", _like(b"\0{4}" + _ESDS)),
        ("Opus", "dOps", _like(b"\0.{10}(?:..[\0-\x08]{1,8})?")),
        ("ac-3", "dac3", _like(b".{3}")),
        ("ec-3", "dec3", _like(b".{5,12}")),
        ("fLaC", "dfLa", _like(b"\0{4}\x80\0\0\x22.{34}")),
        ("alac", "alac", _like(b"\0{4}.{24}")),
    )
}
_TABLES: dict[str, _Check] = {
    "stts": partial(_is_table, width=8),
    "ctts": partial(_is_table, width=8),
    "stss": partial(_is_table, width=4),
    "sdtp": _like(b"\0{4}[\x10\x18\x20\x28]*"),
    "stsc": partial(_is_table, width=12),
    "stsz": _is_sizes,
    "stco": partial(_is_table, width=4),
    "co64": partial(_is_table, width=8),
    "sgpd": _like(b"\1\0{3}roll\0{3}\2\0{3}\1.."),
    "sbgp": _like(b"\0{4}roll.{4}(?:.{4}\0{3}[\0\1])*"),
}


def _track(
    handler: bytes, head: dict[str, _Check], group: bytes, coded: dict[str, _Holder]
) -> _Holder:
    tables = _Holder({"stsd": _Holder(coded, 8, _ONE), **_TABLES})
    this_file = _Holder({"dref": _Holder({"url ": _like(b"\0{3}\1")}, 8, _ONE)})
    media: dict[str, _Holder | _Check] = {
        "mdhd": _like(_TIMED + b"\x55\xc4\0\0"),  # language "und"
        "hdlr": _like(b"\0{8}%b\0{12}%bHandler\0" % (handler[:4].lower(), handler)),
        "minf": _Holder({**head, "dinf": this_file, "stbl": tables}),
    }
    timed = b"(?:\0{3}\3\0{8}.{4}\0{4}.{4}|\1\0\0\3\0{16}.{4}\0{4}.{8})"
    return _Holder(
        {
            "tkhd": _like(timed + b"\0{10}" + group + b"\0\0" + _UPRIGHT + b".{8}"),
            "edts": _Holder({"elst": _like(b"\0{7}[\1\2](?:.{8}\0\1\0\0){1,2}")}),
            "mdia": _Holder(media),
        }
    )


_TOP: dict[str, _Holder | _Check] = {
    "ftyp": _like(b"isom\0\0\2\0(?:isom|iso2|iso6|av01|avc1|dby1|mp41){0,8}"),
    "moov": _Holder(
        {
            "mvhd": _like(_TIMED + b"\0\1\0\0\1\0\0{10}" + _UPRIGHT + b"\0{24}.{4}"),
            "trak vide": _track(b"Video", {"vmhd": _like(b"\0{3}\1\0{8}")}, b"\0{4}", _PICTURES),
            "trak soun": _track(b"Sound", {"smhd": _like(b"\0{8}")}, b"\0\1\1\0", _SOUNDS),
            "udta": _like(_NO_TAGS),
        }
    ),
    "free": _NOTHING,
    "mdat": _NOTHING,  # read nowhere; the tables say what lies in it
}


def walk_mp4(file: BinaryIO) -> Iterator[Finding]:
    """Findings on an MP4 file; none if it holds pictures, sound, and what playing them takes.

    Args:
        file: the finished file; its samples are not read.
    """
    findings = list(islice(_foreign_parts(file), _MAX_FINDINGS))
    yield from findings or _hidden_bytes(file)


def _foreign_parts(file: BinaryIO) -> Iterator[Finding]:
    """What is not on the list, in the order of the file."""
    seen: list[str] = []
    for box in _top(file):
        if not seen and box.path != "ftyp":
            yield Finding("bytes-not-format", {"format": "MP4"})
            return
        if not box.path and "mdat" in seen:
            yield Finding("bytes-trailing", {"count": file.seek(0, SEEK_END) - box.offset})
        elif box.path in seen:
            yield _foreign(box)
        else:
            yield from _checked(box, _TOP.get(box.path))
        seen.append(box.path)
    if not {"moov", "mdat"} <= set(seen):
        yield Finding("bytes-broken", {"offset": file.seek(0, SEEK_END)})


def _checked(box: _Box, rule: _Holder | _Check | None) -> Iterator[Finding]:
    """Findings on a box and on all in it."""
    if not box.path:
        yield Finding("bytes-broken", {"offset": box.offset})
    elif not isinstance(rule, _Holder):
        if rule is None or not rule(box.body):
            yield _foreign(box)
    else:
        if not rule.own(box.body[: rule.size]):
            yield _foreign(box)
        seen: list[str] = []
        for child in _children(box, rule.size):
            kind = _kind(child)
            yield from _checked(child, None if kind in seen else rule.children.get(kind))
            seen.append(kind)


def _foreign(box: _Box) -> Finding:
    return Finding("bytes-foreign", {"part": box.path, "offset": box.offset})


def _top(file: BinaryIO) -> Iterator[_Box]:
    size = file.seek(0, SEEK_END)
    offset = 0
    while offset < size:
        file.seek(offset)
        head = file.read(16)
        name, length, start = _name(head[4:8]), _number(head, 0), offset + 8
        if name == "mdat" and length == 1:
            length, start = _number(head, 8, 8), offset + 16
        end = offset + length
        if not start <= end <= size:
            yield _misfit(offset)
            return
        file.seek(start)
        body = b"" if name == "mdat" else file.read(min(end - start, _MAX_INDEX))
        yield _Box(name, offset, start, end, memoryview(body))
        offset = end


def _children(box: _Box, skip: int = 0) -> Iterator[_Box]:
    """The boxes in a box of the index, behind so many bytes."""
    at = skip
    while at < len(box.body):
        length = _number(box.body, at)
        offset, end = box.start + at, at + length
        if length < 8 or end > len(box.body):
            yield _misfit(offset)
            return
        path = f"{box.path}/{_name(box.body[at + 4 : at + 8])}"
        yield _Box(path, offset, offset + 8, box.start + end, box.body[at + 8 : end])
        at = end


def _misfit(offset: int) -> _Box:
    return _Box("", offset, offset, offset, memoryview(b""))


def _name(code: bytes | memoryview) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "?" for byte in code)


def _kind(box: _Box) -> str:
    """The box's name; of a track also what it is a track of."""
    name = box.path.rpartition("/")[2]
    if name == "trak":
        return f"trak {_name(_inner(box, 'mdia', 'hdlr').body[8:12])}"
    return name


def _inner(box: _Box, *names: str) -> _Box:
    for name in names:
        found = (child for child in _children(box) if child.path.endswith(f"/{name}"))
        box = next(found, _misfit(box.offset))
    return box


def _hidden_bytes(file: BinaryIO) -> Iterator[Finding]:
    """Bytes between the samples that belong to none; the file's parts are known to be sound."""
    boxes = {box.path: box for box in _top(file)}
    index, media = boxes["moov"], boxes["mdat"]
    try:
        tracks = {_kind(child): child for child in _children(index) if "/trak" in child.path}
        chunks = np.hstack([_chunks(tracks.pop("trak vide")), *map(_chunks, tracks.values())])
    except (KeyError, ValueError):
        yield Finding("bytes-broken", {"offset": index.offset})
        return
    starts, ends = chunks[:, np.lexsort((chunks[1], chunks[0]))]
    free, used = np.append(media.start, ends), np.append(starts, media.end)
    for at in np.flatnonzero(free != used)[:1]:
        if free[at] < used[at]:
            yield Finding("bytes-foreign", {"part": "mdat", "offset": int(free[at])})
        else:
            yield Finding("bytes-broken", {"offset": int(used[at])})


def _chunks(track: _Box) -> NDArray[np.int64]:
    """Offsets of the start and the end of each run of samples.

    Raises:
        KeyError: a table is missing.
        ValueError: the tables contradict each other.
    """
    tables = {_kind(box): box.body for box in _children(_inner(track, "mdia", "minf", "stbl"))}
    size, count = _number(tables["stsz"], 4), _number(tables["stsz"], 8)
    wide = tables.get("co64")
    offsets = _numbers(tables["stco"]) if wide is None else _numbers(wide, ">i8")
    first, each, entry = _numbers(tables["stsc"]).reshape(-1, 3).T
    steps = np.diff(first, append=len(offsets) + 1)
    if not len(first) or first[0] != 1 or steps.min() < 1 or np.any(entry != 1):
        raise ValueError("chunks")
    held = np.repeat(each, steps)
    counts = [held.sum(), _numbers(tables["stts"])[::2].sum()]
    if "ctts" in tables:
        counts.append(_numbers(tables["ctts"])[::2].sum())
    if "sdtp" in tables:
        counts.append(len(tables["sdtp"]) - 4)
    if set(counts) != {count} or size * count >= 1 << 62 or {"stco", "co64"} <= set(tables):
        raise ValueError("samples")
    sizes = np.append(0, np.cumsum(_numbers(tables["stsz"], skip=12)))
    after = np.cumsum(held)
    lengths = held * size if size else sizes[after] - sizes[after - held]
    return np.stack([offsets, offsets + lengths])


def _numbers(body: memoryview, kind: str = ">u4", skip: int = 8) -> NDArray[np.int64]:
    return np.frombuffer(body, kind, offset=skip).astype(np.int64)
