"""`mediaguard consent show`, `import` and `export`."""

import csv
import io
from pathlib import Path
from typing import Any

import click

from mediaguard.app import App
from mediaguard.cells import harmless
from mediaguard.cli import options
from mediaguard.cli.output import (
    event_as_json,
    import_problems,
    print_json,
    ruling_as_json,
    table,
)
from mediaguard.core.consent import ConsentEvent, Ruling
from mediaguard.errors import InputError
from mediaguard.resources import mappings
from mediaguard.store.importing import Change, What
from mediaguard.store.ledger import Ledger
from mediaguard.texts import say


@click.command()
@click.argument("subject_id", metavar="[SUBJECT]", required=False)
@click.option("--channel", "-c", "channel_name", metavar="CHANNEL", help="Only this channel.")
@options.output_format()
@options.pass_app
def show(app: App, subject_id: str | None, channel_name: str | None, output: str) -> None:
    """Show who may be shown where, now; with SUBJECT also every answer on record.

    \b
    Examples:
      mediaguard consent show
      mediaguard consent show S-1001
      mediaguard consent show --channel website-public --format json
    """
    desk, ids = app.desk, None if subject_id is None else [subject_id]
    if channel_name is not None and channel_name not in desk.rules:
        app.config.channel(channel_name)  # says which channels there are
    with app.database.read() as session:
        ledger = Ledger(session)
        if subject_id is not None:
            ledger.known_subject(subject_id)
        events = ledger.events(ids, channel_name)
    channels = [c for c in desk.rules if channel_name in (None, c)]
    rulings = desk.rulings(ids)
    if output == "json":
        print_json(
            {
                "subjects": [
                    {
                        "subject": subject,
                        "channels": {c: ruling_as_json(by_channel[c]) for c in channels},
                    }
                    for subject, by_channel in rulings.items()
                ],
                "events": [event_as_json(event) for event in events],
            }
        )
        return
    if not rulings:
        click.echo(say("subject-list-empty", {}, app.language))
    elif subject_id is None:
        _show_matrix(app, channels, rulings)
    else:
        _show_history(app, channels, rulings[subject_id], events)


def _show_matrix(app: App, channels: list[str], rulings: dict[str, dict[str, Ruling]]) -> None:
    heading = [say("heading-subject", {}, app.language), *channels]
    rows = [
        [subject, *(_brief(by_channel[c], app.language) for c in channels)]
        for subject, by_channel in rulings.items()
    ]
    click.echo(table(heading, rows))


def _brief(ruling: Ruling, language: str) -> str:
    answer = say("consent-yes" if ruling.allowed else "consent-no", {}, language)
    if ruling.allowed or ruling.rule == "consent-none":
        return answer
    return f"{answer} ({ruling.rule.removeprefix('consent-')})"


def _show_history(
    app: App, channels: list[str], rulings: dict[str, Ruling], events: list[ConsentEvent]
) -> None:
    language = app.language
    for channel in channels:
        ruling = rulings[channel]
        answer = say("consent-yes" if ruling.allowed else "consent-no", {}, language)
        click.echo(f"{channel}: {answer}, {say(ruling.rule, {}, language)}")
    click.echo()
    if not events:
        click.echo(say("consent-history-empty", {}, language))
        return
    fields = ("number", "when", "channel", "answer", "signatory", "wording", "validity", "evidence")
    rows = [
        [
            str(event.event_id),
            f"{event.recorded_at.astimezone(app.config.zone):%Y-%m-%d %H:%M:%S}",
            event.channel,
            say(f"answer-{event.answer}", {}, language),
            _signed(event, language),
            event.wording or "-",
            f"{event.valid_from or ''}…{event.valid_until or ''}",
            event.evidence or "-",
        ]
        for event in events
    ]
    click.echo(table([say(f"heading-{field}", {}, language) for field in fields], rows))


def _signed(event: ConsentEvent, language: str) -> str:
    who = say(f"signatory-{event.signatory}", {}, language)
    return f"{who} {event.signatory_id}" if event.signatory_id else who


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--mapping",
    metavar="FILE",
    help="Which column means what: a file, or the name of one in the home's folder mappings, or "
    "of the example that comes with mediaguard: parent-app.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--add-subjects", is_flag=True, help="Add subjects that are not known yet.")
@options.output_format()
@options.pass_app
def import_file(
    app: App, file: Path, mapping: str | None, dry_run: bool, add_subjects: bool, output: str
) -> None:
    """Take over a parent app's export (CSV): all of it, or with one mistake nothing.

    An empty cell is a no, and withdraws what was granted. The same file twice changes nothing.

    \b
    Examples:
      mediaguard consent import consents.csv --mapping parent-app --dry-run
      mediaguard consent import consents.csv --mapping our-app.toml --add-subjects
    """
    layout = _layout(app, mapping)
    with import_problems(app.language):
        plan = app.desk.import_consents(file, layout, add_subjects=add_subjects, dry_run=dry_run)
    counts: dict[str, object] = {
        "added": plan.count(What.ADD),
        "granted": plan.count(What.GRANTED),
        "refused": plan.count(What.REFUSED),
        "withdrawn": plan.count(What.WITHDRAWN),
        "kept": plan.count(What.KEPT),
        "unchanged": plan.unchanged,
    }
    if output == "json":
        changes = [_change_as_json(change) for change in plan.changes]
        told = {"applied": not dry_run, "summary": counts, "changes": changes}
        print_json({**told, "questions": plan.questions})
        return
    for change in plan.changes:
        click.echo(_change_line(change, app.language))
    click.echo(say("import-summary", counts, app.language))
    if plan.questions:
        click.echo(say("import-questions", {"count": plan.questions}, app.language))
    if dry_run:
        click.echo(say("import-dry-run", {}, app.language))


def _layout(app: App, mapping: str | None) -> Path:
    """The file that says which column means what.

    Raises:
        InputError: none is named, or there is none; says which there are.
    """
    known = mappings(app.home)
    if mapping is not None:
        file = Path(mapping)
        named = file if file.is_file() else known.get(mapping) or known.get(f"{mapping}.toml")
        if named is not None:
            return named
    raise InputError(
        "import-mapping" if mapping is None else "import-no-mapping",
        mapping=mapping,
        known=", ".join(Path(name).stem for name in known),
        folder=app.home / "mappings",
    )


def _change_line(change: Change, language: str) -> str:
    who = say(f"signatory-{change.signatory}", {}, language)
    params = {
        "subject": change.subject_id,
        "channel": change.channel or "",
        "since": change.since or "",
        "detail": ", ".join(filter(None, (who, change.row.wording, change.row.evidence))),
    }
    return say(f"change-{change.what.value}", params, language)


def _change_as_json(change: Change) -> dict[str, Any]:
    return {
        "change": change.what.value,
        "subject": change.subject_id,
        "channel": change.channel,
        "signatory": None if change.what is What.ADD else change.signatory,
        "line": change.row.line,
    }


@click.command()
@click.option(
    "--format",
    "output",
    type=click.Choice(["json", "csv"]),
    default="json",
    show_default=True,
    help="How the answers are written.",
)
@options.pass_app
def export(app: App, output: str) -> None:
    """Write every answer on record, oldest first.

    \b
    Examples:
      mediaguard consent export > consents.json
      mediaguard consent export --format csv > consents.csv
    """
    with app.database.read() as session:
        rows = [event_as_json(event) for event in Ledger(session).events()]
    if output == "json":
        print_json({"events": rows})
        return
    target = io.StringIO()
    fields = list(ConsentEvent.__dataclass_fields__)
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(["subject" if field == "subject_id" else field for field in fields])
    for row in rows:
        writer.writerow([harmless(value) for value in row.values()])
    click.echo(target.getvalue(), nl=False)
