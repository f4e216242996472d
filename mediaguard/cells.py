"""Cells of a table that somebody opens in a spreadsheet."""

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: object) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGINNINGS) else text
