"""`mediaguard wording`."""

from typing import Any

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.output import moment, print_json, table
from mediaguard.config import Config, Language
from mediaguard.texts import printable, say
from mediaguard.wordings import Wording


@click.group()
def wording() -> None:
    """The texts by which consent is asked.

    A text is a file in the home: wordings/VERSION.en.txt, wordings/VERSION.nl.txt. Which versions
    count on a channel, and which is asked now, stands in the configuration.
    """


@wording.command("list")
@options.output_format()
@options.pass_app
def list_wordings(app: App, output: str) -> None:
    """List the wordings, and whether their texts are there and as they were agreed to.

    \b
    Example:
      mediaguard wording list
    """
    asked = _asked(app.config)
    found = app.wordings.all(asked)
    if output == "json":
        print_json({"wordings": [_as_json(one, asked) for one in found]})
        return
    if not found:
        click.echo(say("wording-list-empty", {"folder": app.home / "wordings"}, app.language))
        return
    fields = ("version", "languages", "asked", "agreed", "state")
    heading = [say(f"wording-{field}", {}, app.language) for field in fields]
    rows = [
        [
            one.version,
            ", ".join(sorted(one.texts)) or "-",
            ", ".join(asked.get(one.version, ())) or "-",
            moment(one.kept_at, app.config.zone),
            say(f"wording-state-{_state(one)}", {}, app.language),
        ]
        for one in found
    ]
    click.echo(table(heading, rows))


@wording.command()
@click.argument("version", metavar="VERSION")
@click.option(
    "--language", type=click.Choice([language.value for language in Language]), help="Only this."
)
@options.output_format()
@options.pass_app
def show(app: App, version: str, language: str | None, output: str) -> None:
    """Show the text of a wording, as it was agreed to if anybody did.

    \b
    Examples:
      mediaguard wording show 2026-1
      mediaguard wording show 2026-1 --language nl
    """
    found = app.wordings.get(version)
    if output == "json":
        print_json({**_as_json(found, _asked(app.config)), "texts": dict(found.texts)})
        return
    texts = {key: text for key, text in found.texts.items() if language in (None, key)}
    if not texts:
        click.echo(say("wording-missing", {"version": version}, app.language))
    for key, text in texts.items():
        digest = say("wording-digest", {"language": key, "digest": found.digest(key)}, app.language)
        click.echo(digest + "\n")
        click.echo("\n".join(printable(line) for line in text.splitlines()) + "\n")
    if found.changed:
        click.echo(say("wording-changed", {"version": version}, app.language))


def _asked(config: Config) -> dict[str, list[str]]:
    """Where each wording is asked now; versions that still count, but are not asked, nowhere."""
    asked: dict[str, list[str]] = {}
    for name, channel in config.channels.items():
        for version in channel.wordings or ():
            asked.setdefault(version, [])
        if channel.asked:
            asked.setdefault(channel.asked, []).append(name)
    if config.matching.wording:
        asked.setdefault(config.matching.wording, []).append("matching")
    return asked


def _state(one: Wording) -> str:
    if not one.texts:
        return "missing"
    return "changed" if one.changed else "good"


def _as_json(one: Wording, asked: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "wording": one.version,
        "languages": sorted(one.texts),
        "sha256": {language: one.digest(language) for language in sorted(one.texts)},
        "asked_on": asked.get(one.version, []),
        "agreed_since": one.kept_at.isoformat() if one.kept_at else None,
        "state": _state(one),
    }
