"""Who may see a page, and whether a form is really theirs."""

import hmac
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import quote, urlsplit

from anyio.to_thread import run_sync
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from mediaguard.app import App
from mediaguard.core.access import Permission, Visitor
from mediaguard.web.console.names import KnownNames
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

FORM_BYTES, FORM_FIELDS, FORM_FILES = 200_000, 500, 20

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_SAFE = frozenset({"GET", "HEAD"})


class SignInFirst(Exception):  # noqa: N818 - it is no error
    """Nobody is signed in; `next` is where they wanted to go."""

    def __init__(self, next_path: str) -> None:
        super().__init__(next_path)
        self.next = next_path


class Guard:
    """Stands before every page.

    Args:
        app: the home.
        recognise: who made a request; None for nobody. It may ask the database.
    """

    def __init__(self, app: App, recognise: Callable[[Request], Visitor | None]) -> None:
        self.app = app
        self._recognise = recognise
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
            visitor = await run_sync(self._recognise, request)
            if visitor is None:
                raise SignInFirst(_where(request))
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
        Problem: it is too large, or broken.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
        return None
    length = request.headers.get("content-length", "")
    limit = file_bytes or FORM_BYTES
    # With a little more for the fields and what stands between the files.
    if not length.isdigit() or int(length) > limit + bool(file_bytes) * FORM_BYTES:
        raise Problem(413, "web-too-large", limit=limit / 1_000_000)
    if not file_bytes or "multipart" not in request.headers["content-type"].lower():
        return await request.form(max_files=0, max_fields=FORM_FIELDS)
    parser = _InMemory(
        request.headers, request.stream(), max_files=FORM_FILES, max_fields=FORM_FIELDS
    )
    try:
        return await parser.parse()
    except MultiPartException:
        raise Problem(400, "web-form-broken") from None


def _where(request: Request) -> str:
    path = request.url.path if request.method in _SAFE else "/console/"
    query = f"?{request.url.query}" if request.url.query and request.method in _SAFE else ""
    return quote(path + query, safe="/")
