"""What the commands about subjects and consent share."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, tzinfo
from typing import Any

import click

from mediaguard.core.consent import ConsentEvent, Ruling
from mediaguard.store.tabular import ImportRefused
from mediaguard.texts import say


@contextmanager
def import_problems(language: str) -> Iterator[None]:
    """Name every mistake in a file before the error itself is shown."""
    try:
        yield
    except ImportRefused as error:
        for problem in error.problems:
            params = {
                "line": problem.line,
                "column": problem.column,
                "problem": say(problem.code, problem.params, language),
            }
            code = "import-line" if problem.column else "import-line-whole"
            click.echo(say(code if problem.line else "import-whole", params, language), err=True)
        raise


def table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell."""
    lines = [heading, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heading))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def event_as_json(event: ConsentEvent) -> dict[str, Any]:
    """An answer as the documented JSON; dates and moments as ISO 8601."""
    return {
        "event": event.event_id,
        "subject": event.subject_id,
        "channel": event.channel,
        "purpose": event.purpose,
        "answer": event.answer,
        "signatory": event.signatory,
        "signatory_id": event.signatory_id,
        "evidence": event.evidence,
        "wording": event.wording,
        "valid_from": _iso(event.valid_from),
        "valid_until": _iso(event.valid_until),
        "recorded_at": event.recorded_at.isoformat(),
    }


def ruling_as_json(ruling: Ruling) -> dict[str, Any]:
    """A ruling as the documented JSON."""
    return {"allowed": ruling.allowed, "rule": ruling.rule, "consent_event": ruling.event_id}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def moment(at: datetime | None, zone: tzinfo) -> str:
    """A moment as people of the school read it; a dash if there is none yet."""
    return "-" if at is None else at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def print_json(value: object) -> None:
    """Write a result as JSON."""
    click.echo(json.dumps(value, indent=2))
