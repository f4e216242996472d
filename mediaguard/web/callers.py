"""Where a request comes from, as far as the network tells."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import IPvAnyNetwork
from starlette.datastructures import Headers
from starlette.requests import Request

from mediaguard.config import LOOPBACK

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


def client_address(request: Request, proxies: Sequence[IPvAnyNetwork]) -> str:
    """Who asks: whom a trusted proxy names, or who it really is.

    Of an IPv6 address the network: whoever has one has all addresses in it.
    """
    peer = request.client.host if request.client else ""
    named = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
    while named and _is_one_of(peer, proxies):
        peer = named.pop() or peer
    try:
        address = ip_address(peer)
    except ValueError:
        return "unknown"
    return str(address) if address.version == 4 else address.exploded[:19]


def called_host(headers: Headers) -> str | None:
    """The name by which the caller calls this machine."""
    try:
        return urlsplit(f"//{headers.get('host', '')}").hostname
    except ValueError:
        return None


def is_from_here(request: Request) -> bool:
    """Whether somebody on this machine asks, and not through a web server before it.

    Such a web server need not say that it is one, but then it passes on its public name.
    """
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    if called_host(request.headers) not in LOOPBACK:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _is_one_of(address: str, networks: Sequence[IPvAnyNetwork]) -> bool:
    try:
        return any(ip_address(address) in network for network in networks)
    except ValueError:
        return False
