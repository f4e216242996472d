"""Who has an item in hand, and what is due: leases, fencing, the sweep, the waits between tries."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.core.decision import Outcome
from mediaguard.core.media import ItemReport
from mediaguard.core.publication import Published
from mediaguard.errors import StoreError
from mediaguard.store.backoff import FIRST, LAST, LONGEST, next_attempt
from mediaguard.store.book import ChannelBook, ChannelRules
from mediaguard.store.items import Items, Publications
from mediaguard.store.leases import LEASE, Leases
from mediaguard.store.schedule import BACKLOG, LOST_AFTER, Schedule
from mediaguard.store.takedowns import Takedowns
from tests.store.conftest import NOW, ZONE

HELD = ItemReport("a.jpg", None, Outcome.HOLD, "channel-holds")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, time: timedelta) -> None:
        self.now += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def admit(database, *item_ids, due: datetime | None = None) -> None:
    with database.write() as session:
        for item_id in item_ids:
            items = Items(session)
            items.admit(item_id, channel="website", source_digest=item_id, at=NOW)
            items.get(item_id).next_attempt_at = due


def item(database, item_id="i1"):
    with database.read() as session:
        return Items(session).get(item_id)


@pytest.fixture
def leases(database, clock) -> Leases:
    admit(database, "i1", "i2")
    return Leases(database, clock)


def make_book(database, keyring, clock) -> ChannelBook:
    rules = ChannelRules("website", "publicity", ZONE, None)
    return ChannelBook(database, keyring, rules, now=clock, actor="uid:7")


@pytest.fixture
def book(leases, database, keyring, clock) -> ChannelBook:
    return make_book(database, keyring, clock)


def code_of(act) -> str:
    with pytest.raises(StoreError) as caught:
        act()
    return caught.value.code


def take(leases: Leases, item_id: str = "i1") -> None:
    with leases.held(item_id):
        pass


# -- leases ---------------------------------------------------------------------------------------


def test_an_item_is_in_one_hand_at_a_time_and_free_afterwards(leases):
    with leases.held("i1") as first:
        assert code_of(lambda: take(leases)) == "item-busy"
        take(leases, "i2")
    with leases.held("i1") as second:
        assert second == first + 1


def test_an_item_is_free_after_an_error_too(leases):
    with pytest.raises(ZeroDivisionError), leases.held("i1"):
        _ = 1 / 0
    take(leases)


def test_an_item_that_nobody_knows_is_in_nobodys_hand(leases):
    assert code_of(lambda: take(leases, "none")) == "item-busy"


def test_of_many_who_want_an_item_exactly_one_gets_it(leases):
    start, end = threading.Barrier(8), threading.Barrier(8)
    tokens, refused = [], []

    def want() -> None:
        start.wait()
        try:
            with leases.held("i1") as token:
                tokens.append(token)
                end.wait(20)
        except StoreError as error:
            refused.append(error.code)
            end.wait(20)

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tokens, refused) == ([1], ["item-busy"] * 7)


def test_the_lease_of_a_dead_holder_lapses_and_not_before(leases, clock):
    with leases.held("i1"):  # it does not notice: the clock stands still for it
        clock.advance(LEASE)
        assert code_of(lambda: take(leases)) == "item-busy"
        clock.advance(timedelta(microseconds=1))
        take(leases)


def test_a_lease_from_a_clock_that_was_ahead_holds_nobody_up(leases, clock):
    clock.advance(timedelta(days=2))
    with leases.held("i1"):
        clock.advance(timedelta(days=-2))  # it died, and the clock was put right
        take(leases)


def test_a_lease_is_prolonged_while_its_holder_lives(database, clock, monkeypatch):
    admit(database, "i1")
    monkeypatch.setattr("mediaguard.store.leases.BEAT", 0.01)
    leases = Leases(database, clock)
    with leases.held("i1"):
        for _ in range(3):
            clock.advance(LEASE - timedelta(seconds=1))
            wanted = clock.now + LEASE
            end = datetime.now(UTC) + timedelta(seconds=20)
            while item(database).lease_until != wanted and datetime.now(UTC) < end:
                pass
            assert item(database).lease_until == wanted
            assert code_of(lambda: take(leases)) == "item-busy"


def test_who_lost_the_item_neither_prolongs_nor_ends_the_others_lease(leases, database, clock):
    stopped = leases.held("i1")
    stopped.__enter__()
    clock.advance(LEASE + timedelta(seconds=1))
    with leases.held("i1"):
        until = item(database).lease_until
        stopped.__exit__(None, None, None)
        assert item(database).lease_until == until
        assert code_of(lambda: take(leases)) == "item-busy"


# -- what a holder may record ---------------------------------------------------------------------


def test_a_hold_may_be_nested_and_ends_with_the_outermost(book, leases):
    with book.held("i1"):
        with book.held("i1"):
            book.begin("i1")
        book.begin("i1")
        assert code_of(lambda: take(leases)) == "item-busy"
    take(leases)


def test_without_the_item_in_hand_nothing_is_recorded(book):
    with pytest.raises(KeyError):
        book.begin("i1")


def test_a_stopped_holder_is_refused_whatever_it_wants_to_record(
    book, leases, database, keyring, clock
):
    with book.held("i1"):
        clock.advance(LEASE + timedelta(seconds=1))
        with make_book(database, keyring, clock).held("i1"):
            before = item(database)
            for act in (
                lambda: book.begin("i1"),
                lambda: book.lay_aside("i1"),
                lambda: book.conclude("i1", HELD),
                lambda: book.postpone("i1", HELD, None),
                lambda: book.put_off("i1", StoreError("vault-missing")),
                lambda: book.wait("i1"),
            ):
                assert code_of(act) == "item-lost"
            after = item(database)
    assert (after.state, after.next_attempt_at) == (before.state, before.next_attempt_at)


def test_a_stopped_holder_may_say_what_is_public_but_not_that_the_item_is_done(
    book, database, keyring, clock
):
    with database.write() as session:
        Publications(session).intend(
            "p1",
            item_id="i1",
            channel="website",
            rendition_sha256="0",
            subjects=(),
            consent_events=(),
            at=NOW,
        )
    with book.held("i1"):
        book.begin("i1")
        clock.advance(LEASE + timedelta(seconds=1))
        other = make_book(database, keyring, clock)
        with other.held("i1"):
            book.confirm("i1", Published("p1", "i1", "7", ("https://x.test/7",), "0"), set())
            assert item(database).state == "received"
            assert item(database).next_attempt_at == clock.now
            # What the other one knows of the item is not so any more.
            assert code_of(lambda: other.conclude("i1", HELD)) == "item-lost"
    with database.read() as session:
        assert Publications(session).get("p1").state == "live"


# -- the sweep ------------------------------------------------------------------------------------


def sweep(database, clock) -> list[str]:
    hinted: list[str] = []
    count = Schedule(database, clock).sweep(lambda _, item_id: hinted.append(item_id))
    assert count == len(hinted)
    return hinted


def ask_for(database, *item_ids, at: datetime = NOW) -> None:
    """A takedown for each item."""
    with database.write() as session:
        for item_id in item_ids:
            row = Publications(session).intend(
                f"p-{item_id}",
                item_id=item_id,
                channel="website",
                rendition_sha256="0",
                subjects=(),
                consent_events=(),
                at=NOW,
            )
            Takedowns(session).plan_for(row, reason="rejected", at=at)


def test_what_is_due_is_hinted_once_and_again_when_the_hint_was_lost(database, clock):
    admit(database, "due", due=NOW)
    admit(database, "later", due=NOW + timedelta(seconds=1))
    admit(database, "never")
    assert sweep(database, clock) == ["due"]
    assert sweep(database, clock) == []
    clock.advance(timedelta(seconds=1))
    assert sweep(database, clock) == ["later"]
    clock.advance(LOST_AFTER - timedelta(seconds=1))
    assert sweep(database, clock) == ["due"]
    clock.advance(timedelta(seconds=1))
    assert sweep(database, clock) == ["later"]


def test_what_is_in_hand_is_not_hinted_until_it_is_free(database, clock):
    admit(database, "i1", due=NOW)
    leases = Leases(database, clock)
    with leases.held("i1"):
        assert sweep(database, clock) == []
    assert sweep(database, clock) == ["i1"]
    take(leases)  # somebody followed the hint, and left it due
    assert sweep(database, clock) == ["i1"]


def test_what_a_dead_holder_left_is_hinted_when_its_lease_lapsed(database, clock):
    admit(database, "i1", due=NOW)
    with Leases(database, clock).held("i1"):
        clock.advance(LEASE + timedelta(microseconds=1))
        assert sweep(database, clock) == ["i1"]


def test_what_a_killed_worker_was_about_to_do_waits_no_longer_than_for_a_lease(database, clock):
    """Hinted at, or taken up beside others, and in nobody's hands yet."""
    admit(database, *(f"i{number}" for number in range(BACKLOG + 4)), due=NOW)
    assert len(sweep(database, clock)) == BACKLOG
    assert len(Schedule(database, clock).take(4)) == 4
    assert sweep(database, clock) == []
    clock.advance(LEASE)
    assert len(sweep(database, clock)) == BACKLOG


def test_a_hint_that_could_not_be_given_is_not_on_record(database, clock):
    admit(database, "i1", "i2", due=NOW)

    def full(_, item_id: str) -> None:
        if item_id == "i2":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Schedule(database, clock).sweep(full)
    assert sorted(sweep(database, clock)) == ["i1", "i2"]


def test_what_has_to_come_down_goes_first_and_the_longest_due_first(database, clock):
    admit(database, "out", due=NOW - timedelta(hours=1))
    admit(database, "down-b", "down-a", "never")
    ask_for(database, "down-b", at=NOW - timedelta(seconds=1))
    ask_for(database, "down-a", at=NOW - timedelta(seconds=2))
    assert sweep(database, clock) == ["down-a", "down-b", "out"]


def test_an_item_with_several_takedowns_is_one_hint(database, clock):
    admit(database, "i1", due=NOW)
    ask_for(database, "i1")
    with database.write() as session:
        row = Publications(session).copy(
            Publications(session).get("p-i1"),
            "p2",
            Published("p2", "i1", "", ("x",), "0"),
            at=NOW,
        )
        Takedowns(session).plan_for(row, reason="superseded", at=NOW)
    assert sweep(database, clock) == ["i1"]


def test_only_so_many_hints_are_under_way_and_takedowns_are_not_crowded_out(database, clock):
    admit(database, *(f"out-{number:03}" for number in range(BACKLOG + 10)), due=NOW)
    admit(database, "down")
    ask_for(database, "down")
    hinted = sweep(database, clock)
    assert (len(hinted), hinted[0]) == (BACKLOG, "down")
    assert sweep(database, clock) == []
    leases = Leases(database, clock)
    for item_id in hinted[:5]:
        take(leases, item_id)
    with database.write() as session:
        for item_id in hinted[:5]:
            Items(session).get(item_id).next_attempt_at = None
        Takedowns(session).list()[0].next_attempt_at = None
    assert len(sweep(database, clock)) == 5


def test_two_sweeps_at_once_give_each_hint_once(database, clock):
    admit(database, *(f"i{number}" for number in range(20)), due=NOW)
    barrier, hinted = threading.Barrier(4), []

    class AtOnce(Schedule):
        def _room(self, session) -> int:
            room = super()._room(session)
            barrier.wait(60)  # nobody has given a hint yet
            return room

    def run() -> None:
        AtOnce(database, clock).sweep(lambda _, item_id: hinted.append(item_id))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(hinted) == len(set(hinted)) == 20


# -- the waits between tries ----------------------------------------------------------------------

failures = st.integers(1, 10**6)
asked = st.none() | st.floats(0, 10**9)


@given(failures, failures, asked)
def test_the_more_failures_the_longer_the_wait(one, other, retry_after):
    fewer, more = sorted((one, other))
    assert next_attempt(NOW, fewer, retry_after) <= next_attempt(NOW, more, retry_after)


@given(failures, asked)
def test_a_wait_is_never_too_short_nor_too_long(number, retry_after):
    wait = (next_attempt(NOW, number, retry_after) - NOW).total_seconds()
    assert FIRST <= wait <= max(LAST, LONGEST)
    if retry_after is None:
        assert wait <= LAST
    else:
        assert wait >= min(retry_after, LONGEST) - 1e-6


def test_the_first_try_comes_soon():
    waits = [(next_attempt(NOW, number) - NOW).total_seconds() for number in range(1, 6)]
    assert waits == [5, 10, 20, 40, 80]
