"""Channels: where it goes, by which rules, and how each one does."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from starlette.responses import Response

from mediaguard.channels.registry import abilities
from mediaguard.config import Channel
from mediaguard.core.access import Permission
from mediaguard.store.channel_state import channel_states
from mediaguard.web.console.guard import Guard
from mediaguard.web.console.visit import Visit
from mediaguard.web.console.waiting import due_since


def router(guard: Guard) -> APIRouter:
    """The page. No channel is asked anything for it, and no secret is read."""
    routes = APIRouter(prefix="/channels")
    may_see = guard.may(Permission.SEE_CHANNELS)

    @routes.get("")
    def show(visit: Annotated[Visit, Depends(may_see)]) -> Response:
        configured = visit.app.config.channels
        with visit.app.database.read() as session:
            states = channel_states(session, configured, due_since(visit.app))
        gone = sorted(name for name, state in states.items() if name not in configured)
        return visit.page(
            "channels.html",
            channels=[
                (name, settings, _where(settings), abilities(settings), states[name])
                for name, settings in configured.items()
            ],
            gone=[(name, states[name]) for name in gone],
        )

    return routes


def _where(settings: Channel) -> str | None:
    """Where it leads, as people know it; an address can hold more than a host, and secrets."""
    site = settings.wordpress or settings.http
    if site is not None:
        return urlsplit(site.url).hostname
    return settings.facebook.page if settings.facebook is not None else None
