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
        found = _lookup(order, channel)
        if found is None:
            # Nobody can see it, but an upload may be on its way still.
            if order.doubtful:
                book.doubted(order)
            else:
                book.confirmed(order, ())
            return
        book.found(found)
        published = found
    if not order.removed:
        _remove(order, published, book, channel)
        if channel.abilities.recall:
            book.removed(order)
    looks = channel.confirm_gone(published, order.successor)
    if not all(look.gone for look in looks):
        book.lingers(order, looks)
    elif not channel.abilities.recall:
        book.unrecallable(order)
    elif (left := _lookup(order, channel)) is not None:
        # It was published twice under one key, and the other one came late.
        book.found(left)
        book.lingers(order, looks)
    else:
        book.confirmed(order, looks)


def _lookup(order: Order, channel: Channel) -> Published | None:
    """What the channel has under the publication's key, if that is not another one's.

    A folder knows no keys: the same content at the place of another publication is that one.
    """
    wanted = order.published
    found = channel.lookup(wanted.key, wanted.item_id, wanted.sha256)
    if found and order.successor == found.sha256 and order.others.issuperset(found.urls):
        return None
    return found


def _remove(order: Order, published: Published, book: TakedownBook, channel: Channel) -> None:
    """Take it away, except where the rendition stands now that took its place."""
    shared = tuple(url for url in published.urls if url in order.others)
    stays: set[str] = set()
    if shared:
        looks = channel.confirm_gone(replace(published, urls=shared), order.successor)
        stays = {look.url for look in looks if look.gone}
    if stays != set(shared):
        book.displaced(order)
    urls = tuple(url for url in published.urls if url not in stays)
    channel.remove(replace(published, urls=urls))
