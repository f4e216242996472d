"""A system says that something is not public there any more."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from mediaguard.app import App
from mediaguard.store.audit import Audit
from mediaguard.store.items import VISIBLE
from mediaguard.store.tables import PublicationRow
from mediaguard.store.takedowns import OPEN, Takedowns
from mediaguard.web.described import problems
from mediaguard.web.intake import read_json
from mediaguard.web.once import Answer, Once, Save
from mediaguard.web.problems import Problem, invalid
from mediaguard.web.senders import Gate, Sender, Signed

REASON = "removed-there"

_LARGEST = 10_000


class Removed(BaseModel):
    """What was deleted."""

    model_config = ConfigDict(extra="forbid")

    publication: str = Field(
        pattern=r"^[0-9a-f]{32}$",
        description="Its id, which is the `key` of the event that published it.",
    )


class RemovedPublication(BaseModel):
    """The publication; it counts as public until nothing is found at its addresses any more."""

    publication: str
    state: str = Field(description="`intended`, `live` or `removed`.")
    takedown: str | None = Field(description="Under which its end is seen to.")


def router(app: App, gate: Gate, once: Once) -> APIRouter:
    """The route of what was deleted elsewhere."""
    routes = APIRouter(prefix="/v1", tags=["records"])

    async def signed(request: Request) -> AsyncIterator[Signed]:
        async with gate.open(request, _LARGEST) as found:
            yield found

    @routes.post(
        "/takedowns",
        status_code=202,
        response_model=RemovedPublication,
        responses=problems(404, 409, 415),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": Removed.model_json_schema()}},
            }
        },
    )
    async def removed(request: Request, caller: Annotated[Signed, Depends(signed)]) -> JSONResponse:
        """Say that a publication was deleted on your side; that it is gone is confirmed next."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, "web-media-type")
        try:
            asked = Removed.model_validate(read_json(caller))
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)
            raise Problem(422, "web-invalid", detail=invalid(found)) from None

        def work(_before: Mapping[str, Any] | None, _save: Save) -> Answer:
            return Answer(202, _take_down(app, caller.sender, asked.publication))

        answer = await once.do(caller, "takedowns", work)
        return JSONResponse(dict(answer.body), answer.status)

    return routes


def _take_down(app: App, sender: Sender, publication_id: str) -> dict[str, Any]:
    """Ask for it like for anything that has to go: its channel is asked, and visitors' eyes."""
    with app.database.write() as session:
        row = session.get(PublicationRow, publication_id)
        if row is None or row.channel not in sender.settings.channels:
            raise Problem(404, "web-no-publication")
        takedowns = Takedowns(session)
        if row.state in VISIBLE:
            takedowns.plan_for(row, reason=REASON, at=app.now())
            Audit(session, app.keyring).append(
                "publication-reported-removed",
                at=app.now(),
                actor=sender.actor,
                item_id=row.item_id,
                data={"publication": row.id},
            )
        waiting = takedowns.list(publication_id=row.id, states=OPEN)
        return {
            "publication": row.id,
            "state": row.state,
            "takedown": waiting[0].id if waiting else None,
        }
