"""Publications and takedowns, page by page."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, or_
from sqlalchemy import select as choose
from sqlalchemy.orm import InstrumentedAttribute

from mediaguard.app import App
from mediaguard.published import Publication, Takedown
from mediaguard.store.items import VISIBLE, Items, Publications
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import AppearanceRow, PublicationRow, TakedownRow
from mediaguard.store.takedowns import OPEN, Takedowns
from mediaguard.web.items import without_paths
from mediaguard.web.problems import Problem

MOST = 200


def publications(
    app: App,
    channels: Sequence[str],
    *,
    subject: str | None,
    everything: bool,
    cursor: str | None,
    limit: int,
) -> dict[str, Any]:
    """A page of what may be public; with `everything` also of what was."""
    query = choose(PublicationRow).where(PublicationRow.channel.in_(channels))
    if subject is not None:
        shown = choose(AppearanceRow.publication_id).where(AppearanceRow.subject_id == subject)
        query = query.where(PublicationRow.id.in_(shown))
    if not everything:
        query = query.where(PublicationRow.state.in_(VISIBLE))
    query = _from(query, PublicationRow.intended_at, PublicationRow.id, cursor, limit)
    with app.database.read() as session:
        if subject is not None:
            Ledger(session).known_subject(subject)
        rows = session.scalars(query).all()
        found = [
            Publication(
                row,
                Items(session).get(row.item_id).kind,
                Publications(session).subjects(row.id),
                Takedowns(session).list(publication_id=row.id),
            ).as_json()
            for row in rows[:limit]
        ]
    marks = [(row.intended_at, row.id) for row in rows]
    return _page(found, marks, limit)


def takedowns(
    app: App,
    channels: Sequence[str],
    *,
    subject: str | None,
    overdue: bool,
    everything: bool,
    cursor: str | None,
    limit: int,
) -> dict[str, Any]:
    """A page of what has to come down; with `everything` also of what is gone."""
    due_since = app.now() - timedelta(minutes=app.config.takedown.overdue_minutes)
    query = choose(TakedownRow).where(TakedownRow.channel.in_(channels))
    if subject is not None:
        query = query.where(TakedownRow.subject_id == subject)
    if overdue or not everything:
        query = query.where(TakedownRow.state.in_(OPEN))
    if overdue:
        query = query.where(TakedownRow.requested_at < due_since)
    query = _from(query, TakedownRow.requested_at, TakedownRow.id, cursor, limit)
    with app.database.read() as session:
        if subject is not None:
            Ledger(session).known_subject(subject)
        rows = session.scalars(query).all()
        found = [
            Takedown(
                row,
                Publications(session).get(row.publication_id),
                row.state in OPEN and row.requested_at < due_since,
            ).as_json()
            for row in rows[:limit]
        ]
    marks = [(row.requested_at, row.id) for row in rows]
    return _page(found, marks, limit)


def _from(
    query: Select[Any],
    at: InstrumentedAttribute[datetime],
    key: InstrumentedAttribute[str],
    cursor: str | None,
    limit: int,
) -> Select[Any]:
    """The query from the cursor on, and one more than fits, which tells whether there is more."""
    if cursor is not None:
        moment, last = _position(cursor)
        query = query.where(or_(at > moment, and_(at == moment, key > last)))
    return query.order_by(at, key).limit(limit + 1)


def _page(
    found: Sequence[dict[str, Any]], marks: Sequence[tuple[datetime, str]], limit: int
) -> dict[str, Any]:
    more = _cursor(*marks[limit - 1]) if len(marks) > limit else None
    return {"items": [without_paths(one) for one in found], "next": more}


def _cursor(at: datetime, key: str) -> str:
    return base64.urlsafe_b64encode(f"{at.isoformat()} {key}".encode()).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        moment, _, key = text.partition(" ")
        at = datetime.fromisoformat(moment)
    except (ValueError, binascii.Error):
        raise Problem(422, "web-cursor") from None
    if at.utcoffset() != timedelta(0) or not key.isalnum():
        raise Problem(422, "web-cursor")
    return at, key
