"""Finding people and how they stand, for pages about many of them: always the same few queries."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mediaguard.core.consent import ConsentEvent, Rule, Ruling, Subject, rule_on
from mediaguard.store.book import ChannelRules
from mediaguard.store.items import CHUNK, VISIBLE, channel_of_shown
from mediaguard.store.ledger import Ledger
from mediaguard.store.sight import in_groups
from mediaguard.store.tables import (
    AppearanceRow,
    PublicationRow,
    SubjectGroupRow,
    SubjectRow,
    TakedownRow,
    TemplateRow,
)
from mediaguard.store.takedowns import OPEN


@dataclass(frozen=True, slots=True)
class Cell:
    """How a subject stands on a channel now.

    Attributes:
        ruling: whether it may be shown, and why.
        event: the answer that decided.
    """

    ruling: Ruling
    event: ConsentEvent | None

    @property
    def since(self) -> datetime | date | None:
        """Since when that is so; a consent that ran out did so after its last day."""
        if self.event is None:
            return None
        if self.ruling.rule == Rule.EXPIRED:
            return self.event.valid_until
        return self.event.recorded_at


@dataclass(frozen=True, slots=True)
class Person:
    """A subject with how it stands.

    Attributes:
        subject: who.
        cells: by channel.
        references: so many are stored.
        events: every answer on record, the oldest first.
    """

    subject: Subject
    cells: Mapping[str, Cell]
    references: int
    events: Sequence[ConsentEvent]


class People:
    """Reads within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ids(self, visible: Collection[str] = (), group: str | None = None) -> list[str]:
        """Everybody by pseudonym.

        Args:
            visible: only who is in one of these groups; empty for the whole school.
            group: only who is in this one too.
        """
        query = select(SubjectRow.subject_id).order_by(SubjectRow.subject_id)
        if visible:
            query = query.where(SubjectRow.subject_id.in_(in_groups(visible)))
        if group is not None:
            query = query.where(SubjectRow.subject_id.in_(in_groups([group])))
        return [*self._session.scalars(query)]

    def groups(self, visible: Collection[str] = ()) -> dict[str, int]:
        """How many are in each group, by name; only `visible` ones, if any."""
        query = (
            select(SubjectGroupRow.group_name, func.count())
            .group_by(SubjectGroupRow.group_name)
            .order_by(SubjectGroupRow.group_name)
        )
        if visible:
            query = query.where(SubjectGroupRow.group_name.in_(sorted(visible)))
        return {row[0]: row[1] for row in self._session.execute(query)}

    def persons(
        self, subject_ids: Sequence[str], rules: Mapping[str, ChannelRules], *, now: datetime
    ) -> list[Person]:
        """These people, in this order; who is not known is left out."""
        ledger = Ledger(self._session)
        subjects = {s.subject_id: s for s in ledger.of(subject_ids)}
        events: dict[str, list[ConsentEvent]] = defaultdict(list)
        for event in ledger.events(subject_ids):
            events[event.subject_id].append(event)
        references = self._references(subject_ids)
        return [
            Person(
                subjects[subject_id],
                {
                    channel: _cell(subjects[subject_id], events[subject_id], of_channel, now)
                    for channel, of_channel in rules.items()
                },
                references.get(subject_id, 0),
                events[subject_id],
            )
            for subject_id in subject_ids
            if subject_id in subjects
        ]

    def _references(self, subject_ids: Sequence[str]) -> dict[str, int]:
        rows = self._session.execute(
            select(TemplateRow.subject_id, func.count())
            .where(TemplateRow.subject_id.in_(subject_ids))
            .group_by(TemplateRow.subject_id)
        )
        return {row[0]: row[1] for row in rows}

    # -- what shows them --------------------------------------------------------------------

    def shown(self, subject_id: str) -> Counter[str]:
        """How many publications show somebody, by channel."""
        channel = channel_of_shown(self._session)
        rows = self._session.execute(
            select(channel, func.count())
            .select_from(PublicationRow)
            .join(AppearanceRow, AppearanceRow.publication_id == PublicationRow.id)
            .where(AppearanceRow.subject_id == subject_id, PublicationRow.state.in_(VISIBLE))
            .group_by(channel)
        )
        return Counter({row[0]: row[1] for row in rows})

    def coming_down(self, subject_id: str) -> int:
        """How many takedowns because of somebody are not done."""
        return (
            self._session.scalar(
                select(func.count()).where(
                    TakedownRow.subject_id == subject_id, TakedownRow.state.in_(OPEN)
                )
            )
            or 0
        )

    def would_come_down(self, pairs: Collection[tuple[str, str]]) -> int:
        """How many publications show one of these subjects on that channel.

        Without those that are to come down anyway because of the same subject.
        """
        found: set[str] = set()
        wanted = set(pairs)
        for some in _chunks(sorted({subject_id for subject_id, _ in wanted})):
            asked = (
                select(TakedownRow.id)
                .where(
                    TakedownRow.publication_id == AppearanceRow.publication_id,
                    TakedownRow.subject_id == AppearanceRow.subject_id,
                )
                .exists()
            )
            rows = self._session.execute(
                select(PublicationRow.id, AppearanceRow.subject_id, PublicationRow.channel)
                .join(AppearanceRow, AppearanceRow.publication_id == PublicationRow.id)
                .where(
                    AppearanceRow.subject_id.in_(some),
                    PublicationRow.state.in_(VISIBLE),
                    ~asked,
                )
            )
            found |= {key for key, subject_id, name in rows if (subject_id, name) in wanted}
        return len(found)


def ruling(
    rules: ChannelRules, subject: Subject, events: Iterable[ConsentEvent], now: datetime
) -> Ruling:
    """How a subject stands on a channel, from its events."""
    return rule_on(
        subject,
        events,
        channel=rules.channel,
        purpose=rules.purpose,
        now=now,
        zone=rules.zone,
        accepted_wordings=rules.accepted_wordings,
    )


def _cell(
    subject: Subject, events: Sequence[ConsentEvent], rules: ChannelRules, now: datetime
) -> Cell:
    found = ruling(rules, subject, events, now)
    return Cell(found, next((e for e in events if e.event_id == found.event_id), None))


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
