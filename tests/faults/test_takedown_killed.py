"""Workers and `process` are killed with SIGKILL while a withdrawn subject's photos come down."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from mediaguard.app import App
from mediaguard.config import FILE_NAME
from mediaguard.published import Published
from mediaguard.resources import resource
from mediaguard.store.tables import ItemRow, PublicationRow

KILLS = 10
CHANNEL = "website-public"


def small_photos(folder: Path) -> list[Path]:
    """Those of the sample school, small enough to be quick."""
    folder.mkdir()
    made = []
    for source in sorted(resource("sample_media", "photos").glob("*.jpg")):
        picture = Image.open(source)
        picture.thumbnail((520, 520))
        made.append(folder / source.name)
        picture.save(made[-1], quality=90)
    return made


def start(home: Path, *command: str | Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", "from mediaguard.cli.main import main; main()", *map(str, command)],
        env={**os.environ, "MEDIAGUARD_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def until(holds: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


def files(app: App) -> dict[Path, str]:
    """What lies in the folder for everybody, with its sha256."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in app.ready(CHANNEL).iterdir()
        if path.suffix != ".txt" and not path.name.startswith(".")
    }


def publications(app: App, state: str | None = None) -> list[PublicationRow]:
    with app.database.read() as session:
        rows = session.scalars(select(PublicationRow))
        return [row for row in rows if state in (None, row.state)]


def is_idle(app: App) -> bool:
    with app.database.read() as session:
        due = select(ItemRow.id).where(ItemRow.next_attempt_at.is_not(None))
        return not session.scalars(due).all() and not Published(app).takedowns()


def test_killed_workers_leave_nothing_public_of_who_withdrew(home, tmp_path):
    randomness = random.Random(2026)
    config = home / FILE_NAME
    section = f"[channels.{CHANNEL}]\n"
    config.write_text(config.read_text().replace(section, f'{section}takedown = "replace"\n'))
    app = App(home)
    photos = small_photos(tmp_path / "photos")
    early, late = photos[:7], photos[7:]
    pipeline, channel = app.pipeline(CHANNEL), app.channel(CHANNEL)
    for photo in early:
        pipeline.process(photo, vault=app.vault, channel=channel)
    shown = Counter(
        subject for one in Published(app).publications(channel=CHANNEL) for subject in one.subjects
    )
    ((subject, count),) = shown.most_common(1)
    assert count >= 3, shown
    asked = app.desk.withdraw(subject, CHANNEL).takedowns
    assert len(asked) == count

    for number in range(KILLS):
        worker = start(home, "work")
        other = start(home, "process", late[number % len(late)], "--channel", CHANNEL)
        time.sleep(randomness.uniform(1.5, 5.0))
        kill(other)
        kill(worker)
        known = {row.rendition_sha256 for row in publications(app)}
        assert set(files(app).values()) <= known, "something is public that no record knows"

    worker = start(home, "work")
    until(lambda: is_idle(app), 150)
    for photo in late:  # one that was killed before it had the original safe starts again
        assert start(home, "process", photo, "--channel", CHANNEL).wait(60) in (0, 1)
    until(lambda: is_idle(app), 60)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0

    assert Published(app).publications(subject=subject, channel=CHANNEL) == []
    done = Published(app).takedowns(subject=subject, everything=True)
    assert {one.publication.id for one in done} >= {one.publication_id for one in asked}
    assert {one.row.state for one in done} == {"confirmed"}
    live = publications(app, "live")
    assert files(app) == {Path(url): row.rendition_sha256 for row in live for url in row.urls}
    assert len({row.item_id for row in live}) == len(live)
    with app.database.read() as session:
        items = list(session.scalars(select(ItemRow)))
    digests = [hashlib.sha256(photo.read_bytes()).hexdigest() for photo in photos]
    assert {item.id for item in items} == {app.book(CHANNEL).item_id(one) for one in digests}
    released = {item.id for item in items if item.state == "released"}
    assert released == {row.item_id for row in live}, "a photo was lost"
