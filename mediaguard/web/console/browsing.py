"""Lists that are filtered by channel, state and person: what they share."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from mediaguard.web.console.lists import address
from mediaguard.web.console.persons import MOST, found_by
from mediaguard.web.console.visit import Visit

Filters = Mapping[str, str | None]


def find(
    visit: Visit, path: str, filters: Filters, choose: Callable[[str, Sequence[str]], Response]
) -> Response:
    """Go on to the list of whom the form names.

    Who is looked for is sent, and stands in no address: it may be a name.

    Args:
        visit: its field `who` names somebody.
        path: of the list.
        filters: of the list.
        choose: the page to choose on, if it is nobody or may be several.
    """
    who = visit.field("who")
    if not who:
        return visit.go(address(path, filters))
    with visit.app.database.read() as session:
        found = found_by(visit, session, who)
    if len(found) == 1:
        return visit.go(address(path, {**filters, "subject": found[0]}))
    return choose(who, found)


def browsing(
    visit: Visit,
    path: str,
    filters: Filters,
    *,
    after: str | None,
    more: str | None,
    who: str | None,
    found: Sequence[str] | None,
) -> dict[str, Any]:
    """What the templates of such lists need beside the rows.

    Args:
        visit: who looks.
        path: of the list.
        filters: with `channel` and `subject`.
        after: where this page begins; None for the first.
        more: where the next one begins; None for the last.
        who: what was typed, if somebody was looked for.
        found: people to choose from in place of a list.
    """
    subject, channel = filters["subject"], filters["channel"]
    channels = list(visit.app.config.channels)
    if channel and channel not in channels:
        channels.append(channel)
    return {
        "channel": channel,
        "channels": channels,
        "subject": subject,
        "who": who if who is not None else subject or "",
        "found": None if found is None else list(found[:MOST]),
        "found_more": found is not None and len(found) > MOST,
        "choose": lambda chosen: address(path, {**filters, "subject": chosen}),
        "first": address(path, filters) if after else None,
        "older": address(path, {**filters, "after": more}) if more else None,
    }
