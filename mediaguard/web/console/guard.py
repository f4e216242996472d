"""Who may see a page, and whether a form is really theirs."""

import hmac
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import quote, urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import FormData
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.routing import Match

from mediaguard.app import App
from mediaguard.core.access import Permission
from mediaguard.web.bodies import pieces
from mediaguard.web.console.accounts import Accounts
from mediaguard.web.console.aside import Aside
from mediaguard.web.console.names import KnownNames
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

FORM_BYTES, FORM_FIELDS, FORM_FILES = 200_000, 500, 20

_FIELDS, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
_SAFE = frozenset({"GET", "HEAD"})


class SignInFirst(Exception):  # noqa: N818 - it is no error
    """Nobody is signed in.

    Attributes:
        next: where they wanted to go, or where the form is that they sent.
        lost: they sent something, which was not looked at.
    """

    def __init__(self, next_path: str, *, lost: bool) -> None:
        super().__init__(next_path)
        self.next = next_path
        self.lost = lost


class Guard:
    """Stands before every page.

    Args:
        app: the home.
        accounts: recognises people.
    """

    def __init__(self, app: App, accounts: Accounts) -> None:
        self.app = app
        self._accounts = accounts
        self._aside = Aside()
        self._names = KnownNames(app)

    def may(
        self, *permissions: Permission, reads_body: bool = False, file_bytes: int = 0
    ) -> Callable[[Request], AsyncIterator[Visit]]:
        """For FastAPI's `Depends`: the visit of somebody who has all `permissions`.

        What changes something (any method but GET) needs the token of the session, in the form
        field `token` or the header `x-csrf-token`. Nothing of the body is read before it is known
        who asks; do not let FastAPI read it either (no `Form()`, no `File()`).

        Args:
            *permissions: none: to be signed in is enough.
            reads_body: the page reads the body itself; then the token comes in the header.
            file_bytes: the form may have files, of so many bytes together; see `Visit.files`.

        Raises:
            SignInFirst: nobody is signed in.
            Problem: they may not, or the request comes from elsewhere.
        """

        async def visit(request: Request) -> AsyncIterator[Visit]:
            visitor = await run_sync(self._accounts.visitor, request)
            if visitor is None:
                raise SignInFirst(_where(request), lost=request.method not in _SAFE)
            if not all(visitor.may(permission) for permission in permissions):
                raise Problem(403, "console-not-yours")
            form: FormData | None = None
            if request.method not in _SAFE:
                form = None if reads_body else await read_form(request, file_bytes)
                require_own(request, visitor.token, form or {})
            try:
                yield Visit(
                    request=request,
                    visitor=visitor,
                    app=self.app.acting_as(visitor.actor),
                    form=form or FormData(),
                    names=self._names,
                    cookies=self._accounts.cookies,
                    aside=self._aside,
                )
            finally:
                if form is not None:
                    await form.close()

        return visit


def require_own(request: Request, token: str, form: Mapping[str, object]) -> None:
    """Refuse what another site made the browser send.

    Raises:
        Problem: the token is not that of the session, or the browser says who sent it.
    """
    given = form.get("token") or request.headers.get("x-csrf-token", "")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.encode()):
        raise Problem(403, "console-stale-form")
    require_same_site(request)


def require_same_site(request: Request) -> None:
    """Refuse what the browser says another site made it send.

    Raises:
        Problem: so it is.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Problem(403, "console-stale-form")
    origin = request.headers.get("origin", "")
    # "null" is what browsers send from pages with our Referrer-Policy; it tells nothing. A web
    # server before this one may not pass on the name by which it was called.
    ours = ("", "null", getattr(request.app.state, "origin", None))
    if origin not in ours and urlsplit(origin).netloc != request.headers.get("host"):
        raise Problem(403, "console-stale-form")


class _InMemory(MultiPartParser):
    """Pupils' data and faces: nothing of it is written to the disk, not even for a moment."""

    spool_max_size = sys.maxsize


async def read_form(request: Request, file_bytes: int = 0) -> FormData | None:
    """What was sent, if it is a form.

    Args:
        request: the request.
        file_bytes: how much the files in it may have; 0 if there may be none.

    Raises:
        Problem: it is too large, too slow, or broken.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    parser: FormParser | MultiPartParser
    if kind == _FIELDS:
        stream = pieces(request, FORM_BYTES)
        parser = FormParser(request.headers, stream, max_fields=FORM_FIELDS)
    elif kind == _PARTS:
        # With a little more for the fields and what stands between the files.
        stream, files = pieces(request, FORM_BYTES + file_bytes), FORM_FILES if file_bytes else 0
        parser = _InMemory(request.headers, stream, max_files=files, max_fields=FORM_FIELDS)
    else:
        return None
    try:
        return await parser.parse()
    except MultiPartException:
        raise Problem(400, "web-form-broken") from None


def _where(request: Request) -> str:
    if request.method not in _SAFE:
        return quote(_page_of(request), safe="/")
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path + query, safe="/")


def _page_of(request: Request) -> str:
    """Where the form is that was sent: the nearest page at its address or above."""
    root, path = request.scope.get("root_path", ""), request.url.path
    while len(path) > len(root):
        scope = {**request.scope, "method": "GET", "path": path}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            return path
        path = path.rpartition("/")[0]
    return f"{root}/"
