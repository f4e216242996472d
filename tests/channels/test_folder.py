"""The folder channel: both verbs may be repeated, and only the item's own files are touched."""

import stat
from pathlib import Path

from mediaguard.channels.folder import FolderChannel


def test_publish_replaces_and_remove_removes_all_formats(tmp_path: Path):
    channel = FolderChannel(tmp_path / "ready")
    first = Path(channel.publish("0123abcd", b"one", ".jpg"))
    assert channel.publish("0123abcd", b"two", ".jpg") == str(first)
    assert first.read_bytes() == b"two"
    channel.publish("0123abcd", b"three", ".png")
    other = Path(channel.publish("0123abce", b"other", ".jpg"))
    note = tmp_path / "ready" / "0123abcd.txt"
    note.write_text("why")
    channel.remove("0123abcd")
    channel.remove("0123abcd")
    assert sorted(path.name for path in (tmp_path / "ready").iterdir()) == [note.name, other.name]


def test_what_is_published_can_be_read_by_whoever_serves_it(tmp_path: Path):
    path = Path(FolderChannel(tmp_path).publish("0123abcd", b"one", ".jpg"))
    assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444
