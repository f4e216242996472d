"""A protected folder for long work, which can go on there after a crash.

What lies in it is never anybody's original: places of faces, and pieces of renditions in which
they are already redacted. It is cleared when the work is done, whatever came of it.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mediaguard.errors import Cancelled, ChannelError, StoreError

ABANDONED_DAYS = 3
"""Work that was broken off and not taken up again for so long is cleared."""


@contextmanager
def workspace(root: Path, key: str) -> Iterator[Path]:
    """The folder of one piece of work, with what an earlier try left in it.

    It is kept when the work is to go on later: it was cancelled, the channel failed, or the process
    died. In any other case it is removed.

    Args:
        root: where such folders lie; made for its owner only.
        key: names the work and all that it depends on: letters and digits.

    Raises:
        StoreError: the folder cannot be made, or another process is at the same work.
    """
    folder = root / key
    path = root / f"{key}.lock"
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _opened(path)
    except OSError as error:
        raise _unwritable(root, error) from error
    with lock:
        if not _is_held(lock, path):
            raise StoreError("work-taken")
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unwritable(root, error) from error
        try:
            yield folder
        except (Cancelled, ChannelError, KeyboardInterrupt):
            raise
        except BaseException:
            _remove(folder)
            raise
        _remove(folder)


def sweep(root: Path, *, days: float = ABANDONED_DAYS) -> None:
    """Remove work that nobody took up again."""
    for path in root.glob("*.lock"):
        folder = path.with_suffix("")
        with _opened(path) as lock:
            if _is_held(lock, path) and _newest(folder) < time.time() - days * 86400:
                _remove(folder)


def _newest(folder: Path) -> float:
    """When something in it changed last; long ago if it is not there."""
    times = [0.0]
    for path in (folder, *folder.glob("*")):
        with contextlib.suppress(FileNotFoundError):
            times.append(path.stat().st_mtime)
    return max(times)


def _unwritable(root: Path, error: OSError) -> StoreError:
    return StoreError("work-unwritable", folder=root, detail=error.strerror or "?")


def _opened(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w")


def _is_held(lock: IO[str], path: Path) -> bool:
    """Take the lock; False if somebody has it, or removed the file since it was opened."""
    if not _locked(lock):
        return False
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # The lock is still held: whoever waits for it opens a new one.
    folder.with_suffix(".lock").unlink(missing_ok=True)


def _locked(file: IO[str]) -> bool:
    """Take the lock, which the system frees when the process ends, however it ends."""
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
