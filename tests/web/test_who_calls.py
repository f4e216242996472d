"""Nobody gets in without a signature, and nobody gets at what is somebody else's."""

import json
import time

import pytest

from mediaguard.web.senders import Pace
from tests.pipeline.world import CHANNEL
from tests.web.school import OTHER, SECRETS, Caller, form, make_school, signed

ROUTES = [
    ("GET", "/v1/media/0123456789abcdef"),
    ("GET", "/v1/media/0123456789abcdef/rendition"),
    ("GET", "/v1/publications"),
    ("GET", "/v1/takedowns"),
    ("POST", "/v1/media"),
    ("POST", "/v1/consents"),
]


def call(caller, method, path, headers):
    return caller.client.request(method, path, headers=headers)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_asks_for_a_signature(caller, method, path):
    for headers, code in (
        ({}, "web-signature-missing"),
        ({**signed(), "mediaguard-sender": "nobody"}, "web-signature-forged"),
        ({**signed(), "mediaguard-sender": "parents"}, "web-signature-forged"),
        ({**signed(b"other")}, "web-signature-forged"),
        ({**signed(), "webhook-id": "another"}, "web-signature-forged"),
        (signed(at=time.time() - 301), "web-signature-stale"),
        (signed(at=time.time() + 302), "web-signature-stale"),
        ({**signed(), "webhook-timestamp": "1e9"}, "web-signature-missing"),
        ({**signed(), "webhook-signature": "v1,"}, "web-signature-forged"),
    ):
        answer = call(caller, method, path, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, code), headers
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"]


def test_an_unknown_sender_and_a_wrong_signature_look_the_same(caller):
    body, headers = form(b"x" * 100_000)
    wrong = signed(b"something else")
    known = caller.client.post("/v1/media", content=body, headers={**headers, **wrong})
    nobody = caller.client.post(
        "/v1/media", content=body, headers={**headers, **wrong, "mediaguard-sender": "nobody"}
    )
    assert known.status_code == nobody.status_code == 401
    assert known.content == nobody.content
    assert {*known.headers} == {*nobody.headers}


def test_both_keys_count_while_they_are_exchanged(caller):
    assert caller.get("/v1/publications").status_code == 200
    assert caller.get("/v1/publications", secrets=[SECRETS["website-old"]]).status_code == 200
    both = [SECRETS["busy"], SECRETS["website"]]
    assert caller.get("/v1/publications", secrets=both).status_code == 200
    assert caller.get("/v1/publications", secrets=[SECRETS["busy"]]).status_code == 401


@pytest.mark.parametrize("sender", ["website", "parents", "newsletters"])
def test_a_sender_sees_only_its_channels(world, photo, sender):
    caller = Caller(world)
    mine = {"website": {CHANNEL}, "parents": {CHANNEL, OTHER}, "newsletters": {"newsletter"}}
    by_channel = {
        CHANNEL: caller.upload(photo("S-1")).json()["id"],
        OTHER: caller.upload(photo("X"), sender="parents", channel=OTHER).json()["id"],
        "newsletter": caller.upload(photo("X"), sender="newsletters", channel="newsletter").json()[
            "id"
        ],
    }
    caller.work()
    world.desk.withdraw("S-1", CHANNEL)
    for channel, item in by_channel.items():
        allowed = channel in mine[sender]
        assert caller.get(f"/v1/media/{item}", sender=sender).status_code == (
            200 if allowed else 404
        )
        given = caller.get(f"/v1/media/{item}/rendition", sender=sender)
        assert given.status_code == 404 if not allowed else given.status_code in (200, 404)
        for path in ("publications", "takedowns"):
            answer = caller.get(f"/v1/{path}?channel={channel}", sender=sender)
            assert answer.status_code == (200 if allowed else 403)
            every = caller.get(f"/v1/{path}?all=true", sender=sender).json()["items"]
            assert {one["channel"] for one in every} <= mine[sender]
        body, headers = form(photo("S-2"), channel=channel)
        answer = caller.post("/v1/media", body, headers, sender=sender)
        assert answer.status_code == (202 if allowed else 403)
        answer = caller.json("/v1/media", {"url": "x", "channel": channel}, sender=sender)
        assert answer.json()["code"] == ("web-fetch-url" if allowed else "web-channel")


def test_only_who_may_brings_consents(caller):
    entry = {"subject": "S-1", "channel": CHANNEL, "answer": "withdraw"}
    assert caller.json("/v1/consents", entry).json()["code"] == "web-no-consents"
    assert caller.json("/v1/consents", entry, sender="parents").status_code == 200
    elsewhere = caller.json("/v1/consents", {**entry, "channel": "newsletter"}, sender="parents")
    assert elsewhere.status_code == 422
    assert elsewhere.json()["results"][0]["problem"]["code"] == "web-channel"


def test_too_many_requests_wait(caller):
    for _ in range(3):
        assert caller.get("/v1/publications", sender="busy").status_code == 200
    answer = caller.get("/v1/publications", sender="busy")
    assert (answer.status_code, answer.json()["code"]) == (429, "web-too-often")
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    assert caller.get("/v1/publications").status_code == 200
    # Whoever only says to be that sender does not use up what it has.
    assert (
        caller.get("/v1/publications", sender="busy", secrets=[SECRETS["website"]]).status_code
        == 401
    )


def test_the_pace_comes_back_with_time():
    now = [0.0]
    pace = Pace(60, lambda: now[0])
    assert [pace.take() for _ in range(60)] == [0] * 60
    assert pace.take() == pytest.approx(1.0)
    now[0] = 1.0
    assert pace.take() == 0
    assert pace.take() > 0


def test_every_answer_has_the_headers_that_keep_it_in_its_place(caller):
    for answer in (
        caller.client.get("/health"),
        caller.client.get("/nothing"),
        caller.client.put("/v1/media"),
        caller.get("/v1/publications"),
        caller.client.options("/v1/media", headers={"Origin": "https://evil.example"}),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"


def test_nobody_is_led_to_a_host_that_the_caller_names(caller):
    evil = {"Host": "evil.example"}
    for path in ("/health/", "/v1/media/", "/my/x/", "/console/inbox/", "/my", "/console/static"):
        answer = caller.client.get(path, headers=evil, follow_redirects=False)
        assert "location" not in answer.headers, path
    for path in ("/console/inbox/", "/console/people/"):
        answer = caller.client.get(path, follow_redirects=False)
        assert "location" not in answer.headers, path
    answer = caller.client.get("/console", headers=evil, follow_redirects=False)
    assert answer.headers["location"] == "/console/"


def test_where_there_is_an_address_nobody_comes_without_tls(tmp_path):
    world = make_school(tmp_path, more='\n[web]\naddress = "https://media.school.example"\n')
    for path in ("/health", "/nothing", "/my/x", "/console/sign-in"):
        answer = Caller(world).client.get(path)
        assert "max-age" in answer.headers["strict-transport-security"], path


def test_an_unexpected_error_says_nothing_about_itself(caller, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("secret /etc/path whsec_abc")

    monkeypatch.setattr("mediaguard.web.listings.publications", broken)
    answer = caller.get("/v1/publications")
    assert (answer.status_code, answer.json()["code"]) == (500, "web-failed")
    assert "secret" not in answer.text
    assert "x-content-type-options" in answer.headers


def test_a_database_that_is_gone_is_told_without_its_place(caller, world, photo):
    (world.home / "mediaguard.db").rename(world.home / "elsewhere.db")
    world.database.close()
    del world.database
    fresh = Caller(world)
    answer = fresh.get("/v1/publications")
    assert (answer.status_code, answer.json()["code"]) == (503, "web-not-now")
    assert "mediaguard.db" not in answer.text
    health = fresh.client.get("/health")
    assert health.status_code == 503
    assert health.json() == {"status": "failing", "failing": ["database"]}


def test_problems_in_both_languages(caller):
    english, dutch = (
        caller.client.get("/nothing", headers={"Accept-Language": language})
        for language in ("en", "nl;q=0.9, en;q=0.1")
    )
    assert english.json()["code"] == dutch.json()["code"] == "web-not-found"
    assert english.json()["detail"] != dutch.json()["detail"]
    assert dutch.headers["content-language"] == "nl"
    assert json.loads(english.content)["status"] == 404


def test_numbers_and_documentation_only_for_this_machine(world):
    here, far = Caller(world), Caller(world, host="192.0.2.1")
    for path in ("/metrics", "/openapi.json"):
        assert here.client.get(path).status_code == 200
        assert far.client.get(path).status_code == 404
        through = here.client.get(path, headers={"X-Forwarded-For": "192.0.2.1"})
        assert through.status_code == 404
        # A web server on this machine that says nothing of itself, or somebody else's name.
        assert here.client.get(path, headers={"Host": "media.school.example"}).status_code == 404
        assert here.client.get(path, headers={"Host": "localhost:8321"}).status_code == 200
    assert far.client.get("/health").json() == {"status": "ok"}


def test_the_numbers(caller, photo):
    caller.upload(photo("S-1"))
    caller.work()
    caller.world.desk.withdraw("S-1", CHANNEL)
    caller.upload(photo("S-2"))
    text = caller.client.get("/metrics").text
    assert 'mediaguard_items{state="released"} 1.0' in text
    assert 'mediaguard_items{state="received"} 1.0' in text
    assert "mediaguard_takedowns_open 1.0" in text
    assert "mediaguard_takedowns_overdue 0.0" in text
    assert "mediaguard_queue_items 1.0" in text
    assert 'route="/v1/media",status="202"' in text
    assert 'route="other"' not in text


def test_nobody_makes_up_numbers(caller):
    for number in range(5):
        caller.client.request(f"MADE-UP-{number}", f"/made/up/{number}")
    text = caller.client.get("/metrics").text
    assert "UP" not in text
    assert 'mediaguard_request_seconds_count{method="other",route="other",status="404"} 5.0' in text
