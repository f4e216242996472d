"""What a server says about waiting: when to try again, how long its caches keep a copy."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

LONGEST = 86_400.0
"""Seconds; what a server asks for beyond it is not believed."""


def retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait, if the answer says so in either of the two ways."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return _within(float(value))
    moment = _moment(value)
    return None if moment is None else _within((moment - datetime.now(UTC)).total_seconds())


def freshness(response: httpx.Response) -> float | None:
    """Seconds for which a shared cache may keep its copy still, if it says so."""
    directives = response.headers.get("Cache-Control", "").lower()
    lifetime: float | None = None
    for name in ("s-maxage", "max-age"):
        found = re.search(rf'(?:^|[,\s]){name}\s*=\s*"?([0-9]{{1,10}})', directives)
        if found:
            lifetime = float(found[1])
            break
    if lifetime is None:
        expires = _moment(response.headers.get("Expires", ""))
        if expires is None:
            return None
        begin = _moment(response.headers.get("Date", "")) or datetime.now(UTC)
        lifetime = (expires - begin).total_seconds()
    age = response.headers.get("Age", "").strip()
    left = lifetime - (float(age) if re.fullmatch(r"[0-9]{1,10}", age) else 0.0)
    return _within(left) if left > 0 else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _within(seconds: float) -> float:
    return min(max(seconds, 1.0), LONGEST)
