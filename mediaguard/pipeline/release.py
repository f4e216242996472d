"""Publish a verified rendition. Nothing else in mediaguard writes to a channel."""

from mediaguard.core.decision import Decision
from mediaguard.core.media import ItemReport
from mediaguard.pipeline.ports import Book, Channel
from mediaguard.pipeline.render import Rendition


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

    The intent is recorded before the effect and the confirmation after it, so that a
    process killed in between leaves a record of what may be public.

    Returns:
        The location, or None if consent changed since the decision: decide again.

    Raises:
        ValueError: the rendition was not verified. A mistake in the program, never shown.
    """
    if not rendition.verified:
        raise ValueError("an unverified rendition must never be released")
    if not book.intend(item_id, report, decision, rendition.sha256):
        return None
    with rendition.open() as content:
        location = channel.publish(item_id, content, rendition.suffix)
    book.confirm(item_id, location)
    return location


def retract(item_id: str, *, book: Book, channel: Channel) -> None:
    """Take away what an earlier decision on the same item published, if anything."""
    if book.is_published(item_id):
        channel.remove(item_id)
        book.retract(item_id)
