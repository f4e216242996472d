"""Both databases, for every test that asks for `database`."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from mediaguard.store.database import Database
from mediaguard.store.keys import Keyring
from mediaguard.store.tables import Base

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")
POSTGRESQL = os.environ.get(
    "MEDIAGUARD_TEST_POSTGRESQL", "postgresql+psycopg://127.0.0.1:5432/test"
)


@pytest.fixture(scope="session")
def postgresql_server() -> Callable[[], AbstractContextManager[str]]:
    """Makes databases of this test run's own, each dropped at the end of its `with`."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: mediaguard[postgresql]")
    server = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    try:
        server.connect().close()
    except OperationalError as error:
        reason = (
            "no PostgreSQL to test with (set MEDIAGUARD_TEST_POSTGRESQL to the URL of a database "
            f"whose user may create databases): {error.orig}"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    @contextmanager
    def make() -> Iterator[str]:
        name = f"mediaguard_test_{uuid.uuid4().hex[:12]}"
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    return make


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server) -> Iterator[str]:
    with postgresql_server() as url:
        yield url


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
