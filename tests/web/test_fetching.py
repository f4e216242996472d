"""Media by reference: only from known hosts on the public internet."""

import hashlib

import pytest

from mediaguard.channels.network import resolve
from mediaguard.web.fetching import Fetcher
from mediaguard.web.problems import Problem
from mediaguard.web.spool import Spool
from tests.channels.standin import Answer, drip, running
from tests.channels.test_network import PRIVATE
from tests.pipeline.world import CHANNEL
from tests.web.school import Caller, make_school

HOSTS = ["media.example", "10.0.0.8", "[::1]", "::1", "127.0.0.1"]


def refused(url: str, resolve, tmp_path, hosts=HOSTS) -> str:
    with pytest.raises(Problem) as caught:
        Fetcher(resolve).fetch(url, hosts, Spool(tmp_path, 1000))
    return caught.value.code


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_into_a_network_is_refused(address, tmp_path):
    def resolve(_host, _port):
        return [address]

    assert refused("https://media.example/x", resolve, tmp_path) == "web-fetch-address"

    def both(_host, _port):
        return ["93.184.215.14", address]

    assert refused("https://media.example/x", both, tmp_path) == "web-fetch-address"


@pytest.mark.parametrize(
    "url",
    [
        "http://media.example/x",
        "ftp://media.example/x",
        "file:///etc/passwd",
        "gopher://media.example/",
        "//media.example/x",
        "media.example/x",
        "https://",
        "https:///x",
        "https://user@media.example/x",
        "https://media.example@127.0.0.1/x",
        "https://media.example\\@127.0.0.1/",
        "https://media.example/a b",
        "https://media.example/\r\nHost: x",
        "https://media.example:99999/",
        "https://[::1/",
        "https://mediä.example/",
        "",
    ],
)
def test_an_address_that_is_none_is_refused(url, tmp_path):
    assert refused(url, lambda *_: pytest.fail("looked up"), tmp_path) == "web-fetch-url"


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/x",
        "https://media.example.evil.test/x",
        "https://evil.media.example/x",
        "https://media.example:8443/x",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/",
        "https://0x7f.1/",
    ],
)
def test_a_host_that_is_not_on_the_list_is_refused(url, tmp_path):
    assert refused(url, lambda *_: pytest.fail("looked up"), tmp_path) == "web-fetch-host"


@pytest.mark.parametrize("url", ["https://10.0.0.8/x", "https://[::1]/x", "https://127.0.0.1/x"])
def test_an_address_on_the_list_must_be_public_too(url, tmp_path):
    assert refused(url, lambda host, _: [host], tmp_path) == "web-fetch-address"


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1", "localhost"])
def test_however_this_machine_is_written_it_is_refused(host, tmp_path):
    assert refused(f"https://{host}/x", resolve, tmp_path, [host]) == "web-fetch-address"


def test_a_name_that_does_not_exist(tmp_path):
    def resolve(*_):
        raise OSError("no such host")

    assert refused("https://media.example/x", resolve, tmp_path) == "web-fetch-failed"
    assert refused("https://media.example/x", lambda *_: [], tmp_path) == "web-fetch-address"


def test_a_name_is_looked_up_once_and_that_address_is_used(tmp_path, monkeypatch):
    """DNS rebinding: a second answer would lead to this machine."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    connected = []

    def connect(_self, host, port, **_how):
        connected.append((host, port))
        raise ConnectionError

    monkeypatch.setattr("httpcore._backends.sync.SyncBackend.connect_tcp", connect)
    with pytest.raises(ConnectionError):
        Fetcher(lambda *_: answers.pop(0)).fetch(
            "https://media.example/x", HOSTS, Spool(tmp_path, 9)
        )
    assert connected == [("93.184.215.14", 443)]
    assert len(answers) == 1


# -- from a server of this machine -------------------------------------------------------------


def fetch(role, tmp_path, limit=1_000_000, path="/x.jpg") -> Spool:
    spool = Spool(tmp_path, limit)
    with running(role) as standin:
        port = standin.url.rpartition(":")[2]
        Fetcher(loopback=True).fetch(standin.url + path, [f"127.0.0.1:{port}"], spool)
        spool.requests = standin.requests
    return spool


def test_a_file_is_fetched(tmp_path):
    content = bytes(range(256)) * 100
    spool = fetch(lambda _: Answer(200, content), tmp_path, path="/a%20b?size=1#here")
    assert spool.sha256.hexdigest() == hashlib.sha256(content).hexdigest()
    (request,) = spool.requests
    assert request.headers["host"].startswith("127.0.0.1:")
    assert (request.path, request.query) == ("/a%20b", {"size": "1"})


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (Answer(302, b"", {"Location": "http://127.0.0.1:1/secret"}), 422, "web-fetch-failed"),
        (Answer(302, b"", {"Location": "https://169.254.169.254/"}), 422, "web-fetch-failed"),
        (Answer(404, b"nothing"), 422, "web-fetch-failed"),
        (Answer(503, b"later"), 502, "web-fetch-failed"),  # that may pass
        (Answer(200, b"x", {"Content-Encoding": "gzip"}), 422, "web-fetch-failed"),
        (Answer(200, b"x" * 2000), 413, "web-too-large"),
    ],
)
def test_anything_but_the_file_is_refused(tmp_path, answer, status, code):
    with pytest.raises(Problem) as caught:
        fetch(lambda _: answer, tmp_path, limit=1000)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_one_that_drips_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr("mediaguard.web.fetching.DEADLINE", 0.5)
    spool = Spool(tmp_path, 1000)
    with running(lambda _: Answer(200, b"x" * 500)) as standin:
        standin.misbehave("GET", drip)
        port = standin.url.rpartition(":")[2]
        with pytest.raises(Problem) as caught:
            Fetcher(loopback=True).fetch(standin.url + "/x", [f"127.0.0.1:{port}"], spool)
    assert caught.value.code == "web-fetch-failed"


def test_a_photo_by_reference(tmp_path, photo):
    content = photo("S-1", "X")
    with running(lambda _: Answer(200, content)) as standin:
        world = make_school(tmp_path, port=int(standin.url.rpartition(":")[2]))
        caller = Caller(world, fetcher=Fetcher(loopback=True))
        entry = {"url": f"{standin.url}/x.jpg", "channel": CHANNEL}
        taken = caller.json("/v1/media", entry)
        assert taken.status_code == 202
        caller.work()
        item = caller.get(taken.json()["links"]["self"]).json()
        assert (item["state"], item["outcome"]) == ("released", "redact")
        plain = Caller(world)
        assert plain.json("/v1/media", entry).json()["code"] == "web-fetch-url"
        assert caller.json("/v1/media", {**entry, "x": 1}).json()["code"] == "web-invalid"
        assert caller.json("/v1/media", [entry]).json()["code"] == "web-invalid"
