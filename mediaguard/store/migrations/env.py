"""Alembic's entry point; `Database.migrate` hands it an open transaction."""

from alembic import context

from mediaguard.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    transactional_ddl=True,  # on SQLite too: a migration that fails half-way leaves nothing
)
with context.begin_transaction():
    context.run_migrations()
