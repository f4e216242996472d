"""What the steps need of the world besides what looks: records, vault, channel."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import ChannelPolicy, Decision
from mediaguard.core.matching import GalleryIndex, MatchPolicy
from mediaguard.core.media import ItemReport
from mediaguard.core.ports import Detector, Embedder, QualityMeter
from mediaguard.core.review import Mark


@dataclass(frozen=True, slots=True)
class Looking:
    """What looks at an item, and what it needs to know for it.

    Attributes:
        detector: finds faces.
        verifier: searches the rendition.
        embedder, measure: for recognising faces.
        gallery: who can be recognised.
        matching: when a face is taken for a subject.
        policy: the channel's rules.
    """

    detector: Detector
    verifier: Detector
    embedder: Embedder
    measure: QualityMeter
    gallery: GalleryIndex
    matching: MatchPolicy
    policy: ChannelPolicy


class Progress(Protocol):
    """Told how far long work is; may raise `Cancelled` to end it."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """`done` of `total` frames of a step ("look", "write") are done."""


def silent(step: str, done: int, total: int) -> None:
    """Tells nobody."""


class Book(Protocol):
    """The records of one channel; every method is one transaction."""

    def marks(self, item_id: str) -> Sequence[Mark]:
        """What people said about the item's faces, oldest first."""

    def rulings(self, subjects: Collection[str]) -> Mapping[str, Ruling]:
        """Who of `subjects` is allowed on this channel now."""

    def item_id(self, sha256: str) -> str:
        """The id of the item with this content: the same content, the same item."""

    def admit(self, item_id: str, kind: str) -> None:
        """Record that the item exists, a photo or a video; the same twice is one record."""

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

    def put(self, item_id: str, source: BinaryIO) -> None:
        """Store the original; storing it again changes nothing."""

    def delete(self, item_id: str) -> None:
        """Remove the original."""

    def open(self, item_id: str) -> BinaryIO:
        """The original, to be read anywhere in it."""


class Channel(Protocol):
    """Where renditions go. Both methods may be repeated without harm."""

    def publish(self, item_id: str, content: BinaryIO, suffix: str) -> str:
        """Make the rendition public and return where."""

    def remove(self, item_id: str) -> None:
        """Take every rendition of the item away."""
