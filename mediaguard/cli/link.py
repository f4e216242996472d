"""`mediaguard link`."""

import csv
import io
from pathlib import Path
from typing import Any

import click

from mediaguard.app import App
from mediaguard.atomic import write_atomically
from mediaguard.cells import harmless
from mediaguard.cli import options
from mediaguard.cli.output import moment, print_json, table
from mediaguard.core.consent import Signatory
from mediaguard.personal import PersonalLinks
from mediaguard.store.tables import PersonalLinkRow
from mediaguard.texts import say

_days = click.option(
    "--days",
    type=click.IntRange(1, 4000),
    metavar="N",
    help="How long a link works; without it as configured (400).",
)


@click.group()
def link() -> None:
    """Personal links: guardians, and pupils from 16 on, see and change their own answers.

    Whoever has the address can answer: give it to nobody else, and revoke it if it got lost.
    """


@link.command()
@click.argument("subject_id", metavar="SUBJECT")
@click.option(
    "--signatory",
    type=click.Choice([signatory.value for signatory in Signatory]),
    required=True,
    help="Who answers with it: a guardian (under 16), or the subject itself (from 16 on; staff).",
)
@click.option(
    "--signatory-id", metavar="ID", help="A pseudonym that tells several guardians apart."
)
@_days
@options.output_format()
@options.pass_app
def make(
    app: App,
    subject_id: str,
    signatory: str,
    signatory_id: str | None,
    days: int | None,
    output: str,
) -> None:
    """Make a link. Its address is shown now and never again.

    \b
    Examples:
      mediaguard link make S-1001 --signatory guardian --signatory-id G1
      mediaguard link make M-01 --signatory subject --days 30
    """
    made = PersonalLinks(app).make(subject_id, Signatory(signatory), signatory_id, days)
    if output == "json":
        print_json({**_as_json(made.row, app), "address": made.address})
        return
    params = {
        "subject": subject_id,
        "link": made.row.id,
        "until": moment(made.row.expires_at, app.config.zone),
    }
    click.echo(say("link-made", params, app.language))
    click.echo(made.address)


@link.command("list")
@options.subject
@options.output_format()
@options.pass_app
def list_links(app: App, subject: str | None, output: str) -> None:
    """List the links that were made, the newest first; never their addresses.

    \b
    Examples:
      mediaguard link list
      mediaguard link list --subject S-1001 --format json
    """
    rows = PersonalLinks(app).of(subject)
    if output == "json":
        print_json({"links": [_as_json(row, app) for row in rows]})
        return
    if not rows:
        click.echo(say("link-list-empty", {}, app.language))
        return
    fields = ("link", "subject", "signatory", "state", "until", "opened")
    heading = [say(f"link-{field}", {}, app.language) for field in fields]
    click.echo(table(heading, [_as_row(row, app) for row in rows]))


@link.command()
@click.argument("link_id", metavar="LINK")
@options.output_format()
@options.pass_app
def revoke(app: App, link_id: str, output: str) -> None:
    """From now on a link does not work any more; what was answered by it stays.

    \b
    Example:
      mediaguard link revoke 3f9a62c81b0d4e57
    """
    row = PersonalLinks(app).revoke(link_id)
    if output == "json":
        print_json(_as_json(row, app))
        return
    params = {"link": link_id, "subject": row.subject_id}
    click.echo(say("link-revoked-done", params, app.language))


@link.command()
@click.option("--group", "-g", metavar="GROUP", help="Only this class or team.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The CSV file, for your own mail merge. Only you can read it; delete it afterwards.",
)
@_days
@options.output_format()
@options.pass_app
def export(app: App, group: str | None, out: Path, days: int | None, output: str) -> None:
    """Make a link for everybody who decides, and write all addresses to a file.

    Whoever has a link that works for 30 days yet keeps it. Several guardians whom the consents
    tell apart get one each.

    \b
    Example:
      mediaguard link export --group 4B --out links-4B.csv
    """
    links = PersonalLinks(app).make_for(group, days)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("subject_id", "signatory", "signatory_id", "until", "address"))
    for one in links:
        row = one.row
        until = f"{row.expires_at.astimezone(app.config.zone):%Y-%m-%d}"
        cells = (row.subject_id, row.signatory, row.signatory_id or "", until, one.address)
        writer.writerow([harmless(cell) for cell in cells])
    write_atomically(out, text.getvalue().encode(), mode=0o600)
    if output == "json":
        print_json({"links": len(links), "file": str(out)})
        return
    click.echo(say("link-exported", {"count": len(links), "path": out}, app.language))


def _as_json(row: PersonalLinkRow, app: App) -> dict[str, Any]:
    return {
        "link": row.id,
        "subject": row.subject_id,
        "signatory": row.signatory,
        "signatory_id": row.signatory_id,
        "state": PersonalLinks(app).state(row),
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "expires_at": row.expires_at.isoformat(),
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
    }


def _as_row(row: PersonalLinkRow, app: App) -> list[str]:
    who = say(f"signatory-{row.signatory}", {}, app.language)
    return [
        row.id,
        row.subject_id,
        f"{who} {row.signatory_id}" if row.signatory_id else who,
        say(f"link-state-{PersonalLinks(app).state(row)}", {}, app.language),
        moment(row.expires_at, app.config.zone),
        moment(row.last_used_at, app.config.zone),
    ]
