"""`mediaguard subject`."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.enrolment import enrol, forget
from mediaguard.cli.output import import_problems, print_json, ruling_as_json, table
from mediaguard.core.consent import Kind, Subject
from mediaguard.store.ledger import Ledger
from mediaguard.texts import say


@click.group()
def subject() -> None:
    """The people that mediaguard knows, under pseudonyms. Never enter a name."""


subject.add_command(enrol)
subject.add_command(forget)


@subject.command()
@click.argument("subject_id", metavar="ID")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.STUDENT.value,
    show_default=True,
    help="Staff decides for itself at any age.",
)
@click.option("--group", "-g", "groups", multiple=True, metavar="GROUP", help="Class or team.")
@click.option(
    "--born",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    metavar="DATE",
    help="Date of birth: from 16 on only the pupil's own consent counts. Without it the pupil "
    "counts as under 16.",
)
@options.output_format()
@options.pass_app
def add(
    app: App,
    subject_id: str,
    kind: str,
    groups: Sequence[str],
    born: datetime | None,
    output: str,
) -> None:
    """Add a subject under a pseudonym (a number that only the school can link to a name).

    \b
    Examples:
      mediaguard subject add S-1001 --group 4B --born 2016-11-02
      mediaguard subject add M-01 --kind staff
    """
    added = app.desk.add_subject(
        subject_id, kind=Kind(kind), groups=groups, born=None if born is None else born.date()
    )
    if output == "json":
        print_json(_as_json(added, 0))
        return
    params = {"subject": subject_id, "kind": say(f"kind-{kind}", {}, app.language)}
    click.echo(say("subject-added", params, app.language))


@subject.command("list")
@click.option("--group", "-g", metavar="GROUP", help="Only this class or team.")
@options.output_format()
@options.pass_app
def list_subjects(app: App, group: str | None, output: str) -> None:
    """List the subjects.

    \b
    Examples:
      mediaguard subject list
      mediaguard subject list --group 4B --format json
    """
    with app.database.read() as session:
        gallery = app.gallery(session)
        found = [(s, gallery.count(s.subject_id)) for s in Ledger(session).subjects(group)]
    if output == "json":
        rows = [_as_json(entry, count) for entry, count in found]
        print_json({"subjects": rows})
        return
    if not found:
        click.echo(say("subject-list-empty", {}, app.language))
        return
    fields = ("subject", "kind", "groups", "born", "references")
    heading = [say(f"heading-{field}", {}, app.language) for field in fields]
    click.echo(table(heading, [_as_row(entry, count, app.language) for entry, count in found]))


@subject.command()
@click.argument("subject_id", metavar="ID")
@options.output_format()
@options.pass_app
def show(app: App, subject_id: str, output: str) -> None:
    """Show one subject, and where it may be shown now.

    \b
    Example:
      mediaguard subject show S-1001
    """
    with app.database.read() as session:
        entry = Ledger(session).known_subject(subject_id)
        count = app.gallery(session).count(subject_id)
    rulings = app.desk.rulings([subject_id])[subject_id]
    if output == "json":
        channels = {channel: ruling_as_json(ruling) for channel, ruling in rulings.items()}
        print_json({**_as_json(entry, count), "channels": channels})
        return
    fields = ("subject", "kind", "groups", "born", "references")
    for field, value in zip(fields, _as_row(entry, count, app.language), strict=True):
        click.echo(f"{say(f'heading-{field}', {}, app.language)}: {value}")
    for channel, ruling in rulings.items():
        answer = say("consent-yes" if ruling.allowed else "consent-no", {}, app.language)
        click.echo(f"{channel}: {answer}, {say(ruling.rule, {}, app.language)}")


@subject.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@options.output_format()
@options.pass_app
def import_file(app: App, file: Path, output: str) -> None:
    """Add and correct subjects from a list: all of them, or with one mistake none.

    A CSV with the columns subject_id, kind, groups (separated by |) and born, or an EDEXML
    file of the school's administration, of which only key, group and date of birth are read.

    \b
    Examples:
      mediaguard subject import roster.csv
      mediaguard subject import edexml.xml
    """
    with import_problems(app.language):
        plan = app.desk.import_roster(file)
    if output == "json":
        result = {
            "added": [entry.subject_id for entry in plan.added],
            "changed": [entry.subject_id for entry in plan.changed],
            "unchanged": plan.unchanged,
            "missing": list(plan.missing),
        }
        print_json(result)
        return
    counts = {
        "added": len(plan.added),
        "changed": len(plan.changed),
        "unchanged": plan.unchanged,
    }
    click.echo(say("subject-imported", counts, app.language))
    if plan.missing:
        missing = {"subjects": ", ".join(plan.missing)}
        click.echo(say("subject-missing-note", missing, app.language))


def _as_json(entry: Subject, references: int) -> dict[str, Any]:
    return {
        "subject": entry.subject_id,
        "kind": entry.kind.value,
        "groups": sorted(entry.groups),
        "born": None if entry.born is None else entry.born.isoformat(),
        "references": references,
    }


def _as_row(entry: Subject, references: int, language: str) -> list[str]:
    return [
        entry.subject_id,
        say(f"kind-{entry.kind.value}", {}, language),
        ", ".join(sorted(entry.groups)) or "-",
        "-" if entry.born is None else entry.born.isoformat(),
        str(references),
    ]
