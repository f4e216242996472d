"""What goes wrong, as RFC 9457 has it: a stable code, and words in the caller's language.

Never a secret, a path or a stack: what only the operator can mend stands in the log.
"""

import errno
import logging
import math
import re
from collections.abc import Mapping
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from mediaguard.errors import ConfigError, InputError, MediaError, MediaguardError, StoreError
from mediaguard.texts import say

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_FULL = frozenset({"vault-full", "disk-full"})
_FULL_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT})


class Problem(Exception):  # noqa: N818 - as RFC 9457 calls it
    """A request cannot be done.

    Args:
        status: of HTTP.
        code: worded in `mediaguard.texts`.
        retry_after: seconds after which trying again makes sense.
        **params: values for the sentence's placeholders.
    """

    def __init__(
        self, status: int, code: str, *, retry_after: float | None = None, **params: object
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.params = params


def language_of(headers: Headers, default: str) -> str:
    """English or Dutch, whichever the caller would rather read."""
    wanted: dict[str, float] = {}
    for part in headers.get("accept-language", "")[:500].split(","):
        tag, _, quality = part.strip().lower().partition(";")
        weight = re.fullmatch(r"\s*q=([01](?:\.[0-9]{0,3})?)\s*", quality)
        language = tag.split("-")[0]
        if language in ("en", "nl"):
            value = float(weight[1]) if weight else 1.0
            wanted[language] = max(value, wanted.get(language, 0.0))
    known = {language: value for language, value in wanted.items() if value > 0}
    return max(known, key=known.__getitem__) if known else default


def as_problem(error: Exception) -> Problem:
    """What an error means to the caller; what is ours goes to the log."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        code = {404: "web-not-found", 405: "web-method"}.get(error.status_code, "web-request")
        return Problem(error.status_code, code)
    if isinstance(error, RequestValidationError):
        return Problem(422, "web-invalid", detail=invalid(error.errors()))
    if isinstance(error, InputError):
        problem = Problem(422, error.code)
        problem.params.update(error.params)
        return problem
    if isinstance(error, MediaError) and error.code == "file-too-large":
        return Problem(413, "web-too-large", limit=error.params.get("limit", "?"))
    if isinstance(error, StoreError) and error.code in _FULL:
        return Problem(507, "web-full", retry_after=300)
    if isinstance(error, OSError) and error.errno in _FULL_ERRNO:
        return Problem(507, "web-full", retry_after=300)
    if isinstance(error, StoreError | ConfigError):
        log.error("a request was not done: %s", error)
        return Problem(503, "web-not-now", retry_after=10)
    told = error.code if isinstance(error, MediaguardError) else type(error).__name__
    log.error("a request failed: %s", told, exc_info=error)
    return Problem(500, "web-failed")


def invalid(errors: object) -> str:
    """Which fields are wrong and how, without what stood in them."""
    found = []
    for one in list(errors)[:10] if isinstance(errors, list | tuple) else []:
        place = ".".join(str(part) for part in one["loc"] if part not in ("body", "query"))
        found.append(f"{place or '-'}: {one['msg']}")
    return "; ".join(found) or "-"


def respond(
    problem: Problem, language: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer that tells a problem."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": say(problem.code, problem.params, language),
    }
    more = {"Content-Language": language, **(headers or {})}
    if problem.retry_after is not None:
        more["Retry-After"] = str(max(1, math.ceil(problem.retry_after)))
    if problem.status == 401:
        more["WWW-Authenticate"] = "Signature"
    return JSONResponse(body, problem.status, headers=more, media_type=MEDIA_TYPE)


async def handle(request: Request, error: Exception) -> JSONResponse:
    """For FastAPI: any error as its answer."""
    default = request.app.state.language
    headers = getattr(error, "headers", None) if isinstance(error, HTTPException) else None
    return respond(as_problem(error), language_of(request.headers, default), headers)
