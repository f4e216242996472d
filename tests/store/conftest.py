"""Both databases, for every test that asks for `database`."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text

from mediaguard.store.database import Database
from mediaguard.store.keys import Keyring
from mediaguard.store.tables import Base

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
def sqlite_url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'mediaguard.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    url = request.getfixturevalue("postgresql_url")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory) -> Path:
    """An SQLite database with tables, to copy."""
    path = tmp_path_factory.mktemp("migrated") / "mediaguard.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    database.close()
    return path


@pytest.fixture(scope="session")
def migrated_server(postgresql_server) -> Iterator[Database]:
    """A PostgreSQL database with tables, emptied before every test."""
    with postgresql_server() as url:
        database = Database(url)
        database.migrate()
        yield database
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request) -> Iterator[Database]:
    """A database with tables and nothing in them, of either kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_database")
        return
    database = request.getfixturevalue("migrated_server")
    tables = [table.name for table in Base.metadata.sorted_tables]
    with database.write() as session:
        for verb in ("DISABLE", "ENABLE"):
            for name in ("consent_events", "audit_log"):
                session.execute(text(f"ALTER TABLE {name} {verb} TRIGGER USER"))
            if verb == "DISABLE":
                session.execute(text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY"))
    yield database


@pytest.fixture
def sqlite_database(sqlite_url, migrated_file, tmp_path) -> Iterator[Database]:
    """For what does not depend on the kind of database."""
    shutil.copy(migrated_file, tmp_path / "mediaguard.db")
    database = Database(sqlite_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring(bytes(range(32)))
