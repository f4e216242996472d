"""Media come in here, and what became of them is told."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import PurePath
from typing import Annotated, Any, BinaryIO

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query
from fastapi import Path as PathParameter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from mediaguard.app import App
from mediaguard.core.publication import media_type_of
from mediaguard.store.items import Items
from mediaguard.web import items
from mediaguard.web.described import UPLOAD, problems
from mediaguard.web.intake import Intake, Taken
from mediaguard.web.models import MediaAccepted, MediaItem
from mediaguard.web.once import Answer, Once, Save
from mediaguard.web.problems import Problem, language_of
from mediaguard.web.senders import Gate, Signed

FORM_OVERHEAD = 1_000_000
"""Bytes of a form beside its file."""

_QUICK, _SLOW = 0.1, 1.0
_CHUNK = 1 << 18

ItemId = Annotated[str, PathParameter(max_length=64, examples=["3fa9c1d27b604e55"])]


def router(
    app: App,
    gate: Gate,
    once: Once,
    intake: Intake,
    stopping: threading.Event,
    fetches: CapacityLimiter,
) -> APIRouter:
    """The routes of media."""
    routes = APIRouter(prefix="/v1/media", tags=["media"])

    async def signed(request: Request) -> AsyncIterator[Signed]:
        async with gate.open(request, 0) as found:
            yield found

    async def uploaded(request: Request) -> AsyncIterator[Signed]:
        async with gate.open(request, intake.limit + FORM_OVERHEAD) as found:
            yield found

    @routes.post(
        "",
        status_code=202,
        response_model=MediaAccepted,
        responses={
            200: {"model": MediaItem, "description": "It was decided while you waited."},
            **problems(403, 409, 415, 502, 507),
        },
        openapi_extra={"requestBody": UPLOAD},
    )
    async def send(
        request: Request,
        caller: Annotated[Signed, Depends(uploaded)],
        wait: Annotated[
            int, Query(ge=0, le=60, description="Seconds to wait for the decision.")
        ] = 0,
    ) -> JSONResponse:
        """Send a photo or video; it is kept safely when this is answered, and looked at next."""
        taken: list[Taken] = []
        kind = request.headers.get("content-type", "")
        by_form = kind.partition(";")[0].strip().lower() == "multipart/form-data"
        if not by_form and kind.partition(";")[0].strip().lower() != "application/json":
            raise Problem(415, "web-media-type")

        def work(_before: Mapping[str, Any] | None, _save: Save) -> Answer:
            found = intake.upload(caller, kind) if by_form else intake.fetch(caller)
            taken.append(found)
            return found.answer

        answer = await once.do(caller, "media", work, None if by_form else fetches)
        told = taken[0].named if taken else answer.body["named"]
        item_id = answer.item_id
        assert item_id is not None
        if wait and await decided(item_id, wait):
            language = language_of(request.headers, app.language)
            item = await run_sync(describe, item_id, caller, language)
            return JSONResponse({**item, "named": told})
        return JSONResponse({**answer.body, "named": told}, answer.status)

    async def decided(item_id: str, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + seconds, _QUICK
        while not await run_sync(is_decided, item_id):
            if loop.time() + pause > until or stopping.is_set():
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _SLOW)
        return True

    def is_decided(item_id: str) -> bool:
        with app.database.read() as session:
            return items.is_decided(Items(session).get(item_id))

    def describe(item_id: str, caller: Signed, language: str) -> dict[str, Any]:
        with app.database.read() as session:
            item = items.find_item(session, item_id, caller.sender)
            return items.item_as_json(app, session, item, language)

    @routes.get("/{item_id}", response_model=MediaItem, responses=problems(404))
    def show(
        request: Request, item_id: ItemId, caller: Annotated[Signed, Depends(signed)]
    ) -> JSONResponse:
        """What became of an item."""
        language = language_of(request.headers, app.language)
        return JSONResponse(describe(item_id, caller, language))

    @routes.get(
        "/{item_id}/rendition",
        response_class=Response,
        responses={
            200: {
                "description": "The bytes that are live; `ETag` is their SHA-256.",
                "content": {"image/*": {}, "video/*": {}},
            },
            304: {"description": "Still the same."},
            **problems(404, 409),
        },
    )
    def rendition(
        request: Request, item_id: ItemId, caller: Annotated[Signed, Depends(signed)]
    ) -> Response:
        """What is live of an item, where the channel is a folder; only while it is."""
        file, sha256, name = items.open_rendition(app, item_id, caller.sender)
        etag = f'"{sha256}"'
        if etag in request.headers.get("if-none-match", ""):
            file.close()
            return Response(status_code=304, headers={"ETag": etag})
        size = file.seek(0, 2)
        file.seek(0)
        media_type = media_type_of(PurePath(name).suffix)
        headers = {"ETag": etag, "Content-Length": str(size)}
        return StreamingResponse(_chunks(file), headers=headers, media_type=media_type)

    return routes


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
