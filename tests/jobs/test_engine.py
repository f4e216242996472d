import base64
import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from mediaguard.errors import StoreError
from mediaguard.jobs.cleaning import clean
from mediaguard.jobs.engine import Engine
from mediaguard.store.database import Database
from mediaguard.store.tables import Base, SubjectRow

SECONDS = 60  # until a test gives up waiting
OURS = {*Base.metadata.tables, "alembic_version", "takedowns", "review_questions", "likenesses"}


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@contextmanager
def running(engine: Engine) -> Iterator[Engine]:
    engine.start()
    try:
        yield engine
    finally:
        engine.stop(0)  # quick: nothing is in hand any more


def hint(database: Database, engine: Engine, *items: str) -> None:
    with database.write() as session:
        for item in items:
            engine.hint(session, item)


def messages(database: Database, queue: str) -> Counter[str]:
    """How many a queue has, by their status."""
    with database.read() as session:
        schema = "" if session.get_bind().dialect.name == "sqlite" else "dbos."
        found = session.execute(
            text(f"SELECT status FROM {schema}workflow_status WHERE queue_name = :queue"),
            {"queue": queue},
        )
        return Counter(found.scalars())


# -- a message and its transaction ------------------------------------------------------------


def test_what_is_committed_is_handled_and_what_is_rolled_back_is_not(database, url, queue):
    seen: list[str] = []
    engine = Engine(url, seen.append, name=queue)
    engine.prepare()
    with contextlib.suppress(ZeroDivisionError), database.write() as session:
        engine.hint(session, "rolled back")
        raise ZeroDivisionError
    with database.write() as session:
        engine.hint(session, "committed")
        # the session goes on as before
        session.add(
            SubjectRow(subject_id=queue, kind="staff", born=None, created_at=datetime.now(UTC))
        )
        session.flush()
        assert session.scalar(select(SubjectRow.kind).filter_by(subject_id=queue)) == "staff"
    assert messages(database, queue) == {"ENQUEUED": 1}
    with running(engine):
        until(lambda: seen)
        until(lambda: messages(database, queue) == {"SUCCESS": 1})
    assert seen == ["committed"]


def test_a_hint_needs_the_tables(database, url, queue):
    with database.write() as session, pytest.raises(RuntimeError, match="prepare"):
        Engine(url, print, name=queue).hint(session, "1")


def test_no_database_is_made_by_accident(tmp_path):
    path = tmp_path / "nothing.db"
    with pytest.raises(StoreError, match="database-missing"):
        Engine(f"sqlite:///{path}", print).start()
    assert not path.exists()


def test_a_queue_has_messages_of_its_own(database, url, queue):
    seen: list[str] = []
    engine, other = Engine(url, seen.append, name=queue), Engine(url, print, name=queue + "-other")
    other.prepare()
    with running(engine):
        hint(database, other, "1")
        hint(database, engine, "2")
        until(lambda: seen)
    assert seen == ["2"]
    assert messages(database, queue + "-other") == {"ENQUEUED": 1}


# -- one process ------------------------------------------------------------------------------


def test_one_after_the_other_in_a_process(database, url, queue):
    seen: list[str] = []
    one, other = Engine(url, seen.append, name=queue), Engine(url, seen.append, name=queue)
    for number, (engine, idle) in enumerate([(one, other), (one, other), (other, one)]):
        with running(engine):
            with pytest.raises(RuntimeError, match="running"):
                idle.start()
            hint(database, engine, f"{number}")
            until(lambda number=number: seen[-1:] == [f"{number}"])


def test_a_start_that_fails_leaves_nothing_behind(sqlite_url, queue, monkeypatch):
    Database(sqlite_url).migrate()
    with monkeypatch.context() as patch:
        patch.setattr("dbos.DBOS.launch", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Engine(sqlite_url, print, name=queue).start()
    with running(Engine(sqlite_url, print, name=queue)):
        pass


def test_a_handler_that_raises_is_logged_and_not_called_again(database, url, queue, caplog):
    seen: list[str] = []

    def handle(item_id: str) -> None:
        seen.append(item_id)
        if item_id == "bad":
            raise ValueError("hunter2")

    with running(Engine(url, handle, name=queue)) as engine:
        hint(database, engine, "bad", "good")
        until(lambda: messages(database, queue) == {"SUCCESS": 2})
    assert seen == ["bad", "good"]
    assert len(caplog.records) == 1
    assert caplog.messages[0].startswith("item bad: ValueError at test_engine.py:")
    assert "hunter2" not in caplog.text


def test_stop_waits_for_what_is_in_hand_and_leaves_the_rest(database, url, queue):
    begun, may_end, done = threading.Event(), threading.Event(), []

    def handle(item_id: str) -> None:
        begun.set()
        may_end.wait(SECONDS)
        done.append(item_id)

    engine = Engine(url, handle, name=queue)
    engine.start()
    hint(database, engine, "1", "2")
    assert begun.wait(SECONDS)
    threading.Timer(0.5, may_end.set).start()
    assert engine.stop(SECONDS)
    assert done == ["1"]
    assert messages(database, queue)["ENQUEUED"] == 1


def test_stop_does_not_wait_longer_than_it_may(sqlite_url, queue):
    database = Database(sqlite_url)
    database.migrate()
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def handle(_: str) -> None:
        begun.set()
        may_end.wait(SECONDS)
        ended.set()

    engine = Engine(sqlite_url, handle, name=queue)
    engine.start()
    hint(database, engine, "1")
    assert begun.wait(SECONDS)
    assert not engine.stop(1)
    may_end.set()
    assert ended.wait(SECONDS)
    until(lambda: engine.stop(0))


def test_no_more_at_once_than_workers(sqlite_url, queue):
    database = Database(sqlite_url)
    database.migrate()
    at_once, most, done, lock = 0, 0, 0, threading.Lock()

    def handle(_: str) -> None:
        nonlocal at_once, most, done
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.05)
        with lock:
            at_once -= 1
            done += 1

    with running(Engine(sqlite_url, handle, workers=2, name=queue)) as engine:
        # another process, started later, has more
        engine._client.register_queue(queue, worker_concurrency=8, polling_interval_sec=0.05)
        hint(database, engine, *map(str, range(20)))
        until(lambda: done == 20)
    assert most == 2


def test_dbos_is_imported_only_by_who_queues():
    code = (
        "import sys, mediaguard.jobs.engine as jobs, mediaguard.cli.main;"
        "jobs.Engine('sqlite:///x', print); print('dbos' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


# -- several processes ------------------------------------------------------------------------


class Workers:
    """Processes that write what they do into one file."""

    def __init__(self, url: str, queue: str, path: Path) -> None:
        self._url, self._queue, self._path = url, queue, path
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, seconds: float = 0) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "tests.jobs.worker", self._url, self._queue]
        process = subprocess.Popen(
            [*command, str(self._path), str(seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._processes.append(process)
        return process

    def count(self, word: str) -> Counter[str]:
        """How often each item was begun or ended."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return Counter(line.split()[1] for line in lines if line.startswith(word))

    def kill(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def workers(url, queue, tmp_path) -> Iterator[Workers]:
    workers = Workers(url, queue, tmp_path / "done")
    yield workers
    workers.kill()


def test_two_processes_share_the_work_beside_a_writer(database, url, queue, workers):
    engine = Engine(url, print, name=queue)
    engine.prepare()
    first, second = workers.start(0.005), workers.start(0.005)
    items = [f"item-{number}" for number in range(50)]
    longest = 0.0
    for item in items:  # a transaction each: the workers write at the same time
        start = time.monotonic()
        hint(database, engine, item)
        longest = max(longest, time.monotonic() - start)
    until(lambda: len(workers.count("end")) == 50)
    assert set(workers.count("end")) == set(items)
    assert longest < 10
    for process in (first, second):
        process.send_signal(signal.SIGTERM)
    for process in (first, second):
        output, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == 0
        assert output == "", "it opened a socket"
        assert errors == ""


def test_a_killed_process_takes_with_it_only_what_it_had_in_hand(database, url, queue, workers):
    engine = Engine(url, print, name=queue)
    engine.prepare()
    items = {f"item-{number}" for number in range(24)}
    hint(database, engine, *items)
    process = workers.start(1)
    until(lambda: len(workers.count("begin")) > len(workers.count("end")) >= 4)
    process.kill()
    process.wait()

    second = workers.start()
    until(lambda: messages(database, queue)["ENQUEUED"] == 0)
    second.send_signal(signal.SIGTERM)
    assert second.wait(SECONDS) == 0
    lost = items - set(workers.count("end"))
    in_hand = messages(database, queue)["PENDING"]
    assert 0 < len(lost) <= in_hand <= 4
    # That does not come back by itself, only when our sweep hints it again.
    workers.start()
    hint(database, engine, *lost)
    until(lambda: set(workers.count("end")) == items)
    until(lambda: messages(database, queue)["SUCCESS"] == 24 - in_hand + len(lost))
    assert messages(database, queue)["PENDING"] == in_hand


# -- in our database --------------------------------------------------------------------------


def test_its_tables_are_not_ours_and_ours_stay(database, url, queue):
    with running(Engine(url, print, name=queue)):
        with database.read() as session:
            tables = inspect(session.connection())
            ours, theirs = set(tables.get_table_names()), set()
            if "dbos" in tables.get_schema_names():
                theirs = set(tables.get_table_names(schema="dbos"))
                assert ours <= OURS
            else:
                assert session.scalar(text("PRAGMA journal_mode")) == "wal"
                theirs = ours - OURS
        assert "workflow_status" in theirs
        # Database has our migrations run again, and checks the version.
        again = Database(url)
        again.migrate()
        with again.read() as session:
            assert set(Base.metadata.tables) <= set(inspect(session.connection()).get_table_names())
        again.close()
        assert not theirs & OURS


def test_the_file_is_still_nobody_elses(sqlite_url, queue):
    Database(sqlite_url).migrate()
    with running(Engine(sqlite_url, print, name=queue)):
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        for each in path.parent.glob(path.name + "*"):
            assert each.stat().st_mode & 0o077 == 0, each


def test_a_long_transaction_of_ours_stops_nobody_for_good(sqlite_url, queue, caplog):
    database = Database(sqlite_url)
    database.migrate()
    seen: list[str] = []
    with running(Engine(sqlite_url, seen.append, name=queue)) as engine:
        with database.write() as session:
            engine.hint(session, "1")
            time.sleep(1)  # longer than a few polls
        until(lambda: seen)
    assert not caplog.records


def test_finished_messages_go_after_a_day_and_abandoned_ones_after_a_week(database, url, queue):
    seen: list[str] = []
    engine = Engine(url, seen.append, name=queue)
    engine.prepare()
    now = datetime.now(UTC)
    with running(engine):
        hint(database, engine, "1", "2")
        until(lambda: messages(database, queue) == {"SUCCESS": 2})
    hint(database, engine, "waiting", "abandoned")
    with database.write() as session:
        schema = "" if url.startswith("sqlite") else "dbos."
        session.execute(
            text(
                f"UPDATE {schema}workflow_status SET status = 'PENDING', started_at_epoch_ms = :now"
                f" WHERE workflow_uuid = (SELECT workflow_uuid FROM {schema}workflow_status"
                " WHERE queue_name = :queue AND status = 'ENQUEUED' LIMIT 1)"
            ),
            {"queue": queue, "now": int(now.timestamp() * 1000)},
        )
    client = engine._client
    assert clean(client, queue, now) == 0
    assert clean(client, queue, now + timedelta(days=1, minutes=1)) == 2
    assert messages(database, queue) == {"ENQUEUED": 1, "PENDING": 1}
    assert clean(client, queue, now + timedelta(days=7, minutes=1)) == 1
    assert messages(database, queue) == {"ENQUEUED": 1}
    engine.stop(0)


def test_a_running_engine_cleans(database, url, queue, monkeypatch):
    monkeypatch.setattr("mediaguard.jobs.cleaning.KEEP", timedelta(0))
    monkeypatch.setattr("mediaguard.jobs.cleaning.EVERY_SECONDS", 0.05)
    monkeypatch.setattr("mediaguard.jobs.cleaning.BATCH", 2)
    seen: list[str] = []
    with running(Engine(url, seen.append, workers=5, name=queue)) as engine:
        hint(database, engine, *map(str, range(5)))
        until(lambda: len(seen) == 5)
        until(lambda: not messages(database, queue))


def test_a_server_that_went_away_comes_back(postgresql_url, queue, caplog):
    database = Database(postgresql_url)
    database.migrate()
    seen: list[str] = []
    with running(Engine(postgresql_url, seen.append, name=queue)) as engine:
        for item in ("1", "2"):
            with database.write() as session:
                session.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE application_name = 'mediaguard-jobs'"
                        " AND datname = current_database()"
                    )
                )
            hint(database, engine, item)
            until(lambda item=item: item in seen)
    assert len(caplog.records) < 8
    database.close()


class Trap:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._path),)


def test_a_pickled_message_is_refused(sqlite_url, queue, tmp_path):
    database = Database(sqlite_url)
    database.migrate()
    engine = Engine(sqlite_url, print, name=queue)
    engine.prepare()
    hint(database, engine, "1")
    poison = {"args": (Trap(tmp_path / "sprung"),), "kwargs": {}}
    pickled = base64.b64encode(pickle.dumps(poison)).decode()
    with database.write() as session:
        which = (
            "WHERE workflow_uuid ="
            " (SELECT workflow_uuid FROM workflow_status WHERE queue_name = :q)"
        )
        session.execute(
            text(f"UPDATE workflow_input SET inputs = :inputs {which}"),
            {"inputs": pickled, "q": queue},
        )
        session.execute(
            text(f"UPDATE workflow_status SET serialization = 'py_pickle' {which}"), {"q": queue}
        )
    with running(engine):
        until(lambda: messages(database, queue) == {"ERROR": 1})
    assert not (tmp_path / "sprung").exists()


def test_the_log_is_spared(caplog):
    from mediaguard.jobs.guards import sparing_log

    sparing_log()
    sparing_log()
    log = logging.getLogger("dbos")
    for _ in range(3):
        log.warning("the database is away")
    log.info("DBOS launched!")
    assert caplog.messages == ["the database is away"]
