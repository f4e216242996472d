"""The records of the personal links that were handed out."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mediaguard.errors import InputError
from mediaguard.store.tables import PersonalLinkRow

ID_BYTES = 8


class Links:
    """Reads and writes links within the caller's transaction; none is ever deleted."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self,
        subject_id: str,
        *,
        signatory: str,
        signatory_id: str | None,
        at: datetime,
        actor: str,
        until: datetime,
    ) -> PersonalLinkRow:
        """Record a link.

        Args:
            subject_id: whose answers it shows.
            signatory: as whom its holder answers.
            signatory_id: which guardian.
            at: now.
            actor: who hands it out.
            until: when it ends.
        """
        row = PersonalLinkRow(
            id=secrets.token_hex(ID_BYTES),
            subject_id=subject_id,
            signatory=signatory,
            signatory_id=signatory_id,
            created_at=at,
            created_by=actor,
            expires_at=until,
        )
        self._session.add(row)
        return row

    def find(self, link_id: str) -> PersonalLinkRow | None:
        """The link; None if there is none of this id."""
        return self._session.get(PersonalLinkRow, link_id)

    def get(self, link_id: str) -> PersonalLinkRow:
        """The link.

        Raises:
            InputError: there is none of this id.
        """
        row = self.find(link_id)
        if row is None:
            raise InputError("no-link", link=link_id)
        return row

    def list(self, subject_id: str | None = None) -> Sequence[PersonalLinkRow]:
        """The links, those of a subject or all, the newest first."""
        query = select(PersonalLinkRow).order_by(
            PersonalLinkRow.created_at.desc(), PersonalLinkRow.id
        )
        if subject_id is not None:
            query = query.where(PersonalLinkRow.subject_id == subject_id)
        return self._session.scalars(query).all()
