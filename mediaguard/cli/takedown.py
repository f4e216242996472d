"""`mediaguard takedown`."""

from collections.abc import Sequence
from pathlib import Path

import click

from mediaguard.app import App
from mediaguard.atomic import write_atomically
from mediaguard.certificate import certificate as make_certificate
from mediaguard.cli import options
from mediaguard.cli.output import moment, print_json
from mediaguard.cli.progress import each
from mediaguard.config import Language
from mediaguard.published import Published, Takedown, require_channel
from mediaguard.texts import say

_takedowns = click.argument("takedown_ids", metavar="[TAKEDOWN]...", nargs=-1)
_overdue = click.option("--overdue", is_flag=True, help="Only what should have been gone by now.")


@click.group()
def takedown() -> None:
    """What has to come down, whether it is gone, and the proof of it.

    A withdrawal asks for a takedown of everything that shows the subject on that channel.
    `mediaguard watch` and `mediaguard work` carry them out by themselves, and try again until
    every place where the picture was says that it is gone.
    """


@takedown.command("list")
@options.subject
@options.only_channel
@_overdue
@click.option("--all", "everything", is_flag=True, help="Also what is confirmed gone.")
@options.output_format()
@options.pass_app
def list_takedowns(
    app: App,
    subject: str | None,
    channel: str | None,
    overdue: bool,
    everything: bool,
    output: str,
) -> None:
    """List what has to come down, the longest waiting first. Exits with 1 if there is anything.

    \b
    Examples:
      mediaguard takedown list --overdue
      mediaguard takedown list --subject S-1001 --all --format json
    """
    require_channel(app, channel)
    found = Published(app).takedowns(
        subject=subject, channel=channel, overdue=overdue, everything=everything
    )
    _write(app, found, output)


@takedown.command("show")
@_takedowns
@options.subject
@options.only_channel
@_overdue
@options.output_format()
@options.pass_app
def show_takedown(
    app: App,
    takedown_ids: Sequence[str],
    subject: str | None,
    channel: str | None,
    overdue: bool,
    output: str,
) -> None:
    """Show takedowns whole: what, why, how far, and what was found at every place.

    TAKEDOWN is an id, or the beginning of one. Without anything said: all that are open.

    \b
    Examples:
      mediaguard takedown show 8c41d20e
      mediaguard takedown show --overdue
    """
    found = _chosen(app, takedown_ids, subject, channel, overdue)
    if output == "json":
        one = len(takedown_ids) == 1
        entries = [entry.as_json() for entry in found]
        print_json(entries[0] if one else {"takedowns": entries})
        return
    if not found:
        click.echo(say("takedown-none", {}, app.language))
    click.echo("\n\n".join("\n".join(_lines(app, entry)) for entry in found))


@takedown.command("run")
@_takedowns
@options.subject
@options.only_channel
@_overdue
@options.output_format()
@options.pass_app
def run_takedowns(
    app: App,
    takedown_ids: Sequence[str],
    subject: str | None,
    channel: str | None,
    overdue: bool,
    output: str,
) -> None:
    """Carry out takedowns now, without waiting for a worker. Exits with 1 if any is left.

    Without anything said: all that are open.

    \b
    Examples:
      mediaguard takedown run --subject S-1001
      mediaguard takedown run 8c41d20e
    """
    from mediaguard.work import Worker

    published = Published(app)
    chosen = _chosen(app, takedown_ids, subject, channel, overdue)
    worker = Worker(app, tell=lambda _: None)
    for item_id in each(published.hurry(chosen)):
        worker.handle(item_id)
    _write(app, [published.takedown(entry.row.id) for entry in chosen], output)


@takedown.command()
@click.argument("subject_id", metavar="SUBJECT")
@options.only_channel
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here.")
@click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    help="Of the certificate; else the configured one.",
)
@options.output_format("html")
@options.pass_app
def certificate(
    app: App,
    subject_id: str,
    channel: str | None,
    out: Path | None,
    language: str | None,
    output: str,
) -> None:
    """Write what a parent gets: what was taken down, where, when, and what was found there.

    It holds no data of any other pupil. As long as something is left to do it says so.

    \b
    Examples:
      mediaguard takedown certificate S-1001
      mediaguard takedown certificate S-1001 --format html --language nl --out S-1001.html
    """
    made = make_certificate(app, subject_id, channel)
    if output == "json":
        print_json(made.as_json())
        return
    language = language or app.language
    text = made.as_html(language) if output == "html" else made.as_text(language)
    if out is None:
        click.echo(text)
    else:
        write_atomically(out, text.encode("utf-8"))


def _chosen(
    app: App,
    takedown_ids: Sequence[str],
    subject: str | None,
    channel: str | None,
    overdue: bool,
) -> list[Takedown]:
    """Those that are named, or else all open ones that fit."""
    require_channel(app, channel)
    published = Published(app)
    if takedown_ids:
        return [published.takedown(takedown_id) for takedown_id in takedown_ids]
    return published.takedowns(subject=subject, channel=channel, overdue=overdue)


def _lines(app: App, entry: Takedown) -> list[str]:
    """A takedown for people."""
    row, language, zone = entry.row, app.language, app.config.zone
    facts = {
        "id": row.id,
        "publication": row.publication_id,
        "channel": row.channel,
        "subject": row.subject_id or "-",
        "reason": say(row.reason, {}, language),
        "action": say(f"takedown-action-{row.action}", {}, language),
        "state": _state(entry, language),
        "requested": moment(row.requested_at, zone),
        "removed": moment(row.removed_at, zone),
        "confirmed": moment(row.confirmed_at, zone),
        "next": moment(row.next_attempt_at, zone),
    }
    if row.problem:
        facts["problem"] = say(row.problem, row.problem_params, language)
    lines = [
        f"{say(f'takedown-fact-{name}', {}, language)}: {value}" for name, value in facts.items()
    ]
    lines.append(f"{say('takedown-fact-places', {}, language)}:")
    answers = {look["url"]: look for look in row.looks}
    for url in dict.fromkeys([*entry.publication.urls, *answers]):
        look = answers.get(url)
        gone = say("takedown-gone" if look and look["gone"] else "takedown-not-gone", {}, language)
        lines.append(f"  {url}  {look['answer'] if look else '?'}  {gone}")
    return lines


def _write(app: App, found: Sequence[Takedown], output: str) -> None:
    """List them, and exit with 1 if there is anything left to do."""
    if output == "json":
        print_json({"takedowns": [entry.as_json() for entry in found]})
    elif not found:
        click.echo(say("takedown-none", {}, app.language))
    else:
        for entry in found:
            row = entry.row
            click.echo(
                f"{row.id[:12]}  {row.channel}  {row.subject_id or '-'}  "
                f"{moment(row.requested_at, app.config.zone)}  {_state(entry, app.language)}"
            )
    click.get_current_context().exit(1 if any(entry.is_open for entry in found) else 0)


def _state(entry: Takedown, language: str) -> str:
    state = say(f"takedown-state-{entry.row.state}", {}, language)
    if entry.overdue:
        state += f" ({say('takedown-overdue', {}, language)})"
    return state
