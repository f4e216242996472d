"""The consent ledger: subjects, and the events about their consent, which only ever grow."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from mediaguard.core.consent import (
    Answer,
    ConsentEvent,
    Kind,
    Ruling,
    Signatory,
    Subject,
    rule_on,
)
from mediaguard.errors import InputError
from mediaguard.store.tables import ConsentEventRow, SubjectGroupRow, SubjectRow

SUBJECT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
"""What a pseudonym looks like: no spaces, so that a name is not entered by mistake."""

MAX_TEXT = 200

_NAMES = tuple(ConsentEvent.__slots__)
_COLUMNS = [getattr(ConsentEventRow, name) for name in _NAMES]


@dataclass(frozen=True, slots=True)
class Given:
    """An answer that is to be recorded; the attributes are those of `ConsentEvent`.

    `signatory` may be `UNATTRIBUTED` for a no, and only a no may come without `evidence`.
    """

    subject_id: str
    channel: str
    purpose: str
    answer: Answer
    signatory: str
    evidence: str
    signatory_id: str | None = None
    wording: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None

    def check(self) -> None:
        """Refuse what could never count or be shown.

        Raises:
            InputError: says what it is.
        """
        for field, value in (
            ("channel", self.channel),
            ("purpose", self.purpose),
            ("signatory", self.signatory),
            ("evidence", self.evidence.strip() or "-"),
            ("wording", self.wording or "-"),
            ("signatory id", self.signatory_id or "-"),
        ):
            _plain(field, value)
        if self.answer is not Answer.GRANTED:
            return
        if not self.evidence.strip():
            raise InputError("consent-evidence", subject=self.subject_id)
        if self.signatory not in tuple(Signatory):
            raise InputError("consent-signatory-unknown", subject=self.subject_id)
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise InputError("consent-dates", first=self.valid_from, last=self.valid_until)


class Ledger:
    """Reads and appends within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._locked: set[str] = set()
        """Subjects that are there, and stay so until the transaction ends."""

    # -- subjects ---------------------------------------------------------------------------

    def add_subject(
        self,
        subject_id: str,
        *,
        at: datetime,
        kind: Kind = Kind.STUDENT,
        groups: Iterable[str] = (),
        born: date | None = None,
    ) -> Subject:
        """Add a subject.

        Raises:
            InputError: the pseudonym or a group is not usable, or the subject exists.
        """
        subject = Subject(subject_id, Kind(kind), frozenset(groups), born)
        self.add_subjects([subject], at=at)
        return subject

    def add_subjects(self, subjects: Sequence[Subject], *, at: datetime) -> None:
        """Add subjects, in one statement.

        Raises:
            InputError: a pseudonym or a group is not usable, or a subject exists.
        """
        ids = [subject.subject_id for subject in subjects]
        for subject_id in ids:
            if not SUBJECT_ID.fullmatch(subject_id):
                raise InputError("subject-id-invalid", subject=subject_id)
        for known in self._subjects(ids):
            raise InputError("subject-exists", subject=known.subject_id)
        if subjects:
            self._session.execute(
                insert(SubjectRow),
                [
                    {"subject_id": s.subject_id, "kind": s.kind.value, "born": s.born}
                    | {"created_at": at}
                    for s in subjects
                ],
            )
        for subject in subjects:
            self._insert_groups(subject.subject_id, subject.groups)

    def subject(self, subject_id: str) -> Subject | None:
        """The subject, or None if nobody knows this pseudonym."""
        return next(iter(self._subjects([subject_id])), None)

    def known_subject(self, subject_id: str) -> Subject:
        """The subject.

        Raises:
            InputError: nobody knows this pseudonym.
        """
        subject = self.subject(subject_id)
        if subject is None:
            raise InputError("no-subject", subject=subject_id)
        return subject

    def subjects(self, group: str | None = None) -> list[Subject]:
        """All subjects, or those of a group, by pseudonym."""
        everyone = self._subjects(None)
        return [s for s in everyone if group is None or group in s.groups]

    def groups_of(self, subject_ids: Collection[str]) -> dict[str, list[str]]:
        """The groups of these subjects, by pseudonym; without those who are in none."""
        found: dict[str, list[str]] = defaultdict(list)
        rows = select(SubjectGroupRow.subject_id, SubjectGroupRow.group_name)
        rows = rows.where(SubjectGroupRow.subject_id.in_(sorted(subject_ids)))
        for subject_id, group in self._session.execute(rows.order_by(SubjectGroupRow.group_name)):
            found[subject_id].append(group)
        return dict(found)

    def group_names(self) -> list[str]:
        """All groups that somebody is in."""
        names = select(SubjectGroupRow.group_name).distinct().order_by(SubjectGroupRow.group_name)
        return [*self._session.scalars(names)]

    def of(self, subject_ids: Collection[str]) -> list[Subject]:
        """Those of these subjects who are known, by pseudonym."""
        return self._subjects(subject_ids)

    def set_groups(self, subject_id: str, groups: Iterable[str]) -> None:
        """Replace the groups of a subject.

        Raises:
            InputError: nobody knows this pseudonym, or a group is not usable.
        """
        self.lock([subject_id])
        self.known_subject(subject_id)
        self._session.execute(
            delete(SubjectGroupRow).where(SubjectGroupRow.subject_id == subject_id)
        )
        self._insert_groups(subject_id, frozenset(groups))

    def correct(self, subject_id: str, *, kind: Kind, born: date | None) -> None:
        """Correct what is recorded about a subject itself.

        Raises:
            InputError: nobody knows this pseudonym.
        """
        self.lock([subject_id])
        self.known_subject(subject_id)
        row = self._session.get_one(SubjectRow, subject_id, populate_existing=True)
        row.kind, row.born = Kind(kind).value, born
        self._session.flush()

    def _subjects(self, subject_ids: Collection[str] | None) -> list[Subject]:
        rows = select(SubjectRow.subject_id, SubjectRow.kind, SubjectRow.born)
        pairs = select(SubjectGroupRow.subject_id, SubjectGroupRow.group_name)
        if subject_ids is not None:
            rows = rows.where(SubjectRow.subject_id.in_(subject_ids))
            pairs = pairs.where(SubjectGroupRow.subject_id.in_(subject_ids))
        groups: dict[str, set[str]] = defaultdict(set)
        for subject_id, group in self._session.execute(pairs):
            groups[subject_id].add(group)
        return [
            Subject(subject_id, Kind(kind), frozenset(groups[subject_id]), born)
            for subject_id, kind, born in self._session.execute(
                rows.order_by(SubjectRow.subject_id)
            )
        ]

    def _insert_groups(self, subject_id: str, groups: frozenset[str]) -> None:
        for group in sorted(groups):
            _plain("group", group)
            self._session.execute(
                insert(SubjectGroupRow).values(subject_id=subject_id, group_name=group)
            )

    # -- events -----------------------------------------------------------------------------

    def append(self, given: Given, *, at: datetime) -> ConsentEvent:
        """Record an answer; see `append_all`."""
        return self.append_all([given], at=at)[0]

    def append_all(self, answers: Sequence[Given], *, at: datetime) -> list[ConsentEvent]:
        """Record answers, be it of a whole school, in few statements.

        A no is never recorded as older than what is in the ledger: it came last, whatever the
        clocks of two machines say.

        Args:
            answers: them, in order.
            at: the present moment.

        Raises:
            InputError: nobody knows a pseudonym, or an answer is not usable (`Given.check`).
        """
        self._require({given.subject_id for given in answers})
        for given in answers:
            given.check()
        newest = self._newest({a.subject_id for a in answers if a.answer is not Answer.GRANTED})
        rows = [self._row(given, at, newest) for given in answers]
        self._session.add_all(rows)
        self._session.flush()
        return [ConsentEvent(*(getattr(row, name) for name in _NAMES)) for row in rows]

    def _require(self, subject_ids: set[str]) -> None:
        """Lock all of them, who have to be known; an import has locked everybody at once."""
        if not subject_ids <= self._locked:
            self.lock(subject_ids - self._locked)
        for subject_id in sorted(subject_ids - self._locked):
            raise InputError("no-subject", subject=subject_id)

    def _newest(self, subject_ids: Collection[str]) -> dict[tuple[str, ...], datetime]:
        """When the last answer was recorded, by subject, channel and purpose."""
        key = ConsentEventRow.subject_id, ConsentEventRow.channel, ConsentEventRow.purpose
        query = select(*key, func.max(ConsentEventRow.recorded_at)).group_by(*key)
        query = query.where(ConsentEventRow.subject_id.in_(sorted(subject_ids)))
        return {(row[0], row[1], row[2]): row[3] for row in self._session.execute(query)}

    @staticmethod
    def _row(
        given: Given, at: datetime, newest: Mapping[tuple[str, ...], datetime]
    ) -> ConsentEventRow:
        if given.answer is not Answer.GRANTED:
            at = max(at, newest.get((given.subject_id, given.channel, given.purpose), at))
        return ConsentEventRow(
            subject_id=given.subject_id,
            channel=given.channel,
            purpose=given.purpose,
            answer=Answer(given.answer).value,
            signatory=str(given.signatory),
            signatory_id=given.signatory_id or None,
            evidence=given.evidence.strip(),
            wording=given.wording or None,
            valid_from=given.valid_from,
            valid_until=given.valid_until,
            recorded_at=at,
        )

    def events(
        self, subject_ids: Collection[str] | None = None, channel: str | None = None
    ) -> list[ConsentEvent]:
        """The events, in the order in which they were recorded."""
        query = select(*_COLUMNS).order_by(ConsentEventRow.event_id)
        if subject_ids is not None:
            query = query.where(ConsentEventRow.subject_id.in_(subject_ids))
        if channel is not None:
            query = query.where(ConsentEventRow.channel == channel)
        return [ConsentEvent(*row) for row in self._session.execute(query)]

    def rulings(
        self,
        subject_ids: Collection[str] | None = None,
        *,
        channel: str,
        purpose: str,
        now: datetime,
        zone: tzinfo,
        accepted_wordings: frozenset[str] | None,
        lock: bool = False,
    ) -> dict[str, Ruling]:
        """May they (None: everyone known) be shown on this channel now?

        The arguments are those of `core.consent.rule_on`. With `lock` consent cannot change
        until the end of the transaction, which must be one of `Database.write`.
        """
        if lock:
            self.lock(subject_ids)
        subjects = {subject.subject_id: subject for subject in self._subjects(subject_ids)}
        by_subject: dict[str, list[ConsentEvent]] = defaultdict(list)
        for event in self.events(subject_ids, channel):
            by_subject[event.subject_id].append(event)
        return {
            subject_id: rule_on(
                subjects.get(subject_id),
                by_subject[subject_id],
                channel=channel,
                purpose=purpose,
                now=now,
                zone=zone,
                accepted_wordings=accepted_wordings,
            )
            for subject_id in (subjects if subject_ids is None else subject_ids)
        }

    def lock(self, subject_ids: Collection[str] | None) -> None:
        """Keep others from changing the consent of these subjects until the transaction ends.

        On SQLite the transaction excludes other writers anyway (FOR UPDATE is not rendered).
        In one fixed order, so that two transactions never wait for each other.
        """
        query = select(SubjectRow.subject_id).order_by(SubjectRow.subject_id).with_for_update()
        if subject_ids is not None:
            query = query.where(SubjectRow.subject_id.in_(subject_ids))
        self._locked.update(self._session.scalars(query))


def _plain(field: str, value: str) -> None:
    """Refuse what could break a listing or a database (control characters, endless text)."""
    if not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        raise InputError("text-unusable", field=field, limit=MAX_TEXT)
