"""The tables. No names of people and no file names (names stand in those) are ever stored."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
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
    __table_args__ = (
        Index(None, "at"),
        Index(None, "action", "at"),
        Index(None, "actor", "at", "action"),
    )

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
        Index(None, "channel", "state", "created_at", "id"),
        Index(None, "channel", "created_at", "id"),
        Index(None, "state", "created_at", "id"),
        Index(None, "created_at", "id"),
        Index(None, "brought_by", "created_at", "id"),
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
    groups: Mapped[list[str]] = mapped_column(default=list)
    """Only subjects of these groups are looked for in it; empty for everybody."""
    brought_by: Mapped[str | None]
    """Who brought it in first, as in the audit log."""
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
    updated_at: Mapped[datetime] = mapped_column(index=True)


class ItemGroupRow(Base):
    """A group of `ItemRow.groups`, to be found by; triggers keep it up to date."""

    __tablename__ = "item_groups"

    item_id: Mapped[str] = mapped_column(
        ForeignKey("items.id", ondelete="CASCADE"), primary_key=True
    )
    group_name: Mapped[str] = mapped_column(primary_key=True, index=True)


class PublicationRow(Base):
    """The record that a rendition is, or may be, live on a channel."""

    __tablename__ = "publications"
    __table_args__ = (
        CheckConstraint("state IN ('intended', 'live', 'removed')", name="state"),
        Index(None, "state", "intended_at"),
        Index(None, "channel", "state", "intended_at"),
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
    confirmed_at: Mapped[datetime | None] = mapped_column(index=True)
    removed_at: Mapped[datetime | None] = mapped_column(index=True)


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
        Index(None, "channel", "state", "requested_at"),
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
        CheckConstraint(
            "verdict IN ('no-face', 'subject', 'not-subject', 'redact')", name="verdict"
        ),
        CheckConstraint(
            "(verdict IN ('subject', 'not-subject')) = (subject_id IS NOT NULL)", name="subject"
        ),
        CheckConstraint("(first_frame IS NULL) = (last_frame IS NULL)", name="span"),
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
    first_frame: Mapped[int | None]
    last_frame: Mapped[int | None]
    """Until there, from `first_frame` on, a place is redacted; None for all frames."""
    actor: Mapped[str]
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class WebhookDeliveryRow(Base):
    """A request of another system and its answer, so that the same request is done only once."""

    __tablename__ = "webhook_deliveries"

    sender: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    """Keyed, of where the request went and its body."""
    status: Mapped[int | None]
    """Of the answer; None while the request is worked on."""
    answer: Mapped[dict[str, Any] | None]
    """Without `status` it is what was done before the work broke off."""
    item_id: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    at: Mapped[datetime] = mapped_column(index=True)


class SubmissionRow(Base):
    """That a system sent an item and wants to be told what becomes of it."""

    __tablename__ = "submissions"

    sender: Mapped[str] = mapped_column(primary_key=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"), primary_key=True, index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    told_at: Mapped[datetime | None]
    """`updated_at` of the item when its decision was last told."""


class CallbackRow(Base):
    """Something that a system is to be told, once; kept so that it is not told again."""

    __tablename__ = "callbacks"
    __table_args__ = (UniqueConstraint("sender", "type", "about"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    sender: Mapped[str]
    type: Mapped[str]
    about: Mapped[str]
    item_id: Mapped[str] = mapped_column(ForeignKey("items.id"), index=True)
    payload: Mapped[dict[str, Any] | None]
    """Forgotten once it was told."""
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    next_attempt_at: Mapped[datetime | None] = mapped_column(index=True)
    failures: Mapped[int]
    problem: Mapped[str | None]


class PersonalLinkRow(Base):
    """A link by which somebody sees and changes what was agreed to. Nothing in it is secret."""

    __tablename__ = "personal_links"
    __table_args__ = (CheckConstraint("signatory IN ('guardian', 'subject')", name="signatory"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str] = mapped_column(String(64), _subject_id(), index=True)
    signatory: Mapped[str]
    """As whom its holder answers."""
    signatory_id: Mapped[str | None]
    """Which guardian, by pseudonym."""
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class WordingTextRow(Base):
    """The text of a wording as it was when somebody first agreed to it; it stays so."""

    __tablename__ = "wording_texts"

    version: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    sha256: Mapped[str]
    kept_at: Mapped[datetime]


class UserRow(Base):
    """An account of staff. A removed one stays, empty: the audit log goes on meaning the same."""

    __tablename__ = "users"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    """The login: a short handle, not a name."""
    roles: Mapped[list[str]]
    groups: Mapped[list[str]]
    language: Mapped[str]
    password_hash: Mapped[str | None]
    totp_secret: Mapped[bytes | None]
    """Encrypted."""
    totp_step: Mapped[int | None] = mapped_column(BigInteger)
    """The newest for which a code was used: none is used twice."""
    recovery_codes: Mapped[list[str]]
    """Keyed digests of those that are left."""
    school_account: Mapped[str | None] = mapped_column(unique=True)
    """A keyed digest of what the school's own accounts know the user by: often an e-mail address,
    and so a name."""
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]


class UserSessionRow(Base):
    """That somebody signed in, or is about to: what is left to do says `mediaguard.store.users`."""

    __tablename__ = "user_sessions"

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    second_factor: Mapped[bool]
    """It was given, or somebody else vouches for it."""
    password_due: Mapped[bool]
    """Signed in by a link: a password has to be chosen before anything else."""
    browser: Mapped[str]
    pending_totp: Mapped[bytes | None]
    """A secret that was shown and not yet confirmed by a code; encrypted."""


class SignInLinkRow(Base):
    """A link that signs in once."""

    __tablename__ = "sign_in_links"

    token_digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"), index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    complete: Mapped[bool]
    """Nothing more is asked of whoever uses it."""


class SignInAttemptRow(Base):
    """How often in a row signing in failed, of an account or from an address."""

    __tablename__ = "sign_in_attempts"

    key: Mapped[str] = mapped_column(primary_key=True)
    """A keyed digest: people type passwords where the login belongs."""
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime | None]
