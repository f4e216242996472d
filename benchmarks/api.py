"""Requests per second and latency of the API, with the worker busy all the while.

    python -m benchmarks.api [--seconds 15] [--clients 1 8 32]

A `mediaguard serve` of its own, in a home with the sample school, gets photos (each another one)
and consents over loopback, signed, from so many clients at once. What was taken in is looked at by
the embedded worker meanwhile, on the same cores: that is how a school runs it.
"""

import argparse
import asyncio
import base64
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from PIL import Image

from benchmarks.machine import describe
from mediaguard.channels.signing import sign
from mediaguard.cli.demo import sample_school
from mediaguard.config import FILE_NAME
from mediaguard.resources import resource

CHANNEL = "website-public"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SETTINGS = f"""
[web.senders.bench]
secrets = ["env:MEDIAGUARD_BENCH"]
channels = ["{CHANNEL}"]
consents = true
per_minute = 100000
"""

START = "from mediaguard.cli.main import main; main()"

Make = Callable[[int], tuple[str, bytes, str]]
"""Path, body and media type of the so-manieth request."""


@dataclass
class Measured:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    lasted: float = 0.0

    def row(self, name: str, clients: int) -> str:
        """A line of the table."""
        spread = statistics.quantiles(self.seconds, n=20) if len(self.seconds) > 1 else [0.0] * 19
        return (
            f"| {name} | {clients} | {len(self.seconds)} | {self.failed} "
            f"| {len(self.seconds) / self.lasted:.1f} "
            f"| {statistics.median(self.seconds or [0]) * 1000:.0f} | {spread[18] * 1000:.0f} |"
        )


def photos() -> Make:
    """Uploads of a photo as a CMS has it, each with other content."""
    picture = Image.open(sorted(resource("sample_media", "photos").glob("*.jpg"))[1])
    picture.thumbnail((1600, 1600))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88)
    content = buffer.getvalue()

    def make(number: int) -> tuple[str, bytes, str]:
        unique = content + f"{number}-{uuid.uuid4()}".encode()  # after the end of the picture
        files = {"file": ("photo.jpg", unique)}
        request = httpx.Request("POST", "http://x/", data={"channel": CHANNEL}, files=files)
        return "/v1/media", request.read(), request.headers["Content-Type"]

    return make


def answers(subjects: list[str]) -> Make:
    """Refusals and withdrawals in turn, of one subject after the other."""

    def make(number: int) -> tuple[str, bytes, str]:
        entry = {
            "subject": subjects[number % len(subjects)],
            "channel": CHANNEL,
            "answer": "withdraw" if number % 2 else "refuse",
            "signatory": "guardian",
            "evidence": f"app:{number}",
        }
        return "/v1/consents", json.dumps(entry).encode(), "application/json"

    return make


async def load(url: str, make: Make, clients: int, seconds: float) -> Measured:
    """Let so many clients send one request after the other."""
    measured, number = Measured(), 0
    began = time.perf_counter()

    async def one(client: httpx.AsyncClient) -> None:
        nonlocal number
        while time.perf_counter() - began < seconds:
            number += 1
            path, body, kind = make(number)
            signed = sign([SECRET], f"msg_{uuid.uuid4().hex}", int(time.time()), [body])
            headers = {"mediaguard-sender": "bench", "Content-Type": kind, **signed}
            start = time.perf_counter()
            answer = await client.post(path, content=body, headers=headers)
            if answer.is_success:
                measured.seconds.append(time.perf_counter() - start)
            else:
                measured.failed += 1

    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        await asyncio.gather(*(one(client) for _ in range(clients)))
    measured.lasted = time.perf_counter() - began
    return measured


def waiting(url: str) -> int:
    """How many items the worker has before it."""
    lines = httpx.get(f"{url}/metrics", timeout=60).text.splitlines()
    found = [line.split()[-1] for line in lines if line.startswith('mediaguard_items{state="rec')]
    return int(float(found[0])) if found else 0


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 32])
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        app = sample_school(home)
        subjects = [subject.subject_id for subject in app.subjects()]
        app.database.close()
        path = home / FILE_NAME
        path.write_text(path.read_text() + SETTINGS)
        server = subprocess.Popen(
            [sys.executable, "-c", START, "serve", "--port", "0"],
            env={**os.environ, "MEDIAGUARD_HOME": str(home), "MEDIAGUARD_BENCH": SECRET},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        url = next(word for word in server.stdout.readline().split() if word.startswith("http"))
        # What it says further is read, or it would wait for somebody to read it.
        threading.Thread(target=server.stdout.read, daemon=True).start()
        try:
            print("| request | clients | done | failed | per second | p50 ms | p95 ms |")
            print("|---|---|---|---|---|---|---|")
            for clients in options.clients:
                for name, make in (("media", photos()), ("consents", answers(subjects))):
                    measured = asyncio.run(load(url, make, clients, options.seconds))
                    print(measured.row(f"POST /v1/{name}", clients), flush=True)
            print(f"\n{waiting(url)} items wait for the worker still.")
        finally:
            server.send_signal(signal.SIGKILL)
            server.wait()


if __name__ == "__main__":
    main()
