"""`mediaguard check`."""

from collections.abc import Sequence
from pathlib import Path

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.progress import each_item
from mediaguard.cli.report import write
from mediaguard.cli.texts_given import texts, with_texts
from mediaguard.core.decision import Outcome
from mediaguard.core.names import Text
from mediaguard.files import find_files


@click.command()
@options.paths
@options.channel
@options.groups
@texts
@options.output_format("html", "junit")
@options.pass_app
def check(
    app: App,
    paths: Sequence[Path],
    channel_name: str,
    groups: Sequence[str],
    caption: str,
    alt_text: str,
    title: str,
    file_name: str,
    output: str,
) -> None:
    """Say what would happen to each photo and video, and why. Nothing is written.

    Exits with 1 when anything may not go out as it is.

    \b
    Examples:
      mediaguard check newsletter/ --channel newsletter
      mediaguard check team.jpg -c website-public --group 4B
      mediaguard check newsletter/ -c newsletter --format html > report.html
      mediaguard check team.jpg -c website-public --caption "Our team has won"
    """
    text = Text(caption, alt_text, title, file_name)
    app.require_groups(groups)
    pipeline = with_texts(app.pipeline(channel_name, groups), app, channel_name, text)
    files = each_item(find_files(paths), app.language)
    items = [pipeline.check(path, tell) for path, tell in files]
    write(items, channel_name, output, app.language)
    click.get_current_context().exit(
        0 if all(item.outcome is Outcome.RELEASE for item in items) else 1
    )
