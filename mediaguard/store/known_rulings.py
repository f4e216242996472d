"""How everybody stands on a channel, kept in memory: to find people by it among thousands.

To fold the whole ledger takes a while, so only what changed since is folded anew. Nothing is
decided by what is kept here: what may be shown is always asked of the ledger itself.
"""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mediaguard.core.consent import ConsentEvent, Kind, Subject
from mediaguard.store.book import ChannelRules
from mediaguard.store.items import CHUNK
from mediaguard.store.ledger import Ledger
from mediaguard.store.people import ruling
from mediaguard.store.tables import ConsentEventRow, SubjectRow

_Facts = tuple[str, date | None]


@dataclass(slots=True)
class _Kept:
    """What is known of one channel.

    Attributes:
        day: on which it is true; dates and birthdays bring changes.
        count, newest: of the channel's events that were folded.
        facts: kind and date of birth of everybody.
        rules: which one decided about whom.
    """

    day: date | None = None
    count: int = 0
    newest: int = 0
    facts: dict[str, _Facts] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)


class KnownRulings:
    """Shared by all requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def of(self, session: Session, rules: ChannelRules, *, now: datetime) -> dict[str, str]:
        """Which rule decides about whom on a channel: everybody who is known.

        Args:
            session: the caller's transaction.
            rules: of the channel.
            now: the present moment.
        """
        with self._lock:
            return dict(self._brought_up_to_date(session, rules, now).rules)

    def _brought_up_to_date(self, session: Session, rules: ChannelRules, now: datetime) -> _Kept:
        kept = self._kept.setdefault(rules.channel, _Kept())
        day = now.astimezone(rules.zone).date()
        of_channel = ConsentEventRow.channel == rules.channel
        count, newest = session.execute(
            select(func.count(), func.max(ConsentEventRow.event_id)).where(of_channel)
        ).one()
        rows = session.execute(select(SubjectRow.subject_id, SubjectRow.kind, SubjectRow.born))
        facts = {subject_id: (kind, born) for subject_id, kind, born in rows}
        later = self._later(session, kept, rules.channel) if kept.day == day else []
        if kept.day == day and kept.count + len(later) == count:
            changed = {*later} | {s for s, found in facts.items() if kept.facts.get(s) != found}
        else:  # another day, or an event whose transaction ended after a later one's
            changed, kept.rules = {*facts}, {}
        lasts = self._fold(session, kept, rules, {s: facts[s] for s in changed & facts.keys()}, now)
        for gone in kept.facts.keys() - facts.keys():
            kept.rules.pop(gone, None)
        kept.day = day if lasts else None
        kept.count, kept.newest, kept.facts = count, newest or 0, facts
        return kept

    @staticmethod
    def _later(session: Session, kept: _Kept, channel: str) -> list[str]:
        """Whom the events are about that were recorded since."""
        query = select(ConsentEventRow.subject_id).where(
            ConsentEventRow.channel == channel, ConsentEventRow.event_id > kept.newest
        )
        return [*session.scalars(query)]

    @staticmethod
    def _fold(
        session: Session,
        kept: _Kept,
        rules: ChannelRules,
        facts: Mapping[str, _Facts],
        now: datetime,
    ) -> bool:
        """Find out anew how these people stand; whether that lasts until the day ends."""
        some = sorted(facts) if len(facts) <= CHUNK else None
        events: dict[str, list[ConsentEvent]] = defaultdict(list)
        for event in Ledger(session).events(some, rules.channel) if facts else ():
            events[event.subject_id].append(event)
        for subject_id, (kind, born) in facts.items():
            subject = Subject(subject_id, Kind(kind), frozenset(), born)
            kept.rules[subject_id] = ruling(rules, subject, events[subject_id], now).rule
        return all(e.recorded_at <= now for found in events.values() for e in found)
