"""Before somebody is signed in: one request on the way there, and how it is answered."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mediaguard.app import App
from mediaguard.errors import InputError
from mediaguard.store.sessions import Step, UserSession
from mediaguard.texts import explain
from mediaguard.web.console.accounts import Accounts
from mediaguard.web.console.guard import read_form, require_own, require_same_site
from mediaguard.web.console.pages import render
from mediaguard.web.problems import Problem, language_of

START = "/console/"
SIGN_IN = "/console/sign-in"


class WrongStep(Exception):  # noqa: N818 - it is no error
    """Something else has to be done first, or nothing any more."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


@dataclass(frozen=True, slots=True)
class Entering:
    """What a page needs to know.

    Attributes:
        request: as it came.
        app: the home.
        accounts: recognises people.
        form: what was sent; empty unless it was a form.
        current: the session, if one was begun.
        stale: what was sent does not come from our own form of just now.
    """

    request: Request
    app: App
    accounts: Accounts
    form: FormData
    current: UserSession | None
    stale: bool = False

    @property
    def language(self) -> str:
        """Of whoever is known already; else of the browser."""
        if self.current is not None:
            return self.current.user.language
        return language_of(self.request.headers, self.app.language)

    @property
    def next(self) -> str:
        """Where they wanted to go."""
        return local(self.field("next") or self.request.query_params.get("next", ""))

    @property
    def session(self) -> UserSession:
        """The session, where a page needs one."""
        assert self.current is not None
        return self.current

    def field(self, name: str) -> str:
        """A field of the form as it was typed."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A page of `templates/console`; `error` is an `InputError` to be shown."""
        error = values.pop("error", None)
        sentence = explain(error, self.language) if isinstance(error, InputError) else None
        response = Response()
        if self.current is not None:
            token = self.accounts.form_token(self.request)
        else:
            token = self.accounts.cookies.form_token(self.request, response)
        notice = self.accounts.cookies.notice(self.request)
        if notice:
            self.accounts.cookies.end_notice(response)
        page = render(
            template,
            self.language,
            self.app.config.zone,
            422 if sentence and status == 200 else status,
            token=token,
            next=self.next,
            error=sentence,
            notice=notice,
            **values,
        )
        page.raw_headers.extend(h for h in response.raw_headers if h[0] == b"set-cookie")
        return page

    def go_on(self, user_id: str, token: str) -> Response:
        """Give the browser its session, and go to whatever is left to do."""
        current = self.app.sessions.find(token)
        response = RedirectResponse(path_of(current, self.next), 303)
        self.accounts.let_in(response, user_id, token)
        return response


class Entry:
    """Stands before every page on the way in.

    Args:
        app: the home.
        accounts: recognises people.
    """

    def __init__(self, app: App, accounts: Accounts) -> None:
        self._app = app
        self._accounts = accounts

    def at(self, step: Step | None = None) -> Callable[[Request], AsyncIterator[Entering]]:
        """For FastAPI's `Depends`: somebody who has to do this step next.

        Args:
            step: None: nobody needs to be known yet.

        Raises:
            WrongStep: something else has to be done.
            Problem: a form comes from elsewhere.
        """

        async def entering(request: Request) -> AsyncIterator[Entering]:
            current = await run_sync(self._accounts.session, request)
            if step is not None and (current is None or current.step is not step):
                raise WrongStep(path_of(current, local(request.query_params.get("next", ""))))
            form, stale = FormData(), False
            if request.method == "POST":
                require_same_site(request)
                form = await read_form(request) or form
                stale = self._is_stale(request, form, current)
                if stale and step is not None:
                    raise Problem(403, "console-stale-form")
            yield Entering(request, self._app, self._accounts, form, current, stale)

        return entering

    def _is_stale(self, request: Request, form: FormData, current: UserSession | None) -> bool:
        if current is not None:
            token = self._accounts.form_token(request)
        else:
            token = self._accounts.cookies.form_token(request)
        try:
            require_own(request, token or "-", form)
        except Problem:
            return True
        return not token


def path_of(current: UserSession | None, next_path: str) -> str:
    """Where somebody has to go."""
    if current is not None and current.step is None:
        return next_path
    path = SIGN_IN if current is None else f"{SIGN_IN}/{current.step}"
    return path if next_path == START else f"{path}?{urlencode({'next': next_path})}"


def local(path: str) -> str:
    """A path within the console; its start for anything else: addresses can be made by anybody."""
    parts = urlsplit(path) if path.isprintable() and "\\" not in path else urlsplit("")
    inside = parts.path.startswith(START) and not (parts.scheme or parts.netloc)
    if not inside or "//" in parts.path or "/." in parts.path:
        return START
    return START if parts.path.startswith(SIGN_IN) else path
