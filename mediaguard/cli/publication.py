"""`mediaguard publication`."""

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.output import moment, print_json
from mediaguard.published import Published, require_channel
from mediaguard.texts import say


@click.group()
def publication() -> None:
    """What was published, and who can be seen in it."""


@publication.command("list")
@options.subject
@options.only_channel
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
    require_channel(app, channel)
    found = Published(app).publications(subject=subject, channel=channel, everything=everything)
    if output == "json":
        print_json({"publications": [entry.as_json() for entry in found]})
        return
    if not found:
        click.echo(say("publication-none", {}, app.language))
    for entry in found:
        row = entry.row
        click.echo(
            f"{row.id[:12]}  {row.channel}  {say(f'publication-{row.state}', {}, app.language)}  "
            f"{', '.join(entry.subjects) or '-'}  {row.urls[0] if row.urls else '?'}"
        )


@publication.command("show")
@click.argument("publication_id", metavar="PUBLICATION")
@options.output_format()
@options.pass_app
def show_publication(app: App, publication_id: str, output: str) -> None:
    """Show one publication: every place where it is, who is in it, and by which consent.

    PUBLICATION is its id, or the beginning of it.

    \b
    Example:
      mediaguard publication show 3f2a9c41
    """
    entry = Published(app).publication(publication_id)
    if output == "json":
        print_json(entry.as_json())
        return
    row, language = entry.row, app.language
    facts = {
        "id": row.id,
        "item": row.item_id,
        "channel": row.channel,
        "state": say(f"publication-{row.state}", {}, language),
        "subjects": ", ".join(entry.subjects) or "-",
        "consents": ", ".join(map(str, row.consent_events)) or "-",
        "published": moment(row.confirmed_at, app.config.zone),
        "removed": moment(row.removed_at, app.config.zone),
    }
    for name, value in facts.items():
        click.echo(f"{say(f'publication-fact-{name}', {}, language)}: {value}")
    click.echo(f"{say('publication-fact-urls', {}, language)}:")
    for url in row.urls:
        click.echo(f"  {url}")
    for takedown in entry.takedowns:
        state = say(f"takedown-state-{takedown.state}", {}, language)
        click.echo(f"{say('publication-fact-takedown', {}, language)}: {takedown.id[:12]}  {state}")
