"""A body as it comes: what really comes is counted, and whoever drips is cut off."""

import time
from collections.abc import AsyncGenerator, Callable

import anyio
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request

from mediaguard.web.problems import Problem
from mediaguard.web.spool import IN_MEMORY, too_large

SILENCE = 20.0
"""Seconds without a byte after which a body is given up."""

GRACE, SLOWEST = 30.0, 20_000
"""A body may take so many seconds; one that may be too large for memory takes a second more for
each so many bytes that came."""

_PIECE = 1 << 20


async def pieces(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """The body, piece by piece.

    Args:
        request: whose body nobody has read yet.
        limit: bytes that the body may have, whatever its head says.

    Raises:
        Problem: it is too large, came too slowly, or not whole; or its head says two lengths.
    """
    announced = request.headers.get("content-length")
    if announced is not None and "transfer-encoding" in request.headers:
        raise Problem(400, "web-request")
    if announced is not None and announced.isdecimal() and int(announced) > limit:
        raise too_large(limit)
    began, received = time.monotonic(), 0
    stream = request.stream()
    while True:
        earned = received / SLOWEST if limit > IN_MEMORY else 0
        left = GRACE + earned - (time.monotonic() - began)
        chunk: bytes | None = None
        with anyio.move_on_after(max(min(left, SILENCE), 0)):
            try:
                chunk = await anext(stream)
            except StopAsyncIteration:
                return
            except ClientDisconnect:
                raise Problem(400, "web-cut-off") from None
        if chunk is None:
            raise Problem(408, "web-slow")
        received += len(chunk)
        if received > limit:
            raise too_large(limit)
        yield chunk


async def receive(request: Request, limit: int, take: Callable[[bytes], object]) -> None:
    """Read the body; see `pieces`.

    Args:
        request: whose body nobody has read yet.
        limit: bytes that the body may have.
        take: is given each piece, mostly in another thread.

    Raises:
        Problem: as `pieces`.
    """
    pending = bytearray()
    async for piece in pieces(request, limit):
        pending += piece
        if len(pending) >= _PIECE:
            await run_sync(take, bytes(pending))
            pending.clear()
    take(bytes(pending))  # less than a piece: not worth a thread
