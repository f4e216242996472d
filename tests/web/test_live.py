"""A real server: many at once, slow ones, kill -9, and a clean end."""

import asyncio
import datetime as dt
import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import pytest
from click.testing import CliRunner

from mediaguard.cli.main import cli
from mediaguard.store.tables import ItemRow, PublicationRow
from mediaguard.web import bodies, senders, server
from mediaguard.web.server import Server
from mediaguard.work import Worker
from tests.pipeline.world import CHANNEL
from tests.takedown_world import later
from tests.web.live import Live
from tests.web.school import Caller, form, make_school, signed

MANY = 50

FIELDS = {"Content-Type": "application/x-www-form-urlencoded"}


def everything(world, table) -> list:
    with world.database.read() as session:
        return [*session.query(table)]


def until(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_fifty_at_once_and_nothing_is_lost(world, photo):
    bodies = [form(photo("S-1", seed=number)) for number in range(MANY)]

    async def all_of_them(url: str) -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=MANY)
        async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
            calls = [
                client.post("/v1/media", content=body, headers={**headers, **signed(body)})
                for body, headers in bodies
            ]
            return await asyncio.gather(*calls)

    with Live(world.home) as live:
        answers = asyncio.run(all_of_them(live.url))
        assert [answer.status_code for answer in answers] == [202] * MANY
        ids = {answer.json()["id"] for answer in answers}
        assert len(ids) == MANY
        assert live.stop() == 0
    later(world, dt.timedelta(minutes=2))  # what the server had in hand is free again
    Worker(world, tell=lambda _: None).drain()
    assert {item.state for item in everything(world, ItemRow)} == {"released"}
    assert {item.id for item in everything(world, ItemRow)} == ids
    assert len({row.item_id for row in everything(world, PublicationRow)}) == MANY
    assert len([*world.ready(CHANNEL).glob("*.jpg")]) == MANY
    assert [*world.work.glob("upload-*")] == []


def test_killed_between_the_answer_and_the_decision(world, photo):
    body, headers = form(photo("S-1"))
    headers |= signed(body, webhook_id="msg_1")
    with Live(world.home) as live:
        live.gate.touch()
        answer = httpx.post(f"{live.url}/v1/media", content=body, headers=headers)
        assert answer.status_code == 202
        live.kill()
    (item,) = everything(world, ItemRow)
    assert item.state == "received"
    live.gate.unlink()
    with Live(world.home) as live:
        again = httpx.post(f"{live.url}/v1/media", content=body, headers=headers)
        assert (again.status_code, again.content) == (202, answer.content)
        until(lambda: everything(world, ItemRow)[0].state == "released", 60)
        found = httpx.get(f"{live.url}/v1/media/{item.id}/rendition", headers=signed())
        assert found.status_code == 200
        assert live.stop() == 0


MOMENTS = (
    "mediaguard.store.deliveries Deliveries claim",
    "mediaguard.store.book ChannelBook admit",
    "mediaguard.store.vault Vault put",
    "mediaguard.store.book ChannelBook begin",
    "mediaguard.store.deliveries Deliveries settle",
)


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.split()[-1])
def test_killed_before_the_answer_and_sent_again(world, photo, moment, monkeypatch):
    """Whoever got no answer sends it again, as webhooks are; it is done once."""
    body, headers = form(photo("S-1"))
    headers |= signed(body, webhook_id="msg_1")
    with Live(world.home, dies=moment) as live:
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{live.url}/v1/media", content=body, headers=headers, timeout=30)
        live.process.wait(10)
    # In this process: it has come to the same records, a little later.
    later(world, dt.timedelta(minutes=2))
    caller = Caller(world)
    answer = caller.client.post("/v1/media", content=body, headers=headers)
    assert answer.status_code == 202
    caller.work()
    (item,) = everything(world, ItemRow)
    assert (item.id, item.state) == (answer.json()["id"], "released")
    assert len(everything(world, PublicationRow)) == 1
    assert [*world.work.glob("upload-*")] == []


def test_killed_while_it_comes_in(world, photo):
    body, headers = form(photo("S-1") + bytes(6_000_000))  # does not stay in memory
    headers |= signed(body, webhook_id="msg_1")
    with Live(world.home) as live, ExitStack() as stack:
        place = ("127.0.0.1", live.port)
        upload = stack.enter_context(socket.create_connection(place, timeout=10))
        upload.sendall(head(len(body), **headers) + body[:5_000_000])
        # Without a name; in the instant before it has one, which the next start removes.
        until(lambda: any("(deleted)" in place for place in live.open_files("upload-")))
        live.kill()
    assert everything(world, ItemRow) == []
    assert [*world.work.glob("upload-*")] == []
    caller = Caller(world)
    assert caller.client.post("/v1/media", content=body, headers=headers).status_code == 202
    caller.work()
    assert [item.state for item in everything(world, ItemRow)] == ["released"]


@pytest.fixture
def here(world, monkeypatch):
    """A server in this process, impatient."""
    monkeypatch.setattr(server, "HEAD", 0.5)
    monkeypatch.setattr(server, "IDLE", 1)
    monkeypatch.setattr(bodies, "SILENCE", 0.5)
    monkeypatch.setattr(bodies, "GRACE", 1.5)
    made = Server(world, port=0, tell=lambda _: None)
    stop = threading.Event()
    thread = threading.Thread(target=made.run, args=(stop,))
    thread.start()
    until(lambda: httpx.get(f"{made.address}/health").status_code == 200)
    yield made
    stop.set()
    thread.join(30)
    assert not thread.is_alive()


def connected(made: Server, source: str = "127.0.0.1") -> socket.socket:
    port = int(made.address.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), 10, (source, 0))


def head(body_length: int, path: str = "/v1/media", **more: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"Content-Length: {body_length}",
        *(f"{name}: {value}" for name, value in {"Host": "x", **signed(), **more}.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_slow_ones_are_cut_off(here):
    with connected(here) as silent, connected(here) as dripping, connected(here) as halting:
        dripping.sendall(b"GET /health HT")
        halting.sendall(head(1000) + b"x" * 10)
        assert silent.recv(100) == b""  # never said a word
        time.sleep(0.1)
        assert dripping.recv(100) == b""  # never came to the end of its head
        answer = halting.recv(4096)
        assert b" 408 " in answer
        assert b"web-slow" in answer + halting.recv(4096)


@pytest.mark.parametrize("path", ["/v1/media", "/v1/consents", "/console/sign-in"])
def test_one_that_keeps_dripping_is_cut_off_too(here, monkeypatch, path):
    monkeypatch.setattr(bodies, "SILENCE", 20)
    if path != "/v1/media":  # what fits in memory has no more time for being long
        monkeypatch.setattr(bodies, "SLOWEST", 1)
    with connected(here) as drip:
        drip.sendall(head(100_000, path, Host="127.0.0.1", **FIELDS))
        began = time.monotonic()
        answer = b""
        drip.settimeout(0.1)
        while b" 408 " not in answer and time.monotonic() - began < 10:
            try:
                drip.sendall(b"x")
                answer += drip.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
        assert b" 408 " in answer
        assert 1 < time.monotonic() - began < 6


def chunked(**more: str) -> bytes:
    how = {"Host": "127.0.0.1", "Transfer-Encoding": "chunked", **FIELDS, **more}
    lines = ["POST /console/sign-in HTTP/1.1", *(f"{name}: {how[name]}" for name in how)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_a_form_that_does_not_say_how_long_it_is_is_counted(here):
    with connected(here) as large:
        large.sendall(chunked() + b"3d090\r\n" + b"x" * 250_000 + b"\r\n")
        assert b" 413 " in large.recv(4096)


@pytest.mark.parametrize("path", ["/nothing", "/console/nothing", "/v1/media"])
def test_what_was_answered_is_not_listened_to_for_ever(here, path):
    with connected(here) as dripping:
        dripping.sendall(head(1_000_000, path, **{"webhook-timestamp": "never"}))
        assert b" 40" in dripping.recv(4096)
        began = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - began < 8:
                dripping.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() - began < 5
    with httpx.Client(base_url=here.address) as client:  # what does come is no reason to hang up
        assert client.post("/nothing", content=b"x" * 500_000).status_code == 404
        assert client.get("/health").status_code == 200


def test_a_form_with_two_lengths_is_refused(here):
    with connected(here) as odd:
        odd.sendall(chunked(**{"Content-Length": "10"}) + b"3\r\na=b\r\n0\r\n\r\n")
        assert b" 400 " in odd.recv(4096)


def test_a_form_that_halts_is_cut_off(here):
    with connected(here) as halting:
        halting.sendall(head(1000, "/console/sign-in", Host="127.0.0.1", **FIELDS) + b"a")
        assert b" 408 " in halting.recv(4096)


def test_a_form_that_breaks_off_is_no_fault_of_ours(here, caplog):
    with connected(here) as gone:
        gone.sendall(head(1000, "/console/sign-in", Host="127.0.0.1", **FIELDS) + b"a")
        time.sleep(0.2)
    count = 'method="POST",route="/console/sign-in",status="400"'
    until(lambda: count in httpx.get(f"{here.address}/metrics").text)
    assert not [record for record in caplog.records if record.exc_info]


def test_one_that_hangs_up_leaves_nothing(here, world, photo):
    body, headers = form(photo("S-1"))
    with connected(here) as gone:
        gone.sendall(head(len(body), **headers) + body[:-10])
    assert httpx.get(f"{here.address}/health").json() == {"status": "ok"}
    assert everything(world, ItemRow) == []


def test_what_nobody_known_sends_is_not_kept(world):
    part = b"x" * 5_000_000  # does not stay in memory
    with Live(world.home) as live, ExitStack() as stack:
        for sender in ("nobody-known", "website"):
            place = ("127.0.0.1", live.port)
            upload = stack.enter_context(socket.create_connection(place, timeout=10))
            upload.sendall(head(6_000_000, **{"mediaguard-sender": sender}) + part)
        until(lambda: bool(live.open_files("upload-")))
        time.sleep(0.5)
        assert len(live.open_files("upload-")) == 1


def test_whoever_only_says_who_they_are_keeps_nobody_else_waiting(here, photo, monkeypatch):
    monkeypatch.setattr(bodies, "SILENCE", 20)
    monkeypatch.setattr(bodies, "GRACE", 20)
    monkeypatch.setattr(senders, "QUEUE", 0.3)
    elsewhere = "127.0.0.2"
    body, headers = form(photo("S-1"))

    def call(path: str, body: bytes, headers: dict, sender: str, source: str) -> httpx.Response:
        how = headers | signed(body, sender=sender)
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source)) as client:
            return client.post(f"{here.address}{path}", content=body, headers=how)

    def upload(sender: str, source: str = elsewhere) -> httpx.Response:
        return call("/v1/media", body, headers, sender, source)

    with ExitStack() as stack:
        for _ in range(senders.AT_ONCE):
            one = stack.enter_context(connected(here, elsewhere))
            one.sendall(head(1000, **{"mediaguard-sender": "parents"}) + b"x")
        until(lambda: upload("parents").json().get("code") == "web-busy")
        assert upload("website").status_code == 202
        assert upload("parents", "127.0.0.1").status_code == 202
        withdrawal = json.dumps({"subject": "S-1", "channel": CHANNEL, "answer": "withdraw"})
        kind = {"Content-Type": "application/json"}
        answer = call("/v1/consents", withdrawal.encode(), kind, "parents", elsewhere)
        assert answer.status_code == 200
    until(lambda: upload("parents").status_code == 202)


def test_nonsense_is_answered(here):
    for nonsense in (
        b"\x16\x03\x01\x02\x00nonsense\r\n\r\n",
        b"POST /v1/media HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST /v1/media HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/media HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        with connected(here) as odd:
            odd.sendall(nonsense)
            assert b" 40" in odd.recv(4096), nonsense[:60]
    answer = httpx.get(f"{here.address}/health")
    assert "server" not in answer.headers
    assert "date" in answer.headers


def test_health_names_what_does_not_run(here, monkeypatch):
    monkeypatch.setattr(here._threads[0], "is_alive", lambda: False)
    answer = httpx.get(f"{here.address}/health")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["worker"])


def test_the_last_sweep_is_told(here):
    until(lambda: "last_sweep" in httpx.get(f"{here.address}/metrics").text)


def test_who_waits_is_answered_when_it_stops(world, photo):
    body, headers = form(photo("S-1"))
    with Live(world.home) as live:
        live.gate.touch()
        with httpx.Client(timeout=30) as client:
            request = client.build_request(
                "POST", f"{live.url}/v1/media?wait=60", content=body, headers=headers | signed(body)
            )
            with ThreadPoolExecutor(1) as pool:
                answer = pool.submit(client.send, request)
                until(lambda: bool(everything(world, ItemRow)))
                time.sleep(0.5)
                live.process.send_signal(signal.SIGTERM)
                assert answer.result(20).status_code == 202
        live.gate.unlink()
        assert live.process.wait(40) == 0


def test_an_address_that_is_taken_is_said(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(cli, ["--home", str(world.home), "serve", "--port", str(port)])
    assert result.exit_code == 2
    assert str(port) in result.output


def test_a_secret_that_is_missing_is_said(tmp_path):
    world = make_school(tmp_path)
    (world.home / "keys" / "busy").unlink()
    result = CliRunner().invoke(cli, ["--home", str(world.home), "serve", "--port", "0"])
    assert result.exit_code == 2
    assert "keys/busy" in result.output


def test_the_document_is_json(here):
    document = json.loads(httpx.get(f"{here.address}/openapi.json").content)
    assert document["openapi"].startswith("3.")
