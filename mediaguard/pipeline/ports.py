"""What the steps need of the world besides what looks: records, vault, channel."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import ChannelPolicy, Decision
from mediaguard.core.faces import Face
from mediaguard.core.matching import GalleryIndex, MatchPolicy
from mediaguard.core.media import ItemReport
from mediaguard.core.ports import Detector, Embedder, QualityMeter
from mediaguard.core.publication import Abilities, Delivery, Intent, Look, Order, Published
from mediaguard.core.review import Mark
from mediaguard.errors import MediaguardError


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

    def earlier(self, sha256: str) -> Sequence[Face]:
        """The faces that were given a name when this content was looked at, for any channel."""

    def rulings(self, subjects: Collection[str]) -> Mapping[str, Ruling]:
        """Who of `subjects` is allowed on this channel now."""

    def item_id(self, sha256: str) -> str:
        """The id of the item with this content: the same content, the same item."""

    def admit(self, item_id: str, kind: str) -> None:
        """Record that the item exists, a photo or a video; the same twice is one record."""

    def is_approved(self, item_id: str) -> bool:
        """Whether a person looked at the item and wants it to go out."""

    def is_rejected(self, item_id: str) -> bool:
        """Whether a person decided that the item may not go out, and nobody took that back."""

    def named(self, item_id: str) -> Sequence[str]:
        """The subjects whose names stand in the item's texts."""

    def held(self, item_id: str) -> AbstractContextManager[None]:
        """Have the item in hand, alone; everything below asks for it. May be nested."""

    def begin(
        self,
        item_id: str,
        named: Collection[str] | None = None,
        groups: Collection[str] | None = None,
    ) -> None:
        """Record that the item is to be handled to its end, if need be by a worker.

        `named` are the subjects whose names stand in its texts, `groups` those in which subjects
        are looked for; None leaves on record what is there.
        """

    def stays_rejected(self, item_id: str) -> bool:
        """Whether it is rejected; then record that nothing is to be done with it any more."""

    def lay_aside(self, item_id: str) -> None:
        """Record that nobody is to go on with the item by itself: somebody broke it off."""

    def conclude(self, item_id: str, report: ItemReport) -> None:
        """Record that the item is held or blocked, and why; what is public of it has to go."""

    def postpone(self, item_id: str, report: ItemReport, retry_after: float | None) -> None:
        """Record that the channel failed; the item is tried again by itself."""

    def doubtful(self, item_id: str) -> Sequence[Published]:
        """Publications of the item that were begun and never confirmed, or may have made way."""

    def intend(
        self, item_id: str, report: ItemReport, decision: Decision, sha256: str
    ) -> Intent | None:
        """Read consent again and, if it still carries `decision`, record the intent to publish.

        Both in one transaction: a withdrawal that commits before it makes this None.
        """

    def found(self, published: Published) -> None:
        """Record that a publication took effect whose confirmation was lost."""

    def lost(self, published: Published) -> None:
        """Record that a publication is not to be found any more; begun anew, it keeps its key."""

    def confirm(self, item_id: str, published: Published, replaced: Collection[str]) -> None:
        """Record where the rendition is live, and the keys of those that made way for it."""


class TakedownBook(Book, Protocol):
    """The records of a channel as a takedown sees them."""

    def orders(self, item_id: str) -> Sequence[Order]:
        """What is to be taken down of the item now."""

    def removed(self, order: Order) -> None:
        """Record that the channel took it away."""

    def confirmed(self, order: Order, looks: Sequence[Look]) -> None:
        """Record that it is gone from every place where it was, with the evidence."""

    def lingers(self, order: Order, looks: Sequence[Look]) -> None:
        """Record that it can still be seen somewhere."""

    def displaced(self, order: Order) -> None:
        """Record that it stood where another rendition should be; that is published again."""

    def unrecallable(self, order: Order) -> None:
        """Record that the channel cannot take back what it gave out."""

    def doubted(self, order: Order) -> None:
        """Record that it was not found, but may still appear."""

    def failed(self, order: Order, error: MediaguardError, retry_after: float | None) -> None:
        """Record why it did not succeed, and when it is tried again."""


class Vault(Protocol):
    """Where originals are kept, encrypted."""

    def put(self, item_id: str, source: BinaryIO) -> None:
        """Store the original; storing it again changes nothing."""

    def delete(self, item_id: str) -> None:
        """Remove the original."""

    def open(self, item_id: str) -> BinaryIO:
        """The original, to be read anywhere in it."""


class Channel(Protocol):
    """Where renditions go. Every method may be repeated without harm.

    They raise `ChannelError` if the channel does not do it, or if nobody knows whether it did.
    """

    @property
    def abilities(self) -> Abilities:
        """What the channel can do."""

    def publish(self, delivery: Delivery) -> Published:
        """Make a rendition public."""

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:
        """Put a rendition in the place of earlier ones of its item, and take those away.

        Only if `abilities.replace`. Tried again after an interruption, with the same key, it
        does what is left to do.
        """

    def remove(self, published: Published) -> None:
        """Take a rendition away; nothing happens if it is gone. Only if `abilities.recall`."""

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        """The rendition with this key, if the channel has it: its confirmation may be lost."""

    def confirm_gone(self, published: Published, successor: str | None) -> Sequence[Look]:
        """Look at every place where it was, as a visitor would; one entry per place.

        Args:
            published: what was removed or replaced.
            successor: sha256 of the rendition that was put in its place, if one was.
        """
