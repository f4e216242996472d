"""The texts that people agreed to."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.core.access import Permission
from mediaguard.store.kept_wordings import KeptWordings
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem


def router(guard: Guard) -> APIRouter:
    """The pages."""
    routes = APIRouter(prefix="/wordings")
    may_see = guard.may(Permission.SEE_PEOPLE)

    @routes.get("/{version}")
    def show(visit: Annotated[Visit, Depends(may_see)], version: str) -> Response:
        wording = visit.app.wordings.get(version)
        if not wording.texts:
            raise Problem(404, "wording-missing", version=version)
        with visit.app.database.read() as session:
            named = KeptWordings(session).is_named(version)
        return visit.page("wording.html", wording=wording, named=named)

    return routes
