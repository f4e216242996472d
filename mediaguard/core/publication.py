"""What is handed to a channel, where it is live, and what is seen there afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a channel can do with what it published.

    Attributes:
        recall: take it away again; a newsletter that was sent cannot.
        replace: put another rendition in its place, so that pages that show it stay whole.
    """

    recall: bool = True
    replace: bool = True


_MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
}


def media_type_of(suffix: str) -> str:
    """Of a rendition, as HTTP names it; the same whatever the machine knows of types."""
    return _MEDIA_TYPES.get(suffix, "application/octet-stream")


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified rendition on its way to a channel.

    Attributes:
        key: the publication's id: new for every rendition, the same when a delivery is tried
            again, so that the channel can tell whether it has it already (idempotency key).
        item_id: of which item it is.
        suffix: file name ending with its dot.
        sha256: of the content, hexadecimal.
        open: gives the content anew each time.
    """

    key: str
    item_id: str
    suffix: str
    sha256: str
    open: Callable[[], BinaryIO]

    @property
    def media_type(self) -> str:
        """As HTTP names it, for instance ``image/jpeg``."""
        return media_type_of(self.suffix)


@dataclass(frozen=True, slots=True)
class Published:
    """Where a rendition is live.

    Attributes:
        key: the publication's id.
        item_id: of which item it is.
        remote_id: what the channel calls it; empty where it has no name of its own.
        urls: every place where it can be fetched, derived sizes and pages among them; the
            first is the one that people are shown.
        sha256: of the rendition, hexadecimal.
    """

    key: str
    item_id: str
    remote_id: str
    urls: tuple[str, ...]
    sha256: str


ELSEWHERE = "elsewhere"
"""What a channel answers about a place that it cannot have made and cannot visit: the settings
named another connector, or another page, when it was published there."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found at a public place, as evidence.

    Attributes:
        url: where.
        gone: it is not there any more, or something else was put there by mediaguard.
        answer: what answered: ``"404"``, ``"200"``, ``"no file"``, ``"no answer"``,
            ``ELSEWHERE`` …
        again_after: seconds after which looking again makes sense, if the place said so (a cache
            that keeps its copy so much longer).
    """

    url: str
    gone: bool
    answer: str
    again_after: float | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """A publication that is on record before it takes effect.

    Attributes:
        key: its id.
        earlier: other renditions of the item that are or were live, and are to make way for it.
        live: where it is, if the same rendition is live already and nothing is left to do.
    """

    key: str
    earlier: tuple[Published, ...] = ()
    live: Published | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One takedown, as whoever carries it out needs it.

    Attributes:
        takedown_id: which one.
        published: what has to go; without URLs if nobody knows whether it ever became public.
        known: it was confirmed that it became public.
        replace: another rendition shall take its place, in which the subject is redacted.
        removed: it was taken away; that it is gone is still to be confirmed.
        others: where another rendition of the item is live that may stay.
        successor: sha256 of that rendition; None if there is none.
        doubtful: if it is not found, it may still become public: its publication was under way
            only moments ago.
        failures: how often in a row this did not succeed.
    """

    takedown_id: str
    published: Published
    known: bool
    replace: bool
    removed: bool
    others: frozenset[str]
    successor: str | None
    doubtful: bool
    failures: int
