"""The queue engine with jobs that do nothing: how many, how soon, and what waiting costs.

    python -m benchmarks.jobs [--poll SECONDS...]

A fresh database with our tables each time: an SQLite file, and a database on the PostgreSQL server
of MEDIAGUARD_TEST_POSTGRESQL (of a user that may create databases). Per second: so many hints in
one transaction, from its commit until the last is handled. Latency: a single hint, from its commit
until it is handled, at a random moment of an idle engine. Idle: processor time of the whole process
while there is nothing to do, as a share of one core.
"""

import argparse
import os
import random
import sqlite3
import statistics
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

import mediaguard.jobs.engine as jobs
from benchmarks.machine import describe
from mediaguard.store.database import Database

SERVER = "MEDIAGUARD_TEST_POSTGRESQL"
POLLS = (0.05, 0.1, 0.2, 0.5)  # seconds
WORKERS = (1, 2)
JOBS_SECONDS = 5  # about as long as the jobs are made to take
HINTS = 30  # for the latency
IDLE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """What one engine did."""

    per_second: float
    median: float
    p95: float
    idle: float


def measure(url: str, poll: float, workers: int) -> Row:
    """Run an engine on an empty database."""
    randomness = random.Random(2026)
    handled = threading.Semaphore(0)
    jobs.POLL_SECONDS = poll
    database = Database(url)
    database.migrate()
    engine = jobs.Engine(url, lambda _: handled.release(), workers=workers)
    engine.start()

    def seconds(hints: int) -> float:
        with database.write() as session:
            for _ in range(hints):
                engine.hint(session, uuid.uuid4().hex)
        start = time.perf_counter()
        for _ in range(hints):
            handled.acquire()
        return time.perf_counter() - start

    seconds(1)  # what is made at first use
    many = max(10, round(JOBS_SECONDS / poll) * workers)
    per_second = many / seconds(many)
    latencies = []
    for _ in range(HINTS):
        time.sleep(0.1 + randomness.uniform(0, poll))
        latencies.append(seconds(1))
    time.sleep(1)
    wall, cpu = time.perf_counter(), time.process_time()
    time.sleep(IDLE_SECONDS)
    idle = (time.process_time() - cpu) / (time.perf_counter() - wall)
    engine.stop(5)
    database.close()
    quantiles = statistics.quantiles(latencies, n=20)
    return Row(per_second, statistics.median(latencies), quantiles[-1], idle)


@contextmanager
def sqlite() -> Iterator[str]:
    """A file that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'mediaguard.db'}"


@contextmanager
def postgresql() -> Iterator[str]:
    """A database on the server that is gone afterwards."""
    server = create_engine(os.environ[SERVER], isolation_level="AUTOCOMMIT")
    name = f"mediaguard_benchmark_{uuid.uuid4().hex[:12]}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(os.environ[SERVER]).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--poll", type=float, nargs="+", default=POLLS, metavar="SECONDS")
    polls = parser.parse_args().poll

    print(f"{describe().rstrip()}, dbos {version('dbos')}, SQLite {sqlite3.sqlite_version}", end="")
    databases = {"SQLite": sqlite}
    if SERVER in os.environ:
        databases["PostgreSQL"] = postgresql
        server = create_engine(os.environ[SERVER])
        with server.connect() as connection:
            print(
                f", PostgreSQL {connection.execute(text('SHOW server_version')).scalar()}", end=""
            )
        server.dispose()
    print("\n")
    print(
        "| database | looks every | workers | jobs per second | latency median | p95 | idle CPU |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, fresh in databases.items():
        for poll in polls:
            for workers in WORKERS:
                with fresh() as url:
                    row = measure(url, poll, workers)
                print(
                    f"| {name} | {poll * 1000:.0f} ms | {workers} | {row.per_second:.1f} |"
                    f" {row.median * 1000:.0f} ms | {row.p95 * 1000:.0f} ms | {row.idle:.1%} |",
                    flush=True,
                )
    if SERVER not in os.environ:
        print(f"\nPostgreSQL was not measured: {SERVER} is not set.")


if __name__ == "__main__":
    main()
