"""Personal links that were handed out, and the texts that were agreed to."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "personal_links",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.String(64), nullable=False),
        sa.Column("signatory", sa.Text(), nullable=False),
        sa.Column("signatory_id", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_personal_links"),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subjects.subject_id"], name="fk_personal_links_subject_id"
        ),
        sa.CheckConstraint(
            "signatory IN ('guardian', 'subject')", name="ck_personal_links_signatory"
        ),
    )
    op.create_index("ix_personal_links_subject_id", "personal_links", ["subject_id"])
    op.create_table(
        "wording_texts",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("version", "language", name="pk_wording_texts"),
    )
