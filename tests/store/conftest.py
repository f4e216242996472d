"""Both databases, for every test that asks for `database`."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from mediaguard.store.database import Database
from mediaguard.store.keys import Keyring

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Amsterdam")
POSTGRESQL = os.environ.get(
    "MEDIAGUARD_TEST_POSTGRESQL", "postgresql+psycopg://127.0.0.1:5432/test"
)


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A database of this test run's own, dropped at its end."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: mediaguard[postgresql]")
    server = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    name = f"mediaguard_test_{uuid.uuid4().hex[:12]}"
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except OperationalError as error:
        reason = (
            "no PostgreSQL to test with (set MEDIAGUARD_TEST_POSTGRESQL to the URL of a database "
            f"whose user may create databases): {error.orig}"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()


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


@pytest.fixture
def database(empty_url) -> Iterator[Database]:
    database = Database(empty_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def sqlite_database(sqlite_url) -> Iterator[Database]:
    """For what does not depend on the kind of database."""
    database = Database(sqlite_url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring(bytes(range(32)))
