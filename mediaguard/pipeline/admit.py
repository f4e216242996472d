"""Take a file in: read it once, whole, so that what is judged is what is later written."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from mediaguard.errors import MediaError


@dataclass(frozen=True, slots=True)
class Admitted:
    """A file's bytes, read once.

    Attributes:
        path: where it came from; only ever shown, never used to build another path.
        data: its content.
        sha256: of the content, hexadecimal.
        stat: of the opened file, to tell later whether the path still holds these bytes.
    """

    path: Path
    data: bytes
    sha256: str
    stat: os.stat_result


def admit(path: Path, *, max_bytes: int) -> Admitted:
    """Read `path`.

    Raises:
        MediaError: it is gone, unreadable, not a regular file, or larger than `max_bytes`.
    """
    try:
        # O_NONBLOCK: opening a named pipe must not wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise MediaError("not-a-file", name=path.name)
            if status.st_size > max_bytes:
                raise _too_large(path, max_bytes)
            data = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise MediaError("file-vanished", name=path.name) from None
    except PermissionError:
        raise MediaError("file-no-permission", name=path.name) from None
    except OSError as error:
        raise MediaError("file-unreadable", name=path.name, detail=error.strerror or "?") from error
    if len(data) > max_bytes:  # it grew while being read
        raise _too_large(path, max_bytes)
    return Admitted(path, data, hashlib.sha256(data).hexdigest(), status)


def _too_large(path: Path, max_bytes: int) -> MediaError:
    return MediaError("file-too-large", name=path.name, limit=max_bytes // 1_000_000)


_BINARY = getattr(os, "O_BINARY", 0)
