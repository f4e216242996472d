"""Requests of other systems and what they are told, on both databases, with several at once."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from mediaguard.store.deliveries import OVERLAP, Claim, Deliveries, Outbox
from mediaguard.store.items import Items
from mediaguard.store.tables import CallbackRow, SubmissionRow

NOW = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
TOGETHER = 6


def at_once(act) -> list:
    with ThreadPoolExecutor(TOGETHER) as pool:
        return [*pool.map(act, range(TOGETHER))]


def add_item(database, item_id: str, at: dt.datetime = NOW, state: str = "held") -> None:
    with database.write() as session:
        item = Items(session).admit(item_id, channel="w", source_digest=item_id, at=at)
        item.state = state


def word(news) -> dict:
    return {"about": news.about}


def test_one_of_those_who_come_at_once_gets_it(database):
    deliveries = Deliveries(database, lambda: NOW)
    for number in range(10):
        claims = at_once(lambda _, n=number: deliveries.claim("a", f"{n}", "x").claim)
        assert sorted(claims) == [Claim.BUSY] * (TOGETHER - 1) + [Claim.MINE]


def test_what_is_given_up_can_be_had_again_by_one(database):
    deliveries = Deliveries(database, lambda: NOW)
    for _ in range(10):
        claims = at_once(lambda _: deliveries.claim("a", "1", "x").claim)
        assert claims.count(Claim.MINE) == 1
        deliveries.give_up("a", "1")


def test_two_requests_with_the_same_item_are_settled(database):
    add_item(database, "i1")
    deliveries = Deliveries(database, lambda: NOW)

    def settle(number: int) -> None:
        deliveries.claim("a", f"{number}", "x")
        deliveries.settle("a", f"{number}", 202, {}, item_id="i1", tell=True)

    at_once(settle)
    with database.read() as session:
        assert session.query(SubmissionRow).count() == 1


def test_two_servers_tell_it_once(database):
    add_item(database, "i1")
    deliveries = Deliveries(database, lambda: NOW)
    deliveries.claim("a", "1", "x")
    deliveries.settle("a", "1", 202, {}, item_id="i1", tell=True)

    def look_and_take(_: int) -> object:
        outbox = Outbox(database, lambda: NOW)
        outbox.collect(["a"], word)
        return outbox.take("a")

    taken = [callback for callback in at_once(look_and_take) if callback]
    assert len(taken) == 1
    with database.read() as session:
        assert session.query(CallbackRow).count() == 1


def test_a_look_at_what_is_new_finds_it_whatever_made_it_new(database):
    moment = [NOW]
    outbox = Outbox(database, lambda: moment[0])
    deliveries = Deliveries(database, lambda: moment[0])
    add_item(database, "old")
    assert outbox.collect(["a"], word) == 0
    moment[0] += 10 * OVERLAP
    assert outbox.collect(["a"], word) == 0
    # An old item that somebody sends for the first time, and one that is decided anew.
    deliveries.claim("a", "1", "x")
    deliveries.settle("a", "1", 202, {}, item_id="old", tell=True)
    assert outbox.collect(["a"], word) == 1
    moment[0] += 10 * OVERLAP
    outbox.collect(["a"], word)
    with database.write() as session:
        Items(session).get("old").updated_at = moment[0]
    assert outbox.collect(["a"], word) == 1
    # What a look missed for whatever reason, a look at everything finds.
    moment[0] += 10 * OVERLAP
    outbox.collect(["a"], word)
    with database.write() as session:
        Items(session).get("old").updated_at = moment[0] - 2 * OVERLAP
    assert outbox.collect(["a"], word) == 0
    assert outbox.collect(["a"], word, everything=True) == 1
