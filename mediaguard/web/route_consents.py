"""Answers about consent, from a system that may bring them."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import JSONResponse

from mediaguard.app import App
from mediaguard.web.counter import Counter
from mediaguard.web.described import CONSENTS, problems
from mediaguard.web.intake import read_json
from mediaguard.web.models import ConsentResults
from mediaguard.web.once import Answer, Once, Save
from mediaguard.web.problems import Problem, language_of
from mediaguard.web.senders import Gate, Signed

LARGEST = 4_000_000
"""Bytes; a thousand answers have a quarter of it."""


def router(app: App, gate: Gate, once: Once) -> APIRouter:
    """The route of consents."""
    routes = APIRouter(prefix="/v1", tags=["consents"])

    async def signed(request: Request) -> AsyncIterator[Signed]:
        async with gate.open(request, LARGEST) as found:
            yield found

    responses = {
        **problems(403, 409, 507),
        422: {
            "model": ConsentResults,
            "description": "None was recorded, or (as a problem) the request is not right.",
        },
    }
    responses[422]["content"] = problems(422)[422]["content"]

    @routes.post(
        "/consents",
        response_model=ConsentResults,
        responses=responses,
        openapi_extra={"requestBody": CONSENTS},
    )
    async def record(request: Request, caller: Annotated[Signed, Depends(signed)]) -> JSONResponse:
        """Record answers, each by itself; a withdrawal is in force when this is answered."""
        if not caller.sender.settings.consents:
            raise Problem(403, "web-no-consents")
        if _media_type(request) != "application/json":
            raise Problem(415, "web-media-type")
        counter = Counter(app, caller.sender, language_of(request.headers, app.language))
        asked = read_json(caller)

        def work(before: Mapping[str, Any] | None, save: Save) -> Answer:
            return counter.record(asked, before, save)

        answer = await once.do(caller, "consents", work)
        return JSONResponse(dict(answer.body), answer.status)

    return routes


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
