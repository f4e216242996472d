"""Which addresses are in the internet at large, and which in the school's own network."""

import socket
from collections.abc import Sequence
from ipaddress import IPv6Address, IPv6Network, ip_address

_CARRIERS = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
"""Networks that lead to an IPv4 address that stands in the IPv6 address (NAT64)."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def inside(host: str) -> set[str]:
    """The addresses of a host that are not public; none if nobody knows the host."""
    try:
        return {address for address in resolve(host, 443) if not is_public(address)}
    except (OSError, UnicodeError):
        return set()


def is_public(address: str) -> bool:
    """Whether an address is one of the internet at large, and nothing in disguise."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and (
        ip.ipv4_mapped is not None
        or ip.sixtofour is not None
        or ip.teredo is not None
        or ip.is_site_local
        or any(ip in network for network in _CARRIERS)
    ):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
