"""`mediaguard process`."""

from collections.abc import Sequence
from pathlib import Path

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.progress import each_item
from mediaguard.cli.report import write
from mediaguard.cli.texts_given import texts, with_texts
from mediaguard.core.names import Text
from mediaguard.files import find_files


@click.command()
@options.paths
@options.channel
@options.groups
@texts
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Only write the finished files here; publish and record nothing.",
)
@options.output_format()
@options.pass_app
def process(
    app: App,
    paths: Sequence[Path],
    channel_name: str,
    groups: Sequence[str],
    caption: str,
    alt_text: str,
    title: str,
    file_name: str,
    out: Path | None,
    output: str,
) -> None:
    """Publish what may be published, with everybody else made unrecognisable.

    Photos and videos. A video takes a while; stopped with Ctrl+C or by a crash, the same
    command goes on where it was.

    With a text (--caption …) that is published with them: if somebody is named in it who has not
    agreed, they are held (needs a list of names, see `names` in mediaguard.toml).

    The originals stay where they are; an encrypted copy is kept with the publication.
    Finished files get a coded name: file names often hold a pupil's name. Exits with 1
    when anything was held or blocked, and with 0 when everything went out.

    \b
    Examples:
      mediaguard process sportsday/ --channel website-public
      mediaguard process concert.mp4 -c website-protected
      mediaguard process team.jpg -c facebook --out ready-for-facebook/
    """
    text = Text(caption, alt_text, title, file_name)
    app.require_groups(groups)
    pipeline = with_texts(app.pipeline(channel_name, groups), app, channel_name, text)
    files = each_item(find_files(paths), app.language)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        items = [pipeline.export(path, out, tell) for path, tell in files]
    else:
        channel = app.channel(channel_name)
        items = [
            pipeline.process(path, vault=app.vault, channel=channel, progress=tell)
            for path, tell in files
        ]
    write(items, channel_name, output, app.language)
    click.get_current_context().exit(0 if all(item.outcome.goes_out for item in items) else 1)
