"""Notes in a channel's ready folder: for a picture that does not go out, why."""

from pathlib import Path

from mediaguard.app import App
from mediaguard.atomic import write_atomically
from mediaguard.core.media import ItemReport
from mediaguard.texts import say


def remove_note(app: App, channel: str, item_id: str) -> None:
    """Remove the note of an item of which a person has decided: it names a file."""
    (app.ready(channel) / f"{item_id}.txt").unlink(missing_ok=True)


def update_note(app: App, channel: str, report: ItemReport) -> None:
    """Write the note of an item that does not go out, and remove that of one that did.

    The note names the file as the report does: staff knows it by its name.
    """
    item = report.item_id or app.keyring.digest("note", report.path.encode())[:16]
    path = app.ready(channel) / f"{item}.txt"
    if report.outcome.goes_out:
        remove_note(app, channel, item)
        return
    params = {
        "channel": channel,
        "name": Path(report.path).name,
        "reason": say(report.reason, report.params, app.language),
        "item": item,
    }
    text = say("note" if report.kept_safe else "note-left", params, app.language)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode("utf-8"))
