"""Publish a verified rendition. Nothing else in mediaguard writes to a channel."""

from mediaguard.core.decision import Decision
from mediaguard.core.media import ItemReport
from mediaguard.core.publication import Delivery, Published
from mediaguard.pipeline.ports import Book, Channel
from mediaguard.pipeline.render import Rendition


def settle(item_id: str, *, book: Book, channel: Channel) -> None:
    """Find out what became of publications whose confirmation was lost.

    Raises:
        ChannelError: the channel cannot be asked now.
    """
    for begun in book.doubtful(item_id):
        found = channel.lookup(begun.key, item_id, begun.sha256)
        if found is not None and not _is_less(found, begun):
            book.found(found)


def _is_less(found: Published, known: Published) -> bool:
    """Whether what was known to be live is there in part only: then it is published anew.

    What was published anew under the same key, in place of what was gone, is another thing.
    """
    return found.remote_id == known.remote_id and not set(known.urls) <= set(found.urls)


def release(
    item_id: str,
    report: ItemReport,
    decision: Decision,
    rendition: Rendition,
    *,
    book: Book,
    channel: Channel,
) -> str | None:
    """Publish, if consent still carries the decision, and return where it went.

    The intent is recorded before the effect and the confirmation after it, so that a process
    killed in between leaves a record of what may be public; tried again, it is published once.

    Returns:
        The location, or None if consent changed since the decision: decide again.

    Raises:
        ChannelError: the channel did not do it, or nobody knows; to be tried again.
        ValueError: the rendition was not verified. A mistake in the program, never shown.
    """
    if not rendition.verified:
        raise ValueError("an unverified rendition must never be released")
    settle(item_id, book=book, channel=channel)
    intent = book.intend(item_id, report, decision, rendition.sha256)
    if intent is not None and intent.live is not None:
        live = intent.live
        if channel.lookup(live.key, item_id, live.sha256) is not None:
            return live.urls[0]
        # Somebody took it away by hand: whoever brings the item again wants it there.
        book.lost(live)
        intent = book.intend(item_id, report, decision, rendition.sha256)
    if intent is None:
        return None
    delivery = Delivery(intent.key, item_id, rendition.suffix, rendition.sha256, rendition.open)
    if intent.earlier and channel.abilities.replace:
        published = channel.replace(intent.earlier, delivery)
        replaced = {earlier.key for earlier in intent.earlier}
    else:
        published, replaced = channel.publish(delivery), set()
    book.confirm(item_id, published, replaced)
    return published.urls[0]
