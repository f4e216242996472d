"""The first tables, and the triggers that keep the ledger and the audit log append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = (("consent_events", "event_id"), ("audit_log", "sequence"))


def upgrade() -> None:
    """Create everything."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "subjects",
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("born", sa.Date(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_subjects"),
        sa.CheckConstraint("kind IN ('student', 'staff')", name="ck_subjects_kind"),
    )
    op.create_table(
        "subject_groups",
        _subject_id("subject_groups"),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", "group_name", name="pk_subject_groups"),
    )
    _index("subject_groups", "group_name")
    op.create_table(
        "consent_events",
        sa.Column("event_id", sa.Integer(), nullable=False),
        _subject_id("consent_events"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("signatory", sa.Text(), nullable=False),
        sa.Column("signatory_id", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("recorded_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_consent_events"),
        sqlite_autoincrement=True,
    )
    _index("consent_events", "subject_id", "channel")
    _index("consent_events", "channel")
    op.create_table(
        "subject_keys",
        _subject_id("subject_keys"),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name="pk_subject_keys"),
    )
    op.create_table(
        "templates",
        sa.Column("template_id", sa.Integer(), nullable=False),
        _subject_id("templates"),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("height", sa.Double(), nullable=False),
        sa.Column("sharpness", sa.Double(), nullable=False),
        sa.Column("frontality", sa.Double(), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("template_id", name="pk_templates"),
        sa.UniqueConstraint(
            "subject_id",
            "model",
            "source_digest",
            name="uq_templates_subject_id_model_source_digest",
        ),
    )
    _index("templates", "model")
    op.create_table(
        "audit_log",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit_log"),
        sa.UniqueConstraint("digest", name="uq_audit_log_digest"),
    )
    _index("audit_log", "subject_id")
    _index("audit_log", "item_id")
    op.create_table(
        "items",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("reason_params", sa.JSON(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("rendition_name", sa.Text(), nullable=True),
        sa.Column("rendition_sha256", sa.Text(), nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
        sa.UniqueConstraint("channel", "source_digest", name="uq_items_channel_source_digest"),
        sa.CheckConstraint(
            "state IN ('received', 'held', 'blocked', 'released', 'rejected')",
            name="ck_items_state",
        ),
        sa.CheckConstraint(
            "outcome IN ('release', 'redact', 'block', 'hold')", name="ck_items_outcome"
        ),
    )
    _index("items", "channel", "state")
    op.create_table(
        "publications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rendition_sha256", sa.Text(), nullable=False),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("urls", sa.JSON(), nullable=False),
        sa.Column("consent_events", sa.JSON(), nullable=False),
        sa.Column("policy_hash", sa.Text(), nullable=True),
        sa.Column("intended_at", moment, nullable=False),
        sa.Column("confirmed_at", moment, nullable=True),
        sa.Column("removed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_publications"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_publications_item_id"),
        sa.CheckConstraint(
            "state IN ('intended', 'live', 'removed')", name="ck_publications_state"
        ),
    )
    _index("publications", "item_id")
    _index("publications", "channel", "state")
    op.create_table(
        "appearances",
        sa.Column("publication_id", sa.Text(), nullable=False),
        _subject_id("appearances"),
        sa.PrimaryKeyConstraint("publication_id", "subject_id", name="pk_appearances"),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publications.id"], name="fk_appearances_publication_id"
        ),
    )
    _index("appearances", "subject_id")

    for table, key in APPEND_ONLY:
        if op.get_bind().dialect.name == "postgresql":
            _append_only_postgresql(table)
        else:
            _append_only_sqlite(table, key)


def _subject_id(table: str) -> "sa.Column[str]":
    reference = sa.ForeignKey("subjects.subject_id", name=f"fk_{table}_subject_id")
    return sa.Column("subject_id", sa.String(64), reference, nullable=False)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _append_only_sqlite(table: str, key: str) -> None:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    for verb in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} {refuse}")
    # INSERT OR REPLACE deletes the old row without firing the trigger on DELETE.
    known = f"EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"  # noqa: S608
    op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {known} {refuse}")


def _append_only_postgresql(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
