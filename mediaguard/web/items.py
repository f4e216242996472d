"""Items and publications in the words of the API."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from mediaguard.app import App
from mediaguard.channels.web import is_web_address
from mediaguard.store.items import Items, Publications
from mediaguard.store.tables import ItemRow, PublicationRow, TakedownRow
from mediaguard.store.takedowns import OPEN, Takedowns
from mediaguard.texts import say
from mediaguard.web.problems import Problem
from mediaguard.web.senders import Sender

FILES = ("folder", "newsletter")
"""Connectors whose renditions are files here, which the API can give."""


def is_decided(item: ItemRow) -> bool:
    """Whether nothing is left to do."""
    return item.state != "received" and item.next_attempt_at is None


def state_of(item: ItemRow) -> str:
    """As the API tells it: what is looked at anew counts as received."""
    return item.state if is_decided(item) else "received"


def find_item(session: Session, item_id: str, sender: Sender) -> ItemRow:
    """An item of one of the sender's channels.

    Raises:
        Problem: there is none, as far as this sender is concerned.
    """
    item = Items(session).find(item_id)
    if item is None or item.channel not in sender.settings.channels:
        raise Problem(404, "web-no-item")
    return item


def links_of(item_id: str, *, rendition: bool = False) -> dict[str, str | None]:
    """Where to go on from an item."""
    place = f"/v1/media/{item_id}"
    return {"self": place, "rendition": f"{place}/rendition" if rendition else None}


def item_as_json(app: App, session: Session, item: ItemRow, language: str) -> dict[str, Any]:
    """An item as `GET /v1/media/{id}` tells it."""
    rows = Publications(session).list(item_id=item.id)
    told = [(row, Takedowns(session).list(publication_id=row.id)) for row in rows]
    there = _has_files(app, item.channel) and any(_is_up(row, asked) for row, asked in told)
    decided = is_decided(item)
    return {
        "id": item.id,
        "channel": item.channel,
        "kind": item.kind,
        "state": state_of(item),
        "outcome": item.outcome if decided else None,
        "reason": reason_of(item, language) if decided else None,
        "verified": item.verified,
        "faces": (item.report or {}).get("faces", []) if decided else [],
        "links": links_of(item.id, rendition=there),
        "publications": [_publication(row, asked, language) for row, asked in told],
        "created_at": item.created_at.isoformat(),
        "updated_at": item.updated_at.isoformat(),
        "named": [],
    }


def reason_of(item: ItemRow, language: str) -> dict[str, str] | None:
    """Why an item is where it is."""
    if item.reason is None:
        return None
    params = {"name": item.id, **(item.reason_params or {})}
    return {"code": item.reason, "text": say(item.reason, params, language)}


def web_addresses(places: Sequence[str]) -> list[str]:
    """Without the paths of files: nobody outside has a use for them."""
    return [place for place in places if is_web_address(place)]


def without_paths(record: Mapping[str, Any]) -> dict[str, Any]:
    """A publication or takedown as JSON that may leave the machine."""
    clean = dict(record)
    clean["urls"] = web_addresses(record["urls"])
    if "looks" in record:
        clean["looks"] = [
            {**look, "url": look["url"] if is_web_address(look["url"]) else None}
            for look in record["looks"]
        ]
    return clean


def open_rendition(app: App, item_id: str, sender: Sender) -> tuple[BinaryIO, str, str]:
    """What is live of an item: its file, SHA-256 and name.

    Consent is asked once more: what ended by its date a moment ago is not given any more.

    Raises:
        Problem: there is nothing, or it is to be had somewhere else.
    """
    with app.database.read() as session:
        item = find_item(session, item_id, sender)
        if not _has_files(app, item.channel):
            raise Problem(409, "web-rendition-elsewhere")
        found = None
        for row in Publications(session).list(item_id=item.id, states=["live"]):
            if _is_up(row, Takedowns(session).list(publication_id=row.id)):
                found = row, Publications(session).subjects(row.id)
        if found is None:
            if item.state == "received":
                raise Problem(409, "web-rendition-later", retry_after=2)
            raise Problem(404, "web-no-rendition")
    publication, subjects = found
    rulings = app.book(item.channel).rulings(subjects)
    if not all(subject in rulings and rulings[subject].allowed for subject in subjects):
        raise Problem(404, "web-no-rendition")
    path = Path(publication.urls[0])
    if path.parent != app.ready(item.channel):
        raise Problem(404, "web-no-rendition")
    try:
        file = path.open("rb")
    except OSError:
        raise Problem(404, "web-no-rendition") from None
    # Only the very bytes that were verified.
    if hashlib.file_digest(file, "sha256").hexdigest() != publication.rendition_sha256:
        file.close()
        raise Problem(409, "web-rendition-changed")
    file.seek(0)
    return file, publication.rendition_sha256, path.name


def _has_files(app: App, channel: str) -> bool:
    settings = app.config.channels.get(channel)
    return settings is not None and settings.connector in FILES


def _is_up(row: PublicationRow, takedowns: Sequence[TakedownRow]) -> bool:
    wanted_gone = any(takedown.state in (*OPEN, "unrecallable") for takedown in takedowns)
    return row.state == "live" and not wanted_gone


def _publication(
    row: PublicationRow, takedowns: Sequence[TakedownRow], language: str
) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "urls": web_addresses(row.urls),
        "published_at": _iso(row.confirmed_at),
        "removed_at": _iso(row.removed_at),
        "takedowns": [
            {
                "id": takedown.id,
                "state": takedown.state,
                "reason": {"code": takedown.reason, "text": say(takedown.reason, {}, language)},
                "requested_at": takedown.requested_at.isoformat(),
                "confirmed_at": _iso(takedown.confirmed_at),
            }
            for takedown in takedowns
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
