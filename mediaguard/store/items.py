"""The records of items and of what was published of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column, select
from sqlalchemy.orm import Session

from mediaguard.core.publication import Published
from mediaguard.core.reported import with_earlier
from mediaguard.errors import InputError, StoreError
from mediaguard.store.database import insert_new
from mediaguard.store.tables import AppearanceRow, ItemRow, LikenessRow, PublicationRow

CHUNK = 500
"""A database takes only so many parameters at once."""

LEAST = 4
"""So many characters of an id are enough if no other begins with them."""

VISIBLE = ("intended", "live")
"""States of a publication that may be public: an intent may have taken effect before a crash."""


def channel_of_shown(session: Session) -> ColumnElement[str]:
    """The channel of publications that are found by who is in them.

    SQLite would rather go through everything on the channel: its plus sign keeps it from that
    (https://sqlite.org/optoverview.html, "Disqualifying WHERE clause terms using unary +").
    """
    if session.get_bind().dialect.name == "sqlite":
        return literal_column("+publications.channel", Text)
    return PublicationRow.channel.expression


_FILE_NAMES = frozenset({"name", "path", "rendition"})
"""Keys left out of what is stored: names of pupils stand in file names."""


class Items:
    """Reads and writes items within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def admit(
        self, item_id: str, *, channel: str, source_digest: str, at: datetime, kind: str = "photo"
    ) -> ItemRow:
        """The item with this content on this channel; made if there is none yet.

        `item_id` is used if it has to be made; `source_digest` is a keyed digest of the bytes.

        Raises:
            StoreError: the id belongs to other content.
        """
        insert_new(
            self._session,
            ItemRow,
            id=item_id,
            channel=channel,
            source_digest=source_digest,
            kind=kind,
            state="received",
            verified=False,
            attempts=0,
            created_at=at,
            updated_at=at,
        )
        item = self._session.scalar(
            select(ItemRow).where(
                ItemRow.channel == channel, ItemRow.source_digest == source_digest
            )
        )
        if item is None:
            raise StoreError("item-conflict", item=item_id)
        return item

    def find(self, item_id: str) -> ItemRow | None:
        """The item, if there is one."""
        return self._session.get(ItemRow, item_id)

    def get(self, item_id: str) -> ItemRow:
        """The item.

        Raises:
            InputError: there is no such item.
        """
        item = self.find(item_id)
        if item is None:
            raise InputError("no-item", item=item_id)
        return item

    def record_outcome(
        self,
        item_id: str,
        *,
        state: str,
        at: datetime,
        outcome: str | None,
        reason: str | None,
        reason_params: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
        rendition_name: str | None = None,
        rendition_sha256: str | None = None,
        verified: bool = False,
    ) -> ItemRow:
        """Record what was decided, in place of what was decided before.

        `state` is received, held, blocked, released or rejected, `outcome` is release, redact,
        block or hold; file names in `reason_params` and `report` are left out, and
        `rendition_name` must be made from the item id, not from the source's name.

        Raises:
            InputError: there is no such item.
        """
        item = self.get(item_id)
        item.state = state
        item.outcome = outcome
        item.reason = reason
        item.reason_params = _nameless(reason_params)
        item.report = _nameless(with_earlier(report, item.report))
        item.rendition_name = rendition_name
        item.rendition_sha256 = rendition_sha256
        item.verified = verified
        item.updated_at = at
        self._session.flush()
        return item

    def channels(self) -> Sequence[str]:
        """For which channels there are items, also such as are not configured any more."""
        return self._session.scalars(select(ItemRow.channel).distinct()).all()

    def list(self, *, state: str | None = None, channel: str | None = None) -> list[ItemRow]:
        """The items, oldest first."""
        query = select(ItemRow).order_by(ItemRow.created_at, ItemRow.id)
        if state is not None:
            query = query.where(ItemRow.state == state)
        if channel is not None:
            query = query.where(ItemRow.channel == channel)
        return [*self._session.scalars(query)]


class Publications:
    """Reads and writes publications within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def intend(
        self,
        publication_id: str,
        *,
        item_id: str,
        channel: str,
        rendition_sha256: str,
        subjects: Iterable[str],
        consent_events: Iterable[int],
        at: datetime,
        likenesses: Mapping[str, tuple[str, float]] = MappingProxyType({}),
        policy_hash: str | None = None,
    ) -> PublicationRow:
        """Record, before the effect, that a rendition is about to become public.

        `publication_id` is a new one for every rendition, `subjects` are those who can be
        recognised in it, `consent_events` are the consents relied upon, and `likenesses` are
        those of `core.decision.Decision`.

        Raises:
            StoreError: the id was used before.
        """
        if self._session.get(PublicationRow, publication_id) is not None:
            raise StoreError("publication-exists", publication=publication_id)
        publication = PublicationRow(
            id=publication_id,
            item_id=item_id,
            channel=channel,
            state="intended",
            rendition_sha256=rendition_sha256,
            urls=[],
            consent_events=sorted(set(consent_events)),
            policy_hash=policy_hash,
            intended_at=at,
        )
        self._session.add(publication)
        self._session.flush()
        for subject_id in sorted(set(subjects)):
            self._session.add(AppearanceRow(publication_id=publication_id, subject_id=subject_id))
        for subject_id, (shown_as, distance) in sorted(likenesses.items()):
            self._session.add(
                LikenessRow(
                    publication_id=publication_id,
                    subject_id=subject_id,
                    shown_as=shown_as,
                    distance=distance,
                )
            )
        self._session.flush()
        return publication

    def copy(
        self, row: PublicationRow, publication_id: str, published: Published, *, at: datetime
    ) -> PublicationRow:
        """Record that the same rendition is live at other places too, under an id of its own."""
        self.intend(
            publication_id,
            item_id=row.item_id,
            channel=row.channel,
            rendition_sha256=row.rendition_sha256,
            subjects=self.subjects(row.id),
            consent_events=row.consent_events,
            at=at,
        )
        return self.confirm(
            publication_id, at=at, urls=published.urls, remote_id=published.remote_id
        )

    def confirm(
        self,
        publication_id: str,
        *,
        at: datetime,
        urls: Iterable[str],
        remote_id: str | None = None,
    ) -> PublicationRow:
        """Record, after the effect, where the rendition is live.

        Where it was before is not forgotten: a channel with other settings than then publishes
        it elsewhere, and knows nothing of that place.
        """
        publication = self.get(publication_id)
        publication.state = "live"
        publication.urls = [*dict.fromkeys([*urls, *(publication.urls or ())])]
        publication.remote_id = remote_id
        publication.confirmed_at = at
        self._session.flush()
        return publication

    def mark_removed(self, publication_id: str, *, at: datetime) -> PublicationRow:
        """Record that the rendition is gone; who was in it stays on record."""
        publication = self.get(publication_id)
        publication.state = "removed"
        publication.removed_at = at
        self._session.flush()
        return publication

    def get(self, publication_id: str) -> PublicationRow:
        """The publication.

        Raises:
            InputError: there is no such publication.
        """
        publication = self._session.get(PublicationRow, publication_id)
        if publication is None:
            raise InputError("no-publication", publication=publication_id)
        return publication

    def find(self, publication: str) -> PublicationRow:
        """The publication with this id, or the only one whose id begins so.

        Raises:
            InputError: there is none, or several begin so.
        """
        if len(publication) < LEAST or not publication.isascii():
            raise InputError("no-publication", publication=publication)
        rows = self._session.scalars(
            select(PublicationRow)
            .where(PublicationRow.id.startswith(publication, autoescape=True))
            .limit(2)
        ).all()
        if len(rows) != 1:
            code = "publication-ambiguous" if rows else "no-publication"
            raise InputError(code, publication=publication)
        return rows[0]

    def of_subject(
        self,
        subject_id: str,
        channel: str | None = None,
        states: Collection[str] | None = VISIBLE,
    ) -> list[PublicationRow]:
        """The publications that show a subject and may be public, oldest first."""
        shown = select(AppearanceRow.publication_id).where(AppearanceRow.subject_id == subject_id)
        query = (
            select(PublicationRow)
            .where(PublicationRow.id.in_(shown))
            .order_by(PublicationRow.intended_at, PublicationRow.id)
        )
        if channel is not None:
            query = query.where(channel_of_shown(self._session) == channel)
        if states is not None:
            query = query.where(PublicationRow.state.in_(states))
        return [*self._session.scalars(query)]

    def of_ids(self, ids: Collection[str]) -> dict[str, PublicationRow]:
        """These publications, by id."""
        found: dict[str, PublicationRow] = {}
        wanted = sorted(ids)
        for start in range(0, len(wanted), CHUNK):
            chunk = PublicationRow.id.in_(wanted[start : start + CHUNK])
            rows = self._session.scalars(select(PublicationRow).where(chunk))
            found |= {row.id: row for row in rows}
        return found

    def subjects(self, publication_id: str) -> tuple[str, ...]:
        """Who can be recognised in a publication."""
        return tuple(
            self._session.scalars(
                select(AppearanceRow.subject_id)
                .where(AppearanceRow.publication_id == publication_id)
                .order_by(AppearanceRow.subject_id)
            )
        )

    def list(
        self,
        *,
        channel: str | None = None,
        item_id: str | None = None,
        states: Collection[str] | None = None,
    ) -> list[PublicationRow]:
        """The publications, oldest first."""
        query = select(PublicationRow).order_by(PublicationRow.intended_at, PublicationRow.id)
        if channel is not None:
            query = query.where(PublicationRow.channel == channel)
        if item_id is not None:
            query = query.where(PublicationRow.item_id == item_id)
        if states is not None:
            query = query.where(PublicationRow.state.in_(states))
        return [*self._session.scalars(query)]


def _nameless(value: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {key: entry for key, entry in value.items() if key not in _FILE_NAMES}
