"""A real server: many at once, slow ones, kill -9, and a clean end."""

import asyncio
import datetime as dt
import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

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


def connected(made: Server) -> socket.socket:
    port = int(made.address.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def head(body_length: int, **more: str) -> bytes:
    lines = [
        "POST /v1/media HTTP/1.1",
        "Host: x",
        f"Content-Length: {body_length}",
        *(f"{name}: {value}" for name, value in {**signed(), **more}.items()),
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


def test_one_that_keeps_dripping_is_cut_off_too(here, monkeypatch):
    monkeypatch.setattr(bodies, "SILENCE", 20)
    with connected(here) as drip:
        drip.sendall(head(100_000))
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


def test_one_that_hangs_up_leaves_nothing(here, world, photo):
    body, headers = form(photo("S-1"))
    with connected(here) as gone:
        gone.sendall(head(len(body), **headers) + body[:-10])
    assert httpx.get(f"{here.address}/health").json() == {"status": "ok"}
    assert everything(world, ItemRow) == []


def test_whoever_only_says_who_they_are_keeps_nobody_else_waiting(here, photo, monkeypatch):
    monkeypatch.setattr(bodies, "SILENCE", 20)
    monkeypatch.setattr(bodies, "GRACE", 20)
    monkeypatch.setattr(senders, "QUEUE", 0.3)
    body, headers = form(photo("S-1"))

    def upload(sender: str) -> httpx.Response:
        how = headers | signed(body, sender=sender)
        return httpx.post(f"{here.address}/v1/media", content=body, headers=how)

    with ExitStack() as stack:
        for _ in range(senders.AT_ONCE):
            one = stack.enter_context(connected(here))
            one.sendall(head(1000, **{"mediaguard-sender": "parents"}) + b"x")
        until(lambda: upload("parents").json().get("code") == "web-busy")
        assert upload("website").status_code == 202
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
