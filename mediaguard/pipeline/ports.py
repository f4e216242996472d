"""What the steps need of the records, the vault and a channel."""

from collections.abc import Collection, Mapping
from typing import Protocol

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import Decision
from mediaguard.core.media import ItemReport


class Book(Protocol):
    """The records of one channel; every method is one transaction."""

    def rulings(self, subjects: Collection[str]) -> Mapping[str, Ruling]:
        """Who of `subjects` is allowed on this channel now."""

    def item_id(self, sha256: str) -> str:
        """The id of the item with this content: the same content, the same item."""

    def admit(self, item_id: str) -> None:
        """Record that the item exists; the same item twice is one record."""

    def conclude(self, item_id: str, report: ItemReport) -> None:
        """Record that the item is held or blocked, and why."""

    def intend(self, item_id: str, report: ItemReport, decision: Decision, sha256: str) -> bool:
        """Read consent again and, if it still carries `decision`, record the intent to publish.

        Both in one transaction: a withdrawal that commits before it makes this False.
        """

    def confirm(self, item_id: str, location: str) -> None:
        """Record that the rendition is live at `location`."""

    def is_published(self, item_id: str) -> bool:
        """Whether a publication of the item is intended or live."""

    def retract(self, item_id: str) -> None:
        """Record that the item's publication was removed."""


class Vault(Protocol):
    """Where originals are kept, encrypted."""

    def put(self, item_id: str, source: bytes) -> None:
        """Store the original; storing it again changes nothing."""


class Channel(Protocol):
    """Where renditions go. Both methods may be repeated without harm."""

    def publish(self, item_id: str, data: bytes, suffix: str) -> str:
        """Make the rendition public and return where."""

    def remove(self, item_id: str) -> None:
        """Take every rendition of the item away."""
