"""Tables on small screens: every cell says what it is, so that a row can be shown as a list.

The style sheet stacks the cells of a row where there is no room beside each other; the headings
stand before each cell then. They are put there here, once for all pages, and not in each template.
"""

import re

_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_HEAD = re.compile(r"<thead\b.*?</thead>", re.DOTALL)
_HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_UNSEEN = re.compile(r'<span class="hidden-words">.*?</span>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)
_CELL = re.compile(r"<(t[dh])\b(?![^>]*\bcolspan=)([^>]*)>(\s*</)?")


def labelled(html: str) -> str:
    """The page with the heading of its column on every cell of its tables (`data-label`)."""
    return _TABLE.sub(lambda table: _labelled(table[0]), html)


def _labelled(table: str) -> str:
    head = _HEAD.search(table)
    if head is None:
        return table
    labels = [_text(heading) for heading in _HEADING.findall(head[0])]
    body = table[head.end() :]
    return table[: head.end()] + _ROW.sub(lambda row: _row(row[0], labels), body)


def _row(row: str, labels: list[str]) -> str:
    left = iter(labels)

    def cell(found: re.Match[str]) -> str:
        label, is_empty = next(left, ""), found[3]
        if not label or is_empty:
            return found[0]
        return f'<{found[1]} data-label="{label}"{found[2]}>'

    return _CELL.sub(cell, row)


def _text(heading: str) -> str:
    """What is to be seen of it; already escaped, as it comes from a page."""
    return " ".join(_TAG.sub(" ", _UNSEEN.sub(" ", heading)).replace('"', "&quot;").split())
