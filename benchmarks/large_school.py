"""A home with a large archive: 5,000 subjects, 100,000 items and publications, 300,000 log entries.

Nobody in it exists. Rows are written as the program writes them, but many at once.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import DeclarativeBase

from mediaguard.app import App
from mediaguard.config import FILE_NAME
from mediaguard.store.tables import (
    AppearanceRow,
    AuditRow,
    ConsentEventRow,
    ItemRow,
    PublicationRow,
    SubjectGroupRow,
    SubjectRow,
    TakedownRow,
)

CHANNELS = ("website-public", "website-protected", "facebook", "newsletter")
CLASS_SIZE, TEAM = 25, 500
START = datetime(2023, 8, 1, tzinfo=UTC)
DAYS = 1200
AT_ONCE = 2000

Rows = Iterable[Mapping[str, Any]]


class LargeSchool:
    """Its rows.

    Args:
        subjects: how many.
        items: how many; about as many publications.
        entries: of the audit log.
    """

    def __init__(self, subjects: int, items: int, entries: int) -> None:
        self.subjects = [f"S-{number:05}" for number in range(subjects)]
        self.items = items
        self.entries = entries
        self.span = timedelta(days=DAYS) / items

    def make(self, home: Path, database: str | None = None) -> App:
        """The home, with everything in it."""
        app = App(home)
        app.create()
        path = home / FILE_NAME
        settings = 'names = "names.csv"\n'
        if database is not None:
            settings += f'database = "{database}"\n'
        path.write_text(settings + path.read_text())
        names = [f"{one},First{n},van Last{n % 900}" for n, one in enumerate(self.subjects)]
        (home / "names.csv").write_text("\n".join(["subject_id,first_name,last_name", *names, ""]))
        app.database.close()
        app = App(home)
        app.database.migrate()
        for table, rows in (
            (SubjectRow, self._subjects()),
            (SubjectGroupRow, self._groups()),
            (ConsentEventRow, self._events()),
            (ItemRow, self._items()),
            (PublicationRow, self._publications()),
            (AppearanceRow, self._appearances()),
            (TakedownRow, self._takedowns()),
            (AuditRow, self._entries()),
        ):
            _write(app, table, rows)
        if database is not None:
            with app.database.write() as session:  # the server does so by itself, a little later
                session.execute(text("ANALYZE"))
        return app

    def groups_of(self, number: int) -> list[str]:
        """The class and the team of a subject."""
        return [f"class-{number // CLASS_SIZE:03}", f"team-{number // TEAM:02}"]

    def at(self, number: int) -> datetime:
        """When an item came."""
        return START + number * self.span

    def shown(self, number: int) -> list[int]:
        """Who can be recognised in an item: nobody to four, of one class mostly."""
        randomness = random.Random(number)
        first = randomness.randrange(len(self.subjects))
        own = range(first - first % CLASS_SIZE, first - first % CLASS_SIZE + CLASS_SIZE)
        there = [one for one in own if one < len(self.subjects)]
        return sorted(randomness.sample(there, min(number % 5, len(there))))

    def state(self, number: int) -> str:
        """Of an item: most are published."""
        return {0: "held", 1: "blocked", 2: "rejected"}.get(number % 40, "released")

    # -- rows -------------------------------------------------------------------------------

    def _subjects(self) -> Rows:
        for one in self.subjects:
            yield {"subject_id": one, "kind": "student", "born": None, "created_at": START}

    def _groups(self) -> Rows:
        for number, one in enumerate(self.subjects):
            for group in self.groups_of(number):
                yield {"subject_id": one, "group_name": group}

    def _events(self) -> Rows:
        for number, one in enumerate(self.subjects):
            for nth, channel in enumerate((*CHANNELS, "matching")):
                yield {
                    "subject_id": one,
                    "channel": channel,
                    "purpose": "matching" if channel == "matching" else "publicity",
                    "answer": "refused" if (number + nth) % 7 == 0 else "granted",
                    "signatory": "guardian",
                    "signatory_id": None,
                    "evidence": f"FORM-{number}",
                    "wording": "2023-1",
                    "valid_from": None,
                    "valid_until": None,
                    "recorded_at": START + timedelta(seconds=number),
                }

    def _items(self) -> Rows:
        for number in range(self.items):
            shown, state = self.shown(number), self.state(number)
            goes_out = state == "released"
            yield {
                "id": _id("item", number)[:16],
                "channel": CHANNELS[number % 10 % 4],
                "source_digest": _id("source", number),
                "kind": "video" if number % 50 == 7 else "photo",
                "state": state,
                "outcome": "redact" if goes_out else "hold" if state == "held" else "block",
                "reason": "some-redacted" if goes_out else "channel-holds",
                "reason_params": {},
                "report": {"faces": [_face(self.subjects[one]) for one in shown]},
                "rendition_name": f"{_id('item', number)[:16]}.jpg" if goes_out else None,
                "rendition_sha256": _id("rendition", number) * 2 if goes_out else None,
                "verified": goes_out,
                "named": [],
                "approved": False,
                "groups": [self.groups_of(shown[0])[0]] if shown and number % 2 else [],
                "brought_by": f"user:staff-{number % 60:02}",
                "attempts": 1,
                "next_attempt_at": None,
                "failures": 0,
                "created_at": self.at(number),
                "updated_at": self.at(number),
            }

    def _publications(self) -> Rows:
        for number in range(self.items):
            asked = self._asked(number)
            gone = asked == "confirmed" or number % 9 == 0
            yield {
                "id": _id("publication", number),
                "item_id": _id("item", number)[:16],
                "channel": CHANNELS[number % 10 % 4],
                "state": "removed" if gone else "live",
                "rendition_sha256": _id("rendition", number) * 2,
                "remote_id": None,
                "urls": [f"https://school.example/media/{number}.jpg"],
                "consent_events": [one * 5 + 1 for one in self.shown(number)],
                "policy_hash": None,
                "intended_at": self.at(number),
                "confirmed_at": self.at(number) + timedelta(seconds=2),
                "removed_at": self.at(number) + timedelta(days=30) if gone else None,
            }

    def _appearances(self) -> Rows:
        for number in range(self.items):
            for one in self.shown(number):
                yield {
                    "publication_id": _id("publication", number),
                    "subject_id": self.subjects[one],
                }

    def _asked(self, number: int) -> str | None:
        """State of the takedown of every eleventh publication; one in eight of them is open."""
        if number % 11 or not self.shown(number):
            return None
        open_one = "requested" if number % 3 else "removed"
        return {0: open_one, 1: "unrecallable"}.get(number // 11 % 8, "confirmed")

    def _takedowns(self) -> Rows:
        for number in range(self.items):
            state = self._asked(number)
            if state is None:
                continue
            is_open = state in ("requested", "removed")
            asked_at = self.at(number) + timedelta(days=20)
            yield {
                "id": _id("takedown", number),
                "publication_id": _id("publication", number),
                "item_id": _id("item", number)[:16],
                "channel": CHANNELS[number % 10 % 4],
                "subject_id": self.subjects[self.shown(number)[0]],
                "reason": "consent-withdrawn",
                "consent_event": None,
                "action": "remove",
                "state": state,
                "requested_at": asked_at,
                "removed_at": None if state == "requested" else asked_at,
                "confirmed_at": asked_at if state == "confirmed" else None,
                "next_attempt_at": datetime(2100, 1, 1, tzinfo=UTC) if is_open else None,
                "failures": 3 if is_open else 0,
                "problem": "channel-unreachable" if is_open else None,
                "problem_params": {"host": "school.example", "detail": "timed out"},
                "looks": [],
                "escalations": 0,
                "escalated_at": None,
            }

    def _entries(self) -> Rows:
        actions = ("publication-intended", "publication-live", "item-held", "review-seen")
        for number in range(1, self.entries + 1):
            rare = number % 5000 == 0
            item = number % self.items
            shown = self.shown(item)
            yield {
                "sequence": number,
                "at": START + number * timedelta(days=DAYS) / self.entries,
                "actor": "user:rare" if rare else f"user:staff-{number % 60:02}",
                "action": "references-removed" if rare else actions[number % 4],
                "subject_id": self.subjects[shown[0]] if shown and number % 3 == 0 else None,
                "item_id": _id("item", item)[:16],
                "data": json.dumps({"publication": _id("publication", item)}),
                "previous": "0" * 64,
                "digest": f"{number:064x}",
            }


def publication_id(number: int) -> str:
    """Of the so-manieth publication."""
    return _id("publication", number)


def takedown_id(number: int) -> str:
    """Of the takedown of the so-manieth publication."""
    return _id("takedown", number)


def item_id(number: int) -> str:
    """Of the so-manieth item."""
    return _id("item", number)[:16]


def _id(kind: str, number: int) -> str:
    return hashlib.sha256(f"{kind}-{number}".encode()).hexdigest()[:32]


def _face(subject: str) -> dict[str, object]:
    """A face as a report tells it."""
    return {
        "box": [112, 377, 89, 104],
        "frames": None,
        "subject": subject,
        "distance": 0.2446,
        "margin": 0.1474,
        "action": "keep",
        "rule": "consent-granted",
        "consent_event": 1,
        "score": 0.8826,
        "candidates": [{"subject": subject, "distance": 0.2446}] * 3,
    }


def _write(app: App, table: type[DeclarativeBase], rows: Rows) -> None:
    for chunk in _batches(rows):
        with app.database.write() as session:
            session.execute(insert(table), chunk)


def _batches(rows: Rows) -> Iterator[list[Mapping[str, Any]]]:
    left = iter(rows)
    while chunk := list(islice(left, AT_ONCE)):
        yield chunk
