"""The API: its routes, and what they share."""

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from anyio import CapacityLimiter
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from mediaguard import __version__
from mediaguard.app import App
from mediaguard.errors import MediaguardError
from mediaguard.web import (
    problems,
    route_consents,
    route_lists,
    route_media,
    route_removed,
    route_state,
    spool,
)
from mediaguard.web.console.site import make_site
from mediaguard.web.described import describe
from mediaguard.web.fetching import Fetcher
from mediaguard.web.intake import Intake
from mediaguard.web.metrics import Metrics
from mediaguard.web.once import Once
from mediaguard.web.outer import Outer
from mediaguard.web.personal.site import make_personal
from mediaguard.web.problems import Problem
from mediaguard.web.senders import Gate

THREADS = 12
"""Fewer than the database has connections."""

FETCHES = 4

_TITLE = "mediaguard"
_ABOUT = (
    "Send photos and videos to be published, and the consents of pupils. Nobody who is not known "
    "to have consented is recognisable in what comes out."
)


@dataclass(frozen=True, slots=True)
class Running:
    """What runs beside the API in its process.

    Attributes:
        stopping: set when the process is to end; who waits is answered then.
        failing: names what does not run.
        swept_at: when the worker last looked at what is due.
    """

    stopping: threading.Event = field(default_factory=threading.Event)
    failing: Callable[[], Sequence[str]] = tuple
    swept_at: Callable[[], datetime | None] = lambda: None


def make_api(
    app: App,
    *,
    running: Running | None = None,
    fetcher: Fetcher | None = None,
    documented: bool = True,
) -> Outer:
    """The API of a home.

    Args:
        app: the home.
        running: what runs beside it.
        fetcher: for media by reference.
        documented: its documentation can be read, from this machine only.

    Raises:
        ConfigError: a secret of a sender cannot be read.
    """
    running = running or Running()
    spool.sweep(app.work)
    gate = Gate(app.config.web, app.home, app.work)
    once = Once(app)
    metrics = Metrics(app, running.swept_at)
    intake = Intake(app, fetcher or Fetcher(), app.work)
    language = app.language

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        yield

    api = FastAPI(
        title=_TITLE,
        version=__version__,
        description=_ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # it would lead to whatever host the caller names
        lifespan=lifespan,
    )
    api.state.language = language
    fetches = CapacityLimiter(FETCHES)
    api.include_router(route_media.router(app, gate, once, intake, running.stopping, fetches))
    api.include_router(route_consents.router(app, gate, once))
    api.include_router(route_lists.router(app, gate))
    api.include_router(route_removed.router(app, gate, once))
    api.include_router(route_state.router(app, metrics, running.failing))
    if documented:
        api.include_router(route_state.documentation(api))
    for kind in (Exception, HTTPException, MediaguardError, Problem, RequestValidationError):
        api.add_exception_handler(kind, problems.handle)
    api.add_api_route("/console", _to_console, include_in_schema=False)
    api.mount("/console", make_site(app))
    api.mount("/my", make_personal(app))
    describe(api)
    return Outer(api, metrics.count, language, tls_only=app.config.web.address is not None)


def _to_console() -> Response:
    """For whoever typed the address without its last stroke."""
    return RedirectResponse("/console/")
