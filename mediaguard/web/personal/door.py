"""Opening a personal link, and how its pages are answered."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from anyio.to_thread import run_sync
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mediaguard.app import App
from mediaguard.config import Language
from mediaguard.personal import PATH, PersonalLinks
from mediaguard.store.tables import PersonalLinkRow
from mediaguard.web.console.guard import read_form, require_own
from mediaguard.web.console.names import KnownNames
from mediaguard.web.console.pages import render
from mediaguard.web.personal.notice import Notice, Notices
from mediaguard.web.personal.standing import Holder, holder_of
from mediaguard.web.personal.words import Words
from mediaguard.web.problems import Problem, language_of
from mediaguard.web.senders import Pace

MISSES_PER_MINUTE = 120
"""Links that do not work are answered no more often; those that do, always."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One request by somebody who has a link.

    Attributes:
        request: as it came.
        app: the home, acting as the link.
        links: of that home.
        holder: who it is.
        words: in which they are answered.
        base: where the pages of the link are.
        form: what was sent; empty unless it was a form.
    """

    request: Request
    app: App
    links: PersonalLinks
    holder: Holder
    words: Words
    base: str
    form: FormData

    @property
    def link(self) -> PersonalLinkRow:
        """The link itself."""
        return self.holder.link

    def field(self, name: str) -> str:
        """A field of the form as text."""
        value = self.form.get(name, "")
        return value.strip() if isinstance(value, str) else ""

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A page of `templates/personal`."""
        return show(
            template,
            self.app,
            self.words.language,
            status,
            base=self.base,
            words=self.words,
            holder=self.holder,
            token=self.links.form_token(self.link),
            **values,
        )

    def go(self, notice: str, channel: str = "") -> Response:
        """Go on to the first page after something was done; `notice` is said there, once."""
        response = RedirectResponse(f"{self.base}?language={self.words.language}#done", 303)
        self.notices.leave(response, Notice(notice, channel))
        return response

    @property
    def notices(self) -> Notices:
        """What is said once to whoever holds the link."""
        web = self.app.config.web
        secure = web.address is not None or web.tls_certificate is not None
        return Notices(self.app.keyring, self.base, secure=secure)


class Door:
    """Stands before every page.

    Args:
        app: the home.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._links = PersonalLinks(app)
        self._names = KnownNames(app)
        self._misses = Pace(MISSES_PER_MINUTE)

    async def open(self, request: Request) -> AsyncIterator[Opened]:
        """For FastAPI's `Depends`. Nothing of a body is read before the link is known.

        Raises:
            Problem: it does not work (nobody is told why), or a form comes from elsewhere.
        """
        token = request.path_params["token"]
        link = await run_sync(self._links.find, token)
        if link is None:
            wait = self._misses.take()
            status = 429 if wait else 404
            raise Problem(status, "personal-unknown", retry_after=wait or None)
        form: FormData | None = None
        if request.method == "POST":
            form = await read_form(request)
            require_own(request, self._links.form_token(link), form or {})
        try:
            yield await run_sync(self._opened, request, token, link, form)
        finally:
            if form is not None:
                await form.close()

    def _opened(
        self, request: Request, token: str, link: PersonalLinkRow, form: FormData | None
    ) -> Opened:
        app = self._app.acting_as(f"link:{link.id}")
        holder = holder_of(app, link)
        name = self._names.first(link.subject_id)
        return Opened(
            request=request,
            app=app,
            links=PersonalLinks(app),
            holder=holder,
            words=Words(app, wanted_language(request, app), holder, name),
            base=f"{PATH}{token}",
            form=form or FormData(),
        )


def wanted_language(request: Request, app: App) -> str:
    """The language that was chosen, or the one that the browser prefers."""
    chosen = request.query_params.get("language")
    if chosen in tuple(Language):
        return str(chosen)
    return language_of(request.headers, app.language)


def show(template: str, app: App, language: str, status: int, **values: object) -> Response:
    """A page that search engines are to leave alone."""
    defaults = {"base": None, "words": None, "token": None, "here": ""}
    page = render(
        f"personal/{template}", language, app.config.zone, status, **{**defaults, **values}
    )
    page.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return page
