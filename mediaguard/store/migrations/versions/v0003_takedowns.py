"""What has to come down, who has an item in hand, and what a person should look at."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables and columns."""
    for column in ("lease_until", "next_attempt_at", "hinted_at"):
        op.add_column("items", sa.Column(column, MOMENT, nullable=True))
    op.add_column("items", sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("items", sa.Column("named", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column(
        "items", sa.Column("approved", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for column in ("next_attempt_at", "hinted_at"):
        op.create_index(f"ix_items_{column}", "items", [column])
    _likenesses()
    _takedowns()
    _review_questions()


def _likenesses() -> None:
    op.create_table(
        "likenesses",
        sa.Column("publication_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("shown_as", sa.String(64), nullable=False),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("publication_id", "subject_id", name="pk_likenesses"),
        _refers("likenesses", "publication_id", "publications.id"),
        _refers("likenesses", "subject_id", "subjects.subject_id"),
        _refers("likenesses", "shown_as", "subjects.subject_id"),
    )
    op.create_index("ix_likenesses_subject_id", "likenesses", ["subject_id"])


def _takedowns() -> None:
    op.create_table(
        "takedowns",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("publication_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("consent_event", sa.Integer(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_at", MOMENT, nullable=False),
        sa.Column("removed_at", MOMENT, nullable=True),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.Column("next_attempt_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("problem_params", sa.JSON(), nullable=True),
        sa.Column("looks", sa.JSON(), nullable=False),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("escalated_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_takedowns"),
        _refers("takedowns", "publication_id", "publications.id"),
        _refers("takedowns", "item_id", "items.id"),
        _refers("takedowns", "subject_id", "subjects.subject_id"),
        _refers("takedowns", "consent_event", "consent_events.event_id"),
        sa.UniqueConstraint(
            "publication_id", "subject_id", name="uq_takedowns_publication_id_subject_id"
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'removed', 'confirmed', 'unrecallable')",
            name="ck_takedowns_state",
        ),
        sa.CheckConstraint("action IN ('remove', 'replace')", name="ck_takedowns_action"),
    )
    for columns in (["item_id"], ["subject_id"], ["next_attempt_at"], ["state", "requested_at"]):
        op.create_index(f"ix_takedowns_{'_'.join(columns)}", "takedowns", columns)


def _review_questions() -> None:
    op.create_table(
        "review_questions",
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("publication_id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("shown_as", sa.String(64), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("question_id", name="pk_review_questions"),
        _refers("review_questions", "item_id", "items.id"),
        _refers("review_questions", "publication_id", "publications.id"),
        _refers("review_questions", "subject_id", "subjects.subject_id"),
        _refers("review_questions", "shown_as", "subjects.subject_id"),
        sa.UniqueConstraint(
            "publication_id", "subject_id", name="uq_review_questions_publication_id_subject_id"
        ),
    )
    for column in ("item_id", "subject_id"):
        op.create_index(f"ix_review_questions_{column}", "review_questions", [column])


def _refers(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}")
