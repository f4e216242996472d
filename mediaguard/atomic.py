"""Files appear whole or not at all."""

import contextlib
import errno
import os
import secrets
import shutil
from pathlib import Path
from typing import BinaryIO

from mediaguard.errors import MediaError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers that mean: there is no room."""


def write_atomically(path: Path, data: bytes | BinaryIO, *, mode: int = 0o600) -> None:
    """Write `data` to `path`: whoever opens the path sees the old content or all of the new.

    The temporary file lies in the same folder and is gone afterwards, whatever happens. A file
    that is there already is replaced.

    Args:
        path: of the file.
        data: all of its content, or a file to be read to its end.
        mode: who may read it; by default its owner only.

    Raises:
        MediaError: ``no-room`` or ``write-failed``; nothing was left behind.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _write_new(temporary, data)
        temporary.chmod(mode)  # not before it is whole
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        _forget(temporary)
        if error.errno in FULL:
            raise MediaError("no-room", name=path.name) from error
        raise MediaError("write-failed", name=path.name, detail=error.strerror or "?") from error
    except BaseException:
        _forget(temporary)
        raise


def _write_new(path: Path, data: bytes | BinaryIO) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if isinstance(data, bytes):
            file.write(data)
        else:
            shutil.copyfileobj(data, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
