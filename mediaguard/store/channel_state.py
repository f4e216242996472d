"""How each channel does, from the records alone: nothing is asked of the channel itself."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mediaguard.store.sight import unsought
from mediaguard.store.tables import ItemRow, PublicationRow, TakedownRow
from mediaguard.store.takedown_pages import TakedownPages
from mediaguard.store.takedowns import OPEN

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ChannelState:
    """One channel.

    Attributes:
        live: so many publications may be public there.
        open, overdue: so many takedowns are not done; so many of those should be.
        waiting: so many items wait because the channel failed.
        published_at, removed_at: of the newest publication and the newest takedown that was
            confirmed.
        trouble: the takedown that failed most often of those that are open.
    """

    live: int = 0
    open: int = 0
    overdue: int = 0
    waiting: int = 0
    published_at: datetime | None = None
    removed_at: datetime | None = None
    trouble: TakedownRow | None = None


def channel_states(
    session: Session, channels: Collection[str], due_since: datetime
) -> dict[str, ChannelState]:
    """Every one of these channels, and whichever others something is public on or should go from.

    Args:
        session: the transaction.
        channels: those that are configured.
        due_since: what was asked for earlier is overdue.
    """
    states: dict[str, ChannelState] = defaultdict(ChannelState)
    for channel in channels:
        _ = states[channel]
    live = (
        select(PublicationRow.channel, func.count())
        .where(unsought(session, PublicationRow.state) == "live")  # by channel it need not sort
        .group_by(PublicationRow.channel)
    )
    for channel, count in session.execute(live):
        states[channel].live = count
    opened, overdue = TakedownPages(session).open_by_channel(due_since)
    for channel, count in opened.items():
        states[channel].open, states[channel].overdue = count, overdue[channel]
    # Counted here: a database that groups would go through all items by channel.
    waiting = session.scalars(
        select(ItemRow.channel).where(ItemRow.next_attempt_at > _EVER, ItemRow.failures > 0)
    )
    for channel, count in Counter(waiting).items():
        states[channel].waiting = count
    for channel, state in states.items():
        _add_moments(session, channel, state)
    return dict(states)


def _add_moments(session: Session, channel: str, state: ChannelState) -> None:
    """What came last: by the indexes of channel, state and time, of which this is the end."""
    states = ("live", "removed")
    published = [_newest_publication(session, channel, one) for one in states]
    state.published_at = max((at for at in published if at is not None), default=None)
    state.removed_at = session.scalar(
        select(TakedownRow.confirmed_at)
        .where(TakedownRow.channel == channel, TakedownRow.state == "confirmed")
        .order_by(TakedownRow.requested_at.desc())
        .limit(1)
    )
    if state.open:
        state.trouble = session.scalar(
            select(TakedownRow)
            .where(
                TakedownRow.channel == channel,
                TakedownRow.state.in_(OPEN),
                TakedownRow.problem.is_not(None),
            )
            .order_by(TakedownRow.failures.desc(), TakedownRow.id)
            .limit(1)
        )


def _newest_publication(session: Session, channel: str, state: str) -> datetime | None:
    return session.scalar(
        select(PublicationRow.confirmed_at)
        .where(PublicationRow.channel == channel, PublicationRow.state == state)
        .order_by(PublicationRow.intended_at.desc())
        .limit(1)
    )
