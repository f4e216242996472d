"""One request of somebody who is signed in, and how it is answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mediaguard.app import App
from mediaguard.core.access import Visitor
from mediaguard.sent import Sent
from mediaguard.texts import say
from mediaguard.web.console.names import KnownNames
from mediaguard.web.console.pages import render


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page needs to know.

    Attributes:
        request: as it came.
        visitor: who asks.
        app: the home, acting as the visitor.
        form: what was sent; empty unless it was a form.
        names: of people, for display.
    """

    request: Request
    visitor: Visitor
    app: App
    form: FormData
    names: KnownNames

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
        return render(
            template,
            self.visitor.language,
            self.app.config.zone,
            status,
            visitor=self.visitor,
            path=self.request.url.path,
            names=self.names.all(),
            notice=_notice(self.request.query_params.get("notice")),
            **values,
        )

    def go(self, path: str, notice: str | None = None, **query: str) -> Response:
        """Go on to a page after something was done; `notice` is said there.

        Args:
            path: below the site.
            notice: a code of `mediaguard.texts` that begins with `notice-`.
            **query: more for the address.
        """
        more: Mapping[str, str] = query if notice is None else {**query, "notice": notice}
        return RedirectResponse(path + (f"?{urlencode(more)}" if more else ""), 303)


def _notice(code: str | None) -> str | None:
    """Only our own sentences are said: anybody can write an address."""
    return code if code and code.startswith("notice-") and say(code) != code else None
