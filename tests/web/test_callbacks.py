"""Systems are told what became of what they sent: once each, however often they fail."""

import datetime as dt
import json
import threading
import time

import pytest

from mediaguard.channels.signing import verify
from mediaguard.store.deliveries import TELL_FOR
from mediaguard.store.tables import CallbackRow
from mediaguard.web.callbacks import Callbacks
from mediaguard.web.senders import Gate
from tests.channels.standin import Answer, instead, running
from tests.pipeline.world import CHANNEL
from tests.takedown_world import later
from tests.web.school import SECRETS, Caller, make_school


@pytest.fixture
def told(tmp_path):
    with running(lambda _: Answer(204)) as standin:
        standin.world = make_school(tmp_path, callback=f"{standin.url}/results")
        yield standin


def callbacks_of(world) -> Callbacks:
    gate = Gate(world.config.web, world.home, world.work)
    return Callbacks(world, [*gate.senders.values()])


def rows(world) -> list[CallbackRow]:
    with world.database.read() as session:
        return [*session.query(CallbackRow).order_by(CallbackRow.created_at)]


def flush(world) -> None:
    callbacks = callbacks_of(world)
    callbacks.collect()
    while callbacks.send("website"):
        pass


def messages(standin) -> list[dict]:
    return [json.loads(request.body) for request in standin.requests]


def test_the_story_of_a_photo(told, photo):
    world = told.world
    caller = Caller(world)
    item = caller.upload(photo("S-1")).json()["id"]
    flush(world)
    assert told.requests == []
    caller.work()
    flush(world)
    flush(world)
    decided, published = messages(told)
    assert (decided["type"], published["type"]) == ("media.decided", "media.published")
    assert (decided["data"]["id"], decided["data"]["state"]) == (item, "released")
    assert decided["data"]["reason"]["code"] == "all-consented"
    assert published["data"]["publication"]["urls"] == []
    assert dt.datetime.fromisoformat(decided["timestamp"]).utcoffset() is not None
    for request in told.requests:
        headers = {name.lower(): value for name, value in request.headers.items()}
        # Signed with both keys while they are exchanged.
        for key in ("website", "website-old"):
            verify([SECRETS[key]], headers, request.body, time.time())
        assert request.path == "/results"
    assert len({request.headers["webhook-id"] for request in told.requests}) == 2

    world.desk.withdraw("S-1", CHANNEL)
    flush(world)
    assert len(told.requests) == 2
    caller.work()
    flush(world)
    assert [m["type"] for m in messages(told)][2:] == ["media.removed"]
    assert all(row.payload is None and row.done_at for row in rows(world))


def test_whoever_asked_for_none_is_not_told(told, photo):
    caller = Caller(told.world)
    caller.upload(photo("S-1"), sender="parents")
    caller.work()
    flush(told.world)
    assert rows(told.world) == []


def test_it_is_told_again_until_it_is_taken(told, photo):
    world = told.world
    caller = Caller(world)
    caller.upload(photo("X"))
    caller.work()
    told.misbehave("POST", instead(500), 1)
    told.misbehave("POST", instead(503), 1)
    flush(world)
    first = [row for row in rows(world) if row.failures]
    assert [row.problem for row in first] == ["channel-failed", "channel-busy"]
    before = len(told.requests)
    flush(world)
    assert len(told.requests) == before  # not yet
    later(world, dt.timedelta(minutes=2))
    flush(world)
    assert all(row.done_at for row in rows(world))
    bodies: dict[str, set[bytes]] = {}
    for request in told.requests:
        bodies.setdefault(request.headers["webhook-id"], set()).add(request.body)
    assert all(len(same) == 1 for same in bodies.values())


def test_after_three_days_nobody_is_told_any_more(told, photo, monkeypatch):
    assert dt.timedelta(days=3) == TELL_FOR
    monkeypatch.setattr("mediaguard.store.deliveries.TELL_FOR", TELL_FOR / 24)
    world = told.world
    caller = Caller(world)
    caller.upload(photo("X"))
    caller.work()
    told.misbehave("POST", instead(500))
    for _ in range(400):
        flush(world)
        due = [row.next_attempt_at for row in rows(world) if row.next_attempt_at]
        if not due:
            break
        moment = max(due)
        world.now = lambda at=moment: at
    given_up = rows(world)
    assert all(row.done_at is None and row.payload is None for row in given_up)
    assert max(row.failures for row in given_up) > 15
    assert world.now() - given_up[0].created_at <= TELL_FOR / 24


def test_gone_means_gone(told, photo):
    caller = Caller(told.world)
    caller.upload(photo("X"))
    caller.work()
    told.misbehave("POST", instead(410), 1)
    flush(told.world)
    assert [row.next_attempt_at for row in rows(told.world)] == [None, None]
    assert len([row for row in rows(told.world) if row.done_at]) == 1


def test_a_new_decision_is_told_again(told, photo):
    caller = Caller(told.world)
    caller.upload(photo("S-1"))
    caller.work()
    flush(told.world)
    caller.upload(photo("S-1"))
    caller.work()
    flush(told.world)
    assert [m["type"] for m in messages(told)] == [
        "media.decided",
        "media.published",
        "media.decided",
    ]


def test_the_threads_tell_by_themselves_and_stop(told, photo):
    caller = Caller(told.world)
    caller.upload(photo("S-1"))
    caller.work()
    stop = threading.Event()
    threads = callbacks_of(told.world).threads(stop)
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while len(told.requests) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert len(told.requests) == 2
