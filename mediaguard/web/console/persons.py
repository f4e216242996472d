"""Whom a visitor may see, and how they find them: by pseudonym, or a name of the school's list."""

import unicodedata
from collections.abc import Collection, Iterable

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from mediaguard.core.access import Visitor
from mediaguard.store.sight import in_groups
from mediaguard.store.tables import SubjectRow
from mediaguard.web.console.visit import Visit
from mediaguard.web.problems import Problem

MOST = 30
"""So many are offered to choose from."""

CHUNK = 500


def known_to(visitor: Visitor, session: Session, subject_ids: Iterable[str]) -> frozenset[str]:
    """Those of these people whom they may see; the others only count."""
    wanted = sorted(set(subject_ids))
    if visitor.sees_everything:
        return frozenset(wanted)
    found: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        chunk = SubjectRow.subject_id.in_(wanted[start : start + CHUNK])
        found.update(session.scalars(_visible(visitor).where(chunk)))
    return frozenset(found)


def require_known(visitor: Visitor, session: Session, subject_id: str) -> None:
    """Refuse a person whom nobody knows, or who is none of the visitor's business.

    Raises:
        Problem: so it is.
    """
    query = _visible(visitor).where(SubjectRow.subject_id == subject_id)
    if session.scalar(query) is None:
        raise Problem(404, "web-not-found")


def found_by(visit: Visit, session: Session, text: str) -> list[str]:
    """The people whom somebody may mean, by pseudonym; whose pseudonym it is comes alone."""
    words = _plain(text).split()
    if not words:
        return []
    exact = session.scalar(_visible(visit.visitor).where(SubjectRow.subject_id == text))
    if exact is not None:
        return [exact]
    named = {
        subject_id
        for subject_id, name in visit.names.all().items()
        if all(any(part.startswith(word) for part in _plain(name).split()) for word in words)
    }
    like = SubjectRow.subject_id.istartswith(text, autoescape=True)
    alike = session.scalars(
        _visible(visit.visitor).where(like).order_by(SubjectRow.subject_id).limit(MOST + 1)
    )
    return sorted({*alike, *known_to(visit.visitor, session, _on_record(session, named))})


def _on_record(session: Session, subject_ids: Collection[str]) -> set[str]:
    """A list of names may have people of whom nothing is on record."""
    wanted, found = sorted(subject_ids), set[str]()
    for start in range(0, len(wanted), CHUNK):
        chunk = SubjectRow.subject_id.in_(wanted[start : start + CHUNK])
        found.update(session.scalars(select(SubjectRow.subject_id).where(chunk)))
    return found


def _visible(visitor: Visitor) -> Select[str]:
    query = select(SubjectRow.subject_id)
    if visitor.sees_everything:
        return query
    return query.where(SubjectRow.subject_id.in_(in_groups(visitor.groups)))


def _plain(text: str) -> str:
    """Without capitals and accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))
