"""Whether it runs, how it does, and what it takes: for the operator and the builder."""

from collections.abc import Callable, Sequence

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import JSONResponse

from mediaguard.app import App
from mediaguard.errors import StoreError
from mediaguard.web.callers import is_from_here
from mediaguard.web.metrics import Metrics
from mediaguard.web.models import Health
from mediaguard.web.problems import Problem


def router(app: App, metrics: Metrics, failing: Callable[[], Sequence[str]]) -> APIRouter:
    """`/health` and `/metrics`."""
    routes = APIRouter()

    @routes.get(
        "/health",
        response_model=Health,
        responses={503: {"model": Health, "description": "Something does not run."}},
        tags=["state"],
    )
    def health() -> JSONResponse:
        """Whether everything runs; without a signature, and without details."""
        parts = [*failing()]
        try:
            with app.database.read() as session:
                session.execute(text("SELECT 1"))
        except StoreError:
            parts.append("database")
        if parts:
            return JSONResponse({"status": "failing", "failing": parts}, 503)
        return JSONResponse({"status": "ok"})

    @routes.get("/metrics", include_in_schema=False)
    def numbers(request: Request) -> Response:
        if not is_from_here(request):
            raise Problem(404, "web-not-found")
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return routes


def documentation(api: FastAPI) -> APIRouter:
    """`/openapi.json`."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/openapi.json")
    def document(request: Request) -> JSONResponse:
        if not is_from_here(request):
            raise Problem(404, "web-not-found")
        return JSONResponse(api.openapi())

    return routes
