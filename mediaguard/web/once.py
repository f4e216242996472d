"""The same request is done once, however often it comes."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from mediaguard.app import App
from mediaguard.errors import StoreError
from mediaguard.store.deliveries import Claim, Deliveries
from mediaguard.web.problems import Problem
from mediaguard.web.senders import Signed

PATIENCE = 10.0
"""Seconds that a request waits for the same one that came a moment before."""

_LOOK, _BEAT = 0.2, 10.0

Save = Callable[[Mapping[str, Any]], None]
"""Records what is done of a request already."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, and kept if it was a success.

    Attributes:
        status: of HTTP.
        body: without words of the sender's texts.
        item_id: the item that the request brought.
        tell: the sender is to be told what becomes of it.
        repeated: it is the answer of an earlier request.
    """

    status: int
    body: Mapping[str, Any]
    item_id: str | None = None
    tell: bool = False
    repeated: bool = False


Work = Callable[[Mapping[str, Any] | None, Save], Answer]
"""Does a request, given what an earlier try that broke off had done of it."""


class Once:
    """Does requests.

    Args:
        app: the home.
    """

    def __init__(self, app: App) -> None:
        self._keyring = app.keyring
        self._deliveries = Deliveries(app.database, app.now)

    async def do(
        self, signed: Signed, route: str, work: Work, limiter: CapacityLimiter | None = None
    ) -> Answer:
        """Do a request in a thread, or give the answer that it got before.

        Raises:
            Problem: the id was used for something else, or the same request is worked on.
        """
        name, webhook_id = signed.sender.name, signed.webhook_id
        content = f"{route}\0{signed.body.sha256.hexdigest()}"
        digest = self._keyring.digest("request", content)
        until = time.monotonic() + PATIENCE
        while True:
            found = await run_sync(self._deliveries.claim, name, webhook_id, digest)
            if found.claim is Claim.OTHER:
                raise Problem(422, "web-id-used")
            if found.claim is Claim.DONE:
                return Answer(found.status, found.answer or {}, found.item_id, repeated=True)
            if found.claim is Claim.MINE:
                break
            if time.monotonic() > until:
                raise Problem(409, "web-in-progress", retry_after=5)
            await asyncio.sleep(_LOOK)

        def save(done: Mapping[str, Any]) -> None:
            self._deliveries.progress(name, webhook_id, done)

        beat = asyncio.create_task(self._beat(name, webhook_id))
        try:
            answer = await run_sync(work, found.answer, save, limiter=limiter)
            if answer.status < 300:
                await run_sync(lambda: self._settle(name, webhook_id, answer))
                return answer
        except BaseException:
            with suppress(StoreError):  # then the claim lapses by itself
                await run_sync(self._deliveries.give_up, name, webhook_id)
            raise
        finally:
            beat.cancel()
        await run_sync(self._deliveries.give_up, name, webhook_id)
        return answer

    def _settle(self, name: str, webhook_id: str, answer: Answer) -> None:
        self._deliveries.settle(
            name,
            webhook_id,
            answer.status,
            answer.body,
            item_id=answer.item_id,
            tell=answer.tell,
        )

    async def _beat(self, name: str, webhook_id: str) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            with suppress(StoreError):
                await run_sync(self._deliveries.prolong, name, webhook_id)
