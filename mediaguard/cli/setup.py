"""`mediaguard init`."""

import click

from mediaguard.app import App
from mediaguard.cli.options import pass_app
from mediaguard.config import Language
from mediaguard.texts import say


@click.command()
@click.option(
    "--language",
    type=click.Choice([language.value for language in Language]),
    default="en",
    show_default=True,
    help="The language of notes and reports.",
)
@pass_app
def init(app: App, language: str) -> None:
    """Create the home: configuration, key, database and folders.

    A home that exists already keeps everything; what is missing is made, and its records are
    brought up to date (make a backup first).

    \b
    Examples:
      mediaguard init
      mediaguard --home /srv/mediaguard init --language nl
    """
    created = app.create(language)
    code = "init-created" if created else "init-exists"
    click.echo(say(code, {"home": app.home}, language=app.language))
