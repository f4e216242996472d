"""The gallery: references of those who opted in to matching, and of nobody else."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from mediaguard.core.consent import MATCHING
from mediaguard.core.faces import Embedding, Quality
from mediaguard.core.matching import self_consistency
from mediaguard.errors import InputError
from mediaguard.store.keys import Keyring, new_key, seal, unseal
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import SubjectKeyRow, TemplateRow

_KEY_PURPOSE = "subject"


@dataclass(frozen=True, slots=True)
class Reference:
    """One that is stored.

    Attributes:
        number: by which it is known.
        made_at: when.
        apart: how far it lies from the mean of the others; None if there are none.
    """

    number: int
    made_at: datetime
    apart: float | None


class Gallery:
    """Stores embeddings, each encrypted with its subject's data key.

    Args:
        session: the caller's transaction.
        keyring: wraps the data keys.
        zone: the school's time zone.
        accepted_wordings: of the opt-in; None if every wording counts.
    """

    def __init__(
        self,
        session: Session,
        keyring: Keyring,
        *,
        zone: tzinfo,
        accepted_wordings: frozenset[str] | None = None,
    ) -> None:
        self._session = session
        self._keyring = keyring
        self._zone = zone
        self._accepted_wordings = accepted_wordings
        self._ledger = Ledger(session)

    def enrol(
        self,
        subject_id: str,
        *,
        model: str,
        embedding: Embedding,
        quality: Quality,
        source_digest: str,
        at: datetime,
    ) -> bool:
        """Add a reference.

        Args:
            subject_id: whose.
            model: name of the embedder; vectors of different models are never compared.
            embedding: shape (dimensions,).
            quality: of the face it was made of.
            source_digest: keyed digest of the photo's bytes, to know a photo seen before.
            at: the present moment.

        Returns:
            False if this photo is a reference of the subject already.

        Raises:
            InputError: the subject has not opted in to matching, or is not known.
        """
        vector = np.ascontiguousarray(embedding, dtype="<f4")
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise ValueError("an embedding is one row of finite numbers")
        self.require_opt_in(subject_id, at, lock=True)
        same = (
            TemplateRow.subject_id == subject_id,
            TemplateRow.model == model,
            TemplateRow.source_digest == source_digest,
        )
        if self._session.scalar(select(TemplateRow.template_id).where(*same)) is not None:
            return False
        key = self._data_key(subject_id, at)
        self._session.add(
            TemplateRow(
                subject_id=subject_id,
                model=model,
                embedding=seal(key, vector.tobytes(), _label(subject_id, model, source_digest)),
                height=float(quality.height),
                sharpness=float(quality.sharpness),
                frontality=float(quality.frontality),
                source_digest=source_digest,
                created_at=at,
            )
        )
        self._session.flush()
        return True

    def require_opt_in(self, subject_id: str, now: datetime, *, lock: bool = False) -> None:
        """Without opt-in not even a look at the face is allowed.

        Raises:
            InputError: the subject has not opted in to matching, or is not known.
        """
        self._ledger.known_subject(subject_id)
        if subject_id not in self._opted_in(now, [subject_id], lock=lock):
            raise InputError("no-opt-in", subject=subject_id)

    def references(
        self, model: str, *, now: datetime, groups: Collection[str] | None = None
    ) -> list[tuple[str, Embedding]]:
        """The references of those whose opt-in holds now: a withdrawn one hides them at once.

        Args:
            model: only vectors of this embedder.
            now: the present moment.
            groups: only subjects of one of these; None for everyone.

        Raises:
            StoreError: a record was changed, or belongs to another master key.
        """
        present = {
            subject.subject_id
            for subject in self._ledger.subjects()
            if groups is None or not subject.groups.isdisjoint(groups)
        }
        shown = present & self._opted_in(now)
        keys = {
            subject_id: self._keyring.unwrap(_KEY_PURPOSE, subject_id, wrapped)
            for subject_id, wrapped in self._session.execute(
                select(SubjectKeyRow.subject_id, SubjectKeyRow.wrapped_key)
            )
            if subject_id in shown
        }
        rows = self._session.execute(
            select(TemplateRow.subject_id, TemplateRow.source_digest, TemplateRow.embedding)
            .where(TemplateRow.model == model)
            .order_by(TemplateRow.template_id)
        )
        return [
            (subject_id, np.frombuffer(unseal(keys[subject_id], sealed, label), dtype="<f4"))
            for subject_id, digest, sealed in rows
            if subject_id in keys
            for label in [_label(subject_id, model, digest)]
        ]

    def of(self, subject_id: str, now: datetime) -> list[Reference]:
        """A subject's references, the oldest first, while the opt-in holds; else none.

        Raises:
            StoreError: a record was changed, or belongs to another master key.
        """
        if subject_id not in self._opted_in(now, [subject_id]):
            return []
        query = select(TemplateRow).where(TemplateRow.subject_id == subject_id)
        rows = self._session.scalars(query.order_by(TemplateRow.template_id)).all()
        key = self._data_key(subject_id, now) if rows else b""
        apart: dict[int, float | None] = {}
        for model in {row.model for row in rows}:
            same = [row for row in rows if row.model == model]
            vectors = [
                np.frombuffer(
                    unseal(key, r.embedding, _label(subject_id, model, r.source_digest)), "<f4"
                )
                for r in same
            ]
            distances = self_consistency(np.stack(vectors)).tolist()
            alone = len(same) == 1
            apart |= {
                r.template_id: None if alone else distance
                for r, distance in zip(same, distances, strict=True)
            }
        return [Reference(r.template_id, r.created_at, apart[r.template_id]) for r in rows]

    def remove(self, subject_id: str, number: int) -> bool:
        """Delete one reference; with the last one also the key. False if it is not there."""
        self._ledger.lock([subject_id])
        found = self._session.get(TemplateRow, number)
        if found is None or found.subject_id != subject_id:
            return False
        if self.count(subject_id) == 1:
            return bool(self.forget(subject_id))
        self._session.delete(found)
        self._session.flush()
        return True

    def count(self, subject_id: str, model: str | None = None) -> int:
        """How many references a subject has."""
        query = select(func.count()).where(TemplateRow.subject_id == subject_id)
        if model is not None:
            query = query.where(TemplateRow.model == model)
        return self._session.scalar(query) or 0

    def forget(self, subject_id: str) -> int:
        """Delete a subject's references and its data key, and return how many there were.

        Without the key a copy of the references that stayed elsewhere is noise.
        """
        self._ledger.lock([subject_id])
        count = self.count(subject_id)
        self._session.execute(delete(TemplateRow).where(TemplateRow.subject_id == subject_id))
        self._session.execute(delete(SubjectKeyRow).where(SubjectKeyRow.subject_id == subject_id))
        return count

    def forget_ended(self, now: datetime) -> dict[str, int]:
        """`forget` everyone whose opt-in ended; returns whom, and how many references."""
        holders = set(self._session.scalars(select(SubjectKeyRow.subject_id)))
        ended = holders - self._opted_in(now, sorted(holders), lock=True)
        return {subject_id: self.forget(subject_id) for subject_id in sorted(ended)}

    def _opted_in(
        self, now: datetime, subject_ids: Collection[str] | None = None, *, lock: bool = False
    ) -> set[str]:
        rulings = self._ledger.rulings(
            subject_ids,
            channel=MATCHING,
            purpose=MATCHING,
            now=now,
            zone=self._zone,
            accepted_wordings=self._accepted_wordings,
            lock=lock,
        )
        return {subject_id for subject_id, ruling in rulings.items() if ruling.allowed}

    def _data_key(self, subject_id: str, at: datetime) -> bytes:
        wrapped = self._session.scalar(
            select(SubjectKeyRow.wrapped_key).where(SubjectKeyRow.subject_id == subject_id)
        )
        if wrapped is not None:
            return self._keyring.unwrap(_KEY_PURPOSE, subject_id, wrapped)
        key = new_key()
        self._session.add(
            SubjectKeyRow(
                subject_id=subject_id,
                wrapped_key=self._keyring.wrap(_KEY_PURPOSE, subject_id, key),
                created_at=at,
            )
        )
        return key


def _label(subject_id: str, model: str, source_digest: str) -> bytes:
    return "\0".join(("template", subject_id, model, source_digest)).encode()
