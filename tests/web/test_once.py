"""The same request is done once, however often and however simultaneously it comes."""

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from mediaguard.errors import StoreError
from mediaguard.store.deliveries import CLAIM, KEPT, Claim, Deliveries
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import ItemRow, WebhookDeliveryRow
from mediaguard.web import once
from mediaguard.web.counter import Counter
from tests.pipeline.world import CHANNEL
from tests.web.school import form

GRANT = {
    "subject": "S-1",
    "channel": CHANNEL,
    "answer": "grant",
    "signatory": "guardian",
    "evidence": "app:1",
}


def rows(world, table) -> list:
    with world.database.read() as session:
        return [*session.query(table)]


def test_a_request_that_comes_again_gets_the_same_answer(caller, photo):
    body, headers = form(photo("S-1"))
    first = caller.post("/v1/media", body, headers, webhook_id="msg_1")
    caller.work()
    updated = rows(caller.world, ItemRow)[0].updated_at
    again = caller.post("/v1/media", body, headers, webhook_id="msg_1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    caller.work()
    assert rows(caller.world, ItemRow)[0].updated_at == updated
    # Whoever was cut off while waiting asks again and gets the decision.
    waited = caller.post("/v1/media", body, headers, "?wait=5", webhook_id="msg_1")
    assert (waited.status_code, waited.json()["state"]) == (200, "released")


def test_an_id_is_for_one_body_one_route_and_one_sender(caller, photo):
    body, headers = form(photo("S-1"))
    caller.post("/v1/media", body, headers, webhook_id="msg_1", sender="parents")
    other, more = form(photo("S-2"))
    answer = caller.post("/v1/media", other, more, webhook_id="msg_1", sender="parents")
    assert (answer.status_code, answer.json()["code"]) == (422, "web-id-used")
    answer = caller.json("/v1/consents", GRANT, webhook_id="msg_1", sender="parents")
    assert (answer.status_code, answer.json()["code"]) == (422, "web-id-used")
    assert caller.post("/v1/media", other, more, webhook_id="msg_1").status_code == 202


def test_what_failed_may_come_again(caller, photo, monkeypatch):
    body, headers = form(photo("S-1"))

    def broken(*_):
        raise StoreError("vault-unwritable", detail="?")

    monkeypatch.setattr(caller.world.vault, "put", broken)
    answer = caller.post("/v1/media", body, headers, webhook_id="msg_1")
    assert (answer.status_code, answer.json()["code"]) == (503, "web-not-now")
    monkeypatch.undo()
    assert caller.post("/v1/media", body, headers, webhook_id="msg_1").status_code == 202


def test_two_at_once_are_one(caller):
    entry = {**GRANT, "answer": "refuse"}

    def send(_):
        return caller.json("/v1/consents", entry, sender="parents", webhook_id="msg_1")

    with ThreadPoolExecutor(6) as pool:
        answers = [*pool.map(send, range(6))]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    with caller.world.database.read() as session:
        events = Ledger(session).events(["S-1"], CHANNEL)
    assert [event.answer for event in events] == ["granted", "refused"]


def test_one_that_takes_too_long_is_told_to_the_other(caller, monkeypatch):
    monkeypatch.setattr(once, "PATIENCE", 0.3)
    begun, go_on = threading.Event(), threading.Event()
    refuse = Counter._answer

    def slow(self, entry):
        begun.set()
        go_on.wait(10)
        return refuse(self, entry)

    monkeypatch.setattr(Counter, "_answer", slow)
    with ThreadPoolExecutor(1) as pool:
        how = {"sender": "parents", "webhook_id": "msg_1"}
        first = pool.submit(lambda: caller.json("/v1/consents", GRANT, **how))
        assert begun.wait(10)
        other = caller.json("/v1/consents", GRANT, **how)
        assert (other.status_code, other.json()["code"]) == (409, "web-in-progress")
        assert other.headers["retry-after"] == "5"
        go_on.set()
        assert first.result().status_code == 200
    assert caller.json("/v1/consents", GRANT, **how).status_code == 200


def test_a_long_request_is_not_taken_over(caller, monkeypatch):
    monkeypatch.setattr(once, "_BEAT", 0.05)
    monkeypatch.setattr("mediaguard.store.deliveries.CLAIM", dt.timedelta(seconds=0.4))
    monkeypatch.setattr(once, "PATIENCE", 1.2)
    calls = []
    refuse = Counter._answer

    def slow(self, entry):
        calls.append(entry)
        time.sleep(1)
        return refuse(self, entry)

    monkeypatch.setattr(Counter, "_answer", slow)
    how = {"sender": "parents", "webhook_id": "msg_1"}
    with ThreadPoolExecutor(2) as pool:
        answers = [*pool.map(lambda _: caller.json("/v1/consents", GRANT, **how), range(2))]
    assert {a.status_code for a in answers} == {200}
    assert len(calls) == 1


def test_what_broke_off_is_taken_up_where_it_was(caller, monkeypatch):
    entries = [{**GRANT, "subject": f"S-{n}", "answer": "refuse"} for n in (1, 2, 3)]
    done = []
    refuse = Counter._answer

    def dies(self, entry):
        if len(done) == 2:
            raise StoreError("disk-full", database="/secret")
        done.append(entry["subject"])
        return refuse(self, entry)

    monkeypatch.setattr(Counter, "_answer", dies)
    how = {"sender": "parents", "webhook_id": "msg_1"}
    answer = caller.json("/v1/consents", {"consents": entries}, **how)
    assert (answer.status_code, answer.json()["code"]) == (507, "web-full")
    monkeypatch.undo()
    answer = caller.json("/v1/consents", {"consents": entries}, **how)
    assert answer.json()["recorded"] == 3
    with caller.world.database.read() as session:
        events = Ledger(session).events(channel=CHANNEL)
    assert [e.subject_id for e in events if e.answer == "refused"] == ["S-1", "S-2", "S-3"]


def test_a_claim_lapses_when_its_process_is_gone(world):
    moment = [world.now()]
    deliveries = Deliveries(world.database, lambda: moment[0])
    assert deliveries.claim("a", "1", "x").claim is Claim.MINE
    assert deliveries.claim("a", "1", "x").claim is Claim.BUSY
    assert deliveries.claim("a", "1", "y").claim is Claim.OTHER
    moment[0] += CLAIM
    assert deliveries.claim("a", "1", "x").claim is Claim.MINE
    deliveries.settle("a", "1", 200, {"ok": True})
    assert deliveries.claim("a", "1", "x").answer == {"ok": True}


def test_answers_are_kept_for_thirty_days(world):
    moment = [world.now()]
    deliveries = Deliveries(world.database, lambda: moment[0])
    deliveries.claim("a", "1", "x")
    moment[0] += KEPT
    deliveries.sweep()
    assert len(rows(world, WebhookDeliveryRow)) == 1
    moment[0] += dt.timedelta(seconds=1)
    deliveries.sweep()
    assert rows(world, WebhookDeliveryRow) == []
