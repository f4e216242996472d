"""What has to come down: who asks for it, what is asked for, and how each takedown goes on."""

import uuid
from datetime import date, datetime, timedelta
from functools import cached_property

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from mediaguard.core.consent import Kind
from mediaguard.core.publication import Look, Published
from mediaguard.errors import ChannelError, InputError
from mediaguard.store.audit import Audit
from mediaguard.store.book import ChannelRules
from mediaguard.store.desk import Desk
from mediaguard.store.items import Items, Publications
from mediaguard.store.questions import Questions
from mediaguard.store.tables import ReviewQuestionRow
from mediaguard.store.takedown_book import QUIET, TakedownBook
from mediaguard.store.takedowns import Takedowns
from tests.store.conftest import NOW, ZONE

WEB, NEWS = "website", "newsletter"
URL = "https://x.test/1"


class School:
    """A desk with a clock, two channels, and items that are public by record."""

    def __init__(self, database, keyring) -> None:
        self.database, self.keyring, self.clock = database, keyring, NOW
        self.wordings: frozenset[str] | None = None
        self.closed: set[str] = set()
        with database.write() as session:
            Items(session).admit("i1", channel=WEB, source_digest="1", at=NOW)

    def now(self) -> datetime:
        return self.clock

    def advance(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    @property
    def desk(self) -> Desk:
        rules = [
            ChannelRules(WEB, "publicity", ZONE, self.wordings, "replace"),
            ChannelRules(NEWS, "publicity", ZONE, None),
        ]
        rules = [one for one in rules if one.channel not in self.closed]
        return Desk(
            self.database,
            self.keyring,
            rules,
            zone=ZONE,
            now=self.now,
            actor="uid:7",
            written=lambda _: {},
            sleep=self.advance,
        )

    @cached_property
    def book(self) -> TakedownBook:
        rules = ChannelRules(WEB, "publicity", ZONE, None)
        return TakedownBook(self.database, self.keyring, rules, now=self.now, actor="uid:7")

    def subject(self, subject_id: str, born: date | None = None) -> None:
        self.desk.add_subject(subject_id, kind=Kind.STUDENT, groups=(), born=born)

    def grant(self, subject_id: str, channel: str = WEB, **fields) -> None:
        fields = {"signatory": "guardian", "evidence": "form", **fields}
        self.desk.grant(subject_id, channel, **fields)

    def publish(self, *subjects, channel=WEB, live=True, urls=(URL,), likenesses=None) -> str:
        key = uuid.uuid4().hex
        with self.database.write() as session:
            publications = Publications(session)
            publications.intend(
                key,
                item_id="i1",
                channel=channel,
                rendition_sha256=key,
                subjects=subjects,
                consent_events=(),
                at=self.now(),
                likenesses=likenesses or {},
            )
            if live:
                publications.confirm(key, at=self.now(), urls=urls, remote_id="7")
        return key

    def state(self, key: str) -> str:
        with self.database.read() as session:
            return Publications(session).get(key).state

    def takedowns(self, **which):
        with self.database.read() as session:
            return list(Takedowns(session).list(**which))

    def only(self):
        (row,) = self.takedowns()
        return row

    def order(self):
        (order,) = self.book.orders("i1")
        return order


@pytest.fixture
def school(database, keyring) -> School:
    school = School(database, keyring)
    for subject_id in ("s1", "s2", "s3"):
        school.subject(subject_id)
        school.grant(subject_id)
    return school


@pytest.fixture
def book(school):
    with (book := school.book).held("i1"):
        yield book


# -- planning -------------------------------------------------------------------------------------


def test_a_withdrawal_asks_for_all_that_may_show_the_subject_there_and_for_nothing_else(school):
    wanted = {school.publish("s1", "s2"), school.publish("s1", live=False)}
    school.publish("s2")
    school.publish("s1", channel=NEWS)
    gone = school.publish("s1")
    with school.database.write() as session:
        Publications(session).mark_removed(gone, at=NOW)
    done = school.desk.withdraw("s1", WEB)
    assert {one.publication_id for one in done.takedowns} == wanted
    assert {one.state for one in done.takedowns} == {"live", "intended"}
    for row in school.takedowns():
        assert (row.subject_id, row.channel, row.state) == ("s1", WEB, "requested")
        assert (row.reason, row.action) == ("consent-withdrawn", "replace")
        assert row.consent_event == done.events[0].event_id
        assert row.requested_at == row.next_attempt_at == NOW


def test_what_was_asked_for_is_asked_for_once_by_each_subject(school):
    school.publish("s1", "s2")
    for _ in range(3):
        assert len(school.desk.withdraw("s1", WEB).takedowns) == 1
        assert len(school.desk.withdraw("s2", WEB).takedowns) == 1
    assert sorted(row.subject_id for row in school.takedowns()) == ["s1", "s2"]


def test_a_channel_without_replacing_only_removes(school):
    school.grant("s1", NEWS)
    school.publish("s1", channel=NEWS)
    (asked,) = school.desk.withdraw("s1").takedowns
    assert (asked.channel, asked.action) == (NEWS, "remove")


def test_withdrawing_everything_asks_on_every_channel(school):
    school.grant("s1", NEWS)
    keys = {school.publish("s1"), school.publish("s1", channel=NEWS)}
    assert {one.publication_id for one in school.desk.withdraw("s1").takedowns} == keys


def test_another_reason_adds_nothing_while_something_is_asked_for(school):
    key = school.publish("s1")
    school.desk.withdraw("s1", WEB)
    with school.database.write() as session:
        row = Publications(session).get(key)
        Takedowns(session).plan_for(row, reason="superseded", at=NOW)
    assert school.only().subject_id == "s1"


def test_a_subject_may_ask_for_what_has_to_go_for_another_reason(school):
    key = school.publish("s1")
    with school.database.write() as session:
        row = Publications(session).get(key)
        Takedowns(session).plan_for(row, reason="rejected", at=NOW)
    assert len(school.desk.withdraw("s1", WEB).takedowns) == 1
    assert {row.subject_id for row in school.takedowns()} == {None, "s1"}


def test_what_turns_out_to_be_live_after_all_is_to_be_done_again(school, book):
    key = school.publish("s1", live=False)
    school.desk.withdraw("s1", WEB)
    school.advance(QUIET.total_seconds())
    book.confirmed(school.order(), ())
    assert (school.state(key), school.only().state) == ("removed", "confirmed")
    school.advance(1)
    book.found(Published(key, "i1", "9", (URL,), key))
    row = school.only()
    assert (school.state(key), row.state) == ("live", "requested")
    assert row.removed_at is row.confirmed_at is None
    assert row.next_attempt_at == school.now()
    assert school.order().known


# -- how one goes on ------------------------------------------------------------------------------


def test_from_asked_to_proven(school, book):
    key = school.publish("s1", "s2")
    school.desk.withdraw("s1", WEB)
    book.removed(school.order())
    assert school.only().state == "removed"
    assert school.state(key) == "live", "for s2 it counts as public until it is proven gone"
    looks = [Look(URL, gone=True, answer="404")]
    book.confirmed(school.order(), looks)
    row = school.only()
    assert (row.state, row.next_attempt_at, row.problem) == ("confirmed", None, None)
    assert row.looks == [{"url": URL, "gone": True, "answer": "404", "again_after": None}]
    assert school.state(key) == "removed"
    assert book.orders("i1") == []
    with school.database.read() as session:
        audit = Audit(session, school.keyring)
        actions = [entry.action for entry in audit.entries(subject_id="s1")][-2:]
        assert actions == ["takedown-removed", "takedown-confirmed"]
        assert audit.verify()[1] == []


def test_what_lingers_is_taken_away_again(school, book):
    school.publish("s1")
    school.desk.withdraw("s1", WEB)
    book.removed(school.order())
    book.lingers(school.order(), [Look(URL, gone=False, answer="200")])
    row = school.only()
    assert (row.state, row.failures, row.problem) == ("requested", 1, "takedown-lingers")
    assert row.next_attempt_at == school.now() + timedelta(seconds=5)


@pytest.mark.parametrize(
    ("waits", "seconds"), [([300.0, 200.0], 200), ([300.0, None], 5), ([2.0], 5), ([1e9], 86400)]
)
def test_copies_in_caches_are_waited_for(school, book, waits, seconds):
    school.publish("s1")
    school.desk.withdraw("s1", WEB)
    looks = [Look(URL, gone=False, answer="200", again_after=wait) for wait in waits]
    looks.append(Look(f"{URL}-small", gone=True, answer="404"))
    book.lingers(school.order(), looks)
    assert school.only().next_attempt_at == school.now() + timedelta(seconds=seconds)


def test_a_failure_is_told_and_tried_again(school, book):
    school.publish("s1")
    school.desk.withdraw("s1", WEB)
    error = ChannelError("channel-busy", host="x.test", status=429)
    book.failed(school.order(), error, 120.0)
    row = school.only()
    assert (row.state, row.failures, row.problem) == ("requested", 1, "channel-busy")
    assert row.problem_params == {"host": "x.test", "status": "429"}
    assert row.next_attempt_at == school.now() + timedelta(seconds=120)
    assert book.orders("i1") == []
    school.advance(120)
    assert school.order().failures == 1


def test_what_may_still_appear_is_doubtful_for_some_minutes(school, book):
    school.publish("s1", live=False)
    school.desk.withdraw("s1", WEB)
    assert (school.order().known, school.order().doubtful) == (False, True)
    book.doubted(school.order())
    school.advance(QUIET.total_seconds())
    assert not school.order().doubtful


def test_an_order_says_where_another_rendition_stands_that_may_stay(school, book):
    school.publish("s1", "s2", urls=(URL, f"{URL}-old"))
    school.desk.withdraw("s1", WEB)
    successor = school.publish("s2", urls=(URL,))
    order = school.order()
    assert (order.others, order.successor) == (frozenset({URL}), successor)


def test_what_has_to_go_itself_is_no_successor(school, book):
    school.publish("s1")
    school.publish("s1")
    school.desk.withdraw("s1", WEB)
    for order in book.orders("i1"):
        assert (order.others, order.successor) == (frozenset(), None)


# -- who is told ----------------------------------------------------------------------------------


def to_escalate(school, *, asked_before: datetime, told_before: datetime = NOW):
    with school.database.read() as session:
        rows = Takedowns(session).to_escalate(asked_before=asked_before, told_before=told_before)
        return [row.id for row in rows]


def test_what_is_overdue_is_told_and_told_again_but_not_at_once(school):
    school.publish("s1")
    school.desk.withdraw("s1", WEB)
    row, later = school.only(), NOW + timedelta(seconds=1)
    assert to_escalate(school, asked_before=NOW) == []
    assert to_escalate(school, asked_before=later) == [row.id]
    with school.database.write() as session:
        Takedowns(session).get(row.id).escalated_at = NOW
    assert to_escalate(school, asked_before=later) == []
    assert to_escalate(school, asked_before=later, told_before=later) == [row.id]


@pytest.mark.parametrize("state", ["removed", "confirmed"])
def test_what_is_proven_gone_is_not_told(school, book, state):
    school.publish("s1")
    school.desk.withdraw("s1", WEB)
    getattr(book, state)(school.order(), *([()] if state == "confirmed" else []))
    wanted = [school.only().id] if state == "removed" else []
    assert to_escalate(school, asked_before=NOW + timedelta(days=9)) == wanted


def test_what_cannot_be_recalled_is_told_once_for_everybody_in_it(school, book):
    school.publish("s1", "s2")
    for subject_id in ("s1", "s2"):
        school.desk.withdraw(subject_id, WEB)
        book.unrecallable(school.order())
    ids = [row.id for row in school.takedowns()]
    assert len(ids) == 2
    assert sorted(to_escalate(school, asked_before=NOW)) == sorted(ids)
    with school.database.write() as session:
        for takedown_id in ids:
            Takedowns(session).get(takedown_id).escalated_at = NOW
    assert to_escalate(school, asked_before=NOW, told_before=NOW + timedelta(days=9)) == []


# -- somebody under another name ------------------------------------------------------------------


def test_a_withdrawal_asks_about_who_may_be_shown_under_another_name(school):
    like = {"s2": ("s1", 0.45)}
    wanted = school.publish("s1", likenesses=like)
    school.publish("s1", channel=NEWS, likenesses=like)
    school.publish("s1")
    assert school.desk.withdraw("s2", WEB).questions == 1
    assert school.desk.withdraw("s2", WEB).questions == 0
    assert school.takedowns() == [], "nobody knows yet whether it is s2"
    with school.database.read() as session:
        (question,) = session.scalars(select(ReviewQuestionRow))
    assert (question.publication_id, question.subject_id, question.shown_as) == (wanted, "s2", "s1")
    with school.database.write() as session:
        Questions(session).answer("i1", at=NOW)
        assert Questions(session).open() == []


def expires(school, tmp_path):
    school.grant("s2", valid_until=date(2026, 3, 2))
    school.clock = datetime(2026, 3, 3, 0, 0, tzinfo=ZONE)
    school.desk.take_down_ended()


def imported(school, tmp_path):
    school.advance(60)
    import_no(school, tmp_path, "s2")


def refused(school, tmp_path):
    school.desk.refuse("s2", WEB, signatory="guardian", evidence="letter")


@pytest.mark.parametrize("end", [expires, imported, refused])
def test_every_end_of_consent_asks_about_it(school, tmp_path, end):
    wanted = school.publish("s1", likenesses={"s2": ("s1", 0.45)})
    school.desk.take_down_ended()
    with school.database.read() as session:
        assert Questions(session).open() == []
    end(school, tmp_path)
    school.desk.take_down_ended()
    with school.database.read() as session:
        (question,) = Questions(session).open()
    assert (question.publication_id, question.subject_id) == (wanted, "s2")
    assert school.takedowns() == []


def test_nobody_is_asked_about_a_consent_that_had_ended_before(school):
    school.grant("s2", valid_until=date(2026, 3, 2))
    school.clock = datetime(2026, 3, 3, 0, 0, tzinfo=ZONE)
    school.publish("s1", likenesses={"s2": ("s1", 0.45)})
    school.desk.take_down_ended()
    with school.database.read() as session:
        assert Questions(session).open() == []


def test_nobody_is_asked_about_what_is_gone(school, book):
    key = school.publish("s1", likenesses={"s2": ("s1", 0.45)})
    assert school.desk.withdraw("s2", WEB).questions == 1
    school.desk.withdraw("s1", WEB)
    with school.database.read() as session:
        assert len(Questions(session).open(["i1"])) == 1
    book.removed(school.order())
    book.confirmed(school.order(), [Look(URL, gone=True, answer="404")])
    assert school.state(key) == "removed"
    with school.database.read() as session:
        assert Questions(session).open(["i1"]) == []


# -- consent that ends without a withdrawal -------------------------------------------------------


def test_a_consent_that_ends_by_its_date_takes_down_on_the_day_after(school):
    school.grant("s1", valid_until=date(2026, 3, 2))
    school.publish("s1")
    assert school.desk.take_down_ended() == 0
    school.clock = datetime(2026, 3, 2, 23, 30, tzinfo=ZONE)
    assert school.desk.take_down_ended() == 0
    school.clock = datetime(2026, 3, 3, 0, 0, tzinfo=ZONE)
    assert school.desk.take_down_ended() == 1
    assert school.desk.take_down_ended() == 0
    assert school.only().reason == "consent-expired"


def test_a_guardians_yes_ends_on_the_16th_birthday(school):
    school.subject("s4", born=date(2010, 3, 4))
    school.grant("s4")
    school.publish("s4", "s1")
    school.clock = datetime(2026, 3, 3, 23, 59, tzinfo=ZONE)
    assert school.desk.take_down_ended() == 0
    school.clock = datetime(2026, 3, 4, 0, 0, tzinfo=ZONE)
    assert school.desk.take_down_ended() == 1
    assert (school.only().subject_id, school.only().reason) == ("s4", "consent-signatory")


def test_a_wording_that_counts_no_more_takes_down(school):
    school.grant("s2", wording="2026-1")
    school.publish("s1")
    school.publish("s2")
    school.wordings = frozenset({"2026-1"})
    assert school.desk.take_down_ended() == 1
    assert (school.only().subject_id, school.only().reason) == ("s1", "consent-wording")


def test_a_corrected_date_of_birth_takes_down_at_once(school, tmp_path):
    school.publish("s1")
    roster = tmp_path / "roster.csv"
    roster.write_text("subject_id,born\ns1,2005-01-31\ns2,2019-01-31\n")
    school.desk.import_roster(roster)
    assert (school.only().subject_id, school.only().reason) == ("s1", "consent-signatory")


def test_what_is_public_on_a_channel_that_was_given_up_goes_when_consent_ends(school):
    school.grant("s1", NEWS, valid_until=date(2026, 3, 2))
    for subject_id in ("s2", "s3"):
        school.grant(subject_id, NEWS)
    school.subject("s4", born=None)
    school.grant("s4", NEWS)
    for subject_id in ("s1", "s2", "s3", "s4"):
        school.publish(subject_id, channel=NEWS)
    school.closed = {NEWS}
    assert school.desk.take_down_ended() == 0, "that it is not configured is no withdrawal"
    school.clock = datetime(2026, 3, 3, 0, 0, tzinfo=ZONE)
    assert school.desk.take_down_ended() == 1
    school.desk.refuse("s2", NEWS, signatory="guardian", evidence="letter")
    born = date(2005, 1, 31)
    assert school.desk.correct_subject("s3", kind=Kind.STUDENT, groups=(), born=born) == 1
    assert {(row.subject_id, row.reason) for row in school.takedowns(channel=NEWS)} == {
        ("s1", "consent-expired"),
        ("s2", "consent-refused"),
        ("s3", "consent-signatory"),
    }
    with pytest.raises(InputError) as caught:
        school.desk.refuse("s2", "never-was", signatory="guardian", evidence="letter")
    assert caught.value.code == "channel-unknown"


def test_a_refusal_takes_down_at_once(school):
    school.publish("s1")
    event, ruling = school.desk.refuse("s1", WEB, signatory="guardian", evidence="letter")
    assert not ruling.allowed
    row = school.only()
    assert (row.reason, row.consent_event) == ("consent-refused", event.event_id)


def test_a_yes_with_an_end_that_is_past_takes_down_at_once(school):
    school.publish("s1")
    school.grant("s1", valid_until=date(2026, 3, 1))
    assert school.only().reason == "consent-expired"


def import_no(school, tmp_path, subject):
    """A file in which one subject says yes no more and the other as before."""
    mapping, consents = tmp_path / "m.toml", tmp_path / "c.csv"
    mapping.write_text(
        '[columns]\nsubject = "nr"\nsignatory = "door"\nevidence = "ref"\n'
        f'[channels]\n{WEB} = "web"\n[values]\nyes = ["ja"]\nno = ["nee"]\n'
        '[signatory]\nguardian = ["ouder"]\n'
    )
    rows = [f"{who};ouder;f;{'' if who == subject else 'ja'}" for who in ("s1", "s2")]
    consents.write_text("\n".join(["nr;door;ref;web", *rows]))
    before = len(school.takedowns())
    school.desk.import_consents(consents, mapping, dry_run=True)
    assert len(school.takedowns()) == before
    school.desk.import_consents(consents, mapping)


def test_an_import_that_differs_takes_down_at_once(school, tmp_path):
    school.publish("s1", "s2")
    school.advance(60)
    import_no(school, tmp_path, "s1")
    assert school.only().subject_id == "s1"


# -- finding one ----------------------------------------------------------------------------------


def test_a_takedown_is_found_by_the_beginning_of_its_id(school):
    school.publish("s1")
    school.desk.withdraw("s1", WEB)
    row = school.only()
    with school.database.read() as session:
        takedowns = Takedowns(session)
        assert takedowns.find(row.id[:6]).id == takedowns.find(row.id).id == row.id
        for wrong in ("", "abc", row.id[:3], "%%%%", "zzzzzz", "é" * 8):
            with pytest.raises(InputError, match="no-takedown"):
                takedowns.find(wrong)


# -- any order of events --------------------------------------------------------------------------


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["publish", "withdraw", "refuse", "ended"]),
            st.sampled_from(["s1", "s2", "s3"]),
        ),
        max_size=12,
    )
)
def test_whoever_said_no_has_a_takedown_for_each_publication(school, acts):
    made = set()
    for subject_id in ("s1", "s2", "s3"):
        school.advance(1)
        school.grant(subject_id)
    for act, subject_id in acts:
        school.advance(1)
        if act == "publish":
            made.add(school.publish(subject_id, "s1"))
        elif act == "withdraw":
            school.desk.withdraw(subject_id, WEB)
        elif act == "refuse":
            school.desk.refuse(subject_id, WEB, signatory="guardian", evidence="f")
        else:
            school.desk.take_down_ended()
    school.desk.take_down_ended()  # for what was published although somebody had said no
    rulings = school.desk.rulings(["s1", "s2", "s3"])
    with school.database.read() as session:
        for subject_id, by_channel in rulings.items():
            rows = Publications(session).of_subject(subject_id, WEB)
            shown = {row.id for row in rows} & made
            asked = [row.publication_id for row in Takedowns(session).list(subject_id=subject_id)]
            assert len(asked) == len(set(asked))
            assert set(asked) & made == (set() if by_channel[WEB].allowed else shown)
