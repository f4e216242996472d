"""Lists of subjects: a CSV with pseudonyms, or the EDEXML of a Dutch school's administration.

Of EDEXML 2.1 only the key, the group and the date of birth of a pupil are kept; names are never
collected from the parser.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.parsers import expat

from mediaguard.core.consent import Kind, Subject
from mediaguard.store.ledger import SUBJECT_ID, Ledger
from mediaguard.store.tabular import ImportRefused, Line, Problem, Source, read_bytes, read_csv

_HEADINGS = ("subject_id", "kind", "groups", "born")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class RosterPlan:
    """What an import of subjects changes.

    Attributes:
        added: subjects that are new.
        changed: subjects as they will be; they differ from the record.
        unchanged: how many are on record as they are.
        missing: known subjects that the file does not name; they are left as they are.
        questions: see `importing.Plan`.
    """

    added: Sequence[Subject]
    changed: Sequence[Subject]
    unchanged: int
    missing: Sequence[str]
    questions: int = 0

    @property
    def fingerprint(self) -> str:
        """The same for the same changes: to know whether this is what somebody saw before."""
        told = [
            [(s.subject_id, s.kind.value, sorted(s.groups), s.born) for s in subjects]
            for subjects in (self.added, self.changed)
        ]
        return hashlib.sha256(repr(told).encode()).hexdigest()


def read_roster(path: Source) -> list[Subject]:
    """Read a list of subjects; EDEXML if the name ends in .xml, CSV otherwise.

    Raises:
        ImportRefused: it has mistakes; all of them are named.
        InputError: it cannot be read.
    """
    problems: list[Problem] = []
    entries = _from_edexml(path) if path.suffix.lower() == ".xml" else _from_csv(path, problems)
    subjects: dict[str, Subject] = {}
    lines: dict[str, int] = {}
    for line, subject_id, kind, groups, born in entries:
        subject = _subject(line, subject_id, kind, groups, born, problems)
        if subject is None:
            continue
        if subject_id in subjects:
            params = {"value": subject_id, "earlier": lines[subject_id]}
            problems.append(Problem(line, "", "problem-subject-twice", params))
        subjects[subject_id] = subject
        lines.setdefault(subject_id, line)
    if problems:
        raise ImportRefused(path, sorted(problems, key=lambda p: p.line))
    return list(subjects.values())


def plan_roster(subjects: Sequence[Subject], ledger: Ledger) -> RosterPlan:
    """Compare the list with what is on record; a missing date of birth never erases one."""
    known = {subject.subject_id: subject for subject in ledger.subjects()}
    added, changed, unchanged = [], [], 0
    for subject in subjects:
        before = known.get(subject.subject_id)
        if before is None:
            added.append(subject)
            continue
        born = subject.born or before.born
        after = Subject(subject.subject_id, subject.kind, subject.groups, born)
        if after == before:
            unchanged += 1
        else:
            changed.append(after)
    named = {subject.subject_id for subject in subjects}
    return RosterPlan(added, changed, unchanged, [s for s in known if s not in named])


def apply_roster(plan: RosterPlan, ledger: Ledger, *, at: datetime) -> None:
    """Record the plan within the caller's transaction."""
    ledger.add_subjects(plan.added, at=at)
    for subject in plan.changed:
        ledger.correct(subject.subject_id, kind=subject.kind, born=subject.born)
        ledger.set_groups(subject.subject_id, subject.groups)


_Entry = tuple[int, str, str, list[str], str]
"""Line, pseudonym, kind, groups, date of birth; as text."""


def _from_csv(path: Source, problems: list[Problem]) -> list[_Entry]:
    heading = read_bytes(path).split(b"\n", 1)[0]
    delimiter = ";" if b";" in heading else ","
    lines, found = read_csv(path, delimiter=delimiter, encoding="utf-8", required=_HEADINGS[:1])
    problems += found
    return [_entry(line) for line in lines]


def _entry(line: Line) -> _Entry:
    subject_id, kind, groups, born = (line.cells.get(heading, "") for heading in _HEADINGS)
    return (
        line.number,
        subject_id,
        kind or Kind.STUDENT.value,
        [group.strip() for group in groups.split("|") if group.strip()],
        born,
    )


def _subject(
    line: int, subject_id: str, kind: str, groups: list[str], born: str, problems: list[Problem]
) -> Subject | None:
    before = len(problems)
    if not subject_id:
        problems.append(Problem(line, "subject_id", "problem-subject-missing"))
    elif not SUBJECT_ID.fullmatch(subject_id):
        params = {"value": subject_id}
        problems.append(Problem(line, "subject_id", "problem-subject-invalid", params))
    if kind not in tuple(Kind):
        problems.append(Problem(line, "kind", "problem-kind", {"value": kind}))
    if any(len(group) > 64 or not group.isprintable() for group in groups):
        problems.append(Problem(line, "groups", "problem-text", {"limit": 64}))
    day = _date(born)
    if born and day is None:
        params = {"value": born, "example": "2013-08-31"}
        problems.append(Problem(line, "born", "problem-date", params))
    if len(problems) > before:
        return None
    return Subject(subject_id, Kind(kind), frozenset(groups), day)


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(value) if _DATE.fullmatch(value) else None
    except ValueError:
        return None


def _from_edexml(path: Source) -> list[_Entry]:
    reader = _Edexml()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, attributes: reader.start(
        parser.CurrentLineNumber, name, attributes
    )
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    # Entities can only be declared in a document type, so refusing it refuses them all.
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(read_bytes(path), True)
    except _DocumentTypeError:
        problem = Problem(parser.CurrentLineNumber, "", "problem-xml-dtd")
        raise ImportRefused(path, [problem]) from None
    except (expat.ExpatError, LookupError, ValueError) as error:
        problem = Problem(parser.CurrentLineNumber, "", "problem-xml", {"detail": str(error)})
        raise ImportRefused(path, [problem]) from None
    if not reader.is_edexml:
        raise ImportRefused(path, [Problem(1, "", "problem-not-edexml")])
    return [
        (line, key, Kind.STUDENT.value, [reader.group_names.get(g, g) for g in groups], born)
        for line, key, groups, born in reader.pupils
    ]


class _DocumentTypeError(Exception):
    pass


def _refuse(*_: object) -> None:
    raise _DocumentTypeError


class _Edexml:
    """Collects what is needed from the parser's events, and lets everything else pass by."""

    def __init__(self) -> None:
        self.is_edexml = False
        self.group_names: dict[str, str] = {}
        self.pupils: list[tuple[int, str, list[str], str]] = []
        self._path: list[str] = []
        self._group = ""
        self._wanted: list[str] | None = None

    def start(self, line: int, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(" ")[2])
        match self._path:
            case ["EDEX"]:
                self.is_edexml = True
            case ["EDEX", "groepen", "groep"]:
                self._group = attributes.get("key", "")
            case ["EDEX", "leerlingen", "leerling"]:
                self.pupils.append((line, attributes.get("key", ""), [], ""))
            case ["EDEX", "leerlingen", "leerling", "groep"]:
                self.pupils[-1][2].append(attributes.get("key", ""))
            case ["EDEX", "groepen", "groep", "naam"]:
                self._wanted = []
            case ["EDEX", "leerlingen", "leerling", "geboortedatum"]:
                self._wanted = []

    def text(self, data: str) -> None:
        if self._wanted is not None:
            self._wanted.append(data)

    def end(self, _: str) -> None:
        name = self._path.pop()
        if self._wanted is None:
            return
        value, self._wanted = "".join(self._wanted).strip(), None
        if name == "naam":
            self.group_names[self._group] = value
        elif name == "geboortedatum":
            line, key, groups, _born = self.pupils[-1]
            self.pupils[-1] = (line, key, groups, value)
