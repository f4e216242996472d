"""`watch` is killed with SIGKILL at random moments; nothing is lost, doubled or unverified."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from mediaguard.app import App
from mediaguard.resources import resource
from mediaguard.store.tables import ItemRow, PublicationRow

KILLS = 50
PHOTOS = 40
CHANNEL = "website-public"


def make_photos(folder: Path) -> list[Path]:
    """Forty different photos from the ten of the sample school, and small enough to be quick."""
    folder.mkdir()
    made = []
    for source in sorted(resource("sample_media", "photos").glob("*.jpg")):
        for number in range(PHOTOS // 10):
            picture = Image.open(source)
            picture.thumbnail((440 + 20 * number, 440))
            path = folder / f"{source.stem}-{number}.jpg"
            picture.save(path, quality=90)
            made.append(path)
    assert len(made) == PHOTOS
    return made


def start(home: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", "from mediaguard.cli.main import main; main()", "watch"],
        env={**os.environ, "MEDIAGUARD_HOME": str(home)},
        stdout=subprocess.PIPE,
    )


def drop(photo: Path, inbox: Path) -> None:
    """As a file manager copies: in place, in two writes, so that it is incomplete for a moment."""
    data = photo.read_bytes()
    with (inbox / photo.name).open("wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        file.write(data[len(data) // 2 :])


def assert_nothing_unverified_is_public(app: App) -> None:
    """Whatever lies in `ready` was verified: the intent with its hash was recorded before."""
    with app.database.read() as session:
        hashes = set(session.scalars(select(PublicationRow.rendition_sha256)))
    for path in app.ready(CHANNEL).iterdir():
        if path.suffix == ".jpg" and not path.name.startswith("."):
            assert hashlib.sha256(path.read_bytes()).hexdigest() in hashes, path


def test_fifty_kills_while_forty_photos_are_dropped(home: Path, tmp_path: Path):
    randomness = random.Random(2026)
    photos = make_photos(tmp_path / "photos")
    config = home / "mediaguard.toml"
    config.write_text(config.read_text() + "\n[watch]\nsettle_seconds = 0.2\n")
    app = App(home)
    inbox, ready = app.inbox(CHANNEL), app.ready(CHANNEL)

    waiting = list(photos)
    for kill in range(KILLS):
        process = start(home)
        for _ in range(-(-len(waiting) // (KILLS - kill)) if waiting else 0):
            drop(waiting.pop(), inbox)
        time.sleep(randomness.uniform(0.2, 4.0))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert_nothing_unverified_is_public(app)
    assert not waiting

    process = start(home)
    assert process.stdout is not None
    assert process.stdout.readline()  # it is up, and answers signals
    deadline = time.monotonic() + 300
    while any(inbox.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0

    assert list(inbox.iterdir()) == []
    with app.database.read() as session:
        items = list(session.scalars(select(ItemRow)))
        publications = {row.item_id: row for row in session.scalars(select(PublicationRow))}
    digests = {
        app.book(CHANNEL).item_id(hashlib.sha256(p.read_bytes()).hexdigest()) for p in photos
    }
    assert {item.id for item in items} == digests
    assert len(items) == PHOTOS
    expected = set()
    for item in items:
        assert item.state in ("released", "held", "blocked"), item.state
        if item.state == "released":
            assert item.verified
            assert publications[item.id].state == "live"
            published = ready / Path(publications[item.id].urls[0]).name
            digest = hashlib.sha256(published.read_bytes()).hexdigest()
            assert digest == publications[item.id].rendition_sha256 == item.rendition_sha256
            expected.add(published.name)
        else:
            expected.add(f"{item.id}.txt")
    assert {path.name for path in ready.iterdir() if not path.name.startswith(".")} == expected
    for photo in photos:
        item = app.book(CHANNEL).item_id(hashlib.sha256(photo.read_bytes()).hexdigest())
        assert app.vault.get(item) == photo.read_bytes()
    assert {item.state for item in items} == {"released", "held"}
