"""A channel that is a folder: what may be published lies there, ready to be used."""

from pathlib import Path
from typing import BinaryIO

from mediaguard.atomic import write_atomically


class FolderChannel:
    """Publishes by writing a file and removes by deleting it; both can be repeated safely."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(self, item_id: str, content: BinaryIO, suffix: str) -> str:
        """Put the rendition in the folder and return its path; replaces an earlier one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{item_id}{suffix}"
        # Public from here on: whoever serves the folder may be another user of the machine.
        write_atomically(path, content, mode=0o644)
        return str(path)

    def remove(self, item_id: str) -> None:
        """Delete every rendition of the item; nothing happens if there is none."""
        for path in self.folder.glob(f"{item_id}.*"):
            if path.suffix != ".txt":
                path.unlink(missing_ok=True)
