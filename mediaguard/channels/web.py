"""Calls to other people's web servers: bounded in time and size, and silent about secrets.

What goes wrong becomes a `ChannelError` that names the host and nothing more of the address:
paths and queries may hold what is nobody's business.
"""

import contextlib
import functools
import hashlib
import logging
import re
import ssl
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from mediaguard.channels.stopwatch import Stopwatch
from mediaguard.channels.waiting import freshness, retry_after
from mediaguard.core.publication import ELSEWHERE, Look
from mediaguard.errors import ChannelError

LARGEST_ANSWER = 10_000_000
"""Bytes; no answer that an adapter needs is nearly as long."""

_SLOWEST_UPLOAD = 50_000
"""Bytes per second; an upload gets so much more time than the deadline as it needs at this pace."""

# httpx logs every address with its query.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Web:
    """Calls an API with its credentials, and looks at public pages without them.

    Args:
        headers: sent with every call.
        auth: sent with every call.
        timeout: seconds for a connection, and for each time that the other side is silent.
        deadline: seconds for a whole call, however busily the other side drips bytes; an upload
            gets more, by its size.
    """

    def __init__(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | tuple[str, str] | None = None,
        timeout: float = 30,
        deadline: float = 120,
    ) -> None:
        self._deadline = deadline
        self._api = _client(timeout, headers or {}, auth)
        self._visitor = _client(timeout, {}, None)
        self._secrets = set(auth[1:]) if isinstance(auth, tuple) else set()

    def close(self) -> None:
        """Close what is open."""
        self._api.close()
        self._visitor.close()

    def call(
        self,
        method: str,
        url: str,
        *,
        accept: Collection[int] = (),
        params: Any = None,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        content: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The answer, read whole, if its status is 2xx or in `accept`.

        Args:
            method: the verb.
            url: where; nothing secret in it.
            accept: further statuses that the caller understands.
            params: query.
            json: body as JSON.
            data: body as a form.
            files: parts of a form.
            content: body as it is: bytes, or a file (which is streamed).
            headers: further ones.

        Raises:
            ChannelError: anything else; see `refusal`.
        """
        try:
            request = self._api.build_request(
                method,
                url,
                params=params,
                json=json,
                data=data,
                files=files,
                content=content,
                headers=headers,
            )
            with self._sent(self._api, request) as streamed:
                response = _whole(streamed)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _unreachable(url, error) from None
        if response.is_success or response.status_code in accept:
            return response
        raise self.refusal(response)

    def refusal(self, response: httpx.Response) -> ChannelError:
        """What an answer with an unwanted status means."""
        host, status = response.request.url.host, response.status_code
        if status in (429, 503):
            return ChannelError("channel-busy", retry_after=retry_after(response), host=host)
        if status in (401, 403):
            return ChannelError("channel-credentials", host=host, status=status)
        if status >= 500:
            return ChannelError("channel-failed", host=host, status=status)
        if status >= 400:
            detail = self._harmless(_message(response), response.request) or "?"
            return ChannelError(
                "channel-refuses", later=False, host=host, status=status, detail=detail
            )
        return odd_answer(response, str(status))

    def _harmless(self, text: str, request: httpx.Request) -> str:
        """A foreign text made short; some servers repeat what they were sent, secrets too."""
        sent = request.headers.get("Authorization", "").split()
        for secret in self._secrets.union(word for word in sent if len(word) >= 8):
            text = text.replace(secret, "…")
        return _short(re.sub(r"\?\S+", "?…", text))

    def look(self, url: str, successor: str | None) -> Look:
        """What a visitor sees at `url`: once as caches serve it, once past them.

        Args:
            url: a public address; of a place of another kind nothing can be said.
            successor: sha256 of what was put there instead, if anything was.
        """
        if not is_web_address(url):
            return Look(url, gone=False, answer=ELSEWHERE)
        plain = self._visit(url, successor, {})
        fresh = self._visit(url, successor, {"Cache-Control": "no-cache", "Pragma": "no-cache"})
        if plain.gone and fresh.gone:
            return Look(url, gone=True, answer=plain.answer)
        if plain.gone:
            return Look(url, gone=False, answer=fresh.answer)
        if fresh.gone and plain.is_served:
            answer = f"{plain.answer} from a cache"
            return Look(url, gone=False, answer=answer, again_after=plain.fresh_for)
        # Of two answers the one that shows something is the better evidence.
        told = fresh if plain is _NO_ANSWER and not fresh.gone else plain
        return Look(url, gone=False, answer=told.answer)

    def _visit(self, url: str, successor: str | None, headers: Mapping[str, str]) -> "_Visit":
        try:
            request = self._visitor.build_request("GET", url, headers=headers)
            with self._sent(self._visitor, request) as response:
                status = response.status_code
                if status in (404, 410):
                    return _Visit(str(status), gone=True)
                if status == 200 and successor is not None:
                    digest = hashlib.sha256()
                    for chunk in response.iter_bytes():
                        digest.update(chunk)
                    is_successor = digest.hexdigest() == successor
                else:
                    is_successor = False
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError):
            return _NO_ANSWER
        if is_successor:
            return _Visit("new file", gone=True)
        return _Visit(str(status), False, status < 400, freshness(response))

    @contextlib.contextmanager
    def _sent(self, client: httpx.Client, request: httpx.Request) -> Iterator[httpx.Response]:
        length = request.headers.get("Content-Length", "0")
        with Stopwatch(self._deadline + int(length) / _SLOWEST_UPLOAD) as stopwatch:
            request.extensions["trace"] = stopwatch.notice
            response = client.send(request, stream=True)
            try:
                yield response
            finally:
                response.close()
                # A connection that was cut can look like the end of an answer.
                if stopwatch.expired:
                    raise httpx.ReadTimeout("deadline")


@dataclass(frozen=True, slots=True)
class _Visit:
    answer: str
    gone: bool
    is_served: bool = False
    fresh_for: float | None = None


_NO_ANSWER = _Visit("no answer", gone=False)


def is_web_address(url: str) -> bool:
    """Whether it may be fetched at all: http or https, with a host and without a password."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and "@" not in parts.netloc
            and url.isprintable()
            and " " not in url
        )
    except ValueError:
        return False


def json_of(response: httpx.Response) -> dict[str, Any] | list[Any]:
    """The answer's JSON, an object or a list.

    Raises:
        ChannelError: it is neither.
    """
    try:
        found = response.json()
    except (ValueError, RecursionError):
        raise odd_answer(response, "no JSON") from None
    if not isinstance(found, dict | list):
        raise odd_answer(response, "no JSON object")
    return found


def odd_answer(response: httpx.Response, detail: str) -> ChannelError:
    """The error for an answer that is not as documented; nobody knows what was done."""
    return ChannelError("channel-answer", host=response.request.url.host, detail=detail)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Reading them takes longer than many a call."""
    return httpx.create_ssl_context()


def _client(
    timeout: float, headers: Mapping[str, str], auth: httpx.Auth | tuple[str, str] | None
) -> httpx.Client:
    return httpx.Client(
        timeout=timeout,
        verify=_certificates(),
        auth=auth,
        headers={"User-Agent": "mediaguard", **headers},
        # No connection is kept: the other side may have dropped it, and a stopwatch has to know it.
        limits=httpx.Limits(max_keepalive_connections=0),
        # No cookies either: every visit is a first one.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )


def _whole(streamed: httpx.Response) -> httpx.Response:
    body = bytearray()
    for chunk in streamed.iter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise odd_answer(streamed, "too long")
    # It is decoded already, and no longer as long as announced.
    headers = [
        (name, value)
        for name, value in streamed.headers.multi_items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    ]
    return httpx.Response(
        streamed.status_code, headers=headers, content=bytes(body), request=streamed.request
    )


def _unreachable(url: str, error: Exception) -> ChannelError:
    # Only what failed on the way to a connection is told in full (certificate, unknown host);
    # other messages may repeat a header.
    told = str(error) if isinstance(error, httpx.ConnectError) else type(error).__name__
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return ChannelError("channel-unreachable", host=host or "?", detail=_short(told))


def _message(response: httpx.Response) -> str:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    errors = found.get("errors")
    candidates = [found, found.get("error"), errors[0] if isinstance(errors, list) else None]
    for candidate in candidates:
        told = candidate.get("message") if isinstance(candidate, dict) else candidate
        if isinstance(told, str):
            return told
    return ""


def _short(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:200]
