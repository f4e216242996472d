"""From a template to a page."""

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from functools import cache
from types import MappingProxyType

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from mediaguard import __version__
from mediaguard.texts import say
from mediaguard.web.console.audit_words import who
from mediaguard.web.console.sections import SECTIONS
from mediaguard.web.console.tables import labelled

HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
        "img-src 'self' blob:; media-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
)
"""Beside those that every answer has. No page asks anything of anybody else."""


@cache
def environment() -> Environment:
    """Where templates come from; everything put into them is escaped."""
    return Environment(
        loader=PackageLoader("mediaguard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(
    template: str, language: str, zone: tzinfo, status: int = 200, **values: object
) -> HTMLResponse:
    """A page of `templates/console`.

    Args:
        template: its file; with a folder if it lies in another.
        language: of its sentences.
        zone: in which moments are told.
        status: of HTTP.
        **values: for the template. `visitor` is who is signed in, if anybody; `names` maps
            pseudonyms to names.
    """

    def translated(code: str, **params: object) -> str:
        return say(code, params, language)

    def moment(at: datetime | date | None) -> str:
        if at is None:
            return "-"
        if isinstance(at, datetime):
            return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
        return at.isoformat()

    names = values.get("names") or {}
    assert isinstance(names, Mapping)

    def person(subject_id: str | None) -> Markup:
        """A name, where the school's list has one, with the pseudonym."""
        if subject_id is None:
            return Markup("-")
        if subject_id not in names:
            return Markup('<span class="person">{}</span>').format(subject_id)
        return Markup('<span class="person">{} <small>{}</small></span>').format(
            names[subject_id], subject_id
        )

    def actor(name: str) -> str:
        return who(name, language)

    defaults: dict[str, object] = {"visitor": None, "path": "", "notice": None, "waiting": {}}
    html = (
        environment()
        .get_template(template if "/" in template else f"console/{template}")
        .render(
            **{
                **defaults,
                **values,
                "language": language,
                "say": translated,
                "moment": moment,
                "actor": actor,
                "person": person,
                "sections": SECTIONS,
                "version": __version__,
            }
        )
    )
    return HTMLResponse(labelled(html), status, headers=dict(HEADERS))
