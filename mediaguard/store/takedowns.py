"""The records of what has to come down."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, insert, or_, select, update
from sqlalchemy.orm import Session

from mediaguard.errors import InputError
from mediaguard.store.items import LEAST, VISIBLE, channel_of_shown
from mediaguard.store.tables import AppearanceRow, PublicationRow, TakedownRow


@dataclass(frozen=True, slots=True)
class Asked:
    """A takedown that is not done, and where the publication is.

    Attributes:
        takedown_id, publication_id, channel: which.
        action: ``"remove"`` or ``"replace"``.
        state: of the publication; ``"intended"`` if nobody knows whether it became public.
        urls: where it is.
    """

    takedown_id: str
    publication_id: str
    channel: str
    action: str
    state: str
    urls: Sequence[str]


OPEN = ("requested", "removed")
"""States in which there is something left to do."""


class Takedowns:
    """Reads and writes takedowns within the caller's transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    # -- planning ---------------------------------------------------------------------------

    def plan(
        self,
        subject_id: str,
        channel: str,
        *,
        reason: str,
        consent_event: int | None,
        action: str,
        at: datetime,
    ) -> int:
        """Ask for every publication on a channel that shows a subject and may be public.

        Found by the index of appearances: the time depends on how often the subject is shown,
        not on how much was published. What was asked for before is not asked for again.

        Args:
            subject_id: who may not be shown any more.
            channel: where.
            reason: code, worded in `mediaguard.texts`.
            consent_event: the answer that asks for it, if it was one.
            action: ``"remove"``, or ``"replace"`` by a rendition without this subject.
            at: now.

        Returns:
            How many there are.
        """
        asked = exists().where(
            TakedownRow.publication_id == PublicationRow.id, TakedownRow.subject_id == subject_id
        )
        shown = self._session.execute(
            select(PublicationRow.id, PublicationRow.item_id)
            .join(AppearanceRow, AppearanceRow.publication_id == PublicationRow.id)
            .where(
                AppearanceRow.subject_id == subject_id,
                channel_of_shown(self._session) == channel,
                PublicationRow.state.in_(VISIBLE),
                ~asked,
            )
        ).all()
        if shown:
            self._session.execute(
                insert(TakedownRow),
                [
                    _new(
                        publication_id=publication_id,
                        item_id=item_id,
                        channel=channel,
                        subject_id=subject_id,
                        reason=reason,
                        consent_event=consent_event,
                        action=action,
                        at=at,
                    )
                    for publication_id, item_id in shown
                ],
            )
        return len(shown)

    def plan_for(
        self, publication: PublicationRow, *, reason: str, at: datetime, removed: bool = False
    ) -> None:
        """Ask for one publication for another reason than consent, unless it was asked for.

        Args:
            publication: what has to go.
            reason: code, worded in `mediaguard.texts`.
            at: now.
            removed: it was taken away already; that it is gone is still to be confirmed.
        """
        if self.list(publication_id=publication.id, states=(*OPEN, "unrecallable")):
            return
        values = _new(
            publication_id=publication.id,
            item_id=publication.item_id,
            channel=publication.channel,
            subject_id=None,
            reason=reason,
            consent_event=None,
            action="remove",
            at=at,
        )
        if removed:
            values |= {"state": "removed", "removed_at": at}
        self._session.execute(insert(TakedownRow), [values])

    def plan_alike(self, publication_id: str, other_id: str, *, at: datetime) -> None:
        """Ask for another publication whatever was asked of one, for each of its subjects."""
        rows = [row for row in self.list(publication_id=publication_id) if row.subject_id]
        if rows:
            self._session.execute(
                insert(TakedownRow),
                [
                    _new(
                        publication_id=other_id,
                        item_id=row.item_id,
                        channel=row.channel,
                        subject_id=row.subject_id,
                        reason=row.reason,
                        consent_event=row.consent_event,
                        action="remove",
                        at=at,
                    )
                    for row in rows
                ],
            )

    def reopen(self, publication_id: str, *, at: datetime) -> None:
        """The publication turned out to be live: everything asked of it is to be done (again)."""
        self._session.execute(
            update(TakedownRow)
            .where(TakedownRow.publication_id == publication_id)
            .values(state="requested", removed_at=None, confirmed_at=None, next_attempt_at=at)
        )

    def shown_without(self, subject_ids: Collection[str], channel: str) -> Sequence[str]:
        """Which of these subjects a publication on a channel shows that nobody asked to go."""
        asked = exists().where(
            TakedownRow.publication_id == PublicationRow.id,
            TakedownRow.subject_id == AppearanceRow.subject_id,
        )
        # Once through what is public there: cheaper than a search for each of thousands.
        shown = self._session.scalars(
            select(AppearanceRow.subject_id)
            .distinct()
            .join(PublicationRow, AppearanceRow.publication_id == PublicationRow.id)
            .where(PublicationRow.channel == channel, PublicationRow.state.in_(VISIBLE), ~asked)
        )
        return sorted(set(shown) & set(subject_ids))

    def asked_for(self, subject_id: str, channels: Collection[str]) -> list[Asked]:
        """What is not done yet of what was asked for a subject, the longest waiting first."""
        query = (
            select(
                TakedownRow.id,
                TakedownRow.publication_id,
                TakedownRow.channel,
                TakedownRow.action,
                PublicationRow.state,
                PublicationRow.urls,
            )
            .join(PublicationRow, PublicationRow.id == TakedownRow.publication_id)
            .where(
                TakedownRow.subject_id == subject_id,
                TakedownRow.channel.in_(channels),
                TakedownRow.state.in_(OPEN),
            )
            .order_by(TakedownRow.requested_at, TakedownRow.id)
        )
        return [Asked(*row) for row in self._session.execute(query)]

    # -- reading ----------------------------------------------------------------------------

    def get(self, takedown_id: str) -> TakedownRow:
        """The takedown.

        Raises:
            InputError: there is none.
        """
        row = self._session.get(TakedownRow, takedown_id)
        if row is None:
            raise InputError("no-takedown", takedown=takedown_id)
        return row

    def list(
        self,
        *,
        subject_id: str | None = None,
        channel: str | None = None,
        item_id: str | None = None,
        publication_id: str | None = None,
        states: Collection[str] | None = None,
        asked_before: datetime | None = None,
        due: datetime | None = None,
    ) -> Sequence[TakedownRow]:
        """The takedowns, the longest waiting first; arguments that are None do not matter."""
        query = select(TakedownRow).order_by(TakedownRow.requested_at, TakedownRow.id)
        for column, value in (
            (TakedownRow.subject_id, subject_id),
            (TakedownRow.channel, channel),
            (TakedownRow.item_id, item_id),
            (TakedownRow.publication_id, publication_id),
        ):
            if value is not None:
                query = query.where(column == value)
        if states is not None:
            query = query.where(TakedownRow.state.in_(states))
        if asked_before is not None:
            query = query.where(TakedownRow.requested_at < asked_before)
        if due is not None:
            query = query.where(TakedownRow.next_attempt_at <= due)
        return self._session.scalars(query).all()

    def to_escalate(
        self, *, asked_before: datetime, told_before: datetime
    ) -> Sequence[TakedownRow]:
        """What should have been gone, and that nobody was told of since `told_before`.

        Also what cannot be recalled at all, once: somebody has to tell those who received it.
        """
        overdue = TakedownRow.state.in_(OPEN) & (TakedownRow.requested_at < asked_before)
        told_long_ago = or_(
            TakedownRow.escalated_at.is_(None), TakedownRow.escalated_at < told_before
        )
        lost = (
            (TakedownRow.state == "unrecallable")
            & TakedownRow.escalated_at.is_(None)
            & TakedownRow.subject_id.is_not(None)
        )
        return self._session.scalars(
            select(TakedownRow)
            .where((overdue & told_long_ago) | lost)
            .order_by(TakedownRow.requested_at, TakedownRow.id)
        ).all()

    def find(self, takedown: str) -> TakedownRow:
        """The takedown with this id, or the only one whose id begins so.

        Raises:
            InputError: there is none, or several begin so.
        """
        if len(takedown) < LEAST or not takedown.isascii():
            raise InputError("no-takedown", takedown=takedown)
        rows = self._session.scalars(
            select(TakedownRow).where(TakedownRow.id.startswith(takedown, autoescape=True)).limit(2)
        ).all()
        if len(rows) != 1:
            raise InputError("takedown-ambiguous" if rows else "no-takedown", takedown=takedown)
        return rows[0]


def _new(
    *,
    publication_id: str,
    item_id: str,
    channel: str,
    subject_id: str | None,
    reason: str,
    consent_event: int | None,
    action: str,
    at: datetime,
) -> dict[str, object]:
    return {
        "id": uuid.uuid4().hex,
        "publication_id": publication_id,
        "item_id": item_id,
        "channel": channel,
        "subject_id": subject_id,
        "reason": reason,
        "consent_event": consent_event,
        "action": action,
        "state": "requested",
        "requested_at": at,
        "next_attempt_at": at,
        "failures": 0,
        "looks": [],
        "escalations": 0,
    }
