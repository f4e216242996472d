"""Versions, transactions and readable errors on both databases."""

import socket
import sqlite3
import struct
import threading
from datetime import datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select, text
from sqlalchemy.engine import make_url

import mediaguard.store
from mediaguard.core.consent import Answer
from mediaguard.errors import ConfigError, StoreError
from mediaguard.store.audit import Audit
from mediaguard.store.database import SCHEMA, Database
from mediaguard.store.ledger import Given, Ledger
from mediaguard.store.tables import Base, SubjectRow
from tests.store.conftest import NOW

DBOS_TABLES = {"queues", "notifications", "streams"}


def test_the_migrations_make_exactly_the_tables_of_the_program(database):
    with database.read() as session:
        connection = session.connection()
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_program_knows_the_newest_migration():
    settings = Config()
    folder = Path(mediaguard.store.__file__).parent / "migrations"
    settings.set_main_option("script_location", str(folder))
    assert ScriptDirectory.from_config(settings).get_current_head() == SCHEMA


def test_no_table_has_a_name_of_the_job_engine():
    assert not DBOS_TABLES & set(Base.metadata.tables)


def test_migrating_again_keeps_everything(database):
    with database.write() as session:
        Ledger(session).add_subject("s1", at=NOW)
    database.migrate()
    with database.read() as session:
        assert Ledger(session).subject("s1") is not None


def test_two_processes_may_migrate_at_once(empty_url):
    databases = [Database(empty_url) for _ in range(4)]
    failures = []

    def migrate(database):
        try:
            database.migrate()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=migrate, args=(d,)) for d in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with databases[0].write() as session:
        Ledger(session).add_subject("s1", at=NOW)
    for database in databases:
        database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_events SET answer = 'granted'",
        "UPDATE consent_events SET recorded_at = '2030-01-01'",
        "DELETE FROM consent_events",
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
    ],
)
def test_ledger_and_audit_log_only_grow(database, keyring, statement):
    _fill(database, keyring)
    with pytest.raises(StoreError), database.write() as session:
        session.execute(text(statement))
    with database.read() as session:
        assert [e.answer for e in Ledger(session).events()] == ["refused"]
        assert Audit(session, keyring).verify() == (1, [])


@pytest.mark.parametrize("table", ["consent_events", "audit_log"])
def test_replacing_and_truncating_are_refused_too(database, keyring, table):
    _fill(database, keyring)
    sqlite = make_url(database._url).get_backend_name() == "sqlite"
    statement = (
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"
        if sqlite
        else f"TRUNCATE {table} CASCADE"
    )
    with pytest.raises(StoreError), database.write() as session:
        session.execute(text(statement))


def _fill(database, keyring):
    with database.write() as session:
        ledger = Ledger(session)
        ledger.add_subject("s1", at=NOW)
        refusal = Given("s1", "facebook", "publicity", Answer.REFUSED, "guardian", "")
        ledger.append(refusal, at=NOW)
        Audit(session, keyring).append("test", at=NOW, actor="a")


def test_moments_come_back_with_their_zone_and_naive_ones_are_refused(database):
    with database.write() as session:
        Ledger(session).add_subject("s1", at=NOW.astimezone())
    with database.read() as session:
        assert session.scalar(select(SubjectRow.created_at)) == NOW
    with pytest.raises(Exception, match="zone"), database.write() as session:
        Ledger(session).add_subject("s2", at=datetime(2026, 1, 1))  # noqa: DTZ001
    with database.read() as session:
        assert Ledger(session).subject("s2") is None


def test_an_exception_undoes_the_transaction(database):
    def add_and_fail():
        with database.write() as session:
            Ledger(session).add_subject("s1", at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        add_and_fail()
    with database.read() as session:
        assert Ledger(session).subjects() == []


def test_a_reading_transaction_changes_nothing(database):
    with database.read() as session:
        Ledger(session).add_subject("s1", at=NOW)
    with database.read() as session:
        assert Ledger(session).subjects() == []


# -- what goes wrong ------------------------------------------------------------------------


def code_of(database):
    with pytest.raises(StoreError) as caught, database.write() as session:
        Ledger(session).subjects()
    return caught.value.code


def test_a_missing_database_is_not_made_by_accident(sqlite_url, tmp_path):
    assert code_of(Database(sqlite_url)) == "database-missing"
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables(empty_url, tmp_path):
    (tmp_path / "mediaguard.db").touch()
    assert code_of(Database(empty_url)) == "database-missing"


@pytest.mark.parametrize(
    ("version", "code"), [("9999", "database-newer"), ("0000", "database-older")]
)
def test_a_database_of_another_version_is_left_alone(empty_url, version, code):
    database = Database(empty_url)
    database.migrate()
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
    database.close()
    other = Database(empty_url)
    assert code_of(other) == code
    if code == "database-newer":
        with pytest.raises(StoreError) as caught:
            other.migrate()
        assert caught.value.code == code
    other.close()


def test_a_file_that_is_no_database(sqlite_url, tmp_path):
    (tmp_path / "mediaguard.db").write_bytes(b"this is a text, not a database" * 100)
    assert code_of(Database(sqlite_url)) == "database-not-one"
    with pytest.raises(StoreError) as caught:
        Database(sqlite_url).migrate()
    assert caught.value.code == "database-not-one"


def test_a_damaged_database(sqlite_database, sqlite_url, tmp_path):
    with sqlite_database.write() as session:
        for number in range(500):
            Ledger(session).add_subject(f"s{number}", at=NOW)
    sqlite_database.close()
    path = tmp_path / "mediaguard.db"
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xaa" * (len(data) - 4096)
    path.write_bytes(data)
    assert code_of(Database(sqlite_url)) in {"database-damaged", "database-not-one"}


def test_a_locked_database(sqlite_database, sqlite_url, tmp_path):
    holder = sqlite3.connect(tmp_path / "mediaguard.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert code_of(Database(sqlite_url, busy_seconds=0)) == "database-locked"
    holder.close()


def test_reading_goes_on_while_another_writes(sqlite_database):
    with sqlite_database.write() as writer:
        Ledger(writer).add_subject("s1", at=NOW)
        with sqlite_database.read() as reader:
            assert Ledger(reader).subjects() == []


def test_a_full_disk_loses_nothing_and_says_so(sqlite_database):
    with sqlite_database.write() as session:
        Ledger(session).add_subject("before", at=NOW)
    with pytest.raises(StoreError) as caught:
        _fill_the_disk(sqlite_database)
    assert caught.value.code == "disk-full"
    with sqlite_database.read() as session:
        assert [s.subject_id for s in Ledger(session).subjects()] == ["before"]


def _fill_the_disk(database):
    with database.write() as session:
        session.execute(text("PRAGMA max_page_count = 1"))  # no page more than there are
        for number in range(2000):
            Ledger(session).add_subject(f"s{number}", at=NOW)


def test_a_server_that_does_not_answer():
    pytest.importorskip("psycopg")
    database = Database("postgresql://user:hunter2@127.0.0.1:9/mediaguard")
    with pytest.raises(StoreError) as caught:
        database.migrate()
    assert caught.value.code == "database-unreachable"
    _no_secret(caught.value)


@pytest.mark.parametrize(
    ("state", "message", "code"),
    [
        (b"28P01", b'password authentication failed for user "u" hunter2', "database-password"),
        (b"3D000", b'database "d" does not exist', "database-unknown"),
        (b"53300", b"sorry, too many clients already", "database-busy"),
        (b"57P03", b"the database system is starting up", "database-unreachable"),
    ],
)
def test_a_server_that_refuses(state, message, code):
    pytest.importorskip("psycopg")
    with _RefusingServer(state, message) as port:
        database = Database(f"postgresql://u:hunter2@127.0.0.1:{port}/d")
        with pytest.raises(StoreError) as caught, database.read():
            pass
    assert caught.value.code == code
    _no_secret(caught.value)


class _RefusingServer:
    """Speaks just enough of PostgreSQL's protocol to refuse a connection as a real one does."""

    def __init__(self, state, message):
        fields = b"SFATAL\0VFATAL\0C" + state + b"\0M" + message + b"\0\0"
        self._refusal = b"E" + struct.pack(">I", len(fields) + 4) + fields
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self._socket.getsockname()[1]

    def __exit__(self, *_):
        self._socket.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                while (size := connection.recv(4)) and (length := struct.unpack(">I", size)[0]):
                    if length == 8:  # asks for encryption
                        connection.recv(4)
                        connection.sendall(b"N")
                        continue
                    connection.recv(length - 4)
                    connection.sendall(self._refusal)
                    break


def test_a_database_that_the_server_does_not_have(postgresql_url):
    url = make_url(postgresql_url).set(database="no_such_database")
    assert code_of(Database(url.render_as_string(hide_password=False))) == "database-unknown"


def _no_secret(error):
    import traceback

    from mediaguard.texts import explain

    shown = "".join(traceback.format_exception(error)) + explain(error) + repr(error)
    assert "hunter2" not in shown


@pytest.mark.parametrize("url", ["nonsense", "mysql://h/d", "sqlite://", "sqlite:///:memory:", ""])
def test_an_address_that_cannot_be_used(url):
    with pytest.raises(ConfigError) as caught:
        Database(url)
    assert caught.value.code == "database-url"


def test_records_are_for_their_owner_only(sqlite_url, tmp_path):
    database = Database(sqlite_url)
    database.migrate()
    with database.write() as session:
        Ledger(session).add_subject("s1", at=NOW)
    for path in tmp_path.glob("mediaguard.db*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_the_engine_is_durable_and_consistent(sqlite_database):
    with sqlite_database.read() as session:
        pragma = {
            n: session.scalar(text(f"PRAGMA {n}"))
            for n in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert pragma == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
    }


def test_the_url_may_name_another_driver(postgresql_url):
    url = make_url(postgresql_url).set(drivername="postgresql")
    database = Database(url.render_as_string(hide_password=False))
    assert "+psycopg" in str(database._url)
    create_engine(database._url).dispose()
