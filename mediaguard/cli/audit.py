"""`mediaguard audit`."""

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.output import print_json
from mediaguard.store.audit import Audit
from mediaguard.texts import say


@click.group()
def audit() -> None:
    """The log of everything that was done, and the proof that it is complete."""


@audit.command()
@options.output_format()
@options.pass_app
def verify(app: App, output: str) -> None:
    """Check that no entry of the log was changed or removed; exits with 1 if one was.

    \b
    Example:
      mediaguard audit verify
    """
    with app.database.read() as session:
        count, problems = Audit(session, app.keyring).verify()
    found = [{"sequence": problem.sequence, "problem": problem.code} for problem in problems]
    if output == "json":
        print_json({"entries": count, "problems": found})
    elif problems:
        detail = ", ".join(f"{entry['sequence']} {entry['problem']}" for entry in found)
        click.echo(say("audit-bad", {"detail": detail}, app.language))
    else:
        click.echo(say("audit-ok", {"count": count}, app.language))
    click.get_current_context().exit(1 if problems else 0)


@audit.command()
@click.option("--subject", metavar="ID", help="Only entries about this subject.")
@click.option("--item", metavar="ID", help="Only entries about this item.")
@click.option("--last", type=click.IntRange(min=1), help="Only the last so many.")
@options.output_format()
@options.pass_app
def show(app: App, subject: str | None, item: str | None, last: int | None, output: str) -> None:
    """Show the log, oldest first.

    \b
    Examples:
      mediaguard audit show --last 20
      mediaguard audit show --subject S-1001 --format json
    """
    with app.database.read() as session:
        entries = Audit(session, app.keyring).entries(subject_id=subject, item_id=item, last=last)
    if output == "json":
        rows = [
            {
                "sequence": entry.sequence,
                "at": entry.at.isoformat(),
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject_id,
                "item": entry.item_id,
                "data": entry.data,
            }
            for entry in entries
        ]
        print_json({"entries": rows})
        return
    for entry in entries:
        about = entry.subject_id or entry.item_id or ""
        at = entry.at.astimezone(app.config.zone)
        click.echo(f"{entry.sequence:>6}  {at:%Y-%m-%d %H:%M:%S}  {entry.action}  {about}")
