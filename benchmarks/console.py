"""Server time of the console's lists in a large archive, for people of several roles and groups.

    python -m benchmarks.console [--items 100000] [--subjects 5000] [--entries 300000] [--keep DIR]

Every page is asked for through the whole application, in this process, by somebody whose session is
looked up each time. On SQLite; also on the PostgreSQL server of MEDIAGUARD_TEST_POSTGRESQL (of a
user that may create databases), if it is set.
"""

import argparse
import os
import re
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import httpx
from starlette.testclient import TestClient

from benchmarks.jobs import SERVER, postgresql
from benchmarks.large_school import LargeSchool, item_id, publication_id, takedown_id
from benchmarks.machine import describe
from mediaguard.app import App
from mediaguard.core.access import Role
from mediaguard.errors import InputError
from mediaguard.web.api import make_api

LIMIT_MS = 100.0
RUNS = 12
QUERY = r"\?\w+="


@dataclass(frozen=True, slots=True)
class Page:
    """What is measured.

    Attributes:
        name: in the table.
        path: below /console.
        who: asks.
        form: is sent, if anything.
    """

    name: str
    path: str
    who: str = "officer"
    form: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Times:
    """Of a page, in seconds.

    Attributes:
        median, slowest: as somebody waits who asks from this machine.
        first: when nothing of it is in memory.
        worked: by this process, which on a busy machine is less; the median.
    """

    median: float
    slowest: float
    first: float
    worked: float


def pages(school: LargeSchool) -> list[Page]:
    """Every list with its filters, and somebody for whom each is hard."""
    middle = school.items // 2
    asked = next(n for n in range(middle, 0, -1) if n % 11 == 0 and school.shown(n))
    someone = school.subjects[7]
    found = [
        Page("inbox", "inbox", "staff-07"),
        Page("inbox, further back", "inbox?page=20", "staff-07"),
        Page("review", "review"),
        Page("review, page 40", "review?page=40"),
        Page("review, everything", "review?state=all"),
        Page("review, everything, page 2000", "review?state=all&page=2000"),
        Page("review, a channel", "review?channel=facebook"),
        Page("people", "people"),
        Page("people, page 50", "people?page=50"),
        Page("people, a class", "people?group=class-010"),
        Page("people, who may not", "people?state=denied&channel=facebook"),
        Page("people, found by name", "people/-find", form={"who": "last17"}),
        Page("a person", f"people/{someone}"),
        Page("published", "published"),
        Page("published, far back", f"published?after={publication_id(middle)}"),
        Page("published, a channel", "published?channel=newsletter"),
        Page("published, a person", f"published?subject={someone}"),
        Page("published, a person, everything", f"published?subject={someone}&state=all"),
        Page("published, to be taken down", "published?state=asked"),
        Page("published, removed, a channel", "published?state=removed&channel=facebook"),
        Page("published, no such channel", "published?state=all&channel=nothing"),
        Page("published, found by name", "published/find", form={"who": "last17"}),
        Page("a publication", f"published/{publication_id(middle)}"),
        Page("takedowns", "takedowns"),
        Page("takedowns, further", f"takedowns?which=all&after={takedown_id(asked)}"),
        Page("takedowns, overdue, a channel", "takedowns?which=overdue&channel=newsletter"),
        Page("takedowns, all", "takedowns?which=all"),
        Page("takedowns, a person", f"takedowns?which=all&subject={someone}"),
        Page("a takedown", f"takedowns/{takedown_id(asked)}"),
        Page("channels", "channels"),
        Page("audit", "audit"),
        Page("audit, far back", f"audit?after={school.entries // 2}"),
        Page("audit, a person", f"audit?subject={someone}"),
        Page("audit, an item", f"audit?item={item_id(middle)}"),
        Page("audit, an action", "audit?action=item-held"),
        Page("audit, a rare action", "audit?action=references-removed"),
        Page("audit, somebody, another's action", "audit?actor=user:rare&action=item-held"),
        Page("audit, somebody's rare action", "audit?actor=user:staff-01&action=link-made"),
        Page("audit, one day", "audit?since=2024-05-01&until=2024-05-01"),
        Page("audit, a rare action, one day", "audit?action=item-held&since=2025-05-01"),
        Page("audit, no such day", "audit?actor=user:staff-01&until=2020-01-01"),
    ]
    for who, words in (
        ("class", "staff of a class"),
        ("teams", "staff of half the school"),
        ("nobody", "staff of a group without pupils"),
    ):
        paths = ("inbox", "review", "review?state=all", "people", "published")
        more = ("published?state=all", "published?state=asked", "takedowns", "takedowns?which=all")
        found += [Page(f"{re.sub(QUERY, ', ', path)}: {words}", path, who) for path in paths + more]
    return found


class Visitors:
    """People who are signed in."""

    def __init__(self, app: App) -> None:
        self._clients: dict[str, tuple[TestClient, str]] = {}
        api = make_api(app)
        for user, role, groups in (
            ("officer", Role.OFFICER, ()),
            ("staff-07", Role.STAFF, ()),
            ("class", Role.STAFF, ("class-010",)),
            ("teams", Role.STAFF, tuple(f"team-{number:02}" for number in range(5))),
            ("nobody", Role.STAFF, ("nobody-in-it",)),
        ):
            with suppress(InputError):  # a home that is used again knows them
                app.users.add(user, roles={role}, groups=groups, language="en")
            with app.database.write() as session:
                token = app.sessions.open(session, user, browser="-", second_factor=True)
            client = TestClient(api, base_url="http://127.0.0.1", client=("127.0.0.1", 50000))
            client.cookies.set("mediaguard", token, domain="127.0.0.1", path="/console")
            self._clients[user] = client, app.sessions.form_token(token)

    def ask(self, page: Page) -> httpx.Response:
        """Open a page."""
        client, token = self._clients[page.who]
        path = f"/console/{page.path}"
        if page.form is None:
            return client.get(path, follow_redirects=False)
        return client.post(path, data={"token": token, **page.form}, follow_redirects=False)

    def times(self, page: Page) -> Times:
        """How long it takes, again and again."""
        found = []
        for _ in range(RUNS + 1):
            began, worked = time.perf_counter(), time.process_time()
            answer = self.ask(page)
            found.append((time.perf_counter() - began, time.process_time() - worked))
            assert answer.status_code in (200, 303), (page.path, answer.status_code, answer.text)
        first, *rest = found
        return Times(
            median=statistics.median(wall for wall, _ in rest),
            slowest=max(wall for wall, _ in rest),
            first=first[0],
            worked=statistics.median(work for _, work in rest),
        )


def measure(school: LargeSchool, home: Path, database: str | None) -> dict[str, Times]:
    """The times of every page, by its name."""
    app = App(home) if (home / "made").exists() else school.make(home, database)
    (home / "made").touch()
    visitors = Visitors(app)
    visitors.ask(Page("", "channels"))  # what is loaded at first use
    found = {page.name: visitors.times(page) for page in pages(school)}
    app.database.close()
    return found


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--subjects", type=int, default=5_000)
    parser.add_argument("--entries", type=int, default=300_000)
    parser.add_argument("--keep", type=Path, help="An SQLite home to make, or to use again.")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    school = LargeSchool(options.subjects, options.items, options.entries)
    with tempfile.TemporaryDirectory() as folder:
        results = {"SQLite": measure(school, options.keep or Path(folder) / "sqlite", None)}
        if SERVER in os.environ:
            with postgresql() as url:
                results["PostgreSQL"] = measure(school, Path(folder) / "postgresql", url)
    print(f"{describe()}\n{options.subjects} subjects, {options.items} items and publications,")
    print(f"{options.entries} entries of the audit log; {RUNS} times each, in milliseconds;")
    print(f"{load:.1f} processes wanted the processor before\n")
    columns = [field.name for field in fields(Times)]
    names = [f"{name} {column}" for name in results for column in columns]
    print(f"| page | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    slow = []
    for page in pages(school):
        times = [found[page.name] for found in results.values()]
        cells = [getattr(one, column) for one in times for column in columns]
        slow += [page.name] if any(one.median * 1000 >= LIMIT_MS for one in times) else []
        print(f"| {page.name} | {' | '.join(f'{cell * 1000:.0f}' for cell in cells)} |")
    print(f"\n{LIMIT_MS:.0f} ms or more: {', '.join(slow) or 'none'}")
    if SERVER not in os.environ:
        print(f"\nPostgreSQL was not measured: {SERVER} is not set.")


if __name__ == "__main__":
    main()
