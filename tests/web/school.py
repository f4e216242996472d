"""A home with systems that may call it, and a hand that signs for them."""

import atexit
import base64
import functools
import json
import shutil
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from mediaguard.channels.signing import sign
from mediaguard.config import FILE_NAME
from mediaguard.web.api import Running, make_api
from mediaguard.web.fetching import Fetcher
from mediaguard.work import Worker
from tests.pipeline.world import CHANNEL, ColourEmbedder, SquareDetector, World, make_world

SECRETS = {
    name: "whsec_" + base64.b64encode(name.encode().ljust(32, b"-")).decode()
    for name in ("website", "website-old", "parents", "newsletters", "busy")
}
OTHER = "website-protected"

SENDERS = f"""
[web.senders.website]
secrets = ["file:keys/website", "file:keys/website-old"]
channels = ["{CHANNEL}"]
fetch_hosts = ["media.example", "127.0.0.1:PORT", "10.0.0.8"]
per_minute = 100000
CALLBACK

[web.senders.parents]
secrets = ["file:keys/parents"]
channels = ["{CHANNEL}", "{OTHER}"]
consents = true
per_minute = 100000

[web.senders.newsletters]
secrets = ["file:keys/newsletters"]
channels = ["newsletter"]
per_minute = 100000

[web.senders.busy]
secrets = ["file:keys/busy"]
channels = ["{CHANNEL}"]
per_minute = 3
"""


def make_school(
    folder: Path,
    *,
    callback: str | None = None,
    port: int = 1,
    more: str = "",
    database: str | None = None,
) -> World:
    """The world of `tests.pipeline.world` with four senders."""
    if database is None:
        world = World(Path(shutil.copytree(_template(), folder / "home")))
    else:
        world = make_world(folder, database)
        del world.config
    world.detector, world.embedder = SquareDetector(), ColourEmbedder()
    world.verifier = world.clip_detector = world.clip_verifier = world.detector
    told = f'callback = "{callback}"' if callback else ""
    senders = SENDERS.replace("CALLBACK", told).replace("PORT", str(port))
    path = world.home / FILE_NAME
    path.write_text(path.read_text() + senders + more)
    for name, secret in SECRETS.items():
        file = world.home / "keys" / name
        file.write_text(secret)
        file.chmod(0o600)
    return world


@functools.cache
def _template() -> Path:
    """A world to be copied: to make one takes longer than most tests."""
    folder = tempfile.mkdtemp(prefix="mediaguard-school-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    world = make_world(Path(folder))
    world.database.close()
    return world.home


def signed(
    body: bytes = b"",
    *,
    sender: str = "website",
    secrets: list[str] | None = None,
    webhook_id: str | None = None,
    at: float | None = None,
) -> dict[str, str]:
    """The headers of a request."""
    moment = int(time.time() if at is None else at)
    keys = secrets or [SECRETS[sender]]
    return {
        "mediaguard-sender": sender,
        **sign(keys, webhook_id or f"msg_{uuid.uuid4().hex}", moment, [body]),
    }


def form(
    file: bytes, name: str = "photo.jpg", **fields: str | list[str]
) -> tuple[bytes, dict[str, str]]:
    """A form as bytes, with its headers."""
    fields = {"channel": CHANNEL, **fields}
    request = httpx.Request("POST", "http://x/", data=fields, files={"file": (name, file)})
    return request.read(), {"Content-Type": request.headers["Content-Type"]}


@dataclass
class Caller:
    """Calls the API in this process, as one of the senders."""

    world: World
    sender: str = "website"
    fetcher: Fetcher | None = None
    running: Running = field(default_factory=Running)
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        api = make_api(self.world, fetcher=self.fetcher, running=self.running)
        self.client = TestClient(
            api,
            base_url="http://127.0.0.1",
            client=(self.host, 50000),
            raise_server_exceptions=False,
        )

    def get(self, path: str, **how: Any) -> httpx.Response:
        how.setdefault("sender", self.sender)
        headers = how.pop("headers", {})
        return self.client.get(path, headers={**signed(**how), **headers})

    def post(
        self, path: str, body: bytes, headers: dict[str, str], query: str = "", **how: Any
    ) -> httpx.Response:
        how.setdefault("sender", self.sender)
        return self.client.post(
            path + query, content=body, headers={**headers, **signed(body, **how)}
        )

    def upload(self, file: bytes, query: str = "", name: str = "photo.jpg", **fields: str):
        how = {key: fields.pop(key) for key in ("webhook_id", "sender", "at") if key in fields}
        body, headers = form(file, name, **fields)
        return self.post("/v1/media", body, headers, query, **how)

    def json(self, path: str, content: Any, query: str = "", **how: Any) -> httpx.Response:
        body = json.dumps(content).encode()
        return self.post(path, body, {"Content-Type": "application/json"}, query, **how)

    def work(self) -> None:
        """Let a worker do all that is due."""
        Worker(self.world, tell=lambda _: None).drain()
