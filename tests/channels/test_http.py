"""The contract with a website's own system: what is sent, and what is believed."""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.channels import http as http_module
from mediaguard.channels.http import HttpChannel
from mediaguard.channels.web import Web, is_web_address
from mediaguard.core.publication import Published
from mediaguard.errors import ChannelError, ConfigError
from tests.channels.harness import SECRET, delivery, web
from tests.channels.roles import Cms, PublicSite
from tests.channels.standin import (
    Standin,
    afterwards,
    down,
    drip,
    instead,
    running,
    slow,
)

OLD = "whsec_" + "A" * 43 + "="


@pytest.fixture
def cms() -> Cms:
    return Cms(PublicSite(), (SECRET,))


@pytest.fixture
def standin(cms: Cms) -> Iterator[Standin]:
    with running(cms, cms.site) as made:
        cms.base = made.url
        yield made


@pytest.fixture
def channel(standin: Standin) -> HttpChannel:
    return HttpChannel(f"{standin.url}/cms/", [SECRET], web())


def code(act, *arguments) -> str:
    with pytest.raises(ChannelError) as caught:
        act(*arguments)
    return caught.value.code


def test_content_comes_first_and_is_private_until_the_event(channel, cms, standin):
    standin.misbehave("POST", instead(500))
    sent = delivery(b"one")
    assert code(channel.publish, sent) == "channel-failed"
    assert cms.contents == {sent.sha256: b"one"}
    assert not cms.site.files
    standin.behave()
    assert channel.lookup(sent.key, sent.item_id, sent.sha256) is None


def test_what_is_sent(channel, cms, standin):
    sent = delivery(b"one")
    published = channel.publish(sent)
    put, post = standin.requests
    assert put.line == f"PUT /cms/content/{sent.sha256}"
    assert (put.headers["content-type"], put.headers["content-length"]) == ("image/jpeg", "3")
    assert put.body == b"one"
    event = json.loads(post.body)
    assert event["type"] == "publication.publish"
    assert event["data"] == {
        "key": sent.key,
        "item": sent.item_id,
        "sha256": sent.sha256,
        "media_type": "image/jpeg",
        "size": 3,
    }
    channel.remove(published)
    assert json.loads(standin.requests[-1].body)["data"] == {
        "key": sent.key,
        "item": sent.item_id,
        "sha256": sent.sha256,
        "id": published.remote_id,
        "urls": list(published.urls),
    }
    assert cms.seen == [f"{sent.key}-content", f"{sent.key}-publish", f"{sent.key}-remove"]


def test_a_repetition_is_recognised_but_a_lookup_is_always_new(channel, cms):
    sent = delivery()
    channel.publish(sent)
    channel.publish(sent)
    assert len(cms.visible()) == 1
    assert len(set(cms.seen)) == 2
    cms.seen.clear()
    channel.lookup(sent.key, sent.item_id, sent.sha256)
    assert cms.seen[0].startswith(f"{sent.key}-lookup-")


def test_a_replacement_names_what_it_replaces(channel, standin):
    earlier = channel.publish(delivery(b"one"))
    channel.replace([earlier], delivery(b"two"))
    assert json.loads(standin.requests[-1].body)["data"]["replaces"] == [earlier.remote_id]


def test_a_video_is_never_whole_in_memory(channel, cms):
    largest, content = 0, b"v" * 1_000_000

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            nonlocal largest
            piece = super().read(size)
            largest = max(largest, len(piece))
            return piece

    sent = replace(delivery(content, suffix=".mp4"), open=lambda: Watched(content))
    channel.publish(sent)
    assert cms.visible() == [content]
    assert largest <= 1 << 16


def test_content_that_changed_is_not_sent(channel, standin):
    sent = replace(delivery(b"one"), open=lambda: io.BytesIO(b"two"))
    assert code(channel.publish, sent) == "rendition-changed"
    assert not standin.requests


def test_content_that_changes_while_it_is_sent_is_refused(channel, cms):
    contents = [b"one", b"two"]
    sent = replace(delivery(b"one"), open=lambda: io.BytesIO(contents.pop(0)))
    assert code(channel.publish, sent) == "channel-credentials"
    assert not cms.contents


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (down, "channel-unreachable"),
        (slow, "channel-unreachable"),
        (drip, "channel-unreachable"),
        (instead(401), "channel-credentials"),
        (instead(429, Retry_After="5"), "channel-busy"),
        (instead(302, Location="/"), "channel-answer"),
        (instead(200, b"<html>Welcome</html>"), "channel-answer"),
        (instead(200, b'{"id": "1", "urls": []}'), "channel-answer"),
        (instead(200, b'{"id": "", "urls": ["https://host/1"]}'), "channel-answer"),
        (instead(200, b'{"id": "1", "urls": ["file:///etc/passwd"]}'), "channel-answer"),
        (instead(200, b'{"id": "1", "urls": ["https://host/1", 5]}'), "channel-answer"),
        (instead(204), "channel-answer"),
        (instead(404), "channel-refuses"),
    ],
)
def test_what_goes_wrong_on_publishing(standin, cms, fault, expected):
    standin.misbehave("POST", fault)
    channel = HttpChannel(f"{standin.url}/cms", [SECRET], Web(timeout=0.2, deadline=0.4))
    assert code(channel.publish, delivery()) == expected


@pytest.mark.parametrize("inside", ["169.254.169.254", "10.0.0.1", "[fe80::1]", "0xa000001"])
def test_it_cannot_name_what_else_is_in_our_network(channel, cms, standin, inside):
    sent = delivery(b"one")
    fine = channel.publish(sent)
    assert fine.urls[0].startswith("http://127.0.0.1:"), "where the endpoint itself is"
    told = json.dumps({"id": "1", "urls": [fine.urls[0], f"http://{inside}/x.jpg"]})
    standin.misbehave("POST", instead(200, told.encode()))
    assert code(channel.publish, sent) == "channel-answer"
    assert code(channel.replace, [fine], sent) == "channel-answer"
    assert code(channel.lookup, sent.key, sent.item_id, sent.sha256) == "channel-answer"


def test_what_it_named_in_our_network_is_not_visited(standin):
    """It was recorded before that was refused, or the name leads elsewhere since then."""
    channel = HttpChannel("https://93.184.215.14/cms", [SECRET], web())
    published = Published("key", "item", "1", (f"{standin.url}/x.jpg",), "0" * 64)
    (look,) = channel.confirm_gone(published, None)
    assert (look.gone, look.answer) == (False, "no answer")
    assert standin.requests == []


def test_a_failure_after_the_work_is_found_out_by_looking_up(channel, cms, standin):
    standin.misbehave("POST", afterwards(500), times=1)
    sent = delivery(b"one")
    assert code(channel.publish, sent) == "channel-failed"
    found = channel.lookup(sent.key, sent.item_id, sent.sha256)
    assert found is not None
    channel.remove(found)
    assert not cms.site.files


@pytest.mark.parametrize("status", [200, 204, 404, 410])
def test_answers_that_mean_removed(channel, standin, status):
    standin.misbehave("POST", instead(status))
    channel.remove(Published("key", "item", "1", ("https://host/1",), "0" * 64))


@pytest.mark.parametrize("status", [301, 400, 401, 409, 429, 500, 503])
def test_answers_that_do_not(channel, standin, status):
    standin.misbehave("POST", instead(status))
    code(channel.remove, Published("key", "item", "1", ("https://host/1",), "0" * 64))


def test_secrets_are_exchanged(standin, cms):
    channel = HttpChannel(f"{standin.url}/cms", [SECRET, OLD], web())
    cms.secrets = (OLD,)
    channel.publish(delivery(b"one"))
    cms.secrets = (SECRET,)
    channel.publish(delivery(b"two"))
    assert len(cms.visible()) == 2


def test_a_wrong_secret_is_said_at_once():
    with pytest.raises(ConfigError):
        HttpChannel("https://host/cms", ["not-a-secret"])


ADDRESS = st.integers(1, 9).map("https://host/{}".format)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | ADDRESS,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["id", "urls", "x"]), inner),
    max_leaves=20,
)
PROPER = st.fixed_dictionaries(
    {"id": st.text(max_size=500), "urls": st.lists(ADDRESS, max_size=101)}
)


@given(PROPER | JSON)
def test_only_a_proper_answer_is_believed(found):
    response = httpx.Response(200, json=found, request=httpx.Request("POST", "https://host/e"))

    def read() -> Published:
        return http_module._read(response, "key", "item", hashlib.sha256().hexdigest())

    urls = found.get("urls") if isinstance(found, dict) else None
    if not (
        isinstance(urls, list)
        and 1 <= len(urls) <= 100
        and all(isinstance(url, str) and is_web_address(url) for url in urls)
        and isinstance(found.get("id"), str)
        and found["id"]
    ):
        assert code(read) == "channel-answer"
        return
    published = read()
    assert published.remote_id == found["id"]
    assert published.urls == tuple(dict.fromkeys(urls))
