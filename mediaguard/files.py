"""Finding the files that a user named."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mediaguard.errors import InputError

SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})
UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp")
"""Endings under which browsers and sync programs write a file that is not complete yet."""


def is_for_people(path: Path) -> bool:
    """False for hidden files, the system's own, and downloads that are not complete."""
    name = path.name.lower()
    return not (name.startswith((".", "~$")) or name in SYSTEM_FILES or name.endswith(UNFINISHED))


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The files among `paths` and in the folders among them, each once, in a stable order.

    A file that was named itself is always taken. In folders everything is taken but hidden,
    system and unfinished files: what is not a picture must be reported, not passed over.

    Raises:
        InputError: a path does not exist; before anything was done.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(walk(path)))
        elif path.exists() or path.is_symlink():
            found[path] = None
        else:
            raise InputError("file-missing", path=path)
    return list(found)


def walk(folder: Path) -> Iterator[Path]:
    """The files in `folder` and below, sorted; links to folders are not followed."""
    for path in sorted(folder.iterdir()):
        if not is_for_people(path):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from walk(path)
        elif not path.is_dir():
            yield path
