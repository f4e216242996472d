"""Options and arguments that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mediaguard.app import App

pass_app = click.make_pass_decorator(App)

channel = click.option(
    "--channel", "-c", "channel_name", required=True, metavar="CHANNEL", help="Where it is to go."
)
only_channel = click.option(
    "--channel", "-c", metavar="CHANNEL", help="Only what is on this channel."
)
subject = click.option("--subject", metavar="ID", help="Only what shows this subject.")
groups = click.option(
    "--group",
    "-g",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="Look only for subjects of this group; may be repeated.",
)
paths = click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)


def output_format(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`--format` with `text` and `json`, and `names`."""
    return click.option(
        "--format",
        "output",
        type=click.Choice(["text", "json", *names]),
        default="text",
        show_default=True,
        help="How the result is written.",
    )
