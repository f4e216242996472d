"""More that a person can say about a face."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHECKS = {
    "verdict": "verdict IN ('no-face', 'subject', 'not-subject', 'redact')",
    "subject": "(verdict IN ('subject', 'not-subject')) = (subject_id IS NOT NULL)",
    "span": "(first_frame IS NULL) = (last_frame IS NULL)",
}

_INDEXES = (
    ("channel", "state", "created_at", "id"),
    ("channel", "created_at", "id"),
    ("state", "created_at", "id"),
    ("created_at", "id"),
    ("brought_by", "created_at", "id"),
)


def upgrade() -> None:
    """Not this person, and redact; and how staff finds what waits for them and what they sent."""
    with op.batch_alter_table("review_marks") as marks:  # SQLite needs a copy of the table
        marks.add_column(sa.Column("first_frame", sa.Integer(), nullable=True))
        marks.add_column(sa.Column("last_frame", sa.Integer(), nullable=True))
        # Migration 0002 gave whole names to a convention that completes them.
        for name in ("verdict", "subject"):
            marks.drop_constraint(op.f(f"ck_review_marks_ck_review_marks_{name}"), type_="check")
        for name, text in _CHECKS.items():
            marks.create_check_constraint(name, text)
    for columns in _INDEXES:
        op.create_index(f"ix_items_{'_'.join(columns)}", "items", columns)
    for name in ("channel_state", "brought_by"):  # the beginnings of new ones
        op.drop_index(f"ix_items_{name}", "items")
