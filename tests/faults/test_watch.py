"""The watched folders under bad input and bad luck, step by step with a clock of our own."""

import errno
import os
import threading
import zlib
from pathlib import Path

import pytest
from PIL import Image

from mediaguard.channels.folder import FolderChannel
from mediaguard.errors import StoreError
from mediaguard.store.book import ChannelBook
from mediaguard.store.items import Items
from mediaguard.store.vault import Vault
from mediaguard.watch import RESCAN, Watcher
from tests.pipeline.world import CHANNEL, make_world, people_in, picture


class Watched:
    """A world with a watcher whose clock only moves when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.world = make_world(folder)
        self.inbox, self.ready = self.world.inbox(CHANNEL), self.world.ready(CHANNEL)
        self.time = 0.0
        self.lines: list[str] = []
        self.restart()

    def restart(self) -> None:
        self.watcher = Watcher(self.world, tell=self.lines.append, clock=lambda: self.time)

    def step(self, seconds: float = 0.0) -> float:
        self.time += seconds
        return self.watcher.step()

    def settle(self) -> None:
        """See what is there, wait until it is complete, handle it."""
        self.step()
        self.step(3.0)

    def items(self) -> list[tuple[str, str | None]]:
        with self.world.database.read() as session:
            return [(item.state, item.reason) for item in Items(session).list()]

    def notes(self) -> list[str]:
        return [path.read_text() for path in self.ready.glob("*.txt")]

    def pictures(self) -> list[Path]:
        return [path for path in self.ready.iterdir() if path.suffix != ".txt"]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_a_dropped_photo_goes_out_and_its_original_is_kept(watched: Watched):
    data = picture(watched.inbox / "class trip.jpg", "S-1", "X").read_bytes()
    watched.settle()
    (finished,) = watched.pictures()
    assert people_in(finished) == {"S-1"}
    assert watched.notes() == []
    assert list(watched.inbox.iterdir()) == []
    assert watched.world.vault.get(finished.stem) == data
    assert not any("class trip" in line for line in watched.lines)


def test_a_file_that_still_grows_is_left_alone(watched: Watched):
    path = watched.inbox / "slow.jpg"
    whole = picture(watched.inbox.parent / "whole.jpg", "S-1").read_bytes()
    for end in range(0, len(whole), len(whole) // 4):
        path.write_bytes(whole[:end])
        watched.step(1.5)
        assert watched.items() == []
    path.write_bytes(whole)
    watched.settle()
    assert watched.items() == [("released", "all-consented")]


def test_what_was_there_before_the_start_is_taken(watched: Watched):
    picture(watched.inbox / "old.jpg", "S-1")
    (watched.inbox / "monday" / "deeper").mkdir(parents=True)
    picture(watched.inbox / "monday" / "deeper" / "older.jpg", "S-2")
    watched.restart()
    watched.settle()
    assert [state for state, _ in watched.items()] == ["released", "released"]
    assert not [path for path in watched.inbox.rglob("*") if path.is_file()]


def test_the_same_photo_twice_is_one_item(watched: Watched):
    picture(watched.inbox / "a.jpg", "S-1")
    picture(watched.inbox / "b.jpg", "S-1")
    watched.settle()
    picture(watched.inbox / "c.jpg", "S-1")
    watched.settle()
    assert len(watched.items()) == 1
    assert len(watched.pictures()) == 1
    assert list(watched.inbox.iterdir()) == []


def test_hidden_system_and_unfinished_files_are_not_touched(watched: Watched):
    names = [
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "photo.jpg.part",
        "~$list.docx",
        "x.crdownload",
    ]
    for name in names:
        (watched.inbox / name).write_bytes(b"x")
    watched.settle()
    assert watched.items() == []
    assert sorted(path.name for path in watched.inbox.iterdir()) == sorted(names)


def chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def nasty_files(folder: Path) -> dict[str, bytes]:
    """Name → content of files that no one should ever publish."""
    good = picture(folder / "good.jpg", "S-1").read_bytes()
    png = folder / "good.png"
    Image.open(folder / "good.jpg").save(png)
    pixels = png.read_bytes()
    bomb = pixels[:33] + chunk(b"zTXt", b"k\0\0" + zlib.compress(b"0" * 80_000_000)) + pixels[33:]
    header = chunk(b"IHDR", (20000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00")
    return {
        "empty.jpg": b"",
        "text.jpg": b"this is no picture\n" * 40,
        "truncated.jpg": good[: len(good) * 2 // 3],
        "header-only.jpg": good[:20],
        "crc.png": pixels[:60] + b"\xff\xff" + pixels[62:],
        "bomb.png": bomb,
        "400-megapixels.png": b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(b"0" * 99)),
        "page.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "film.jpg": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00" * 200,
        "--output.jpg": b"nothing",
        "new\nline.jpg": b"nothing at all",
        "\N{GRINNING FACE}.jpg": b"nothing" * 2,
        "\x1b[31mred.jpg": b"nothing" * 3,
        "a" * 251 + ".jpg": b"nothing" * 4,
    }


def test_each_nasty_file_is_held_with_a_note_and_kept(watched: Watched, tmp_path: Path):
    (tmp_path / "made").mkdir()
    files = nasty_files(tmp_path / "made")
    for name, data in files.items():
        (watched.inbox / name).write_bytes(data)
    watched.settle()
    assert watched.pictures() == []
    notes = watched.notes()
    assert len(notes) == len(files)
    for note in notes:
        assert all(line.isprintable() for line in note.splitlines()), note
        assert "internal-error" not in note
        assert "unexpected" not in note
    assert list(watched.inbox.iterdir()) == []
    kept = {watched.world.vault.get(path.stem) for path in watched.ready.glob("*.txt")}
    assert kept == set(files.values())
    assert {state for state, _ in watched.items()} == {"held"}


def test_good_photos_with_odd_names_go_out(watched: Watched):
    names = ["--output.jpg", "new\nline.jpg", "\N{GRINNING FACE}.jpg", "a" * 251 + ".jpg", "noext"]
    for seed, name in enumerate(names):
        made = picture(watched.inbox.parent / "made.jpg", "S-1", seed=seed)
        made.rename(watched.inbox / name)
    (watched.inbox / os.fsdecode(b"broken-\xff.jpg")).write_bytes(
        picture(watched.inbox.parent / "made.jpg", "S-1", seed=9).read_bytes()
    )
    watched.settle()
    assert [state for state, _ in watched.items()] == ["released"] * 6
    assert len(watched.pictures()) == 6
    assert all(path.stem.isalnum() for path in watched.pictures())


def test_a_wrong_extension_does_not_matter(watched: Watched):
    picture(watched.inbox.parent / "made.png", "S-1", "X").rename(watched.inbox / "photo.jpg")
    watched.settle()
    (finished,) = watched.pictures()
    assert finished.suffix == ".png"
    assert people_in(finished) == {"S-1"}


def test_no_permission_leaves_the_file_and_says_so(watched: Watched, monkeypatch):
    path = picture(watched.inbox / "locked.jpg", "S-1")
    real = os.open

    def refuse(target, *arguments, **keywords):  # root may read everything: refuse by hand
        if str(target) == str(path):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(target, *arguments, **keywords)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        watched.settle()
        assert path.exists()
        (note,) = watched.notes()
        assert "locked.jpg" in note
        assert "left in the inbox" in note
    watched.step(10)
    assert not path.exists()
    assert [state for state, _ in watched.items()] == ["released"]


def test_a_file_deleted_under_way_is_no_trouble(watched: Watched):
    path = picture(watched.inbox / "gone.jpg", "S-1")
    watched.world.detector.on_look = lambda _: path.unlink(missing_ok=True)
    watched.settle()
    assert [state for state, _ in watched.items()] == ["released"]
    again = picture(watched.inbox / "gone-too.jpg", "S-2")
    watched.step()
    again.unlink()
    watched.step(3)
    assert len(watched.items()) == 1


def test_a_file_replaced_under_way_is_not_lost(watched: Watched):
    path = picture(watched.inbox / "photo.jpg", "S-1")
    other = picture(watched.inbox.parent / "other.jpg", "S-2", seed=5)

    def replace(look: int) -> None:
        if look == 1:
            other.replace(path)

    watched.world.detector.on_look = replace
    watched.settle()
    assert path.exists()
    watched.settle()
    watched.step(10)
    assert [state for state, _ in watched.items()] == ["released", "released"]
    assert not path.exists()


def test_a_full_disk_loses_nothing(watched: Watched, monkeypatch):
    path = picture(watched.inbox / "photo.jpg", "S-1")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        watched.settle()
        assert path.exists()
        assert watched.pictures() == []
        assert watched.lines
        watched.step(400)
        assert path.exists()
    watched.step(400)
    assert [state for state, _ in watched.items()] == ["released"]
    assert not path.exists()
    assert watched.notes() == []


def test_a_full_disk_in_the_ready_folder_only(watched: Watched, monkeypatch):
    path = picture(watched.inbox / "photo.jpg", "S-1")

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(FolderChannel, "publish", full)
        watched.settle()
    assert watched.pictures() == []
    assert [state for state, _ in watched.items()] == ["held"]
    (note,) = watched.notes()
    assert "photo.jpg" in note
    assert not path.exists()


def test_dead_records_leave_the_photo_and_are_tried_again(watched: Watched, monkeypatch):
    path = picture(watched.inbox / "photo.jpg", "S-1")

    def dead(*_: object, **__: object) -> None:
        raise StoreError("database-unreachable", database="x")

    with monkeypatch.context() as patched:
        patched.setattr(ChannelBook, "intend", dead)
        watched.settle()
        assert "Nothing is lost" in watched.lines[-1]
        assert path.exists()
        assert watched.pictures() == []
        assert watched.step(3) >= 5
    watched.step(60)
    assert [state for state, _ in watched.items()] == ["released"]
    assert not path.exists()


def test_an_original_that_cannot_be_stored_stays(watched: Watched, monkeypatch):
    path = picture(watched.inbox / "photo.jpg", "S-1")

    def full(*_: object) -> None:
        raise StoreError("disk-full", database="vault")

    with monkeypatch.context() as patched:
        patched.setattr(Vault, "put", full)
        watched.settle()
        assert path.exists()
        assert watched.pictures() == []


def test_a_note_goes_when_the_photo_goes_out_after_all(watched: Watched):
    config = watched.world.home / "mediaguard.toml"
    config.write_text(config.read_text().replace('"redact"', '"hold"'))
    del watched.world.config
    picture(watched.inbox / "photo.jpg", "S-1", "X")
    watched.settle()
    (note,) = watched.notes()
    assert "photo.jpg" in note
    assert "holds such pictures" in note
    config.write_text(config.read_text().replace('"hold"', '"redact"'))
    del watched.world.config
    picture(watched.inbox / "photo.jpg", "S-1", "X")
    watched.settle()
    assert watched.notes() == []
    assert len(watched.pictures()) == 1


def test_notes_are_dutch_where_the_school_is(watched: Watched):
    config = watched.world.home / "mediaguard.toml"
    config.write_text(config.read_text().replace('language = "en"', 'language = "nl"'))
    del watched.world.config
    (watched.inbox / "leeg.jpg").write_bytes(b"")
    watched.settle()
    (note,) = watched.notes()
    assert note.startswith("Deze foto of video is niet gepubliceerd")


def test_with_nothing_to_do_it_waits(watched: Watched):
    assert watched.step() == RESCAN


@pytest.mark.parametrize("polling", [False, True])
def test_the_real_observer_wakes_the_watcher_and_stop_ends_it(watched: Watched, polling: bool):
    config = watched.world.home / "mediaguard.toml"
    config.write_text(
        config.read_text() + f"\n[watch]\nsettle_seconds = 0.1\npolling = {str(polling).lower()}\n"
    )
    del watched.world.config
    stop, done = threading.Event(), threading.Event()

    def tell(_: str) -> None:
        done.set()

    watcher = Watcher(watched.world, tell=tell)
    thread = threading.Thread(target=watcher.run, args=(stop,))
    thread.start()
    try:
        picture(watched.inbox.parent / "made.jpg", "S-1").rename(watched.inbox / "a.jpg")
        assert done.wait(60)
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()
    assert len(watched.pictures()) == 1
