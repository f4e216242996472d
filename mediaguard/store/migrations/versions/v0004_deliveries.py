"""What other systems sent, and what they are to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables and columns."""
    op.add_column("items", sa.Column("groups", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("items", sa.Column("brought_by", sa.Text(), nullable=True))
    for table, column in (
        ("items", "brought_by"),
        ("items", "updated_at"),
        ("publications", "confirmed_at"),
        ("publications", "removed_at"),
    ):
        op.create_index(f"ix_{table}_{column}", table, [column])
    op.create_table(
        "webhook_deliveries",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("claimed_until", MOMENT, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("sender", "webhook_id", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_at", "webhook_deliveries", ["at"])
    op.create_table(
        "submissions",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("sender", "item_id", name="pk_submissions"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_submissions_item_id"),
    )
    for column in ("item_id", "at"):
        op.create_index(f"ix_submissions_{column}", "submissions", [column])
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("next_attempt_at", MOMENT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_callbacks"),
        sa.ForeignKeyConstraint(["item_id"], ["items.id"], name="fk_callbacks_item_id"),
        sa.UniqueConstraint("sender", "type", "about", name="uq_callbacks_sender_type_about"),
    )
    for column in ("item_id", "next_attempt_at"):
        op.create_index(f"ix_callbacks_{column}", "callbacks", [column])
