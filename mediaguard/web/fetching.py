"""Media by reference: fetched from a few known hosts, and never from inside the school's network.

A name is resolved once; the connection goes to the very address that was looked at, so that a name
which means something else a moment later (DNS rebinding) gains nothing.
"""

from collections.abc import Callable, Collection, Sequence
from urllib.parse import SplitResult, urlsplit

import httpx

from mediaguard.channels.network import is_public, resolve
from mediaguard.channels.stopwatch import Stopwatch
from mediaguard.web.problems import Problem
from mediaguard.web.spool import Spool

DEADLINE = 120.0
"""Seconds for the whole of it, however busily the other side drips."""

_SILENCE = 15.0
_LOOPBACK = ("127.0.0.1", "::1")

Resolve = Callable[[str, int], Sequence[str]]


class Fetcher:
    """Fetches what a sender names.

    Args:
        resolve: finds the addresses of a host.
        loopback: also from this machine, and without TLS: for tests only.
    """

    def __init__(self, resolve: Resolve = resolve, *, loopback: bool = False) -> None:
        self._resolve = resolve
        self._loopback = loopback

    def fetch(self, url: str, hosts: Collection[str], into: Spool) -> None:
        """Fetch `url` into a spool.

        Args:
            url: from one of the hosts.
            hosts: where the sender may fetch from; with a port if it is not that of HTTPS.
            into: limits the size.

        Raises:
            Problem: it may not be fetched, or it could not be.
        """
        parts, host, port = self._allowed(url, hosts)
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise _later(host, "no such host") from None
        # All of them: a host with one foot in our network is not one to fetch from.
        if not addresses or not all(self._is_public(address) for address in addresses):
            raise Problem(422, "web-fetch-address", host=host)
        self._get(parts, host, port, addresses[0], into)

    def _allowed(self, url: str, hosts: Collection[str]) -> tuple[SplitResult, str, int]:
        try:
            parts = urlsplit(url)
            host, given = parts.hostname or "", parts.port
        except ValueError:
            raise Problem(422, "web-fetch-url") from None
        schemes = ("https", "http") if self._loopback else ("https",)
        clean = url.isascii() and url.isprintable() and not set(' \\"<>`{|}') & set(url)
        if not clean or parts.scheme not in schemes or not host or "@" in parts.netloc:
            raise Problem(422, "web-fetch-url")
        port = given or (443 if parts.scheme == "https" else 80)
        named = host if given is None else f"{host}:{port}"
        if named not in {allowed.lower() for allowed in hosts}:
            raise Problem(422, "web-fetch-host", host=named[:100])
        return parts, host, port

    def _is_public(self, address: str) -> bool:
        return (self._loopback and address in _LOOPBACK) or is_public(address)

    def _get(self, parts: SplitResult, host: str, port: int, address: str, into: Spool) -> None:
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        target = parts._replace(netloc=netloc, fragment="").geturl()
        standard = parts.port is None
        headers = {
            "Host": host if standard else f"{host}:{port}",
            "User-Agent": "mediaguard",
            "Accept-Encoding": "identity",
        }
        try:
            # No proxy of the environment: it would look the name up again.
            with (
                httpx.Client(trust_env=False, timeout=_SILENCE) as client,
                Stopwatch(DEADLINE) as stopwatch,
                client.stream(
                    "GET",
                    target,
                    headers=headers,
                    extensions={"sni_hostname": host, "trace": stopwatch.notice},
                ) as response,
            ):
                _save(response, host, into)
                if stopwatch.expired:  # a connection that was cut can look like its end
                    raise _later(host, "too slow")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise _later(host, type(error).__name__) from None


def _save(response: httpx.Response, host: str, into: Spool) -> None:
    if response.status_code >= 500 or response.status_code == 429:
        raise _later(host, str(response.status_code))
    if response.status_code != 200:  # no redirects either: they lead anywhere
        detail = str(response.status_code)
        raise Problem(422, "web-fetch-failed", host=host, detail=detail)
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Problem(422, "web-fetch-failed", host=host, detail="compressed")
    for chunk in response.iter_raw():
        into.write(chunk)


def _later(host: str, detail: str) -> Problem:
    """What may pass: the sender may send the same request again."""
    return Problem(502, "web-fetch-failed", retry_after=30, host=host, detail=detail)
