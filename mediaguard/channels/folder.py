"""A channel that is a folder: what may be published lies there, ready to be used."""

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from mediaguard.atomic import write_atomically
from mediaguard.channels.web import Web, is_web_address
from mediaguard.core.publication import Abilities, Delivery, Look, Published
from mediaguard.errors import ChannelError, MediaError

ABANDONED = 600.0
"""Seconds after which a half-written file is nobody's any more."""


class FolderChannel:
    """Publishes by writing a file and removes by deleting it; both can be repeated safely.

    A file is named after its item, so that what replaces a rendition has the same name.
    """

    abilities = Abilities()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(self, delivery: Delivery) -> Published:
        """Put the rendition in the folder; replaces an earlier one."""
        path = self.folder / f"{delivery.item_id}{delivery.suffix}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Public from here on: whoever serves the folder may be another user of the machine.
            with delivery.open() as content:
                write_atomically(path, content, mode=0o644)
        except OSError as error:
            raise _trouble(path, error) from error
        except MediaError as error:  # no room, for instance: there may be some later
            raise ChannelError(
                "channel-folder", path=path, detail=error.params.get("detail", error.code)
            ) from error
        return Published(delivery.key, delivery.item_id, "", (str(path),), delivery.sha256)

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:
        """Put the rendition in the place of earlier ones."""
        published = self.publish(delivery)
        for one in earlier:
            places = tuple(place for place in one.urls if place not in published.urls)
            self.remove(replace(one, urls=places))
        return published

    def remove(self, published: Published) -> None:
        """Delete what lies at its places, also if somebody changed the file.

        And what processes left that were killed while they wrote. What was published on the web,
        before the channel became a folder, has to be taken away there.
        """
        self._delete({place for place in published.urls if not is_web_address(place)})
        for path in self.folder.glob(".*.part"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - ABANDONED:
                    path.unlink()

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        """The rendition, if its file is there."""
        for path in self.folder.glob(f"{item_id}.*"):
            if _digest(path) == sha256:
                return Published(key, item_id, "", (str(path),), sha256)
        return None

    def confirm_gone(self, published: Published, successor: str | None) -> list[Look]:
        """Whether its file is gone, or is another one now."""
        return [
            self._web.look(place, successor) if is_web_address(place) else _look(place, successor)
            for place in published.urls
        ]

    @cached_property
    def _web(self) -> Web:
        return Web()

    @staticmethod
    def _delete(places: set[str]) -> None:
        for place in places:
            try:
                Path(place).unlink(missing_ok=True)
            except OSError as error:
                raise _trouble(Path(place), error) from error


def _look(place: str, successor: str | None) -> Look:
    digest = _digest(Path(place))
    if digest is None:
        return Look(place, gone=True, answer="no file")
    gone = digest == successor
    return Look(place, gone, "new file" if gone else "file")


def _digest(path: Path) -> str | None:
    """Of the file's content; None if there is no file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _trouble(path, error) from error


def _trouble(path: Path, error: OSError) -> ChannelError:
    return ChannelError("channel-folder", path=path, detail=error.strerror or "?")
