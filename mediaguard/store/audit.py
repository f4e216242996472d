"""The audit log: who did what, each entry bound to all before it by a keyed hash chain.

Triggers in the database refuse changes; the chain shows those made behind its back. Cutting off
the *newest* entries cannot be seen from the chain alone: note its head elsewhere now and then.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mediaguard.store.keys import Keyring
from mediaguard.store.tables import AuditRow

_START = "0" * 64
_LOCK = 0x61756469  # any constant will do: "audi"
_PURPOSE = "audit"
_NEWEST = "mediaguard-audit-newest"  # in a session's info: it lives for one transaction


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry.

    Attributes:
        sequence: its number, from 1 without gaps.
        at: when.
        actor: who: a role or an account, not a name.
        action: what was done, for instance ``"consent-withdrawn"``.
        subject_id, item_id: to whom or what.
        data: details.
        digest: of this entry and, through the previous digest, of all before it.
    """

    sequence: int
    at: datetime
    actor: str
    action: str
    subject_id: str | None
    item_id: str | None
    data: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """An entry that is not as it was written.

    Attributes:
        sequence: where the chain breaks.
        code: ``"audit-missing"`` (entries before this one are gone) or ``"audit-changed"``.
    """

    sequence: int
    code: str


class Audit:
    """Appends to the log within the caller's transaction.

    Append last in a transaction: on PostgreSQL it makes other appenders wait until the commit.
    """

    def __init__(self, session: Session, keyring: Keyring) -> None:
        self._session = session
        self._keyring = keyring

    def append(
        self,
        action: str,
        *,
        at: datetime,
        actor: str,
        subject_id: str | None = None,
        item_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Add an entry; it stands only if the transaction commits."""
        sequence, previous = self._newest()
        sequence += 1
        row = AuditRow(
            sequence=sequence,
            at=at,
            actor=actor,
            action=action,
            subject_id=subject_id,
            item_id=item_id,
            data=_canonical(data or {}),
            previous=previous,
        )
        row.digest = self._digest(row)
        self._session.add(row)
        self._session.info[_NEWEST] = sequence, row.digest

    def _newest(self) -> tuple[int, str]:
        """Number and digest of the last entry, which stays the last until the transaction ends."""
        if _NEWEST not in self._session.info:
            if self._session.get_bind().dialect.name == "postgresql":
                self._session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            last = select(AuditRow.sequence, AuditRow.digest).order_by(AuditRow.sequence.desc())
            row = self._session.execute(last.limit(1)).first()
            self._session.info[_NEWEST] = (row.sequence, row.digest) if row else (0, _START)
        found: tuple[int, str] = self._session.info[_NEWEST]
        return found

    def entries(
        self, *, subject_id: str | None = None, item_id: str | None = None, last: int | None = None
    ) -> list[AuditEntry]:
        """The entries in order; only those on a subject or item, only the `last` ones."""
        query = select(AuditRow).order_by(AuditRow.sequence.desc()).limit(last)
        if subject_id is not None:
            query = query.where(AuditRow.subject_id == subject_id)
        if item_id is not None:
            query = query.where(AuditRow.item_id == item_id)
        return [_entry(row) for row in self._session.scalars(query)][::-1]

    def verify(self) -> tuple[int, list[AuditProblem]]:
        """Compute the chain anew: how many entries there are, and what is wrong with them."""
        problems: list[AuditProblem] = []
        count, expected, previous = 0, 1, _START
        rows = self._session.scalars(
            select(AuditRow).order_by(AuditRow.sequence).execution_options(yield_per=1000)
        )
        for row in rows:
            count += 1
            if row.sequence != expected:
                problems.append(AuditProblem(row.sequence, "audit-missing"))
            elif row.previous != previous or row.digest != self._digest(row):
                problems.append(AuditProblem(row.sequence, "audit-changed"))
            expected, previous = row.sequence + 1, row.digest
        return count, problems

    def _digest(self, row: AuditRow) -> str:
        fields = {
            "sequence": row.sequence,
            "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": row.actor,
            "action": row.action,
            "subject_id": row.subject_id,
            "item_id": row.item_id,
            "data": row.data,
            "previous": row.previous,
        }
        return self._keyring.digest(_PURPOSE, _canonical(fields))


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )


def _entry(row: AuditRow) -> AuditEntry:
    return AuditEntry(
        row.sequence,
        row.at,
        row.actor,
        row.action,
        row.subject_id,
        row.item_id,
        json.loads(row.data),
        row.digest,
    )
