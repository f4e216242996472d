"""One request of somebody who is signed in, and how it is answered."""

from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mediaguard.app import App
from mediaguard.core.access import Visitor
from mediaguard.sent import Sent
from mediaguard.texts import say
from mediaguard.web.console.aside import Aside
from mediaguard.web.console.cookies import Cookies
from mediaguard.web.console.names import KnownNames
from mediaguard.web.console.pages import render
from mediaguard.web.console.waiting import waiting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page needs to know.

    Attributes:
        request: as it came.
        visitor: who asks.
        app: the home, acting as the visitor.
        form: what was sent; empty unless it was a form.
        names: of people, for display.
        cookies: of the browser.
        aside: what was just done, by session.
    """

    request: Request
    visitor: Visitor
    app: App
    form: FormData
    names: KnownNames
    cookies: Cookies
    aside: Aside

    def field(self, name: str, default: str = "") -> str:
        """A field of the form as text, without blanks around it."""
        value = self.form.get(name, default)
        return value.strip() if isinstance(value, str) else default

    def files(self, name: str) -> list[Sent]:
        """The files of a form field, in memory; a field that was left empty has none."""
        files = [file for file in self.form.getlist(name) if isinstance(file, UploadFile)]
        return [Sent(f.filename, f.file.read()) for f in files if f.filename]

    def say(self, code: str, **params: object) -> str:
        """A sentence in the visitor's language."""
        return say(code, params, self.visitor.language)

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A page of `templates/console`."""
        notice = self.cookies.notice(self.request)
        page = render(
            template,
            self.visitor.language,
            self.app.config.zone,
            status,
            visitor=self.visitor,
            path=self.request.url.path,
            names=self.names.all(),
            waiting=waiting(self.app, self.visitor),
            notice=notice,
            **values,
        )
        if notice:
            self.cookies.end_notice(page)
        return page

    def go(self, path: str, notice: str | None = None, **query: str) -> Response:
        """Go on to a page after something was done; `notice` is said there.

        Args:
            path: below the site.
            notice: a code of `mediaguard.texts`; said once, on the next page.
            **query: more for the address.
        """
        response = RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)
        if notice is not None:
            self.cookies.set_notice(response, notice)
        return response

    def go_and_tell(self, path: str, thing: object) -> Response:
        """Go on to a page that tells of something that cannot be looked up; see `told`."""
        return self.go(path, told=self.aside.put(self.visitor.token, thing))

    def told(self, kind: type[T], *, once: bool = False) -> T | None:
        """What the page is to tell of; None if that was too long ago, or in another session.

        Args:
            kind: what it is.
            once: it is not to be seen again.
        """
        find = self.aside.take if once else self.aside.get
        thing = find(self.visitor.token, self.request.query_params.get("told", ""))
        return thing if isinstance(thing, kind) else None
