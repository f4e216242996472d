"""DBOS' own connections to our database."""

import sqlite3
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

BUSY_SECONDS = 30


def connections(url: URL, workers: int) -> Engine:
    """A pool for so many workers and the threads that DBOS has besides."""
    options: dict[str, Any] = {
        "hide_parameters": True,
        "pool_size": workers + 6,
    }
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={"connect_timeout": 10, "application_name": "mediaguard-jobs"},
        **options,
    )


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # As DBOS does: the driver begins before the first change, so that looking locks nobody out.
    connection.isolation_level = "IMMEDIATE"
    connection.execute("PRAGMA journal_mode=WAL")
    # A message that a power cut brings back or takes away does no harm, so a commit here need not
    # wait for the disk. The messages in our own transactions do: those are on our connections.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA foreign_keys=ON")
