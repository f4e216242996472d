"""`mediaguard demo`: the whole story on the sample school."""

import os
import shutil
import sys
import tempfile
import webbrowser
from contextlib import ExitStack, suppress
from pathlib import Path

import click

from mediaguard.app import App
from mediaguard.cli.progress import each, each_item
from mediaguard.cli.report import item_lines
from mediaguard.cli.sheet import as_html, as_png, row
from mediaguard.cli.working import end_process, stopped_by_signal
from mediaguard.config import FILE_NAME, Language
from mediaguard.core.access import Role
from mediaguard.core.consent import MATCHING
from mediaguard.core.decision import Action
from mediaguard.core.media import ItemReport, summary
from mediaguard.errors import InputError
from mediaguard.files import find_files
from mediaguard.published import Published
from mediaguard.resources import resource
from mediaguard.texts import say
from mediaguard.work import Worker

CHANNEL = "website-public"
CLIP = "01-walking-by.mp4"
WORDING = "2026-1"
USER = "demo"


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the sample school's home in this folder, to try other commands on it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("mediaguard-demo"),
    show_default=True,
    help="Where the contact sheet is written.",
)
@click.option(
    "--language", type=click.Choice([language.value for language in Language]), default="en"
)
@click.option(
    "--serve",
    "serving",
    is_flag=True,
    help="Then open the console on the sample school, until stopped.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="For --serve: another port than 8321; 0 for any that is free.",
)
def demo(keep: Path | None, out: Path, language: str, serving: bool, port: int | None) -> None:
    """Show everything on a made-up school: import, enrolment, photos, withdrawal, takedown.

    Ten photos of rendered people, each showing a rule, and a video go through the pipeline.
    The result is a contact sheet, before and after, as a picture and as a page, and the
    finished video. With --serve the console then opens in your browser, with all of it in there.

    \b
    Examples:
      mediaguard demo
      mediaguard demo --serve
      mediaguard demo --keep sample-home --language nl
    """
    with ExitStack() as cleanup:
        home = keep or Path(cleanup.enter_context(tempfile.TemporaryDirectory()))
        app = sample_school(home, language)
        photos = find_files([resource("sample_media", "photos")])
        clip = resource("sample_media", "clips") / CLIP
        params = {"subjects": len(app.subjects()), "photos": len(photos), "channel": CHANNEL}
        click.echo(say("demo-intro", params, language) + "\n")
        items = _process(app, [*photos, clip])
        out.mkdir(parents=True, exist_ok=True)
        if items[-1].rendition:
            shutil.copy(items[-1].rendition, out / CLIP)
        # Opened now: the item that is processed again gets another rendition.
        rows = [row(item) for item in items]
        click.echo(say("report-summary", {"channel": CHANNEL, **summary(items)}, language))

        subject, shown = next(
            (face.face.match.subject_id, item)
            for item in items
            for face in item.faces
            if item.rendition
            and item.frames == 1
            and face.action is Action.KEEP
            and face.face.match
        )
        again = _withdraw(app, str(subject), Path(shown.path))
        outcome = say(f"outcome-{again.outcome.value}", {}, language)
        params = {"subject": subject, "channel": CHANNEL, "outcome": outcome}
        click.echo("\n" + say("demo-withdrawn", params, language))
        click.echo("\n".join(item_lines(again, language)))
        Worker(app, tell=lambda _: None).drain()
        gone = Published(app).takedowns(subject=subject, everything=True)
        params = {"subject": subject, "count": sum(not takedown.is_open for takedown in gone)}
        click.echo(say("demo-taken-down", params, language) + "\n")

        rows.append(row(again))
        png, html = out / "contact-sheet.png", out / "contact-sheet.html"
        as_png(rows, CHANNEL, language).save(png)
        html.write_text(as_html(rows, CHANNEL, language), encoding="utf-8")
        params = {"png": png, "html": html, "video": out / CLIP}
        click.echo(say("demo-done", params, language))
        if serving:
            _serve(app, port)


def _serve(app: App, port: int | None) -> None:
    """The console, for somebody who may do everything and is let in by a link."""
    from mediaguard.web.console.sign_in import one_time_link
    from mediaguard.web.server import Server

    with suppress(InputError):  # it is there already, in a home that was kept
        app.users.add(USER, roles=[*Role], language=app.language)
    stop = stopped_by_signal()
    server = Server(app, port=port, tell=click.echo)
    link = server.address + one_time_link(app, USER)
    click.echo("\n" + say("demo-serves", {"link": link}, app.language))
    if _has_screen():
        webbrowser.open(link)
    idle = server.run(stop)
    click.echo(say("serve-stopped", {}, app.language))
    if not idle:
        end_process()


def _has_screen() -> bool:
    """Whether a browser can be opened in which somebody sees it."""
    if not sys.stdout.isatty():
        return False
    on_desktop = sys.platform in ("darwin", "win32")
    return on_desktop or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def sample_school(home: Path, language: str = "en") -> App:
    """A home with the sample school's people, consents and references in it."""
    app = App(home)
    app.create(language)
    path = home / FILE_NAME
    section = f"[channels.{CHANNEL}]\n"
    # A photo in which nearly everybody is covered is held: the tenth rule the demo shows.
    text = path.read_text(encoding="utf-8")
    text = text.replace(section, section + "max_redacted_share = 0.75\n")
    text = text.replace('# names = "names.csv"', 'names = "names.csv"')
    for channel in app.config.channels:
        heading = f"[channels.{channel}]\n"
        text = text.replace(heading, f'{heading}wording = "{WORDING}"\n')
    text = text.replace("# [matching]\n", f'[matching]\nwording = "{WORDING}"\n')
    path.write_text(text, encoding="utf-8")
    shutil.copy(resource("sample_media", "names.csv"), home)
    shutil.copytree(resource("sample_media", "wordings"), home / "wordings", dirs_exist_ok=True)
    app = App(home)
    app.desk.import_roster(resource("sample_media", "roster.csv"))
    app.desk.import_consents(
        resource("sample_media", "consents.csv"), resource("config", "examples", "parent-app.toml")
    )
    # The export gives one end date per pupil. This one's parents agreed to publication until the
    # summer, and to matching without end: the photo shows that an expired consent is a no.
    app.desk.grant("S-1010", MATCHING, signatory="guardian", evidence="FORM-2026-031")
    for folder in each(sorted(resource("sample_media", "references").iterdir())):
        if folder.is_dir():
            app.enrol(folder.name, find_files([folder]))
    return app


def _process(app: App, paths: list[Path]) -> list[ItemReport]:
    pipeline, channel = app.pipeline(CHANNEL), app.channel(CHANNEL)
    items = []
    for path, tell in each_item(paths, app.language):
        item = pipeline.process(path, vault=app.vault, channel=channel, progress=tell)
        click.echo("\n".join(item_lines(item, app.language)) + "\n")
        items.append(item)
    return items


def _withdraw(app: App, subject: str, photo: Path) -> ItemReport:
    app.desk.withdraw(subject, CHANNEL)
    return app.pipeline(CHANNEL).process(photo, vault=app.vault, channel=app.channel(CHANNEL))
