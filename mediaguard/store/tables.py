"""The tables. No names of people and no file names (names stand in those) are ever stored."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored as UTC; one without a zone is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: SQLite has no zones, so it gets UTC without one."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        str: Text,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
        list[str]: JSON,
        list[int]: JSON,
        list[dict[str, Any]]: JSON,
    }


def _subject_id() -> ForeignKey:
    return ForeignKey("subjects.subject_id")


class SubjectRow(Base):
    """A person under a pseudonym."""

    __tablename__ = "subjects"
    __table_args__ = (CheckConstraint("kind IN ('student', 'staff')", name="kind"),)

    subject_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str]
    born: Mapped[date | None]
    created_at: Mapped[datetime]


class SubjectGroupRow(Base):
    """A subject's class or team."""

    __tablename__ = "subject_groups"

    subject_id: Mapped[str] = mapped_column(String(64), _subject_id(), primary_key=True)
    group_name: Mapped[str] = mapped_column(primary_key=True, index=True)


class ConsentEventRow(Base):
    """An answer about consent. Triggers refuse every UPDATE and DELETE."""

    __tablename__ = "consent_events"
    __table_args__ = (
        Index(None, "subject_id", "channel"),
        {"sqlite_autoincrement": True},  # a number is never used twice
    )

    event_id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(64), _subject_id())
    channel: Mapped[str] = mapped_column(index=True)
    purpose: Mapped[str]
    answer: Mapped[str]
    signatory: Mapped[str]
    signatory_id: Mapped[str | None]
    evidence: Mapped[str]
    wording: Mapped[str | None]
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]
    recorded_at: Mapped[datetime]


class SubjectKeyRow(Base):
    """A subject's data key, wrapped by the master key; without it its templates are noise."""

    __tablename__ = "subject_keys"

    subject_id: Mapped[str] = mapped_column(String(64), _subject_id(), primary_key=True)
    wrapped_key: Mapped[bytes]
    created_at: Mapped[datetime]


class TemplateRow(Base):
    """A reference: an embedding encrypted with its subject's data key."""

    __tablename__ = "templates"
    __table_args__ = (UniqueConstraint("subject_id", "model", "source_digest"),)

    template_id: Mapped[int] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(64), _subject_id())
    model: Mapped[str] = mapped_column(index=True)
    embedding: Mapped[bytes]
    height: Mapped[float]
    sharpness: Mapped[float]
    frontality: Mapped[float]
    source_digest: Mapped[str]
    created_at: Mapped[datetime]


class AuditRow(Base):
    """One link of the audit chain. Triggers refuse every UPDATE and DELETE."""

    __tablename__ = "audit_log"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(index=True)
    item_id: Mapped[str | None] = mapped_column(index=True)
    data: Mapped[str]
    """Canonical JSON, kept as text: the very bytes that were hashed."""
    previous: Mapped[str]
    digest: Mapped[str] = mapped_column(unique=True)


class ItemRow(Base):
    """A photo offered for a channel."""

    __tablename__ = "items"
    __table_args__ = (
        UniqueConstraint("channel", "source_digest"),
        CheckConstraint(
            "state IN ('received', 'held', 'blocked', 'released', 'rejected')", name="state"
        ),
        CheckConstraint("outcome IN ('release', 'redact', 'block', 'hold')", name="outcome"),
        Index(None, "channel", "state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str]
    source_digest: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    outcome: Mapped[str | None]
    reason: Mapped[str | None]
    reason_params: Mapped[dict[str, Any] | None]
    report: Mapped[dict[str, Any] | None]
    rendition_name: Mapped[str | None]
    rendition_sha256: Mapped[str | None]
    verified: Mapped[bool]
    named: Mapped[list[str]] = mapped_column(default=list)
    """Subjects whose names stand in the texts that go with it; the texts are not kept."""
    approved: Mapped[bool] = mapped_column(default=False)
    """A person looked at it and wants it to go out."""
    attempts: Mapped[int]
    """Counts who took the item in hand: the number of the newest is the fencing token."""
    lease_until: Mapped[datetime | None]
    """Until then it is in somebody's hands, unless that is prolonged."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it is to be handled (again); None if there is nothing to do."""
    failures: Mapped[int] = mapped_column(default=0)
    """How often in a row its channel failed."""
    hinted_at: Mapped[datetime | None] = mapped_column(index=True)
    """When the job engine was told of it; None once somebody took it in hand."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PublicationRow(Base):
    """The record that a rendition is, or may be, live on a channel."""

    __tablename__ = "publications"
    __table_args__ = (
        CheckConstraint("state IN ('intended', 'live', 'removed')", name="state"),
        Index(None, "channel", "state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"), index=True)
    channel: Mapped[str]
    state: Mapped[str]
    rendition_sha256: Mapped[str]
    remote_id: Mapped[str | None]
    urls: Mapped[list[str]]
    consent_events: Mapped[list[int]]
    policy_hash: Mapped[str | None]
    intended_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class AppearanceRow(Base):
    """A subject who can be recognised in a publication."""

    __tablename__ = "appearances"

    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id"), primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(64), _subject_id(), primary_key=True, index=True)


class LikenessRow(Base):
    """A subject whom a face resembles that is shown under somebody else's name."""

    __tablename__ = "likenesses"

    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id"), primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(64), _subject_id(), primary_key=True, index=True)
    shown_as: Mapped[str] = mapped_column(String(64), _subject_id())
    distance: Mapped[float]


class TakedownRow(Base):
    """That a publication has to go: asked for, taken away, confirmed gone."""

    __tablename__ = "takedowns"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'removed', 'confirmed', 'unrecallable')", name="state"
        ),
        CheckConstraint("action IN ('remove', 'replace')", name="action"),
        UniqueConstraint("publication_id", "subject_id"),
        Index(None, "state", "requested_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id"))
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"), index=True)
    channel: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(String(64), _subject_id(), index=True)
    """For whom; None if the rendition has to go for another reason."""
    reason: Mapped[str]
    consent_event: Mapped[int | None] = mapped_column(ForeignKey("consent_events.event_id"))
    action: Mapped[str]
    state: Mapped[str]
    requested_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None] = mapped_column(index=True)
    failures: Mapped[int]
    problem: Mapped[str | None]
    problem_params: Mapped[dict[str, Any] | None]
    looks: Mapped[list[dict[str, Any]]]
    """What was found at each of its places when somebody last looked: the evidence."""
    escalations: Mapped[int]
    escalated_at: Mapped[datetime | None]


class ReviewQuestionRow(Base):
    """Something that a person should look at in an item that is public."""

    __tablename__ = "review_questions"
    __table_args__ = (UniqueConstraint("publication_id", "subject_id"),)

    question_id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"), index=True)
    publication_id: Mapped[str] = mapped_column(ForeignKey("publications.id"))
    subject_id: Mapped[str] = mapped_column(String(64), _subject_id(), index=True)
    """Who may be shown in it under another name."""
    shown_as: Mapped[str] = mapped_column(String(64), _subject_id())
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class ReviewMarkRow(Base):
    """What a person said about a face of an item. Taken back by `undone_at`, never deleted."""

    __tablename__ = "review_marks"
    __table_args__ = (
        CheckConstraint("verdict IN ('no-face', 'subject')", name="verdict"),
        CheckConstraint("(verdict = 'subject') = (subject_id IS NOT NULL)", name="subject"),
    )

    mark_id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"), index=True)
    frame: Mapped[int]
    x: Mapped[float]
    y: Mapped[float]
    w: Mapped[float]
    h: Mapped[float]
    verdict: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(String(64), _subject_id(), index=True)
    actor: Mapped[str]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
