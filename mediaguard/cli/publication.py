"""`mediaguard publication`."""

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.output import print_json
from mediaguard.texts import say


@click.group()
def publication() -> None:
    """What was published, and who can be seen in it."""


@publication.command("list")
@click.option("--subject", metavar="ID", help="Only what shows this subject.")
@click.option("--channel", "-c", metavar="CHANNEL", help="Only what is on this channel.")
@click.option("--all", "everything", is_flag=True, help="Also what was removed.")
@options.output_format()
@options.pass_app
def list_publications(
    app: App, subject: str | None, channel: str | None, everything: bool, output: str
) -> None:
    """List what is public, or may be (an intent that was not confirmed), oldest first.

    \b
    Examples:
      mediaguard publication list --channel website-public
      mediaguard publication list --subject S-1001 --format json
    """
    entries = app.publications(subject=subject, channel=channel, everything=everything)
    if output == "json":
        print_json({"publications": entries})
        return
    if not entries:
        click.echo(say("publication-none", {}, app.language))
    for entry in entries:
        where = ", ".join(entry["urls"]) or "?"
        click.echo(
            f"{entry['id'][:12]}  {entry['channel']}  {entry['state']}  "
            f"{', '.join(entry['subjects']) or '-'}  {where}"
        )
