"""What people say about the faces of an item when they review it."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "review_marks",
        sa.Column("mark_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("w", sa.Double(), nullable=False),
        sa.Column("h", sa.Double(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("undone_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("mark_id", name="pk_review_marks"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_review_marks_item_id"),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.subject_id"], name="fk_review_marks_subject_id"
        ),
        sa.CheckConstraint("verdict IN ('no-face', 'subject')", name="ck_review_marks_verdict"),
        sa.CheckConstraint(
            "(verdict = 'subject') = (subject_id IS NOT NULL)", name="ck_review_marks_subject"
        ),
    )
    op.create_index("ix_review_marks_item_id", "review_marks", ["item_id"])
    op.create_index("ix_review_marks_subject_id", "review_marks", ["subject_id"])
