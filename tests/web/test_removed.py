"""A system that deleted something says so; it counts as public until it is seen to be gone."""

import pytest

from mediaguard.store.audit import Audit
from mediaguard.web.route_removed import REASON
from tests.pipeline.world import CHANNEL
from tests.web.school import Caller


@pytest.fixture
def published(caller, photo) -> tuple[str, str]:
    """An item that is public, and its publication."""
    item = caller.upload(photo("S-1")).json()["id"]
    caller.work()
    (publication,) = caller.get(f"/v1/media/{item}").json()["publications"]
    return item, publication["id"]


def say(caller: Caller, publication: object, **how):
    return caller.json("/v1/takedowns", {"publication": publication}, **how)


def test_it_is_confirmed_and_then_it_is_on_record(caller, published):
    item, publication = published
    answer = say(caller, publication)
    assert answer.status_code == 202
    told = answer.json()
    assert (told["publication"], told["state"]) == (publication, "live")
    (asked,) = caller.get("/v1/takedowns").json()["items"]
    assert (asked["id"], asked["reason"]) == (told["takedown"], REASON)
    caller.work()
    (after,) = caller.get(f"/v1/media/{item}").json()["publications"]
    assert after["state"] == "removed"
    assert [one["state"] for one in after["takedowns"]] == ["confirmed"]
    assert [*caller.world.ready(CHANNEL).glob("*.jpg")] == []
    with caller.world.database.read() as session:
        actions = {
            entry.action: entry.actor for entry in Audit(session, caller.world.keyring).entries()
        }
    assert actions["publication-reported-removed"] == "sender:website"


def test_said_twice_it_is_one_takedown(caller, published):
    _, publication = published
    first, again = say(caller, publication), say(caller, publication)
    assert first.json() == again.json()
    assert len(caller.get("/v1/takedowns").json()["items"]) == 1
    caller.work()
    late = say(caller, publication).json()
    assert late == {"publication": publication, "state": "removed", "takedown": None}
    assert caller.get("/v1/takedowns").json()["items"] == []


def test_it_can_be_sent_in_again(caller, published, photo):
    item, publication = published
    say(caller, publication)
    caller.work()
    assert caller.upload(photo("S-1")).json()["id"] == item
    caller.work()
    states = [one["state"] for one in caller.get(f"/v1/media/{item}").json()["publications"]]
    assert sorted(states) == ["live", "removed"]


def test_what_is_not_the_senders_is_not_there(caller, published):
    _, publication = published
    other = say(Caller(caller.world, "newsletters"), publication)
    unknown = say(caller, "0" * 32)
    assert (other.status_code, other.json()["code"]) == (404, "web-no-publication")
    assert (unknown.status_code, unknown.content) == (404, other.content)
    assert caller.get("/v1/takedowns").json()["items"] == []


@pytest.mark.parametrize("body", [{}, [], {"publication": 1}, {"publication": "x" * 32}, None])
def test_what_makes_no_sense(caller, body):
    answer = caller.json("/v1/takedowns", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "web-invalid")


def test_only_who_is_known_may_say_it(caller, published):
    _, publication = published
    body = f'{{"publication": "{publication}"}}'.encode()
    headers = {"Content-Type": "application/json"}
    assert caller.client.post("/v1/takedowns", content=body, headers=headers).status_code == 401
    form = caller.post("/v1/takedowns", body, {"Content-Type": "text/plain"})
    assert (form.status_code, form.json()["code"]) == (415, "web-media-type")
