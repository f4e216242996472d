"""From a withdrawal to the proof that everything is gone: how long, in how large an archive.

    python -m benchmarks.takedown [--publications 1000000] [--appearances 10000] [--files 1000]

On SQLite, and on PostgreSQL in databases of its own on the server of MEDIAGUARD_TEST_POSTGRESQL
(of a user that may create databases; by default one on this machine).

Planning: an archive of so many publications, and one of a tenth of them, of 5,000 pupils on three
channels, three pupils in each on average; one pupil has `--appearances` publications spread over
the whole archive, and resembles a face in a tenth as many; a few have ten. All records are real,
the pictures are not there, and nobody carries out what is asked for. Each part is a process of its
own, which is given up after five minutes. `--explain` prints how the database finds the rows.

Carrying out: `--files` publications of one pupil in a folder channel, with their files, in an
archive of their own, withdrawn at once. Counted from the return of the withdrawal until the last
is confirmed gone. Until half of them are, others withdraw too, one a second.

Soon: one publication each of 20 pupils, withdrawn at a random moment of one idle worker; from the
return of the withdrawal until the file is gone.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import re
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, make_url, select, text, update
from sqlalchemy.exc import OperationalError

from benchmarks.jobs import SERVER, postgresql, sqlite
from benchmarks.machine import describe
from mediaguard.app import App
from mediaguard.config import FILE_NAME
from mediaguard.core.consent import MATCHING
from mediaguard.escalation import Escalation
from mediaguard.published import Published
from mediaguard.resources import resource as packaged
from mediaguard.store.keys import Keyring
from mediaguard.store.schedule import Schedule
from mediaguard.store.tables import TakedownRow
from mediaguard.work import Worker

DEFAULT_SERVER = "postgresql+psycopg://127.0.0.1:5432/test"  # as the tests
CHANNEL = "website-public"
CHANNELS = {  # share of the publications, share of the pupils who consent
    CHANNEL: (0.7, 1.0),
    "website-protected": (0.2, 0.5),
    "facebook": (0.1, 0.25),
}
SUBJECTS = 5000
OFTEN, SELDOM, SINGLE, PROBE = "S-often", "S-seldom", "S-single", "S-probe"
SELDOM_APPEARANCES = 10
SELDOM_SUBJECTS = 6  # the first one warms up
SWEEPS = 20
SINGLES = 20
BATCH = 50_000
FILE_BYTES = 100_000
WORKERS = (1, 2)
PATIENCE = 1800.0  # seconds until everything should have been carried out
LONGEST = 300.0  # seconds that a part of the planning may take
INDEX = "ix_appearances_subject_id"
WHOLE = re.compile(r"Seq Scan on (\w+)|\bSCAN (\w+)(?! USING)")
"""How a plan says that it reads a whole table: PostgreSQL's and SQLite's words."""

Insert = Callable[[str, str, Sequence[Sequence[Any]]], None]
"""Takes a table, its columns with spaces between them, and the rows."""


class Later(App):
    """The same home two hours later."""

    @staticmethod
    def now() -> datetime:
        """Then."""
        return App.now() + timedelta(hours=2)


# -- a home and its archive -----------------------------------------------------------------


def make_home(home: Path, url: str) -> App:
    """A home whose records are in an empty database."""
    home.mkdir()
    template = packaged("config", FILE_NAME).read_text(encoding="utf-8")
    (home / FILE_NAME).write_text(f'database = "{url}"\n{template}', encoding="utf-8")
    Keyring.create(home / "keys" / "master.key")
    app = App(home)
    app.create()
    app.database.close()
    return app


@contextmanager
def bulk(url: str) -> Iterator[Insert]:
    """Inserts many rows with plain SQL; keys to other tables are checked at the end."""
    if make_url(url).get_backend_name() == "sqlite":
        with _bulk_sqlite(str(make_url(url).database)) as insert:
            yield insert
    else:
        with _bulk_postgresql(url) as insert:
            yield insert


@contextmanager
def _bulk_sqlite(path: str) -> Iterator[Insert]:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        " AND tbl_name IN ('items', 'publications', 'appearances')"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")

    def insert(table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
        names = columns.split()
        places = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})", rows)

    yield insert
    for _, sql in indexes:
        connection.execute(sql)
    assert not connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.execute("COMMIT")
    connection.close()


@contextmanager
def _bulk_postgresql(url: str) -> Iterator[Insert]:
    import psycopg

    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        keys = connection.execute(
            "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid IN ('publications'::regclass,"
            " 'appearances'::regclass, 'likenesses'::regclass)"
        ).fetchall()
        for table, name, _ in keys:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

        def insert(table: str, columns: str, rows: Sequence[Sequence[Any]]) -> None:
            names = ", ".join(columns.split())
            with connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as to:
                for row in rows:
                    to.write_row(row)

        yield insert
        for table, name, definition in keys:
            connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")  # the server does that by itself, a little later


def insert_subjects(insert: Insert, consents: dict[str, Sequence[str]]) -> None:
    """Pupils, with the channels that each of them agreed to."""
    at = _moment(0)
    insert("subjects", "subject_id kind created_at", [(s, "student", at) for s in consents])
    insert(
        "consent_events",
        "subject_id channel purpose answer signatory evidence recorded_at",
        [
            (subject, channel, purpose, "granted", "guardian", "FORM-1", at)
            for subject, channels in consents.items()
            for channel, purpose in [(MATCHING, MATCHING), *((c, "publicity") for c in channels)]
        ],
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """A publication to be inserted."""

    number: int
    item: str
    key: str
    channel: str
    subjects: Sequence[str]
    place: str
    sha256: str
    like: str | None = None


def insert_publications(insert: Insert, shown: Sequence[Shown]) -> None:
    """What is live, with its items and who is in it."""
    insert(
        "items",
        "id channel source_digest kind state outcome rendition_sha256 verified attempts failures"
        " created_at updated_at",
        [
            (p.item, p.channel, p.item, "photo", "released", "release", p.sha256, True, 1, 0)
            + (_moment(p.number),) * 2
            for p in shown
        ],
    )
    insert(
        "publications",
        "id item_id channel state rendition_sha256 remote_id urls consent_events intended_at"
        " confirmed_at",
        [
            (p.key, p.item, p.channel, "live", p.sha256, "", json.dumps([p.place]), "[1]")
            + (_moment(p.number),) * 2
            for p in shown
        ],
    )
    insert(
        "appearances",
        "publication_id subject_id",
        [(p.key, subject) for p in shown for subject in p.subjects],
    )
    insert(
        "likenesses",
        "publication_id subject_id shown_as distance",
        [(p.key, p.like, p.subjects[0], 0.44) for p in shown if p.like],
    )


def _moment(minutes: int) -> str:
    return f"{datetime(2023, 9, 1, tzinfo=UTC) + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S.%f}"


def fill(home: Path, url: str, publications: int, appearances: int) -> float:
    """Make a home with a large archive; returns how many pupils a publication shows on average."""
    app = make_home(home, url)
    randomness = random.Random(2026)
    many = [f"S-{number:05}" for number in range(SUBJECTS)]
    agreed = {channel: many[: round(share * SUBJECTS)] for channel, (_, share) in CHANNELS.items()}
    consents: dict[str, Sequence[str]] = {
        subject: [channel for channel, who in agreed.items() if number < len(who)]
        for number, subject in enumerate(many)
    }
    few = [f"{SELDOM}-{number}" for number in range(SELDOM_SUBJECTS)]
    for subject in (OFTEN, *few):
        consents[subject] = [CHANNEL]
    alike = {*_spread(publications, appearances // 10, 1)}
    special: dict[int, list[str]] = {n: [OFTEN] for n in _spread(publications, appearances, 0)}
    for which, subject in enumerate(few):
        for number in _spread(publications, SELDOM_APPEARANCES, 2 + which):
            special.setdefault(number, []).append(subject)
    shares = [share for share, _ in CHANNELS.values()]
    total = 0
    with bulk(url) as insert:
        insert_subjects(insert, consents)
        for start in range(0, publications, BATCH):
            batch = []
            for number in range(start, min(start + BATCH, publications)):
                who = special.get(number, [])
                (channel,) = randomness.choices([*CHANNELS], shares)
                channel = CHANNEL if who or number in alike else channel
                who = [*who, *randomness.sample(agreed[channel], randomness.choice((2, 3, 4)))]
                item, key = randomness.randbytes(8).hex(), randomness.randbytes(16).hex()
                place = str(app.ready(channel) / f"{item}.jpg")
                like = OFTEN if number in alike else None
                batch.append(Shown(number, item, key, channel, who, place, key * 2, like))
                total += len(who)
            insert_publications(insert, batch)
    return total / publications


def _spread(publications: int, count: int, first: int) -> list[int]:
    """So many numbers of publications, evenly over the archive."""
    return [first + number * publications // count for number in range(count)]


# -- planning -------------------------------------------------------------------------------


@dataclass(slots=True)
class Part:
    """What one process measured: seconds, MiB, counts and query plans, by name."""

    values: dict[str, float] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)

    def timed(self, name: str, work: Callable[[], Any]) -> Any:
        """Do something once."""
        start = time.perf_counter()
        result = work()
        self.values[name] = time.perf_counter() - start
        return result


def idle(home: Path) -> Part:
    """What a worker does every second, here while nothing is to do."""
    app, part = App(home), Part()
    schedule = Schedule(app.database, app.now)
    with _plans(part, app, "sweep, nothing due"):
        _sweep(schedule)
    part.values["sweep nothing"] = _median(SWEEPS, lambda _: _sweep(schedule))
    return part


def daily(home: Path, name: str) -> Part:
    """What a worker does when it starts and once a day, here while nothing has ended."""
    app, part = App(home), Part()
    app.desk.rulings([OFTEN])  # what is made at first use
    with _plans(part, app, name):
        ended = part.timed(name, app.desk.take_down_ended)
    assert ended == 0, ended
    return part


def withdrawals(home: Path) -> Part:
    """The withdrawals of the pupils with few publications, then of the one with many."""
    app, part = App(home), Part()

    def withdraw(subject: str) -> Any:
        return app.desk.withdraw(subject, CHANNEL)

    withdraw(f"{SELDOM}-0")
    part.values["few"] = _median(
        SELDOM_SUBJECTS - 1, lambda number: withdraw(f"{SELDOM}-{number + 1}")
    )
    part.values["memory before"] = _peak()
    with _plans(part, app, "withdrawal"):
        done = part.timed("many", lambda: withdraw(OFTEN))
    part.values["memory"] = _peak()
    part.values["takedowns"], part.values["questions"] = len(done.takedowns), done.questions
    return part


def overdue(home: Path) -> Part:
    """`mediaguard takedown list --overdue` while very much is."""
    later, part = Later(home), Part()
    later.desk.rulings([OFTEN])
    with _plans(part, later, "overdue"):
        part.timed("overdue", lambda: Published(later).takedowns(overdue=True))
    part.values["overdue memory"] = _peak()
    return part


def telling(home: Path) -> Part:
    """What a worker does twice a minute while very much is overdue: keep a note, and tell."""
    later, part = Later(home), Part()
    later.desk.rulings([OFTEN])
    part.values["told"] = part.timed("tell", Escalation(later).run)
    part.timed("tell again", Escalation(later).run)
    part.values["tell memory"] = _peak()
    return part


def busy(home: Path) -> Part:
    """What a worker does every second while very much is open."""
    app, part = App(home), Part()
    schedule = Schedule(app.database, app.now)
    app.desk.rulings([OFTEN])
    with app.database.write() as session:
        waiting = update(TakedownRow).values(next_attempt_at=app.now() + timedelta(hours=1))
        session.execute(waiting)
    part.values["sweep waiting"] = _median(SWEEPS, lambda _: _sweep(schedule))
    with app.database.write() as session:
        session.execute(update(TakedownRow).values(next_attempt_at=app.now()))
    with _plans(part, app, "sweep, much due"):
        part.values["hints"] = part.timed("sweep due", lambda: _sweep(schedule))
    part.values["sweep full"] = _median(SWEEPS, lambda _: _sweep(schedule))
    return part


def _sweep(schedule: Schedule) -> int:
    return schedule.sweep(lambda _, __: None)


def _median(times: int, work: Callable[[int], Any]) -> float:
    seconds = []
    for number in range(times):
        start = time.perf_counter()
        work(number)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _peak() -> float:
    """The most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def _plans(part: Part, app: App, name: str) -> Iterator[None]:
    """Note how the database carries out the queries of what is done inside."""
    seen: dict[str, Any] = {}

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if statement.startswith("SELECT"):
            seen.setdefault(statement, parameters)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    with app.database.read() as session:
        connection = session.connection()
        lite = connection.dialect.name == "sqlite"
        for statement, parameters in seen.items():
            if "FROM " not in statement or "pg_" in statement or "sqlite_" in statement:
                continue
            rows = connection.exec_driver_sql(
                f"EXPLAIN {'QUERY PLAN ' if lite else ''}{statement}", parameters
            )
            plan = "\n".join(row[-1] for row in rows)
            source = " ".join(statement[statement.index("FROM ") :].split())
            part.plans[f"{name}: {source[:400]}"] = plan


def in_new_process(seconds: float, work: Callable[..., Any], *arguments: Any) -> Any:
    """Its result, None if it takes longer; its memory is not counted to ours nor ours to it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        try:
            return pool.apply_async(work, arguments).get(seconds)
        except multiprocessing.TimeoutError:
            return None


def plan_in(url: str, home: Path, publications: int, appearances: int) -> Part:
    """Everything about planning in one archive."""
    whole = Part()
    whole.values["average"] = in_new_process(PATIENCE, fill, home, url, publications, appearances)
    for measure in (
        idle,
        partial(daily, name="daily"),
        withdrawals,
        partial(daily, name="daily again"),
        overdue,
        telling,
        busy,
    ):
        part = in_new_process(LONGEST, measure, home)
        if part is not None:
            whole.values |= part.values
            whole.plans |= part.plans
    return whole


def _rows(appearances: int) -> list[tuple[str, Callable[[Part], str]]]:
    def seconds(name: str) -> Callable[[Part], str]:
        return lambda part: _seconds(part.values.get(name))

    def mebibytes(*names: str) -> Callable[[Part], str]:
        return lambda part: " → ".join(
            f"{part.values[name]:.0f} MiB" if name in part.values else "?" for name in names
        )

    return [
        (f"withdrawal, {SELDOM_APPEARANCES} publications", seconds("few")),
        (f"withdrawal, {appearances:,} publications", seconds("many")),
        ("its memory: before, at its peak", mebibytes("memory before", "memory")),
        ("it finds them by the index of appearances", _index),
        ("sweep, nothing to do", seconds("sweep nothing")),
        (f"sweep, {appearances:,} waiting for their next try", seconds("sweep waiting")),
        (f"sweep, {appearances:,} due", seconds("sweep due")),
        ("sweep, as many hints under way as there may be", seconds("sweep full")),
        ("daily look for what ended, nothing", seconds("daily")),
        ("the same after the withdrawals", seconds("daily again")),
        (f"list of {appearances:,} overdue", seconds("overdue")),
        ("its memory at the peak", mebibytes("overdue memory")),
        (f"telling staff of {appearances:,} overdue", seconds("tell")),
        ("keeping the note of them", seconds("tell again")),
        ("memory of both at the peak", mebibytes("tell memory")),
    ]


def _index(part: Part) -> str:
    plans = [
        plan
        for name, plan in part.plans.items()
        if name.startswith("withdrawal: ") and "appearances" in name
    ]
    if not plans:
        return "?"
    plan = "\n".join(plans)
    whole = [name for found in WHOLE.findall(plan) for name in found if name]
    used = "yes" if INDEX in plan else "no"
    return used + (f", reads all of {', '.join(whole)}" if whole else "")


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return f"over {LONGEST:.0f} s"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


# -- carrying out ---------------------------------------------------------------------------


def fill_with_files(home: Path, url: str, files: int) -> App:
    """A home whose publications are files: many of one pupil, and one each of some others."""
    app = make_home(home, url)
    randomness = random.Random(2026)
    singles = [f"{SINGLE}-{number}" for number in range(SINGLES)]
    shown = []
    for number, subject in enumerate([*[OFTEN] * files, PROBE, *singles]):
        content = randomness.randbytes(FILE_BYTES)
        item, key = randomness.randbytes(8).hex(), randomness.randbytes(16).hex()
        place = app.ready(CHANNEL) / f"{item}.jpg"
        place.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        shown.append(Shown(number, item, key, CHANNEL, [subject], str(place), sha256))
    with bulk(url) as insert:
        insert_subjects(insert, {subject: [CHANNEL] for subject in (OFTEN, PROBE, *singles)})
        insert_publications(insert, shown)
    return app


@contextmanager
def workers(app: App, count: int) -> Iterator[None]:
    """So many `mediaguard work`, ready."""
    call = "from mediaguard.cli.main import main; main()"
    command = [sys.executable, "-c", call, "--home", str(app.home), "work"]
    running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(count)]
    try:
        _gone(app, PROBE)
        time.sleep(5)  # the other one is ready too
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


@dataclass(slots=True)
class Run:
    """How takedowns were carried out.

    Attributes:
        takedowns: how many.
        seconds: until the last was confirmed.
        half: seconds until half of the first withdrawal was.
        others: seconds that each of some withdrawals took meanwhile.
    """

    takedowns: int
    seconds: float = 0.0
    half: float | None = None
    others: list[float] = field(default_factory=list)

    @property
    def row(self) -> str:
        """The cells of the table."""
        half = f"{self.half:.1f} s" if self.half else ""
        longest = f"{max(self.others):.2f} s" if self.others else ""
        rate = self.takedowns / self.seconds
        return f"{self.takedowns} | {half} | {self.seconds:.1f} s | {rate:.1f} | {longest}"


def drained(app: App) -> Run:
    """One process does nothing else, without the job engine."""
    run = Run(len(app.desk.withdraw(OFTEN, CHANNEL).takedowns))
    start = time.perf_counter()
    Worker(app, print).drain()
    run.seconds = time.perf_counter() - start
    assert _open(app) == 0
    return run


def worked(app: App) -> Run:
    """The workers that run do it; now and then somebody else withdraws."""
    run = Run(len(app.desk.withdraw(OFTEN, CHANNEL).takedowns))
    half, start = run.takedowns / 2, time.perf_counter()
    while left := _open(app):
        run.seconds = time.perf_counter() - start
        if run.half is None and left <= half:
            run.half = run.seconds
        if run.seconds > PATIENCE:
            raise SystemExit(f"{left} takedowns are left after {PATIENCE:.0f} s")
        if run.half is None and len(run.others) < min(SINGLES, run.seconds):  # one a second
            before = time.perf_counter()
            app.desk.withdraw(f"{SINGLE}-{len(run.others)}", CHANNEL)
            run.others.append(time.perf_counter() - before)
            run.takedowns, half = run.takedowns + 1, half + 1
        time.sleep(0.1)
    run.seconds = time.perf_counter() - start
    return run


def _gone(app: App, subject: str) -> float:
    """Seconds from a withdrawal until the only file of a pupil is gone."""
    (asked,) = app.desk.withdraw(subject, CHANNEL).takedowns
    start = time.perf_counter()
    place = Path(asked.urls[0])
    while place.exists():
        if time.perf_counter() - start > PATIENCE:
            raise SystemExit(f"{place} is still there after {PATIENCE:.0f} s")
        time.sleep(0.002)
    return time.perf_counter() - start


def singly(app: App) -> list[float]:
    """Seconds until the file of each of some pupils was gone, the worker being idle before."""
    randomness = random.Random(2026)
    taken = []
    for number in range(SINGLES):
        while _open(app):
            time.sleep(0.05)
        time.sleep(randomness.uniform(0.5, 2))
        taken.append(_gone(app, f"{SINGLE}-{number}"))
    return taken


def _open(app: App) -> int:
    with app.database.read() as session:
        query = select(func.count()).where(TakedownRow.state != "confirmed")
        return session.scalar(query) or 0


# -- the tables -----------------------------------------------------------------------------


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "home"


def planning(
    databases: dict[str, Callable[..., Any]], sizes: Sequence[int], often: int, explain: bool
) -> None:
    """Measure and print the first table."""
    columns: dict[str, Part] = {}
    for name, fresh in databases.items():
        for size in sizes:
            with fresh() as url, _home() as home:
                part = plan_in(url, home, size, often)
            columns[f"{name}, {size:,} publications"] = part
            counted = part.values
            print(
                f"{name}, {size:,} publications: {counted['average']:.1f} pupils in each,"
                f" {counted.get('takedowns', 0):.0f} takedowns and"
                f" {counted.get('questions', 0):.0f} questions asked for at once,"
                f" {counted.get('told', 0):.0f} told, {counted.get('hints', 0):.0f} hints given",
                flush=True,
            )
            if explain:
                for what, plan in part.plans.items():
                    print(f"\n{what}\n    " + plan.replace("\n", "\n    "))
    print("\n| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for label, cell in _rows(often):
        print(f"| {label} | " + " | ".join(map(cell, columns.values())) + " |")


def carrying_out(databases: dict[str, Callable[..., Any]], files: int) -> None:
    """Measure and print the other two tables."""
    print(
        "\n| database | by | takedowns | half confirmed | all confirmed | per second"
        " | another withdrawal meanwhile, longest |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, fresh in databases.items():
        with fresh() as url, _home() as home:
            app = fill_with_files(home, url, files)
            print(f"| {name} | one process, no engine | {drained(app).row} |", flush=True)
            app.database.close()
        for count in WORKERS:
            with fresh() as url, _home() as home:
                app = fill_with_files(home, url, files)
                with workers(app, count):
                    run = worked(app)
                app.database.close()
            print(f"| {name} | {count} `mediaguard work` | {run.row} |", flush=True)
    print("\n| database | withdrawals | file gone after, median | longest |")
    print("|---|---|---|---|")
    for name, fresh in databases.items():
        with fresh() as url, _home() as home:
            app = fill_with_files(home, url, 0)
            with workers(app, 1):
                taken = singly(app)
            app.database.close()
        median = statistics.median(taken)
        print(f"| {name} | {SINGLES} | {median:.2f} s | {max(taken):.2f} s |", flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--publications", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--appearances", type=int, default=10_000, metavar="N")
    parser.add_argument("--files", type=int, default=1000, metavar="N")
    parser.add_argument("--only", choices=("planning", "carrying-out"))
    parser.add_argument("--explain", action="store_true", help="print the query plans too")
    arguments = parser.parse_args()
    sizes = (arguments.publications // 10, arguments.publications)
    if not 100 <= arguments.appearances <= sizes[0]:
        parser.error("--appearances: from 100 to a tenth of --publications")

    databases: dict[str, Callable[..., Any]] = {"SQLite": sqlite}
    software = f"dbos {version('dbos')}, SQLite {sqlite3.sqlite_version}"
    os.environ.setdefault(SERVER, DEFAULT_SERVER)
    server = create_engine(os.environ[SERVER])
    missing = None
    try:
        with server.connect() as connection:
            found = connection.execute(text("SHOW server_version")).scalar()
    except OperationalError as error:
        missing = f"PostgreSQL was not measured ({SERVER} names no server): {error.orig}"
    else:
        databases["PostgreSQL"] = postgresql
        software += f", PostgreSQL {found}"
    server.dispose()
    print(f"{describe().rstrip()}, {software}\n", flush=True)
    if arguments.only != "carrying-out":
        planning(databases, sizes, arguments.appearances, arguments.explain)
    if arguments.only != "planning":
        carrying_out(databases, arguments.files)
    if missing:
        print(f"\n{missing}")


if __name__ == "__main__":
    main()
