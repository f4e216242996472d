"""A video under way is killed with SIGKILL at random moments; it goes on, and nothing slips out."""

import random
import shutil
import signal
import time
from pathlib import Path

from mediaguard.app import App
from mediaguard.published import Published
from mediaguard.resources import resource
from mediaguard.store.items import Items
from tests.faults.test_watch_killed import assert_nothing_unverified_is_public, start

KILLS = 8
CHANNEL = "website-public"


def in_the_middle(found: set[str]) -> bool:
    """Whether a kill came when it had looked at some of the frames."""
    return any(name.startswith("looks-") for name in found)


def test_killed_again_and_again_a_video_still_goes_out_once(home: Path):
    randomness = random.Random(2026)
    config = home / "mediaguard.toml"
    config.write_text(config.read_text() + "\n[watch]\nsettle_seconds = 0.2\n")
    app = App(home)
    source = resource("sample_media", "clips") / "01-walking-by.mp4"
    shutil.copy(source, app.inbox(CHANNEL) / source.name)
    found: set[str] = set()
    kills, deadline = 0, time.monotonic() + 300
    # On a busy machine the first ones all come before it looked at a single frame.
    while kills < KILLS or (not in_the_middle(found) and time.monotonic() < deadline):
        process = start(home)
        time.sleep(randomness.uniform(1.5, max(6.0, kills)))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        assert_nothing_unverified_is_public(app)
        found |= {path.name for path in app.work.glob("*/*")} if app.work.exists() else set()

    process = start(home)
    assert process.stdout is not None
    assert process.stdout.readline()  # it is up, and answers signals
    deadline = time.monotonic() + 300
    while any(app.inbox(CHANNEL).iterdir()) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 0

    assert list(app.inbox(CHANNEL).iterdir()) == []
    assert list(app.work.glob("*/*")) == []
    with app.database.read() as session:
        (item,) = Items(session).list()
    assert (item.kind, item.state, item.verified) == ("video", "released", True)
    assert app.vault.get(item.id) == source.read_bytes()
    live = [entry for entry in Published(app).publications() if entry.row.state == "live"]
    assert len(live) == 1
    assert [p.name for p in app.ready(CHANNEL).iterdir()] == [f"{item.id}.mp4"]
    # The kills met it in the middle: otherwise this proved nothing.
    assert in_the_middle(found)
