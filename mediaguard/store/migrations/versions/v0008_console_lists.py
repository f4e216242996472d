"""What the long lists of the console need to be quick."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEXES = (
    ("publications", "state", "intended_at"),
    ("publications", "channel", "state", "intended_at"),
    ("takedowns", "channel", "state", "requested_at"),
    ("audit_log", "at"),
    ("audit_log", "action", "at"),
    ("audit_log", "actor", "at", "action"),
)


def upgrade() -> None:
    """Indexes by time; and the groups of items, which the database itself keeps up to date."""
    for table, *columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    op.drop_index("ix_publications_channel_state", "publications")  # the beginning of a new one
    op.create_table(
        "item_groups",
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item_id", "group_name", name="pk_item_groups"),
        sa.ForeignKeyConstraint(
            ["item_id"], ["items.id"], name="fk_item_groups_item_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_item_groups_group_name", "item_groups", ["group_name"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    expand = "json_each" if is_sqlite else "json_array_elements_text"
    op.execute(
        f"INSERT INTO item_groups SELECT DISTINCT items.id, g.value FROM items, {expand}(groups) g"  # noqa: S608
    )
    if is_sqlite:
        _keep_sqlite()
    else:
        _keep_postgresql()


def _keep_sqlite() -> None:
    for event in ("INSERT", "UPDATE OF groups"):
        op.execute(
            f"CREATE TRIGGER items_groups_{event[:6].lower()} AFTER {event} ON items BEGIN "  # noqa: S608
            "DELETE FROM item_groups WHERE item_id = NEW.id; "
            "INSERT INTO item_groups SELECT DISTINCT NEW.id, value FROM json_each(NEW.groups); END"
        )


def _keep_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION keep_item_groups() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "DELETE FROM item_groups WHERE item_id = NEW.id; "
        "INSERT INTO item_groups SELECT DISTINCT NEW.id, value "
        "FROM json_array_elements_text(NEW.groups); RETURN NULL; END $$"
    )
    op.execute(
        "CREATE TRIGGER items_groups AFTER INSERT OR UPDATE OF groups ON items "
        "FOR EACH ROW EXECUTE FUNCTION keep_item_groups()"
    )
