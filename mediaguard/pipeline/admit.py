"""Take a file in: what is judged must be what is later written.

A photo is read once, whole. A clip is too large for that: it is read again and again, from its
copy in the vault where there is one; otherwise it is proven at the end that it is still the same.
"""

import hashlib
import io
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mediaguard.errors import MediaError
from mediaguard.media.sniffing import HEAD_BYTES, clip_format
from mediaguard.sent import Sent

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Admitted:
    """A file whose content is known.

    Attributes:
        path: where it came from; only ever shown, never used to build another path.
        sha256: of the content, hexadecimal.
        size: in bytes.
        container: of a clip, see `sniffing.clip_format`; None for anything else.
        open: gives the content anew each time.
    """

    path: Path
    sha256: str
    size: int
    container: str | None
    open: Callable[[], BinaryIO]

    @property
    def kind(self) -> str:
        """As the records name it: photo or video."""
        return "photo" if self.container is None else "video"

    def read(self) -> bytes:
        """All of it; for a photo, which is in memory anyway."""
        with self.open() as file:
            return file.read()

    def require_same(self) -> None:
        """Prove that the content is still the one that was admitted.

        Raises:
            MediaError: somebody changed the file meanwhile.
        """
        if self.container is None:
            return  # it was read once
        with self.open() as file:
            if _digest(file, self.size) != (self.sha256, self.size):
                raise MediaError("file-changed", name=self.path.name)


def admit(path: Path, *, max_bytes: int, max_clip_bytes: int) -> Admitted:
    """Open `path` and find out what it holds.

    Raises:
        MediaError: it is gone, unreadable, not a regular file, or too large.
    """
    with _opened(path) as file:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        container = clip_format(head)
        limit = max_bytes if container is None else max_clip_bytes
        if os.fstat(file.fileno()).st_size > limit:
            raise _too_large(path, limit)
        if container is None:
            data = file.read(limit + 1)
            if len(data) > limit:  # it grew while being read
                raise _too_large(path, limit)
            sha256 = hashlib.sha256(data).hexdigest()
            return Admitted(path, sha256, len(data), None, lambda: io.BytesIO(data))
        sha256, size = _digest(file, limit)
        if size > limit:
            raise _too_large(path, limit)
    return Admitted(path, sha256, size, container, lambda: _reopened(path))


def admit_sent(file: Sent, *, max_bytes: int) -> Admitted:
    """Find out what a file in memory holds.

    Raises:
        MediaError: it is too large.
    """
    path = Path(file.name)
    if len(file.data) > max_bytes:
        raise _too_large(path, max_bytes)
    container = clip_format(file.data[:HEAD_BYTES])
    sha256 = hashlib.sha256(file.data).hexdigest()
    return Admitted(path, sha256, len(file.data), container, lambda: io.BytesIO(file.data))


def admit_again(item_id: str, open_original: Callable[[], BinaryIO]) -> Admitted:
    """Take in an original that was kept; whether it is too large was asked when it came.

    Args:
        item_id: shown in place of the file's name, which nobody knows any more.
        open_original: gives the content anew each time.
    """
    with open_original() as file:
        container = clip_format(file.read(HEAD_BYTES))
        file.seek(0)
        sha256, size = _digest(file, sys.maxsize)
    return Admitted(Path(item_id), sha256, size, container, open_original)


def _digest(file: BinaryIO, limit: int) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while size <= limit and (chunk := file.read(_CHUNK)):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with _reopened(path) as file:
            yield file
    except OSError as error:
        raise _unreadable(path, error) from error


def _reopened(path: Path) -> BinaryIO:
    # O_NONBLOCK: opening a named pipe must not wait for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise MediaError("file-vanished", name=path.name) from None
    except PermissionError:
        raise MediaError("file-no-permission", name=path.name) from None
    except OSError as error:
        raise _unreadable(path, error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise MediaError("not-a-file", name=path.name)
    return os.fdopen(descriptor, "rb")


def _unreadable(path: Path, error: OSError) -> MediaError:
    return MediaError("file-unreadable", name=path.name, detail=error.strerror or "?")


def _too_large(path: Path, max_bytes: int) -> MediaError:
    return MediaError("file-too-large", name=path.name, limit=max_bytes // 1_000_000)
