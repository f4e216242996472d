"""The database: SQLite in the home, or PostgreSQL; transactions, versions, readable errors."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session

from mediaguard.errors import ConfigError, StoreError

SCHEMA = "0008"
"""The version of the tables this program reads and writes (a test compares it with Alembic)."""

_MIGRATION_LOCK = 0x6D656469  # any constant will do: "medi"


class Database:
    """One database, opened when it is first used.

    Args:
        url: SQLAlchemy's form, ``sqlite:///path`` or ``postgresql+psycopg://…``.
        busy_seconds: how long to wait for another writer (SQLite) or the server.

    Raises:
        ConfigError: the address cannot be read, or is of another kind of database.
    """

    def __init__(self, url: str, *, busy_seconds: int = 30) -> None:
        try:
            self._url = make_url(url)
            backend = self._url.get_backend_name()
        except (ArgumentError, NoSuchModuleError):
            raise ConfigError("database-url") from None
        if backend not in ("sqlite", "postgresql") or (
            backend == "sqlite" and self._url.database in (None, "", ":memory:")
        ):
            raise ConfigError("database-url")
        if backend == "postgresql":
            self._url = self._url.set(drivername="postgresql+psycopg")
        self._busy_seconds = busy_seconds
        self._checked = False

    # -- use --------------------------------------------------------------------------------

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that may write: committed at the end, undone at an exception.

        On SQLite it excludes other writers from its beginning, so that what it read still
        holds when it writes.

        Raises:
            StoreError: the database cannot be used; nothing was written.
        """
        with self._session(self._writing) as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads; whatever it changes is undone.

        Raises:
            StoreError: the database cannot be used.
        """
        with self._session(self._engine) as session:
            yield session

    def migrate(self) -> None:
        """Create the tables, or bring those of an older version up to date.

        Raises:
            StoreError: the database cannot be used, or is of a newer program.
        """
        from alembic import command  # slow to import and rarely needed
        from alembic.config import Config

        settings = Config()
        settings.set_main_option(
            "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
        )
        with self._readable_errors():
            self._create_file()
            with self._writing.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(
                        text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK}
                    )
                if (_version(connection) or "") > SCHEMA:
                    raise StoreError("database-newer", database=self.name)
                settings.attributes["connection"] = connection
                command.upgrade(settings, "head")

    def scrub(self) -> None:
        """After a deletion that must leave no trace: empty the log of SQLite's recent writes.

        Deleted rows are overwritten in the file itself (secure_delete), but older copies of
        its pages stay in the write-ahead log. If a reader is in the way, the next call does it.
        PostgreSQL has its own schedule (vacuum, WAL recycling): see docs/decisions/0007.
        """
        if self._is_sqlite:
            with self._readable_errors(), self._engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @property
    def url(self) -> URL:
        """Where it is, with its password: for the job engine, which opens it too."""
        return self._url

    @property
    def name(self) -> str:
        """What it is called in messages: a path, or host and database; never a password."""
        if self._is_sqlite:
            return str(self._url.database)
        host = self._url.host or "localhost"
        return f"{host}:{self._url.port or 5432}/{self._url.database or ''}"

    # -- inside -----------------------------------------------------------------------------

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @cached_property
    def _engine(self) -> Engine:
        engine = create_engine(
            self._url, connect_args=self._connect_args(), hide_parameters=True, pool_pre_ping=True
        )
        if self._is_sqlite:
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine

    @cached_property
    def _writing(self) -> Engine:
        return self._engine.execution_options(mediaguard_write=True)

    def _connect_args(self) -> dict[str, Any]:
        if self._is_sqlite:
            return {"timeout": self._busy_seconds}
        return {
            "connect_timeout": min(self._busy_seconds, 10),
            "application_name": "mediaguard",
        }

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with self._readable_errors():
            self._check()
            with Session(engine, expire_on_commit=False) as session:
                yield session
                if engine is self._writing:
                    session.commit()

    def _check(self) -> None:
        """Refuse a database that this program would misread."""
        if self._checked:
            return
        if self._is_sqlite and not Path(str(self._url.database)).exists():
            raise StoreError("database-missing", database=self.name)
        with self._engine.connect() as connection:
            version = _version(connection)
        if version is None:
            raise StoreError("database-missing", database=self.name)
        if version != SCHEMA:
            code = "database-newer" if version > SCHEMA else "database-older"
            raise StoreError(code, database=self.name)
        self._checked = True

    def _create_file(self) -> None:
        if not self._is_sqlite:
            return
        try:
            Path(str(self._url.database)).touch(mode=0o600)
        except OSError as error:
            raise StoreError(
                "database-unwritable", database=self.name, detail=error.strerror or "?"
            ) from error

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            # The driver's own text may quote the address with its password: not chained.
            raise _translated(error, self._url, self.name) from None
        except PoolTimeout:
            raise StoreError("database-locked", database=self.name) from None


def insert_new(session: Session, table: type[DeclarativeBase], **values: object) -> bool:
    """Insert a row unless there is one with its key, also one that came this very moment.

    Returns:
        Whether it is new.
    """
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table).values(**values).on_conflict_do_nothing()
    result = session.execute(insert, execution_options={"preserve_rowcount": True})
    assert isinstance(result, CursorResult)
    return result.rowcount > 0


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    # The driver's own transaction handling is off: `_begin_sqlite` says when and how one begins.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")  # a committed withdrawal survives a power cut
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA secure_delete=ON")  # deleted templates and keys are overwritten


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("mediaguard_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


_SQLITE_CODES = {
    "SQLITE_NOTADB": "database-not-one",
    "SQLITE_CORRUPT": "database-damaged",
    "SQLITE_BUSY": "database-locked",
    "SQLITE_LOCKED": "database-locked",
    "SQLITE_FULL": "disk-full",
    "SQLITE_READONLY": "database-unwritable",
    "SQLITE_CANTOPEN": "database-unwritable",
    "SQLITE_IOERR": "database-unwritable",
    "SQLITE_PERM": "database-unwritable",
}

_POSTGRESQL_CODES = {
    "28P01": "database-password",
    "28000": "database-password",
    "3D000": "database-unknown",
    "53100": "disk-full",
    "53300": "database-busy",
    "55P03": "database-locked",
    "40P01": "database-locked",
    "42501": "database-unwritable",
    "25006": "database-unwritable",
    "57P01": "database-unreachable",
    "57P03": "database-unreachable",
}

_POSTGRESQL_CONNECTING = (
    # While connecting libpq gives no SQLSTATE, only text (in the server's language).
    ("password", "database-password"),
    ("authentication", "database-password"),
    ("does not exist", "database-unknown"),
    ("too many", "database-busy"),
)


def _translated(error: DBAPIError, url: URL, name: str) -> StoreError:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        detail = getattr(cause, "sqlite_errorname", None) or type(cause).__name__
        for prefix, code in _SQLITE_CODES.items():
            if detail == prefix or detail.startswith(prefix + "_"):
                return StoreError(code, database=name, detail=detail)
        return StoreError("database-error", database=name, detail=detail)
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        code = _POSTGRESQL_CODES.get(state, "database-error")
        return StoreError(code, database=name, user=url.username or "", detail=f"SQLSTATE {state}")
    message = str(cause).lower()
    for words, code in _POSTGRESQL_CONNECTING:
        if words in message:
            return StoreError(code, database=name, user=url.username or "")
    return StoreError("database-unreachable", database=name)
