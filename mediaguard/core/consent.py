"""Consent: "may this subject be shown on this channel, now?", folded from events.

The rules, with their reasons, stand in docs/decisions/0006-consent-rules.md. In short: only a
clear, current yes of *every* person who may decide counts, and whatever is missing, unreadable,
ambiguous or contested is a no.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum

MATCHING = "matching"
"""The reserved channel, and its purpose: consent to be recognised by face (biometric opt-in)."""

UNATTRIBUTED = "unattributed"
"""Recorded as the signatory when a no was brought by nobody knows whom: it counts as everyone's."""

AGE_OF_CONSENT = 16
"""From this birthday on the subject decides (GDPR art. 8 and UAVG art. 5)."""


class Kind(StrEnum):
    """What a subject is to the school."""

    STUDENT = "student"
    STAFF = "staff"


class Signatory(StrEnum):
    """In which role somebody answered."""

    GUARDIAN = "guardian"
    SUBJECT = "subject"


class Answer(StrEnum):
    """What was answered."""

    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Rule(StrEnum):
    """Which rule decided; each is worded in `mediaguard.texts`."""

    GRANTED = "consent-granted"
    NONE = "consent-none"
    REFUSED = "consent-refused"
    WITHDRAWN = "consent-withdrawn"
    UNCLEAR = "consent-unclear"
    SIGNATORY = "consent-signatory"
    WORDING = "consent-wording"
    EXPIRED = "consent-expired"
    NOT_YET = "consent-not-yet"
    SUBJECT_UNKNOWN = "subject-unknown"


@dataclass(frozen=True, slots=True)
class Subject:
    """A person under a pseudonym.

    Attributes:
        subject_id: the pseudonym.
        kind: student or staff.
        groups: classes or teams.
        born: date of birth; None if the school did not give it.
    """

    subject_id: str
    kind: Kind = Kind.STUDENT
    groups: frozenset[str] = frozenset()
    born: date | None = None


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One answer, as it was recorded; never changed afterwards.

    Attributes:
        event_id: its number in the ledger.
        subject_id: about whom.
        channel, purpose: for what.
        answer: an `Answer`; any other value is kept as it is and means no.
        signatory: a `Signatory`; any other value means that nobody knows who answered.
        signatory_id: pseudonym that tells several guardians apart.
        evidence: where the proof can be found; a grant without it is not demonstrable.
        wording: version of the text that was agreed to.
        valid_from, valid_until: first and last day (inclusive) in the school's time zone.
        recorded_at: when it was recorded, with its zone.

    Raises:
        ValueError: `recorded_at` has no zone.
    """

    event_id: int
    subject_id: str
    channel: str
    purpose: str
    answer: str
    signatory: str
    signatory_id: str | None
    evidence: str
    wording: str | None
    valid_from: date | None
    valid_until: date | None
    recorded_at: datetime

    def __post_init__(self) -> None:
        _require_zone(self.recorded_at)


@dataclass(frozen=True, slots=True)
class Ruling:
    """May the subject be shown?

    Attributes:
        allowed: True only for a clear, current yes.
        rule: a `Rule`: which one decided.
        event_id: the event that decided; None if there is none.
    """

    allowed: bool
    rule: str
    event_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Stand:
    """Where one signatory stands: the answer of the last second in which there was one."""

    second: datetime
    rule: Rule
    event_id: int


_GRAVEST_FIRST = tuple(Rule)[2:]
"""Of several reasons for a no, the one that is named: an answer first, a formality last."""


def sixteenth_birthday(born: date) -> date:
    """The first day on which the subject decides.

    Somebody born on 29 February turns 16 in a year without one only in 2100: then the
    28th counts, because a guardian's yes must not outlive the birthday.
    """
    try:
        return born.replace(year=born.year + AGE_OF_CONSENT)
    except ValueError:
        return date(born.year + AGE_OF_CONSENT, 2, 28)


def rightful_signatory(subject: Subject, day: date) -> Signatory:
    """Who may consent for `subject` on `day` (in the school's time zone)."""
    if subject.kind is Kind.STAFF:
        return Signatory.SUBJECT
    if subject.born is not None and day >= sixteenth_birthday(subject.born):
        return Signatory.SUBJECT
    return Signatory.GUARDIAN


def rule_on(
    subject: Subject | None,
    events: Iterable[ConsentEvent],
    *,
    channel: str,
    purpose: str,
    now: datetime,
    zone: tzinfo,
    accepted_wordings: frozenset[str] | None,
) -> Ruling:
    """Fold the events into a ruling; their order and repetition do not matter.

    Args:
        subject: None if nobody knows this pseudonym.
        events: of any subject, channel and purpose; only those that fit are read.
        channel: where the subject would be shown.
        purpose: what for.
        now: the moment of showing, with its zone.
        zone: the school's time zone, in which dates and birthdays count.
        accepted_wordings: the wordings that count; None if all do.

    Raises:
        ValueError: `now` has no zone.
    """
    _require_zone(now)
    if subject is None:
        return Ruling(False, Rule.SUBJECT_UNKNOWN)
    mine = [
        event
        for event in events
        if (event.subject_id, event.channel, event.purpose)
        == (subject.subject_id, channel, purpose)
    ]
    if not mine:
        return Ruling(False, Rule.NONE)

    judge = _Judge(subject, now, zone, accepted_wordings)
    rightful, others, unattributed = judge.stands(mine)
    if not rightful:
        objections = unattributed or [s for s in others if s.rule is not Rule.SIGNATORY] or others
        return _no(objections)
    if not all(stand.rule is Rule.GRANTED for stand in rightful):
        return _no([stand for stand in rightful if stand.rule is not Rule.GRANTED])

    # A no of which nobody knows whose it is may be anyone's, so each signatory must have said
    # yes after it. A no of somebody who may not decide lapses with any later yes of one who may.
    oldest, newest = min(s.second for s in rightful), max(s.second for s in rightful)
    objections = [stand for stand in unattributed if stand.second >= oldest]
    objections += [
        stand for stand in others if stand.rule is not Rule.SIGNATORY and stand.second >= newest
    ]
    if objections:
        return _no(objections)
    relied_upon = max(rightful, key=lambda stand: (stand.second, stand.event_id))
    return Ruling(True, Rule.GRANTED, relied_upon.event_id)


class _Judge:
    """Judges single answers for one subject at one moment."""

    def __init__(
        self, subject: Subject, now: datetime, zone: tzinfo, wordings: frozenset[str] | None
    ) -> None:
        self._subject = subject
        self._now = now
        self._zone = zone
        self._today = now.astimezone(zone).date()
        self._wordings = wordings
        self._rightful = rightful_signatory(subject, self._today)

    def stands(
        self, events: Sequence[ConsentEvent]
    ) -> tuple[list[_Stand], list[_Stand], list[_Stand]]:
        """Where those stand who may decide, those who may not, and the answers of nobody known."""
        by_signatory: dict[tuple[str, str | None], list[ConsentEvent]] = defaultdict(list)
        for event in events:
            # Guardians are told apart by their pseudonym; a subject is one person.
            person = event.signatory_id if event.signatory == Signatory.GUARDIAN else None
            by_signatory[event.signatory, person].append(event)
        rightful, others, unattributed = [], [], []
        for (signatory, _), answers in by_signatory.items():
            stand = self._stand(answers)
            if signatory == self._rightful:
                rightful.append(stand)
            elif signatory in tuple(Signatory):
                others.append(stand)
            else:
                unattributed.append(stand)
        return rightful, others, unattributed

    def _stand(self, answers: Sequence[ConsentEvent]) -> _Stand:
        # Clocks of several machines and the columns of an import are not better than a second:
        # within one, the gravest answer counts.
        last = max(map(second_of, answers))
        judged = [(self._rule(a), a.event_id) for a in answers if second_of(a) == last]
        noes = [pair for pair in judged if pair[0] is not Rule.GRANTED]
        if noes:
            rule, event_id = min(noes, key=lambda p: (_GRAVEST_FIRST.index(p[0]), p[1]))
            return _Stand(last, rule, event_id)
        return _Stand(last, Rule.GRANTED, max(event_id for _, event_id in judged))

    def _rule(self, event: ConsentEvent) -> Rule:
        if event.answer == Answer.REFUSED:
            return Rule.REFUSED
        if event.answer == Answer.WITHDRAWN:
            return Rule.WITHDRAWN
        if event.answer != Answer.GRANTED or not event.evidence.strip():
            return Rule.UNCLEAR
        if event.signatory not in tuple(Signatory):
            return Rule.UNCLEAR
        if event.signatory != self._rightful or self._given_too_young(event):
            return Rule.SIGNATORY
        if self._wordings is not None and event.wording not in self._wordings:
            return Rule.WORDING
        if event.recorded_at > self._now:
            return Rule.NOT_YET
        if event.valid_from is not None and self._today < event.valid_from:
            return Rule.NOT_YET
        if event.valid_until is not None and self._today > event.valid_until:
            return Rule.EXPIRED
        return Rule.GRANTED

    def _given_too_young(self, event: ConsentEvent) -> bool:
        """Whether a student gave its own consent before it was 16, so that it does not count."""
        if self._subject.kind is Kind.STAFF:
            return False
        if event.signatory != Signatory.SUBJECT or self._subject.born is None:
            return False
        given = event.recorded_at.astimezone(self._zone).date()
        if event.valid_from is not None:  # entered later than it was given
            given = min(given, event.valid_from)
        return given < sixteenth_birthday(self._subject.born)


def second_of(event: ConsentEvent) -> datetime:
    """When it was recorded, as finely as moments are compared."""
    return event.recorded_at.astimezone(UTC).replace(microsecond=0)


def _no(objections: Sequence[_Stand]) -> Ruling:
    stand = min(objections, key=lambda s: (_GRAVEST_FIRST.index(s.rule), s.event_id))
    return Ruling(False, stand.rule, stand.event_id)


def _require_zone(moment: datetime) -> None:
    if moment.utcoffset() is None:
        raise ValueError("a moment without a time zone could be any of 24 hours")
