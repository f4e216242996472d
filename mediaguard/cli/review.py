"""`mediaguard review`."""

import base64
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, PackageLoader, StrictUndefined

from mediaguard.app import App
from mediaguard.atomic import write_atomically
from mediaguard.cli import options
from mediaguard.cli.output import print_json, table
from mediaguard.cli.progress import each_item
from mediaguard.cli.report import face_line, write
from mediaguard.core.decision import Action
from mediaguard.core.faces import Box
from mediaguard.errors import MediaError
from mediaguard.media.strips import Pictures
from mediaguard.review import Review, Reviewed
from mediaguard.store.tables import ReviewMarkRow
from mediaguard.texts import say

_item = click.argument("item", metavar="ITEM")
_number = click.argument("number", metavar="NUMBER", type=int)


@click.group()
def review() -> None:
    """Look at what is held, say what it shows, and decide whether it goes out.

    ITEM is an item's code or the beginning of it, at least four characters. NUMBER is that of a
    face in `mediaguard review show`. Everything done here is in the audit log.
    """


@review.command("list")
@click.option("--channel", "-c", metavar="CHANNEL", help="Only what was meant for this channel.")
@click.option("--all", "everything", is_flag=True, help="Every item, not only what is held.")
@options.output_format()
@options.pass_app
def list_items(app: App, channel: str | None, everything: bool, output: str) -> None:
    """List what is held and why, oldest first.

    \b
    Examples:
      mediaguard review list
      mediaguard review list --channel website-public --all
    """
    found = Review(app).items(channel=channel, everything=everything)
    if output == "json":
        print_json({"items": [_item_as_json(reviewed, app.language) for reviewed in found]})
        return
    if not found:
        click.echo(say("review-none-at-all" if everything else "review-none", {}, app.language))
        return
    columns = ("item", "channel", "kind", "state", "faces", "since", "reason")
    rows = [
        (
            reviewed.item.id,
            reviewed.item.channel,
            say(f"media-{reviewed.item.kind}", {}, app.language),
            say(f"state-{reviewed.item.state}", {}, app.language),
            "-" if reviewed.item.report is None else str(len(reviewed.faces)),
            _moment(reviewed.item.updated_at, app),
            reviewed.why(app.language),
        )
        for reviewed in found
    ]
    heading = [say(f"heading-{column}", {}, app.language) for column in columns]
    click.echo(table(heading, rows))


@review.command()
@_item
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write pictures of the item and of each face to this folder, and a page with them all. "
    "They show UNREDACTED faces: delete the folder after use.",
)
@options.output_format()
@options.pass_app
def show(app: App, item: str, out: Path | None, output: str) -> None:
    """Show each face of an item with its number, what was decided, and why.

    With --out also pictures, made from the original: they show everybody in it, also those who
    agreed to nothing. Only you can read them; show them to nobody who need not see them, and
    delete the folder after use. That you looked is recorded.

    \b
    Examples:
      mediaguard review show 3f9c
      mediaguard review show 3f9c --out look
    """
    acts = Review(app)
    reviewed = acts.item(item)
    written: dict[str, Any] | None = None
    if out is not None:
        written = _write_pictures(app, reviewed, acts.pictures(reviewed), out)
    if output == "json":
        entries = (reviewed.item.report or {}).get("faces", ())
        print_json(
            {
                **_item_as_json(reviewed, app.language),
                "faces": [
                    {
                        "number": number,
                        **entry,
                        "marks": [_mark_as_json(mark) for mark in reviewed.marks_of(number)],
                    }
                    for number, entry in enumerate(entries, 1)
                ],
                "marks": [
                    {**_mark_as_json(mark), "numbers": numbers} for mark, numbers in reviewed.marks
                ],
                "pictures": written,
            }
        )
        return
    click.echo("\n".join(_lines(app, reviewed)))
    if written is not None:
        click.echo("\n" + say("review-written", {"page": written["page"]}, app.language))
        click.echo(say("review-warning", {}, app.language))


@review.command()
@_item
@_number
@options.pass_app
def veto(app: App, item: str, number: int) -> None:
    """Say that a face is none, so that it stays visible.

    It counts when the item is handled anew (`mediaguard review approve`). A face in which
    somebody was recognised cannot be vetoed.

    \b
    Example:
      mediaguard review veto 3f9c 2
    """
    reviewed = Review(app).veto(item, number)
    _tell_marked(app, reviewed, "review-marked-no-face", number)


@review.command()
@_item
@_number
@click.argument("subject", metavar="SUBJECT")
@options.pass_app
def tag(app: App, item: str, number: int, subject: str) -> None:
    """Say whose face it is: that subject's consent then decides.

    It counts when the item is handled anew (`mediaguard review approve`).

    \b
    Example:
      mediaguard review tag 3f9c 1 S-1001
    """
    reviewed = Review(app).tag(item, number, subject)
    _tell_marked(app, reviewed, "review-marked-subject", number, subject=subject)


@review.command("not")
@_item
@_number
@options.pass_app
def deny(app: App, item: str, number: int) -> None:
    """Say that a face is not that of whom it was taken for: it is redacted then.

    It counts when the item is handled anew (`mediaguard review approve`).

    \b
    Example:
      mediaguard review not 3f9c 1
    """
    reviewed = Review(app).deny(item, number)
    subject = reviewed.marks_of(number)[-1].subject_id or "-"
    _tell_marked(app, reviewed, "review-marked-not-subject", number, subject=subject)


@review.command()
@_item
@click.argument("number", metavar="[NUMBER]", type=int, required=False)
@click.option(
    "--box",
    type=float,
    nargs=4,
    metavar="X Y W H",
    help="A place in which no face was found, in pixels from the top left corner.",
)
@click.option(
    "--frames",
    type=int,
    nargs=2,
    metavar="FIRST LAST",
    help="With --box: the frames of a video in which it is redacted; otherwise in all of them.",
)
@options.pass_app
def redact(
    app: App,
    item: str,
    number: int | None,
    box: tuple[float, float, float, float] | None,
    frames: tuple[int, int] | None,
) -> None:
    """Say that a face, or a place in which no face was found, has to be redacted.

    It counts when the item is handled anew (`mediaguard review approve`), and more than anything
    else that was said about that face, until it is taken back.

    \b
    Examples:
      mediaguard review redact 3f9c 2
      mediaguard review redact 3f9c --box 410 95 80 110
    """
    if (number is None) == (box is None) or (frames is not None and box is None):
        raise click.UsageError(say("review-what-to-redact", {}, app.language))
    acts = Review(app)
    if number is not None:
        _tell_marked(app, acts.redact(item, number), "review-marked-redact", number)
        return
    assert box is not None
    reviewed = acts.redact_place(item, Box(*box), frames)
    x, y, w, h = Box(*box).rounded()
    params = {"item": reviewed.item.id, "x": x, "y": y, "w": w, "h": h}
    click.echo(say("review-marked-place", params, app.language))
    click.echo(say("review-pending", params, app.language))


@review.command()
@_item
@options.pass_app
def undo(app: App, item: str) -> None:
    """Take back the last of these marks on an item.

    \b
    Example:
      mediaguard review undo 3f9c
    """
    reviewed = Review(app).undo(item)
    params = {"item": reviewed.item.id}
    click.echo(say("review-undone", params, app.language))
    click.echo(say("review-pending", params, app.language))


@review.command()
@_item
@options.output_format()
@options.pass_app
def approve(app: App, item: str, output: str) -> None:
    """Handle an item anew and publish what may go out.

    What was said about its faces counts now. Consent, redaction and the check of what comes
    out are as always: only a hold by the channel's own rules ends because somebody looked.
    Exits with 1 if it did not go out.

    \b
    Example:
      mediaguard review approve 3f9c
    """
    acts = Review(app)
    row = acts.item(item).item
    reports = [acts.approve(row.id, tell) for _, tell in each_item([Path(row.id)], app.language)]
    write(reports, row.channel, output, app.language)
    click.get_current_context().exit(0 if reports[0].outcome.goes_out else 1)


@review.command()
@_item
@options.pass_app
def reject(app: App, item: str) -> None:
    """Decide that an item may not go out.

    What was published of it is taken away.

    \b
    Example:
      mediaguard review reject 3f9c
    """
    acts = Review(app)
    item_id = acts.item(item).item.id
    code = "review-taken-away" if acts.reject(item_id) else "review-rejected"
    click.echo(say(code, {"item": item_id}, app.language))


# -- what is said -----------------------------------------------------------------------------


def _item_as_json(reviewed: Reviewed, language: str) -> dict[str, Any]:
    item = reviewed.item
    return {
        "item": item.id,
        "channel": item.channel,
        "kind": item.kind,
        "state": item.state,
        "outcome": item.outcome,
        "reason": item.reason,
        "words": reviewed.why(language) or None,
        "face_count": None if item.report is None else len(reviewed.faces),
        "since": item.updated_at.isoformat(),
        "questions": [
            {"subject": question.subject_id, "shown_as": question.shown_as}
            for question in reviewed.questions
        ],
    }


def _mark_as_json(mark: ReviewMarkRow) -> dict[str, Any]:
    return {
        "verdict": mark.verdict,
        "subject": mark.subject_id,
        "at": mark.at.isoformat(),
        "actor": mark.actor,
    }


def _lines(app: App, reviewed: Reviewed) -> list[str]:
    language = app.language
    lines = [_head(app, reviewed), f"    {reviewed.why(language)}".rstrip()]
    for number, face in enumerate(reviewed.faces, 1):
        lines.append(f"{number:>4}  {face_line(face, language)}")
        lines += [f"        {note}" for note in _notes(app, reviewed, number)]
    if not reviewed.faces:
        lines.append(f"    {say('review-no-faces', {}, language)}")
    loose = say("review-mark-loose", {}, language)
    lines += [
        f"    {_mark_words(app, mark)} ({loose})" for mark, numbers in reviewed.marks if not numbers
    ]
    if reviewed.is_pending:
        lines.append(say("review-pending", {"item": reviewed.item.id}, language))
    return [line for line in lines if line]


def _head(app: App, reviewed: Reviewed) -> str:
    item = reviewed.item
    params = {
        "kind": say(f"media-{item.kind}", {}, app.language),
        "channel": item.channel,
        "state": say(f"state-{item.state}", {}, app.language),
        "since": _moment(item.updated_at, app),
    }
    return f"{item.id}: {say('review-head', params, app.language)}"


def _notes(app: App, reviewed: Reviewed, number: int) -> list[str]:
    """Who a face resembles, if nobody was recognised, and what people said about it."""
    match = reviewed.faces[number - 1].face.match
    notes = []
    if match and match.subject_id is None and match.candidates:
        names = ", ".join(f"{c.subject_id} ({c.distance:.2f})" for c in match.candidates)
        notes.append(say("review-like", {"candidates": names}, app.language))
    return notes + [_mark_words(app, mark) for mark in reviewed.marks_of(number)]


def _mark_words(app: App, mark: ReviewMarkRow) -> str:
    params = {"at": _moment(mark.at, app), "subject": mark.subject_id}
    return say(f"review-mark-{mark.verdict}", params, app.language)


def _tell_marked(app: App, reviewed: Reviewed, code: str, number: int, **params: str) -> None:
    item_id = reviewed.item.id
    click.echo(say(code, {"item": item_id, "number": number, **params}, app.language))
    click.echo(f"    {face_line(reviewed.faces[number - 1], app.language)}")
    click.echo(say("review-pending", {"item": item_id}, app.language))


def _moment(at: datetime, app: App) -> str:
    return f"{at.astimezone(app.config.zone):%Y-%m-%d %H:%M}"


# -- pictures ---------------------------------------------------------------------------------


def _write_pictures(app: App, reviewed: Reviewed, pictures: Pictures, out: Path) -> dict[str, Any]:
    """Write the pictures and the page for their owner only, and say where they are."""
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise MediaError("write-failed", name=out.name, detail=error.strerror or "?") from error
    strips = {
        number: out / f"face-{number:02}.jpg"
        for number, strip in enumerate(pictures.strips, 1)
        if strip is not None
    }
    write_atomically(out / "poster.jpg", pictures.poster)
    for number, path in strips.items():
        strip = pictures.strips[number - 1]
        assert strip is not None
        write_atomically(path, strip)
    page = out / "index.html"
    write_atomically(page, _page(app, reviewed, pictures).encode())
    return {
        "page": str(page),
        "poster": str(out / "poster.jpg"),
        "faces": {str(number): str(path) for number, path in strips.items()},
    }


def _page(app: App, reviewed: Reviewed, pictures: Pictures) -> str:
    """One HTML page with its pictures inside: no file beside it, no request."""
    environment = Environment(
        loader=PackageLoader("mediaguard"), autoescape=True, undefined=StrictUndefined
    )
    language = app.language

    def translated(code: str, **params: object) -> str:
        return say(code, params, language)

    return environment.get_template("review.html").render(
        language=language,
        say=translated,
        item=reviewed.item.id,
        head=_head(app, reviewed),
        reason=reviewed.why(language),
        poster=_data_uri(pictures.poster),
        faces=[
            {
                "kept": face.action is Action.KEEP,
                "strip": _data_uri(strip),
                "line": face_line(face, language),
                "notes": _notes(app, reviewed, number),
            }
            for number, (face, strip) in enumerate(
                zip(reviewed.faces, pictures.strips, strict=True), 1
            )
        ],
    )


def _data_uri(picture: bytes | None) -> str | None:
    if picture is None:
        return None
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()
