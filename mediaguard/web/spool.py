"""Bodies on their way in: in memory while they are small, then in a file of the protected folder.

The file has no name as soon as it is open (where the system allows that), so that nothing is left
of it whatever happens; `sweep` removes what a killed process left in the instant between.
"""

import contextlib
import hashlib
import io
import mmap
import os
import secrets
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from mediaguard.web.problems import Problem

IN_MEMORY = 4 << 20
"""Bytes up to which a body is kept in memory."""

RESERVE = 256 << 20
"""Bytes of the disk that no upload may take: withdrawals must still find room."""

_PREFIX = "upload-"


class Spool:
    """A body, written once and then read anywhere in it.

    Args:
        folder: for what is too large for memory.
        limit: bytes.
        keeps: False: it is only counted and hashed, because nobody is going to read it.
    """

    def __init__(self, folder: Path, limit: int, *, keeps: bool = True) -> None:
        self._folder = folder
        self._limit = limit
        self._keeps = keeps
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._map: mmap.mmap | None = None
        self.size = 0
        self.sha256 = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        """Add a piece.

        Raises:
            Problem: it is too large, or the disk is full.
            OSError: the file cannot be written.
        """
        self.size += len(piece)
        if self.size > self._limit:
            raise too_large(self._limit)
        self.sha256.update(piece)
        if not self._keeps:
            return
        if self._file is None and self.size <= IN_MEMORY:
            self._memory += piece
            return
        if self._file is None:
            self._file = self._opened()
            self._file.write(self._memory)
            self._memory = bytearray()
        if shutil.disk_usage(self._folder).free < RESERVE + len(piece):
            raise Problem(507, "web-full", retry_after=300)
        self._file.write(piece)

    @property
    def data(self) -> bytearray | mmap.mmap:
        """All of it; it can be sliced and searched without being in memory."""
        if self._file is None:
            return self._memory
        if self._map is None:
            self._file.flush()
            self._map = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._map

    def part(self, start: int, end: int) -> BinaryIO:
        """A part of it as a file."""
        return io.BufferedReader(_Part(self.data, start, end), 1 << 16)

    def close(self) -> None:
        """Forget it."""
        self._memory = bytearray()
        if self._map is not None:
            self._map.close()
            self._map = None
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _opened(self) -> BinaryIO:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{_PREFIX}{secrets.token_hex(16)}"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o600)
        try:
            path.unlink()
        except OSError:  # Windows: not while it is open
            self._path = path
        return os.fdopen(descriptor, "w+b")


class _Part(io.RawIOBase):
    def __init__(self, data: bytearray | mmap.mmap, start: int, end: int) -> None:
        self._data = data
        self._start = start
        self._size = end - start
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        count = max(min(len(buffer), self._size - self._position), 0)
        begin = self._start + self._position
        buffer[:count] = self._data[begin : begin + count]
        self._position += count
        return count


def sweep(folder: Path) -> None:
    """Remove bodies that a killed process left; one that is in use goes on without its name."""
    for path in folder.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            path.unlink()


def too_large(limit: int) -> Problem:
    """The problem of a body of more than `limit` bytes."""
    return Problem(413, "web-too-large", limit=max(limit // 1_000_000, 1))
