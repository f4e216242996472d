"""Consents from a parent app's export: read everything, compare with the ledger, then apply.

An import is a difference between the file and the ledger. Importing the same file twice changes
nothing; an empty cell is a no and withdraws what was granted; a yes in a file never undoes a no
that was brought some other way.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from mediaguard.core.consent import (
    UNATTRIBUTED,
    Answer,
    ConsentEvent,
    Signatory,
    Subject,
    second_of,
)
from mediaguard.errors import ConfigError
from mediaguard.store.ledger import SUBJECT_ID, Given, Ledger
from mediaguard.store.mapping import Columns, Mapping, Reply
from mediaguard.store.tabular import ImportRefused, Line, Problem, Source, read_bytes, read_csv

_IMPORTED = "import:"
"""How the evidence of a no begins that came from a file; see `_Comparison._outside_no`."""


class What(StrEnum):
    """What a line of the difference does."""

    ADD = "add"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One row of the file, understood; `answers` holds the replies by channel."""

    line: int
    subject_id: str
    signatory: Signatory | None
    signatory_id: str | None
    evidence: str
    wording: str | None
    valid_from: date | None
    valid_until: date | None
    answers: MappingType[str, Reply]


@dataclass(frozen=True, slots=True)
class ConsentFile:
    """A file that was understood whole.

    Attributes:
        rows: in the order of the file.
        digest: beginning of its SHA-256, to find it again from the evidence.
        columns: which it has; what it has no column for, it says nothing about.
    """

    rows: Sequence[ConsentRow]
    digest: str
    columns: Columns

    @property
    def by_person(self) -> bool:
        """Whether several rows may be about one subject, each of another signatory."""
        return self.columns.signatory_id is not None


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the difference between file and ledger.

    Attributes:
        what: KEPT is a yes in the file that is not taken over, because a no stands, or because
            the yes on record has ended and the file has no column that could say otherwise.
        subject_id, channel: about whom and what; no channel when a subject is added.
        row: where it comes from.
        signatory, signatory_id: in whose name it is recorded.
        since: from when on it is a no, if it is KEPT.
    """

    what: What
    subject_id: str
    row: ConsentRow
    channel: str | None = None
    signatory: str = UNATTRIBUTED
    signatory_id: str | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The difference: what would be recorded, and how many answers are on record already.

    Attributes:
        questions: so many pictures were found, once it was recorded, in which somebody may be
            shown under another name.
    """

    changes: Sequence[Change]
    unchanged: int
    digest: str
    questions: int = 0

    def count(self, what: What) -> int:
        """How many changes of a sort there are."""
        return sum(change.what is what for change in self.changes)

    @property
    def fingerprint(self) -> str:
        """The same for the same changes: to know whether this is what somebody saw before."""
        return hashlib.sha256(repr(list(self.changes)).encode()).hexdigest()


def read_consents(path: Source, mapping: Mapping) -> ConsentFile:
    """Read and understand the whole file.

    Raises:
        ImportRefused: it has mistakes; all of them are named.
        InputError: it cannot be read.
    """
    lines, problems = read_csv(
        path,
        delimiter=mapping.csv.delimiter,
        encoding=mapping.csv.encoding,
        required=mapping.headings,
    )
    reader = _RowReader(mapping, problems)
    rows = [row for row in map(reader.read, lines) if row is not None]
    if problems:
        raise ImportRefused(path, sorted(problems, key=lambda p: p.line))
    digest = hashlib.sha256(read_bytes(path)).hexdigest()[:12]
    return ConsentFile(rows, digest, mapping.columns)


def plan_consents(
    path: Source,
    file: ConsentFile,
    ledger: Ledger,
    *,
    purposes: MappingType[str, str],
    zone: tzinfo,
    now: datetime,
    add_subjects: bool = False,
) -> Plan:
    """Compare the file with the ledger.

    Args:
        path: for messages only.
        file: what it says.
        ledger: what is on record; lock it first if the plan is to be applied.
        purposes: what each configured channel is for.
        zone: the school's time zone.
        now: the moment of the import, with its zone.
        add_subjects: add unknown subjects instead of refusing them.

    Raises:
        ConfigError: the file answers for a channel that is not configured.
        ImportRefused: a subject is not known.
    """
    for channel in {channel for row in file.rows for channel in row.answers}:
        if channel not in purposes:
            raise ConfigError("mapping-channel", path=path.name, channel=channel)
    known = {subject.subject_id for subject in ledger.subjects()}
    unknown = {row.subject_id: row for row in file.rows if row.subject_id not in known}
    if unknown and not add_subjects:
        raise ImportRefused(
            path,
            [
                Problem(row.line, "", "problem-subject-unknown", {"value": row.subject_id})
                for row in unknown.values()
            ],
        )
    history: dict[tuple[str, str], list[ConsentEvent]] = defaultdict(list)
    for event in ledger.events():
        if purposes.get(event.channel) == event.purpose:
            history[event.subject_id, event.channel].append(event)
    changes = [Change(What.ADD, subject_id, row) for subject_id, row in unknown.items()]
    unchanged = 0
    for row in file.rows:
        for channel, reply in row.answers.items():
            comparison = _Comparison(row, file, history[row.subject_id, channel], zone, now)
            change = comparison.change(channel, reply)
            if change is None:
                unchanged += 1
            else:
                changes.append(change)
    return Plan(changes, unchanged, file.digest)


def apply_consents(
    plan: Plan, ledger: Ledger, *, purposes: MappingType[str, str], at: datetime
) -> list[ConsentEvent]:
    """Record the plan within the caller's transaction: all of it, or at an error nothing."""
    unknown = [Subject(c.subject_id) for c in plan.changes if c.what is What.ADD]
    ledger.add_subjects(unknown, at=at)
    answers = []
    for change in plan.changes:
        if change.what in (What.ADD, What.KEPT) or change.channel is None:
            continue
        row, source = change.row, f"{_IMPORTED}{plan.digest}:{change.row.line}"
        granted = change.what is What.GRANTED
        answers.append(
            Given(
                change.subject_id,
                channel=change.channel,
                purpose=purposes[change.channel],
                answer=Answer(change.what.value),
                signatory=change.signatory,
                signatory_id=change.signatory_id,
                evidence=(row.evidence or source) if granted else source,
                wording=row.wording if granted else None,
                valid_from=row.valid_from if granted else None,
                valid_until=row.valid_until if granted else None,
            )
        )
    return ledger.append_all(answers, at=at)


class _RowReader:
    """Understands single rows and collects the mistakes."""

    def __init__(self, mapping: Mapping, problems: list[Problem]) -> None:
        self._mapping = mapping
        self._problems = problems
        self._seen: dict[tuple[str, str], int] = {}

    def read(self, line: Line) -> ConsentRow | None:
        """The row, or None if there was a mistake in it."""
        before = len(self._problems)
        columns = self._mapping.columns
        subject_id = self._subject(line)
        answers = self._answers(line)
        said = self._cell(line, columns.signatory)
        signatory = self._mapping.signatory_of(said)
        if signatory is None and (said or Reply.YES in answers.values()):
            expected = (*self._mapping.signatory.guardian, *self._mapping.signatory.subject)
            self._add(
                line,
                columns.signatory or "",
                "problem-signatory",
                value=said,
                expected=" / ".join(expected),
            )
        valid_from = self._date(line, columns.valid_from)
        valid_until = self._date(line, columns.valid_until)
        if valid_from and valid_until and valid_until < valid_from:
            self._add(line, columns.valid_until or "", "problem-dates")
        if len(self._problems) > before:
            return None
        return ConsentRow(
            line.number,
            subject_id,
            signatory,
            self._cell(line, columns.signatory_id) or None,
            self._cell(line, columns.evidence),
            self._cell(line, columns.wording) or None,
            valid_from,
            valid_until,
            answers,
        )

    def _subject(self, line: Line) -> str:
        column = self._mapping.columns.subject
        subject_id = line.cells[column]
        person = (subject_id, self._cell(line, self._mapping.columns.signatory_id))
        if not subject_id:
            self._add(line, column, "problem-subject-missing")
        elif not SUBJECT_ID.fullmatch(subject_id):
            self._add(line, column, "problem-subject-invalid", value=subject_id)
        elif person in self._seen:
            earlier = self._seen[person]
            self._add(line, column, "problem-subject-twice", value=subject_id, earlier=earlier)
        self._seen.setdefault(person, line.number)
        return subject_id

    def _answers(self, line: Line) -> dict[str, Reply]:
        answers = {}
        for channel, heading in self._mapping.channels.items():
            cell = line.cells[heading]
            answer = self._mapping.answer(cell)
            if answer is None:
                words = (*self._mapping.values.yes, *self._mapping.values.no)
                self._add(line, heading, "problem-value", value=cell, expected=" / ".join(words))
            else:
                answers[channel] = answer
        return answers

    def _date(self, line: Line, column: str | None) -> date | None:
        cell = self._cell(line, column)
        if not cell:
            return None
        form = self._mapping.csv.dates
        try:
            return datetime.strptime(cell, form).replace(tzinfo=UTC).date()
        except ValueError:
            example = date(2026, 8, 31).strftime(form)
            self._add(line, column or "", "problem-date", value=cell, example=example)
            return None

    @staticmethod
    def _cell(line: Line, column: str | None) -> str:
        return line.cells[column] if column is not None else ""

    def _add(self, line: Line, column: str, code: str, **params: object) -> None:
        self._problems.append(Problem(line.number, column, code, params))


class _Comparison:
    """Compares one answer of a row with what is on record about the subject and channel."""

    def __init__(
        self,
        row: ConsentRow,
        file: ConsentFile,
        history: Sequence[ConsentEvent],
        zone: tzinfo,
        now: datetime,
    ) -> None:
        self._row = row
        self._file = file
        self._zone = zone
        self._today = now.astimezone(zone).date()
        self._history = sorted(history, key=lambda e: (e.recorded_at, e.event_id))
        signatory = row.signatory.value if row.signatory else UNATTRIBUTED
        self._person = _person(signatory, row.signatory_id)

    def change(self, channel: str, reply: Reply) -> Change | None:
        """What the reply changes; None if it is on record."""
        if reply is Reply.YES:
            return self._yes(channel)
        return self._no(channel, refused=reply is Reply.NO)

    def _yes(self, channel: str) -> Change | None:
        mine = [e for e in self._history if _person(e.signatory, e.signatory_id) == self._person]
        last = mine[-1] if mine else None
        outside = self._outside_no(last)
        if outside is not None:
            return self._kept(channel, outside.recorded_at.astimezone(self._zone).date())
        change = self._change(What.GRANTED, channel, *self._person)
        if last is None or any(
            second_of(e) == second_of(last) and e.answer != Answer.GRANTED for e in mine
        ):
            return change
        if self._file.columns.valid_until is None and last.valid_until:
            ended = last.valid_until + timedelta(days=1)
            if ended <= self._today:
                return self._kept(channel, ended)
        change = replace(change, row=self._completed(last))
        return None if self._is_same(last, change.row) else change

    def _kept(self, channel: str, since: date) -> Change:
        return replace(self._change(What.KEPT, channel, *self._person), since=since)

    def _no(self, channel: str, *, refused: bool) -> Change | None:
        standing = self._standing()
        if self._person in standing:
            return self._change(What.WITHDRAWN, channel, *self._person)
        if standing and not self._file.by_person:
            # One row speaks for the subject: somebody's yes is on record that is no more.
            return self._change(What.WITHDRAWN, channel, UNATTRIBUTED, None)
        if refused and not any(
            _person(e.signatory, e.signatory_id) == self._person for e in self._history
        ):
            return self._change(What.REFUSED, channel, *self._person)
        return None

    def _completed(self, grant: ConsentEvent) -> ConsentRow:
        """The row, and what the file has no column for as it was in the yes on record.

        A yes that is said again without its end date or wording does not lose them.
        """
        row, columns = self._row, self._file.columns
        return replace(
            row,
            wording=row.wording if columns.wording else grant.wording,
            valid_from=row.valid_from if columns.valid_from else grant.valid_from,
            valid_until=row.valid_until if columns.valid_until else grant.valid_until,
        )

    @staticmethod
    def _is_same(grant: ConsentEvent, row: ConsentRow) -> bool:
        return (grant.wording, grant.valid_from, grant.valid_until) == (
            row.wording,
            row.valid_from,
            row.valid_until,
        ) and (not row.evidence or grant.evidence == row.evidence)

    def _outside_no(self, last: ConsentEvent | None) -> ConsentEvent | None:
        """The newest no that somebody brought by another way than a file, if it still stands.

        A parent who withdraws at the school's desk must not be overruled by next week's
        export, in which the app still says yes.
        """
        noes = [
            event
            for event in self._history
            if event.answer != Answer.GRANTED and not event.evidence.startswith(_IMPORTED)
        ]
        if not noes:
            return None
        undone = last is not None and last.answer == Answer.GRANTED and _after(last, noes[-1])
        return None if undone else noes[-1]

    def _standing(self) -> set[tuple[str, str | None]]:
        """Whose yes is the last word, and not followed by a no of nobody knows whom."""
        latest = {_person(e.signatory, e.signatory_id): e for e in self._history}
        unattributed = [e for p, e in latest.items() if p[0] not in tuple(Signatory)]
        return {
            person
            for person, event in latest.items()
            if event.answer == Answer.GRANTED and all(_after(event, no) for no in unattributed)
        }

    def _change(self, what: What, channel: str, signatory: str, signatory_id: str | None) -> Change:
        return Change(what, self._row.subject_id, self._row, channel, signatory, signatory_id)


def _person(signatory: str, signatory_id: str | None) -> tuple[str, str | None]:
    """The key by which `core.consent` tells signatories apart."""
    return signatory, signatory_id if signatory == Signatory.GUARDIAN else None


def _after(event: ConsentEvent, other: ConsentEvent) -> bool:
    """As `core.consent` sees it: within one second a no is the last word."""
    return second_of(event) > second_of(other)
