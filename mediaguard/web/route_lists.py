"""What is public, and what has to come down."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import JSONResponse

from mediaguard.app import App
from mediaguard.web import listings
from mediaguard.web.described import problems
from mediaguard.web.models import PRINTABLE, Page
from mediaguard.web.senders import Gate, Sender, Signed

Subject = Annotated[str | None, Query(min_length=1, max_length=64, pattern=PRINTABLE)]
ChannelName = Annotated[str | None, Query(max_length=63)]
Everything = Annotated[bool, Query(alias="all", description="Also what is over.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=listings.MOST)]


def router(app: App, gate: Gate) -> APIRouter:
    """The routes of lists."""
    routes = APIRouter(prefix="/v1", tags=["records"])

    async def signed(request: Request) -> AsyncIterator[Signed]:
        async with gate.open(request, 0) as found:
            yield found

    Caller = Annotated[Signed, Depends(signed)]  # noqa: N806 - a type

    @routes.get("/publications", response_model=Page, responses=problems(403))
    def publications(
        caller: Caller,
        subject: Subject = None,
        channel: ChannelName = None,
        everything: Everything = False,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> JSONResponse:
        """What may be public on your channels, oldest first."""
        page = listings.publications(
            app,
            _channels(caller.sender, channel),
            subject=subject,
            everything=everything,
            cursor=cursor,
            limit=limit,
        )
        return JSONResponse(page)

    @routes.get("/takedowns", response_model=Page, responses=problems(403))
    def takedowns(
        caller: Caller,
        subject: Subject = None,
        channel: ChannelName = None,
        overdue: bool = False,
        everything: Everything = False,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> JSONResponse:
        """What has to come down from your channels, the longest waiting first."""
        page: dict[str, Any] = listings.takedowns(
            app,
            _channels(caller.sender, channel),
            subject=subject,
            overdue=overdue,
            everything=everything,
            cursor=cursor,
            limit=limit,
        )
        return JSONResponse(page)

    return routes


def _channels(sender: Sender, channel: str | None) -> Sequence[str]:
    if channel is None:
        return sender.settings.channels
    sender.require_channel(channel)
    return (channel,)
