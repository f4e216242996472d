"""The ledger on both databases, and the race between a release and a withdrawal."""

import threading
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mediaguard.core.consent import UNATTRIBUTED, Answer, Kind
from mediaguard.errors import InputError
from mediaguard.store.items import Items, Publications
from mediaguard.store.ledger import Given, Ledger
from mediaguard.store.tables import ConsentEventRow, PublicationRow
from tests.store.conftest import NOW, ZONE

WEB = {"channel": "website", "purpose": "publicity"}
CONTEXT = {**WEB, "zone": ZONE, "accepted_wordings": None}


def answer(ledger, subject_id="s1", answer=Answer.GRANTED, *, at=NOW, **fields):
    defaults = {**WEB, "signatory": "guardian", "evidence": "form 7"}
    return ledger.append(Given(subject_id, answer=answer, **(defaults | fields)), at=at)


def test_a_subject_comes_back_as_it_was_entered(database):
    with database.write() as session:
        added = Ledger(session).add_subject(
            "S-1.a_b", at=NOW, kind=Kind.STAFF, groups=["4B", "koor"], born=date(1980, 2, 29)
        )
    with database.read() as session:
        ledger = Ledger(session)
        assert ledger.subject("S-1.a_b") == added
        assert ledger.subjects("koor") == [added]
        assert ledger.subjects("4b") == []
        assert ledger.subject("s-1.A_B") is None


@pytest.mark.parametrize(
    "bad", ["", "-a", ".a", "a b", "Jan Jansen", "é", "a" * 65, "a/b", "a\n", "a\0", "\u0661"]
)
def test_what_cannot_be_a_pseudonym_is_refused(sqlite_database, bad):
    with pytest.raises(InputError) as caught, sqlite_database.write() as session:
        Ledger(session).add_subject(bad, at=NOW)
    assert caught.value.code == "subject-id-invalid"


def test_a_subject_is_added_once(database):
    for expected in (None, "subject-exists"):
        try:
            with database.write() as session:
                Ledger(session).add_subject("s1", at=NOW)
            code = None
        except InputError as error:
            code = error.code
        assert code == expected


def test_groups_are_replaced(database):
    with database.write() as session:
        ledger = Ledger(session)
        ledger.add_subject("s1", at=NOW, groups=["4B", "koor"])
        ledger.set_groups("s1", ["5B"])
        ledger.correct("s1", kind=Kind.STUDENT, born=date(2015, 1, 1))
        assert ledger.subject("s1").groups == {"5B"}
        assert ledger.subject("s1").born == date(2015, 1, 1)
        with pytest.raises(InputError):
            ledger.set_groups("nobody", ["5B"])
        with pytest.raises(InputError):
            ledger.set_groups("s1", ["\x1b[31m"])


def test_an_event_comes_back_as_it_was_recorded(database):
    with database.write() as session:
        ledger = Ledger(session)
        ledger.add_subject("s1", at=NOW)
        event = answer(
            ledger,
            signatory_id="g1",
            wording="2026-1",
            valid_from=date(2026, 1, 1),
            valid_until=date(2026, 12, 31),
            at=NOW.astimezone(ZONE),
        )
    with database.read() as session:
        assert Ledger(session).events() == [event]
        assert Ledger(session).events(["s1"], "facebook") == []
        assert event.recorded_at == NOW


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"evidence": " "}, "consent-evidence"),
        ({"signatory": UNATTRIBUTED}, "consent-signatory-unknown"),
        ({"signatory": "school"}, "consent-signatory-unknown"),
        (
            {"valid_from": date(2026, 2, 1), "valid_until": date(2026, 1, 1)},
            "consent-dates",
        ),
        ({"evidence": "a\0b"}, "text-unusable"),
        ({"evidence": "x" * 201}, "text-unusable"),
        ({"channel": ""}, "text-unusable"),
        ({"wording": "a\nb"}, "text-unusable"),
    ],
)
def test_a_yes_that_could_never_count_is_refused(sqlite_database, fields, code):
    with sqlite_database.write() as session:
        ledger = Ledger(session)
        ledger.add_subject("s1", at=NOW)
        with pytest.raises(InputError) as caught:
            answer(ledger, **fields)
        assert caught.value.code == code
        assert ledger.events() == []


def test_nobody_can_answer_about_an_unknown_subject(database):
    with pytest.raises(InputError) as caught, database.write() as session:
        answer(Ledger(session), "nobody")
    assert caught.value.code == "no-subject"


def test_rulings_name_everyone_asked_for(database):
    with database.write() as session:
        ledger = Ledger(session)
        for subject_id in ("s1", "s2"):
            ledger.add_subject(subject_id, at=NOW)
        answer(ledger)
        asked = ledger.rulings(["s1", "s2", "ghost"], now=NOW, **CONTEXT, lock=True)
        assert {s: r.rule for s, r in asked.items()} == {
            "s1": "consent-granted",
            "s2": "consent-none",
            "ghost": "subject-unknown",
        }
        assert set(ledger.rulings(now=NOW, **CONTEXT)) == {"s1", "s2"}
        assert ledger.rulings([], now=NOW, **CONTEXT) == {}


def test_a_no_from_a_machine_whose_clock_is_behind_still_comes_last(database):
    with database.write() as session:
        ledger = Ledger(session)
        ledger.add_subject("s1", at=NOW)
        answer(ledger, at=NOW)
        answer(ledger, answer=Answer.WITHDRAWN, at=NOW - timedelta(hours=2), evidence="")
        assert not ledger.rulings(["s1"], now=NOW, **CONTEXT)["s1"].allowed


def test_an_unreadable_record_is_a_no(sqlite_database):
    with sqlite_database.write() as session:
        Ledger(session).add_subject("s1", at=NOW)
        answer(Ledger(session), at=NOW - timedelta(days=1))
        session.add(
            ConsentEventRow(
                subject_id="s1",
                **WEB,
                answer="jawel",
                signatory="mama",
                signatory_id=None,
                evidence="",
                recorded_at=NOW,
            )
        )
        session.flush()
        assert Ledger(session).rulings(["s1"], now=NOW, **CONTEXT)["s1"].rule == "consent-unclear"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15
)
@given(st.lists(st.tuples(st.sampled_from(list(Answer)), st.integers(0, 3)), max_size=6))
def test_the_stored_history_rules_as_the_last_answer_does(sqlite_database, history):
    with sqlite_database.read() as session:  # undone at its end
        ledger = Ledger(session)
        ledger.add_subject("s1", at=NOW)
        at = NOW - timedelta(days=1)
        for said, seconds in history:
            at += timedelta(seconds=seconds)
            answer(ledger, answer=said, at=at)
        allowed = ledger.rulings(["s1"], now=NOW, **CONTEXT)["s1"].allowed
        last = [e for e in ledger.events() if e.recorded_at == at]
        assert allowed == (bool(history) and all(e.answer == "granted" for e in last))


# -- the race -------------------------------------------------------------------------------


def _release(database, name, start, published):
    """Read consent and record the publication in one transaction, as `ChannelBook` does."""
    start.wait()
    with database.write() as session:
        rulings = Ledger(session).rulings(["s1", "s2"], now=NOW, **CONTEXT, lock=True)
        if all(ruling.allowed for ruling in rulings.values()):
            Publications(session).intend(
                name,
                item_id="i1",
                channel="website",
                rendition_sha256="0",
                subjects=rulings,
                consent_events=[],
                at=NOW,
            )
            published.append(name)


def _withdraw(database, subject_id, start, seen):
    """Withdraw, and look after the commit which publications there are."""
    start.wait()
    with database.write() as session:
        answer(Ledger(session), subject_id, Answer.WITHDRAWN, evidence="")
    with database.read() as session:
        seen.append(set(session.scalars(select(PublicationRow.id))))


@pytest.mark.parametrize("attempt", range(6))
def test_nothing_is_published_after_a_withdrawal_was_committed(database, attempt):
    with database.write() as session:
        ledger = Ledger(session)
        for subject_id in ("s1", "s2"):
            ledger.add_subject(subject_id, at=NOW)
            answer(ledger, subject_id, at=NOW - timedelta(days=1))
        Items(session).admit("i1", channel="website", source_digest="d", at=NOW)
    releases, failures = 6, []
    start = threading.Barrier(releases + 1)
    published, seen = [], []

    def run(function, *arguments):
        try:
            function(database, *arguments)
        except Exception as error:
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=(_release, f"p{n}", start, published))
        for n in range(releases)
    ]
    withdrawn = ("s1", "s2")[attempt % 2]
    threads.insert(attempt, threading.Thread(target=run, args=(_withdraw, withdrawn, start, seen)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.read() as session:
        final = set(session.scalars(select(PublicationRow.id)))
    assert final == set(published)
    assert final == seen[0]  # whatever was published was there when the withdrawal was committed


def test_a_withdrawal_under_way_makes_a_release_wait_and_then_fail(database):
    """The order is forced: the withdrawal has the lock before the release asks for it."""
    with database.write() as session:
        ledger = Ledger(session)
        for subject_id in ("s1", "s2"):
            ledger.add_subject(subject_id, at=NOW)
            answer(ledger, subject_id, at=NOW - timedelta(days=1))
        Items(session).admit("i1", channel="website", source_digest="d", at=NOW)
    start, published = threading.Event(), []
    thread = threading.Thread(target=_release, args=(database, "p1", start, published))
    with database.write() as session:
        answer(Ledger(session), "s2", Answer.WITHDRAWN, evidence="")
        thread.start()
        start.set()
        thread.join(timeout=0.2)
        assert thread.is_alive()
    thread.join()
    assert published == []


def test_a_release_under_way_makes_a_withdrawal_wait_and_then_find_it(database):
    with database.write() as session:
        ledger = Ledger(session)
        ledger.add_subject("s1", at=NOW)
        answer(ledger, at=NOW - timedelta(days=1))
        Items(session).admit("i1", channel="website", source_digest="d", at=NOW)
    start, seen = threading.Event(), []
    thread = threading.Thread(target=_withdraw, args=(database, "s1", start, seen))
    with database.write() as session:
        assert Ledger(session).rulings(["s1"], now=NOW, **CONTEXT, lock=True)["s1"].allowed
        thread.start()
        start.set()
        thread.join(timeout=0.2)
        assert thread.is_alive()
        Publications(session).intend(
            "p1",
            item_id="i1",
            channel="website",
            rendition_sha256="0",
            subjects=["s1"],
            consent_events=[1],
            at=NOW,
        )
    thread.join()
    assert seen == [{"p1"}]
