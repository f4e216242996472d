"""Answers about consent: each by itself, and a withdrawal whatever its form."""

import json

import pytest

from mediaguard.core.consent import MATCHING
from mediaguard.store.audit import Audit
from mediaguard.store.ledger import Ledger
from tests.pipeline.world import CHANNEL
from tests.web.school import OTHER, Caller

GRANT = {
    "subject": "S-1",
    "channel": OTHER,
    "answer": "grant",
    "signatory": "guardian",
    "evidence": "app:1",
}


@pytest.fixture
def parents(world) -> Caller:
    return Caller(world, "parents")


def events(world, subject="S-1", channel=CHANNEL):
    with world.database.read() as session:
        return Ledger(session).events([subject], channel)


def test_a_grant_is_recorded_and_counts(parents, world):
    more = {"from": "2020-01-01", "until": "2999-12-31", "wording": "2026-1", "signatory_id": "G1"}
    answer = parents.json("/v1/consents", {**GRANT, **more})
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    assert (result["status"], result["allowed"]) == ("recorded", True)
    (event,) = events(world, channel=OTHER)
    assert result["events"] == [event.event_id]
    assert (event.wording, event.signatory_id, str(event.valid_until)) == (
        "2026-1",
        "G1",
        "2999-12-31",
    )
    with world.database.read() as session:
        actors = [e.actor for e in Audit(session, world.keyring).entries()]
    assert actors[-1] == "sender:parents"


def test_the_texts_of_a_wording_are_kept_with_the_first_yes(parents, world):
    text = world.home / "wordings" / "2026-1.nl.txt"
    text.write_text("Wij tonen u.")
    parents.json("/v1/consents", {**GRANT, "wording": "2026-1"})
    text.write_text("Iets anders.")
    kept = world.wordings.get("2026-1")
    assert (kept.texts, kept.changed) == ({"nl": "Wij tonen u."}, True)
    with world.database.read() as session:
        entry = Audit(session, world.keyring).entries()[-1]
    assert entry.data["wording_nl"] == kept.digest("nl")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"evidence": ""}, "consent-evidence"),
        ({"signatory": "teacher"}, "consent-signatory-unknown"),
        ({"subject": "S-99"}, "no-subject"),
        ({"subject": ""}, "web-invalid"),
        ({"subject": "\x00"}, "web-invalid"),
        ({"subject": "\ud800"}, "web-invalid"),
        ({"subject": 7}, "web-invalid"),
        ({"channel": "newsletter"}, "web-channel"),
        ({"channel": "nowhere"}, "web-channel"),
        ({"answer": "maybe"}, "web-invalid"),
        ({"answer": None}, "web-invalid"),
        ({"from": "yesterday"}, "web-invalid"),
        ({"from": "2027-01-02", "until": "2027-01-01"}, "consent-dates"),
        ({"wording": "x" * 300}, "text-unusable"),
        ({"extra": 1}, "web-invalid"),
    ],
)
def test_a_grant_that_could_never_count_is_refused(parents, world, change, code):
    answer = parents.json("/v1/consents", {**GRANT, **change})
    assert answer.status_code == 422
    (result,) = answer.json()["results"]
    assert (result["status"], result["problem"]["code"]) == ("refused", code)
    assert result["problem"]["detail"]
    assert events(world, channel=OTHER) == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"signatory": "guardian", "signatory_id": "G1", "evidence": "app:2"},
        {"signatory": "the neighbour", "signatory_id": "\x00", "evidence": "x" * 1000},
        {"signatory": None, "evidence": None, "wording": 7, "from": "never", "nonsense": [1]},
    ],
)
def test_a_withdrawal_is_in_force_whatever_its_form(parents, world, photo, form):
    taken = parents.upload(photo("S-1")).json()
    parents.work()
    entry = {"subject": "S-1", "channel": CHANNEL, "answer": "withdraw", **form}
    answer = parents.json("/v1/consents", entry)
    assert answer.status_code == 200
    (result,) = answer.json()["results"]
    assert (result["status"], result["allowed"]) == ("recorded", False)
    (takedown,) = result["takedowns"]
    assert (takedown["channel"], takedown["action"], takedown["urls"]) == (CHANNEL, "remove", [])
    assert events(world)[-1].answer == "withdrawn"
    assert not world.desk.rulings(["S-1"])["S-1"][CHANNEL].allowed
    listed = parents.get("/v1/takedowns?subject=S-1").json()["items"]
    assert [one["id"] for one in listed] == [takedown["id"]]
    parents.work()
    item = parents.get(taken["links"]["self"]).json()
    assert item["publications"][0]["state"] == "removed"


def test_a_withdrawal_without_a_channel_is_for_all_of_the_senders(parents, world):
    parents.json("/v1/consents", GRANT)
    world.desk.grant("S-1", "newsletter", signatory="guardian", evidence="x")
    answer = parents.json("/v1/consents", {"subject": "S-1", "answer": "withdraw"})
    assert len(answer.json()["results"][0]["events"]) == 3
    rulings = world.desk.rulings(["S-1"])["S-1"]
    assert {c for c, ruling in rulings.items() if ruling.allowed} == {"newsletter"}
    assert not rulings[MATCHING].allowed


def test_several_are_told_apart(parents):
    entries = [
        {**GRANT, "answer": "refuse"},
        {**GRANT, "subject": "S-99"},
        "nonsense",
        {"subject": "S-2", "channel": CHANNEL, "answer": "withdraw"},
    ]
    answer = parents.json("/v1/consents", {"consents": entries})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["recorded"], told["refused"]) == (2, 2)
    assert [r["status"] for r in told["results"]] == ["recorded", "refused", "refused", "recorded"]
    assert told["results"][1]["subject"] == "S-99"


def test_a_thousand_at_once_and_not_one_more(parents, world):
    entries = [{**GRANT, "answer": "refuse", "channel": OTHER, "subject": "S-1"}] * 1001
    assert parents.json("/v1/consents", {"consents": entries}).json()["code"] == "web-consents"
    assert events(world, channel=OTHER) == []
    assert parents.json("/v1/consents", {"consents": []}).json()["code"] == "web-consents"
    answer = parents.json("/v1/consents", {"consents": entries[:20]})
    assert answer.json()["recorded"] == 20


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"7", b'{"consents": 7}', b"\xff", b"[" * 100_000]
)
def test_a_body_that_is_no_answer(parents, body):
    answer = parents.post("/v1/consents", body, {"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_refusals_are_told_in_dutch(parents):
    body = json.dumps({**GRANT, "evidence": ""}).encode()
    how = {"Content-Type": "application/json", "Accept-Language": "nl"}
    answer = parents.post("/v1/consents", body, how)
    assert "bewijs" in answer.json()["results"][0]["problem"]["detail"]


def test_lists_page_by_page(parents, world, photo):
    for seed in range(5):
        parents.upload(photo("S-1", seed=seed))
    parents.work()
    seen, place = [], "/v1/publications?limit=2"
    while True:
        page = parents.get(place).json()
        seen += [one["id"] for one in page["items"]]
        assert all(one["urls"] == [] for one in page["items"])
        if page["next"] is None:
            break
        place = f"/v1/publications?limit=2&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 5
    assert parents.get("/v1/publications?subject=S-1").json()["items"]
    assert parents.get("/v1/publications?subject=S-2").json()["items"] == []
    assert parents.get("/v1/publications?subject=S-99").json()["code"] == "no-subject"
    world.desk.withdraw("S-1", CHANNEL)
    first = parents.get("/v1/takedowns?limit=4").json()
    rest = parents.get(f"/v1/takedowns?limit=4&cursor={first['next']}").json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (4, 1, None)
    assert parents.get("/v1/takedowns?overdue=true").json()["items"] == []
    parents.work()
    assert parents.get("/v1/takedowns").json()["items"] == []
    gone = parents.get("/v1/takedowns?all=true").json()["items"]
    assert {one["state"] for one in gone} == {"confirmed"}
    assert {look["url"] for one in gone for look in one["looks"]} == {None}
    for cursor in ("x", "MjAyNi0wMS0wMSBh", "%00"):
        assert parents.get(f"/v1/takedowns?cursor={cursor}").json()["code"] == "web-cursor"
