"""Who calls: the systems of the configuration, each proven by its signature."""

import base64
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request

from mediaguard import config
from mediaguard.channels.signing import Incoming, SignatureError, signing_key
from mediaguard.secrets import read_secret
from mediaguard.web.problems import Problem
from mediaguard.web.spool import Spool, too_large

HEADER = "mediaguard-sender"

LONGEST_ID = 200

SILENCE = 20.0
"""Seconds without a byte after which a body is given up."""

GRACE, SLOWEST = 30.0, 20_000
"""A body may take so many seconds, and a second more for each so many bytes that came."""

AT_ONCE, QUEUE = 16, 20.0
"""So many bodies of a sender come in at the same time; others wait so many seconds for that.

By sender: whoever is none, and only says so, does not keep others waiting."""

_PIECE = 1 << 20

_NOBODY = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """A system that may call.

    Attributes:
        name: in the configuration.
        settings: what it may do.
        secrets: any of them signs what it sends; what it is sent is signed with all.
    """

    name: str
    settings: config.Sender
    secrets: tuple[str, ...] = field(repr=False)

    @property
    def actor(self) -> str:
        """As the audit log has it."""
        return f"sender:{self.name}"

    def require_channel(self, channel: str) -> None:
        """Refuse a channel of somebody else, as if there were none.

        Raises:
            Problem: it is not one of this sender's.
        """
        if channel not in self.settings.channels:
            raise Problem(403, "web-channel", channel=channel)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request whose signature is right.

    Attributes:
        sender: who signed it.
        webhook_id: its id.
        body: what came with it.
    """

    sender: Sender
    webhook_id: str
    body: Spool


class Gate:
    """Lets requests in.

    Args:
        senders: of the configuration.
        home: where secrets are looked for; they are read now, once.
        folder: the protected one, for large bodies.
        clock: Unix seconds.

    Raises:
        ConfigError: a secret cannot be read, or is not one.
    """

    def __init__(
        self,
        senders: Mapping[str, config.Sender],
        home: Path,
        folder: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.senders = {
            name: Sender(name, settings, tuple(read_secret(s, home) for s in settings.secrets))
            for name, settings in senders.items()
        }
        for sender in self.senders.values():
            for secret in sender.secrets:
                signing_key(secret)
        self._folder = folder
        self._clock = clock
        # A sender that does not exist costs the same work as one that does.
        self._nobody = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self._paces = {name: Pace(s.settings.per_minute) for name, s in self.senders.items()}
        # All who say that they are somebody else share the last one.
        self._doors = {name: anyio.CapacityLimiter(AT_ONCE) for name in (*self.senders, _NOBODY)}

    @asynccontextmanager
    async def open(self, request: Request, limit: int) -> AsyncIterator[Signed]:
        """Read the body and prove who sent it, before anything is made of it.

        Args:
            request: whose body nobody has read yet.
            limit: bytes that the body may have.

        Raises:
            Problem: nobody that is known signed this just now; or it is too large or slow.
        """
        name = request.headers.get(HEADER, "")
        sender = self.senders.get(name)
        keys = sender.secrets if sender else (self._nobody,)
        try:
            incoming = Incoming(keys, request.headers, self._clock())
        except SignatureError as error:
            raise Problem(401, f"web-signature-{error.reason}") from None
        announced = request.headers.get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            raise too_large(limit)
        spool = Spool(self._folder, limit)
        try:
            async with self._door(name if sender else _NOBODY):
                await receive(request, _both(incoming.update, spool.write))
            yield self._admitted(sender, incoming, spool)
        finally:
            spool.close()

    @asynccontextmanager
    async def _door(self, name: str) -> AsyncIterator[None]:
        """Wait for a turn; meanwhile what is sent waits in the network, not in memory."""
        door = self._doors[name]
        try:
            with anyio.fail_after(QUEUE):
                await door.acquire()
        except TimeoutError:
            raise Problem(503, "web-busy", retry_after=5) from None
        try:
            yield
        finally:
            door.release()

    def _admitted(self, sender: Sender | None, incoming: Incoming, spool: Spool) -> Signed:
        try:
            webhook_id = incoming.require_genuine()
        except SignatureError:
            webhook_id = ""
        if sender is None or not webhook_id:
            raise Problem(401, "web-signature-forged")
        if len(webhook_id) > LONGEST_ID or not webhook_id.isprintable():
            raise Problem(422, "web-id", limit=LONGEST_ID)
        wait = self._paces[sender.name].take()
        if wait > 0:
            raise Problem(429, "web-too-often", retry_after=wait, limit=sender.settings.per_minute)
        return Signed(sender, webhook_id, spool)


class Pace:
    """So many requests a minute; after a pause that many at once.

    Args:
        per_minute: how many.
        clock: seconds that only grow.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = float(per_minute)
        self._left = self._most
        self._clock = clock
        self._at = clock()
        self._lock = threading.Lock()

    def take(self) -> float:
        """0 if a request may go on, or the seconds that it has to wait."""
        with self._lock:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._at) * self._most / 60)
            self._at = now
            if self._left >= 1:
                self._left -= 1
                return 0
            return (1 - self._left) * 60 / self._most


def _both(
    one: Callable[[bytes], object], other: Callable[[bytes], object]
) -> Callable[[bytes], None]:
    def take(piece: bytes) -> None:
        one(piece)
        other(piece)

    return take


async def receive(request: Request, take: Callable[[bytes], object]) -> None:
    """Read the body, piece by piece; whoever drips is cut off.

    Args:
        request: whose body nobody has read yet.
        take: is given each piece, mostly in another thread.

    Raises:
        Problem: it came too slowly, or not whole.
    """
    began, received, pending = time.monotonic(), 0, bytearray()
    stream = request.stream()
    while True:
        left = GRACE + received / SLOWEST - (time.monotonic() - began)
        chunk: bytes | None = None
        with anyio.move_on_after(max(min(left, SILENCE), 0)):
            try:
                chunk = await anext(stream)
            except StopAsyncIteration:
                break
            except ClientDisconnect:
                raise Problem(400, "web-cut-off") from None
        if chunk is None:
            raise Problem(408, "web-slow")
        received += len(chunk)
        pending += chunk
        if len(pending) >= _PIECE:
            await run_sync(take, bytes(pending))
            pending.clear()
    take(bytes(pending))  # less than a piece: not worth a thread
