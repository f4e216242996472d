"""When something that failed is tried again: soon at first, then less and less often, for ever."""

from datetime import datetime, timedelta

FIRST, LAST = 5.0, 900.0
"""Seconds before the first retry, and between the later ones at most."""

LONGEST = 86_400.0
"""Seconds; a channel that asks for more patience than a day is asked again after a day."""


def next_attempt(now: datetime, failures: int, retry_after: float | None = None) -> datetime:
    """When to try again.

    Args:
        now: the moment of the last failure.
        failures: how many there were in a row, from 1.
        retry_after: seconds that the channel asked for; never tried before that.
    """
    seconds = min(FIRST * 2 ** min(failures - 1, 16), LAST)
    if retry_after is not None:
        seconds = max(seconds, min(retry_after, LONGEST))
    return now + timedelta(seconds=seconds)
