"""What was published, and what has to come down: for every entry point."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mediaguard.app import App
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from mediaguard.store.items import VISIBLE, Items, Publications
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import PublicationRow, TakedownRow
from mediaguard.store.takedowns import OPEN, Takedowns


@dataclass(frozen=True, slots=True)
class Publication:
    """A publication with who can be seen in it, and what was asked of it.

    Attributes:
        row: its record.
        kind: photo or video.
        subjects: who can be recognised in it.
        takedowns: the longest waiting first.
    """

    row: PublicationRow
    kind: str
    subjects: tuple[str, ...]
    takedowns: Sequence[TakedownRow]

    def as_json(self) -> dict[str, Any]:
        """As the documented JSON."""
        row = self.row
        return {
            "id": row.id,
            "item": row.item_id,
            "channel": row.channel,
            "state": row.state,
            "kind": self.kind,
            "subjects": list(self.subjects),
            "consent_events": row.consent_events,
            "rendition_sha256": row.rendition_sha256,
            "remote_id": row.remote_id,
            "urls": row.urls,
            "intended_at": _iso(row.intended_at),
            "published_at": _iso(row.confirmed_at),
            "removed_at": _iso(row.removed_at),
            "takedowns": [takedown.id for takedown in self.takedowns],
        }


@dataclass(frozen=True, slots=True)
class Takedown:
    """A takedown with the publication that it asks for.

    Attributes:
        row: its record.
        publication: what has to go.
        overdue: it should have been gone.
    """

    row: TakedownRow
    publication: PublicationRow
    overdue: bool

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.row.state in OPEN

    def as_json(self) -> dict[str, Any]:
        """As the documented JSON."""
        row = self.row
        return {
            "id": row.id,
            "publication": row.publication_id,
            "item": row.item_id,
            "channel": row.channel,
            "subject": row.subject_id,
            "reason": row.reason,
            "consent_event": row.consent_event,
            "action": row.action,
            "state": row.state,
            "overdue": self.overdue,
            "requested_at": _iso(row.requested_at),
            "removed_at": _iso(row.removed_at),
            "confirmed_at": _iso(row.confirmed_at),
            "next_attempt_at": _iso(row.next_attempt_at),
            "failures": row.failures,
            "problem": row.problem,
            "escalations": row.escalations,
            "urls": self.publication.urls,
            "looks": row.looks,
        }


class Published:
    """Reads the records of what is public; and sees to it that something comes down now."""

    def __init__(self, app: App) -> None:
        self._app = app

    def publications(
        self, *, subject: str | None = None, channel: str | None = None, everything: bool = False
    ) -> list[Publication]:
        """Publications that may be public, oldest first; with `everything` also removed ones.

        Raises:
            InputError: the subject is not known.
        """
        states = None if everything else VISIBLE
        with self._app.database.read() as session:
            publications = Publications(session)
            if subject is None:
                rows = publications.list(channel=channel, states=states)
            else:
                Ledger(session).known_subject(subject)
                rows = publications.of_subject(subject, channel, states)
            return [
                Publication(
                    row,
                    Items(session).get(row.item_id).kind,
                    publications.subjects(row.id),
                    Takedowns(session).list(publication_id=row.id),
                )
                for row in rows
            ]

    def publication(self, publication: str) -> Publication:
        """The publication with this id, or the only one whose id begins so.

        Raises:
            InputError: there is none, or several begin so.
        """
        with self._app.database.read() as session:
            row = Publications(session).find(publication)
            return Publication(
                row,
                Items(session).get(row.item_id).kind,
                Publications(session).subjects(row.id),
                Takedowns(session).list(publication_id=row.id),
            )

    def takedowns(
        self,
        *,
        subject: str | None = None,
        channel: str | None = None,
        overdue: bool = False,
        everything: bool = False,
    ) -> list[Takedown]:
        """What has to come down, the longest waiting first; with `everything` also what is gone.

        Raises:
            InputError: the subject is not known.
        """
        with self._app.database.read() as session:
            if subject is not None:
                Ledger(session).known_subject(subject)
            rows = Takedowns(session).list(
                subject_id=subject,
                channel=channel,
                states=None if everything and not overdue else OPEN,
                asked_before=self._due_since if overdue else None,
            )
            publications = Publications(session).of_ids({row.publication_id for row in rows})
            return [self._takedown(row, publications[row.publication_id]) for row in rows]

    def takedown(self, takedown: str) -> Takedown:
        """The takedown with this id, or the only one whose id begins so.

        Raises:
            InputError: there is none, or several begin so.
        """
        with self._app.database.read() as session:
            row = Takedowns(session).find(takedown)
            return self._takedown(row, Publications(session).get(row.publication_id))

    def hurry(self, takedowns: Iterable[Takedown]) -> list[str]:
        """Make these due now; returns the items that they are about, each once."""
        items = []
        with self._app.database.write() as session:
            for takedown in takedowns:
                if takedown.is_open:
                    Takedowns(session).get(takedown.row.id).next_attempt_at = self._app.now()
                    items.append(takedown.row.item_id)
            hurried = [*dict.fromkeys(items)]
            if hurried:
                Audit(session, self._app.keyring).append(
                    "takedowns-hurried",
                    at=self._app.now(),
                    actor=self._app.actor,
                    item_id=hurried[0] if len(hurried) == 1 else None,
                    data={"takedowns": len(items)},
                )
        return hurried

    def _takedown(self, row: TakedownRow, publication: PublicationRow) -> Takedown:
        overdue = row.state in OPEN and row.requested_at < self._due_since
        return Takedown(row, publication, overdue)

    @property
    def _due_since(self) -> datetime:
        return self._app.now() - timedelta(minutes=self._app.config.takedown.overdue_minutes)


def require_channel(app: App, channel: str | None) -> None:
    """Say so if a channel is misspelt; one that was configured once may still have records.

    Raises:
        InputError: nothing was ever published on such a channel.
    """
    if channel is None or channel in app.config.channels:
        return
    with app.database.read() as session:
        if not Publications(session).list(channel=channel):
            known = ", ".join(app.config.channels)
            raise InputError("channel-unknown", channel=channel, known=known)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
