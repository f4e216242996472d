"""What the long lists share: what their addresses say, and how places are told."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from mediaguard.app import App
from mediaguard.channels.web import is_web_address

PER_PAGE = 30
MOST = 100
"""Characters of a filter: longer ones are no ids."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is, as a page tells it.

    Attributes:
        words: an address, or a file as seen from the home.
        link: where to go; None for a file.
    """

    words: str
    link: str | None


def place(app: App, url: str) -> Place:
    """A place of a publication; of a file no more than people know it by."""
    if is_web_address(url):
        return Place(url, url)
    path = Path(url)
    inside = path.is_relative_to(app.home.absolute()) or path.is_relative_to(app.home)
    home = app.home if path.is_relative_to(app.home) else app.home.absolute()
    return Place(str(path.relative_to(home)) if inside else path.name, None)


def given(query: QueryParams, name: str) -> str | None:
    """A filter of the address, if it says something usable."""
    value = query.get(name, "").strip()
    return value if value and len(value) <= MOST and value.isprintable() else None


def address(path: str, filters: Mapping[str, str | None]) -> str:
    """The address of a list with these filters."""
    said = {name: value for name, value in filters.items() if value}
    return path + (f"?{urlencode(said)}" if said else "")
