"""Who calls: the systems of the configuration, each proven by its signature."""

import base64
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakValueDictionary

import anyio
from starlette.requests import Request

from mediaguard import config
from mediaguard.channels.signing import Incoming, SignatureError, signing_key
from mediaguard.secrets import read_secret
from mediaguard.web.bodies import receive
from mediaguard.web.callers import client_address
from mediaguard.web.problems import Problem
from mediaguard.web.spool import IN_MEMORY, Spool

HEADER = "mediaguard-sender"

LONGEST_ID = 200

AT_ONCE, QUEUE = 16, 20.0
"""So many large bodies of a sender come in from an address at the same time; others wait so many
seconds for that.

Whoever elsewhere only says that they are that sender does not keep it waiting; and what stays in
memory, as a withdrawal does, never waits."""

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
        web: the settings, with the senders.
        home: where secrets are looked for; they are read now, once.
        folder: the protected one, for large bodies.
        clock: Unix seconds.

    Raises:
        ConfigError: a secret cannot be read, or is not one.
    """

    def __init__(
        self,
        web: config.Web,
        home: Path,
        folder: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.senders = {
            name: Sender(name, settings, tuple(read_secret(s, home) for s in settings.secrets))
            for name, settings in web.senders.items()
        }
        for sender in self.senders.values():
            for secret in sender.secrets:
                signing_key(secret)
        self._folder = folder
        self._clock = clock
        # A sender that does not exist costs the same work as one that does.
        self._nobody = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self._paces = {name: Pace(s.settings.per_minute) for name, s in self.senders.items()}
        self._proxies = web.proxies
        # Each is there for as long as somebody is in it, or waits.
        self._doors: WeakValueDictionary[tuple[str, str], anyio.CapacityLimiter]
        self._doors = WeakValueDictionary()

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
        door = self._door(request, sender) if limit > IN_MEMORY else nullcontext()
        spool = Spool(self._folder, limit, keeps=sender is not None)
        try:
            async with door:
                await receive(request, limit, _both(incoming.update, spool.write))
            yield self._admitted(sender, incoming, spool)
        finally:
            spool.close()

    @asynccontextmanager
    async def _door(self, request: Request, sender: Sender | None) -> AsyncIterator[None]:
        """Wait for a turn; meanwhile what is sent waits in the network, not in memory."""
        who = (sender.name if sender else _NOBODY, client_address(request, self._proxies))
        door = self._doors.setdefault(who, anyio.CapacityLimiter(AT_ONCE))
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
