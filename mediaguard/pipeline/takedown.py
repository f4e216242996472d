"""Take down what may not be public any more, and prove that it is gone."""

import logging
from dataclasses import replace

from mediaguard.core.publication import Order, Published
from mediaguard.errors import ChannelError, MediaguardError, StoreError
from mediaguard.pipeline.ports import Channel, TakedownBook

log = logging.getLogger(__name__)


def take_down(order: Order, *, book: TakedownBook, channel: Channel) -> None:
    """One attempt; what is left is on record, with the moment of the next one.

    It may be repeated from any point: what was taken away is taken away again, and looked for
    again, until every place where it was says that it is gone.

    Args:
        order: what has to go; its item is in hand.
        book: the records.
        channel: where it is.
    """
    try:
        _take_down(order, book, channel)
    except StoreError:
        raise
    except ChannelError as error:
        book.failed(order, error, error.retry_after)
    except Exception as error:
        log.exception("a takedown failed because of an unexpected error")
        fail(order, MediaguardError("internal-error", detail=type(error).__name__), book=book)


def fail(order: Order, error: MediaguardError, *, book: TakedownBook) -> None:
    """Record that not even an attempt was possible, for instance without the channel's password."""
    book.failed(order, error, None)


def _take_down(order: Order, book: TakedownBook, channel: Channel) -> None:
    published = order.published
    if not order.known:
        found = channel.lookup(published.key, published.item_id, published.sha256)
        if found is None:
            # Nobody can see it, but an upload may be on its way still.
            if order.doubtful:
                book.doubted(order)
            else:
                book.confirmed(order, ())
            return
        book.found(found)
        published = found
    if not channel.abilities.recall:
        channel.remove(published)
        book.unrecallable(order)
        return
    if not order.removed:
        channel.remove(_without(published, order.kept))
        book.removed(order)
    looks = channel.confirm_gone(published, order.successor)
    if all(look.gone for look in looks):
        book.confirmed(order, looks)
    else:
        book.lingers(order, looks)


def _without(published: Published, kept: frozenset[str]) -> Published:
    """What another rendition stands in for now is not to be removed."""
    return replace(published, urls=tuple(url for url in published.urls if url not in kept))
