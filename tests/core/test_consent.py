"""The consent rules: every way in which a yes could be had without one is tried."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.core.consent import (
    UNATTRIBUTED,
    Answer,
    ConsentEvent,
    Kind,
    Rule,
    Signatory,
    Subject,
    rightful_signatory,
    rule_on,
    sixteenth_birthday,
)

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
CHILD = Subject("s1", born=date(2015, 5, 5))
PUPIL = Subject("s1", born=date(2009, 5, 5))  # 16 since 5 May 2025
UNKNOWN_AGE = Subject("s1")
TEACHER = Subject("s1", kind=Kind.STAFF)


def an_event(answer="granted", signatory="guardian", *, ago=10.0, **fields):
    """An event on the website, `ago` days before NOW."""
    defaults = {
        "event_id": 1,
        "subject_id": "s1",
        "channel": "website",
        "purpose": "publicity",
        "answer": answer,
        "signatory": signatory,
        "signatory_id": None,
        "evidence": "form 7",
        "wording": "2026-1",
        "valid_from": None,
        "valid_until": None,
        "recorded_at": NOW - timedelta(days=ago),
    }
    return ConsentEvent(**(defaults | fields))


def ruling(events, subject=CHILD, *, now=NOW, zone=AMSTERDAM, wordings=None):
    return rule_on(
        subject,
        events,
        channel="website",
        purpose="publicity",
        now=now,
        zone=zone,
        accepted_wordings=wordings,
    )


def rule(events, subject=CHILD, **context):
    result = ruling(events, subject, **context)
    assert result.allowed is (result.rule == Rule.GRANTED)
    return result.rule


# -- one answer -----------------------------------------------------------------------------


def test_a_clear_yes_of_a_guardian_is_a_yes_and_is_named():
    result = ruling([an_event(event_id=7)])
    assert (result.allowed, result.rule, result.event_id) == (True, "consent-granted", 7)


def test_without_subject_or_answer_it_is_no():
    assert rule([an_event()], subject=None) == "subject-unknown"
    assert rule([]) == "consent-none"


@pytest.mark.parametrize(
    "other",
    [{"channel": "facebook"}, {"purpose": "archive"}, {"subject_id": "s2"}, {"channel": "Website"}],
)
def test_a_yes_for_something_or_somebody_else_never_counts(other):
    assert rule([an_event(**other)]) == "consent-none"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("refused", "consent-refused"),
        ("withdrawn", "consent-withdrawn"),
        ("yes", "consent-unclear"),
        ("GRANTED", "consent-unclear"),
        ("granted ", "consent-unclear"),
        ("", "consent-unclear"),
    ],
)
@pytest.mark.parametrize("signatory_id", [None, "g1"])
def test_any_other_answer_overrides_an_earlier_yes(answer, expected, signatory_id):
    events = [
        an_event(ago=9, signatory_id=signatory_id),
        an_event(answer, ago=8, event_id=2, signatory_id=signatory_id),
    ]
    result = ruling(events)
    assert (result.allowed, result.rule, result.event_id) == (False, expected, 2)


def test_a_yes_without_evidence_cannot_be_demonstrated():
    assert rule([an_event(evidence=" ")]) == "consent-unclear"


def test_consent_may_be_given_again():
    events = [an_event(ago=9), an_event("withdrawn", ago=8), an_event(ago=7, event_id=3)]
    assert ruling(events).event_id == 3


def test_in_the_same_second_the_no_wins():
    moment = datetime(2026, 3, 1, 10, 0, 0, 900_000, tzinfo=UTC)
    refusal = an_event("refused", recorded_at=moment.replace(microsecond=1), event_id=1)
    grant = an_event(recorded_at=moment, event_id=2)
    assert rule([refusal, grant]) == "consent-refused"


# -- wording and dates ----------------------------------------------------------------------


def test_only_accepted_wordings_count():
    assert rule([an_event()], wordings=frozenset({"2026-1"})) == "consent-granted"
    assert rule([an_event()], wordings=frozenset({"2027-1"})) == "consent-wording"
    assert rule([an_event(wording=None)], wordings=frozenset({"2026-1"})) == "consent-wording"
    assert rule([an_event()], wordings=frozenset()) == "consent-wording"


def test_the_last_day_counts_until_midnight_at_school():
    events = [an_event(valid_until=date(2026, 3, 2), ago=300)]
    last_moment = datetime(2026, 3, 2, 23, 59, 59, 999_999, tzinfo=AMSTERDAM)
    assert rule(events, now=last_moment) == "consent-granted"
    assert rule(events, now=last_moment + timedelta(microseconds=1)) == "consent-expired"


def test_the_first_day_counts_from_midnight_at_school():
    events = [an_event(valid_from=date(2026, 3, 2), ago=300)]
    midnight = datetime(2026, 3, 2, tzinfo=AMSTERDAM)
    assert rule(events, now=midnight) == "consent-granted"
    assert rule(events, now=midnight - timedelta(microseconds=1)) == "consent-not-yet"


def test_a_consent_that_ends_before_it_begins_never_holds():
    events = [an_event(valid_from=date(2026, 3, 5), valid_until=date(2026, 3, 1), ago=300)]
    for day in range(1, 9):
        assert not ruling(events, now=datetime(2026, 3, day, 12, tzinfo=UTC)).allowed


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])  # clocks change
def test_a_day_on_which_the_clocks_change_ends_at_its_own_midnight(day):
    events = [an_event(valid_until=day, ago=300)]
    midnight = datetime(day.year, day.month, day.day, tzinfo=AMSTERDAM) + timedelta(days=1)
    midnight = midnight.astimezone(UTC)
    assert rule(events, now=midnight - timedelta(microseconds=1)) == "consent-granted"
    assert rule(events, now=midnight) == "consent-expired"


def test_a_yes_from_a_clock_that_is_ahead_waits():
    assert rule([an_event(ago=-0.001)]) == "consent-not-yet"


def test_moments_without_a_zone_are_refused():
    with pytest.raises(ValueError, match="zone"):
        ruling([an_event()], now=datetime(2026, 3, 2, 12))  # noqa: DTZ001
    with pytest.raises(ValueError, match="zone"):
        an_event(recorded_at=datetime(2026, 3, 1))  # noqa: DTZ001


# -- who may decide -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "signatory", "expected"),
    [
        (CHILD, "guardian", "consent-granted"),
        (CHILD, "subject", "consent-signatory"),
        (PUPIL, "guardian", "consent-signatory"),
        (PUPIL, "subject", "consent-granted"),
        (UNKNOWN_AGE, "guardian", "consent-granted"),
        (UNKNOWN_AGE, "subject", "consent-signatory"),
        (TEACHER, "guardian", "consent-signatory"),
        (TEACHER, "subject", "consent-granted"),
        (CHILD, "school", "consent-unclear"),
        (CHILD, "Guardian", "consent-unclear"),
        (PUPIL, "", "consent-unclear"),
        (CHILD, UNATTRIBUTED, "consent-unclear"),
    ],
)
def test_only_the_rightful_signatory_can_say_yes(subject, signatory, expected):
    assert rule([an_event(signatory=signatory)], subject) == expected


def test_staff_decides_itself_at_any_age():
    young = Subject("s1", kind=Kind.STAFF, born=date(2011, 1, 1))
    assert rule([an_event(signatory="subject")], young) == "consent-granted"


def test_at_the_sixteenth_birthday_the_guardians_yes_ends_at_midnight_at_school():
    subject = Subject("s1", born=date(2010, 3, 2))
    midnight = datetime(2026, 3, 2, tzinfo=AMSTERDAM)
    events = [an_event(ago=100)]
    assert rule(events, subject, now=midnight - timedelta(microseconds=1)) == "consent-granted"
    assert rule(events, subject, now=midnight) == "consent-signatory"


def test_an_own_yes_counts_only_if_given_at_sixteen():
    subject = Subject("s1", born=date(2010, 3, 2))
    midnight = datetime(2026, 3, 2, tzinfo=AMSTERDAM)
    before = an_event(signatory="subject", recorded_at=midnight - timedelta(seconds=1))
    after = an_event(signatory="subject", recorded_at=midnight)
    assert rule([before], subject) == "consent-signatory"
    assert rule([after], subject) == "consent-granted"
    backdated = replace(after, valid_from=date(2026, 3, 1))
    assert rule([backdated], subject) == "consent-signatory"


def test_born_on_29_february():
    assert sixteenth_birthday(date(2008, 2, 29)) == date(2024, 2, 29)
    assert sixteenth_birthday(date(2084, 2, 29)) == date(2100, 2, 28)
    subject = Subject("s1", born=date(2084, 2, 29))
    assert rightful_signatory(subject, date(2100, 2, 27)) is Signatory.GUARDIAN
    assert rightful_signatory(subject, date(2100, 2, 28)) is Signatory.SUBJECT


# -- several people -------------------------------------------------------------------------


def test_every_guardian_who_answered_must_have_said_yes():
    mother = an_event(signatory_id="g1", ago=3, event_id=1)
    father = an_event(signatory_id="g2", ago=2, event_id=2)
    assert ruling([mother, father]).event_id == 2
    no = an_event("refused", signatory_id="g2", ago=9, event_id=3)
    assert rule([mother, no]) == "consent-refused"  # a later yes of one does not undo it
    assert rule([mother, no, father]) == "consent-granted"  # but one of the same person does


def test_a_guardian_without_pseudonym_is_one_of_their_own():
    no = an_event("refused", ago=9)
    yes = an_event(signatory_id="g1", ago=2, event_id=2)
    assert rule([no, yes]) == "consent-refused"


def test_a_childs_own_no_counts_until_a_guardian_says_yes_again():
    yes = an_event(ago=9)
    no = an_event("withdrawn", "subject", ago=5, event_id=2)
    assert rule([yes, no]) == "consent-withdrawn"
    assert rule([yes, no, an_event(ago=4, event_id=3)]) == "consent-granted"
    assert rule([yes, replace(no, recorded_at=yes.recorded_at)]) == "consent-withdrawn"
    undone = an_event("granted", "subject", ago=4, event_id=3)
    assert rule([yes, no, undone]) == "consent-granted"


def test_a_guardians_no_for_a_pupil_of_sixteen_counts_until_the_pupil_says_yes_again():
    yes = an_event(signatory="subject", ago=9)
    no = an_event("refused", ago=5, event_id=2)
    assert rule([yes, no], PUPIL) == "consent-refused"
    assert rule([no, replace(yes, recorded_at=NOW - timedelta(days=1))], PUPIL) == "consent-granted"


def test_a_no_of_nobody_knows_whom_is_everyones():
    mother, father = (an_event(signatory_id=g, ago=9) for g in ("g1", "g2"))
    no = an_event("withdrawn", UNATTRIBUTED, ago=5, event_id=3)
    assert rule([mother, father, no]) == "consent-withdrawn"
    again = an_event(signatory_id="g1", ago=4, event_id=4)
    assert rule([mother, father, no, again]) == "consent-withdrawn"  # it may be the father's
    both = [again, an_event(signatory_id="g2", ago=3, event_id=5)]
    assert rule([mother, father, no, *both]) == "consent-granted"


# -- properties -----------------------------------------------------------------------------

texts = st.sampled_from(["granted", "refused", "withdrawn", "granted ", "ja", ""])
signatories = st.sampled_from(["guardian", "subject", UNATTRIBUTED, "school", ""])
moments = st.integers(-3 * 86_400, 400 * 86_400).flatmap(
    lambda seconds: st.sampled_from([0, 1, 500_000]).map(
        lambda micro: NOW - timedelta(seconds=seconds) + timedelta(microseconds=micro)
    )
)
few_moments = st.integers(0, 5).map(lambda n: NOW - timedelta(hours=n))
dates = st.none() | st.dates(date(2024, 1, 1), date(2028, 1, 1))
subjects = st.sampled_from(
    [CHILD, PUPIL, UNKNOWN_AGE, TEACHER, Subject("s1", born=date(2010, 3, 1))]
)
any_event = st.builds(
    ConsentEvent,
    event_id=st.integers(1, 50),
    subject_id=st.sampled_from(["s1", "s1", "s1", "s2"]),
    channel=st.sampled_from(["website", "website", "website", "facebook"]),
    purpose=st.sampled_from(["publicity", "publicity", "publicity", "archive"]),
    answer=st.just("granted") | texts,
    signatory=st.sampled_from(["guardian", "subject"]) | signatories,
    signatory_id=st.sampled_from([None, "g1", "g2"]),
    evidence=st.sampled_from(["form", "form", "form", ""]),
    wording=st.sampled_from(["2026-1", "2026-1", None]),
    valid_from=st.none() | dates,
    valid_until=st.none() | dates,
    recorded_at=moments | few_moments,
)
histories = st.lists(any_event, max_size=8)
clear_grants = st.builds(
    lambda subject, ago: (
        subject,
        an_event(
            "granted",
            rightful_signatory(subject, NOW.astimezone(AMSTERDAM).date()).value,
            ago=ago,
        ),
    ),
    st.sampled_from([CHILD, PUPIL, UNKNOWN_AGE, TEACHER]),
    st.floats(0.001, 200),
)


@given(histories, subjects, st.randoms())
def test_order_and_repetition_never_matter(events, subject, random):
    mixed = events + random.choices(events, k=5) if events else []
    random.shuffle(mixed)
    assert ruling(mixed, subject) == ruling(events, subject)


@given(histories, subjects)
def test_a_yes_rests_on_a_clear_yes(events, subject):
    result = ruling(events, subject, wordings=frozenset({"2026-1"}))
    if not result.allowed:
        return
    today = NOW.astimezone(AMSTERDAM).date()
    assert any(
        e.event_id == result.event_id
        and (e.subject_id, e.channel, e.purpose) == ("s1", "website", "publicity")
        and e.answer == Answer.GRANTED
        and e.signatory == rightful_signatory(subject, today)
        and e.evidence
        and e.wording == "2026-1"
        and e.recorded_at <= NOW
        and (e.valid_from is None or e.valid_from <= today)
        and (e.valid_until is None or e.valid_until >= today)
        for e in events
    )


@given(
    histories,
    subjects,
    st.sampled_from(["refused", "withdrawn"]),
    signatories,
    st.sampled_from([None, "g1", "g9"]),
    st.integers(0, 10),
)
def test_a_no_that_comes_last_always_wins(events, subject, answer, signatory, who, later):
    last = max([e.recorded_at for e in events], default=NOW) + timedelta(seconds=later)
    no = an_event(answer, signatory, signatory_id=who, recorded_at=last, event_id=99, evidence="")
    assert not ruling([*events, no], subject).allowed


@given(clear_grants, st.text(max_size=12))
def test_damage_to_any_field_of_the_only_yes_makes_it_a_no(grant, junk):
    subject, event = grant
    assert ruling([event], subject).allowed
    for field in ("subject_id", "channel", "purpose", "answer", "signatory"):
        if junk != getattr(event, field):
            damaged = replace(event, **{field: junk})
            assert not ruling([damaged], subject).allowed, field
    assert not ruling([replace(event, evidence="")], subject).allowed
    assert not ruling([replace(event, valid_until=date(2026, 3, 1))], subject).allowed
    assert not ruling([replace(event, valid_from=date(2026, 3, 3))], subject).allowed
    late = replace(event, recorded_at=NOW + timedelta(seconds=1))
    assert not ruling([late], subject).allowed
    assert not ruling([replace(event, wording=junk)], subject, wordings=frozenset({"ok"})).allowed


@given(clear_grants, texts, signatories, few_moments)
def test_damage_to_a_second_event_never_makes_a_yes_of_a_no(grant, answer, signatory, moment):
    """What an unreadable event could have been is never better than what it is read as."""
    subject, event = grant
    unreadable = an_event(answer, "school", recorded_at=moment, event_id=2)
    if moment >= event.recorded_at:
        assert not ruling([event, unreadable], subject).allowed


@given(histories, histories, subjects)
def test_other_channels_never_matter(events, others, subject):
    elsewhere = [replace(e, channel="facebook") for e in others]
    assert ruling(events + elsewhere, subject) == ruling(events, subject)


@given(histories, subjects, st.integers(-14, 14))
def test_the_same_instant_in_another_zone_is_the_same(events, subject, hours):
    zone = timezone(timedelta(hours=hours))
    moved = [replace(e, recorded_at=e.recorded_at.astimezone(zone)) for e in events]
    assert ruling(moved, subject, now=NOW.astimezone(zone)) == ruling(events, subject)


@given(histories, subjects)
def test_fewer_accepted_wordings_never_make_a_yes(events, subject):
    if ruling(events, subject, wordings=frozenset({"2026-1"})).allowed:
        assert ruling(events, subject).allowed


@given(clear_grants, st.integers(1, 400))
def test_time_alone_never_makes_a_no_into_a_yes_unless_it_was_not_yet(grant, days):
    subject, event = grant
    event = replace(event, valid_until=date(2026, 3, 10))
    allowed = [
        ruling([event], subject, now=NOW + timedelta(days=d)).allowed for d in (0, days, days + 1)
    ]
    assert allowed == sorted(allowed, reverse=True)
