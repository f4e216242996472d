"""A file is there whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from mediaguard.atomic import write_atomically
from mediaguard.errors import MediaError


def test_content_and_permissions(tmp_path):
    target = tmp_path / "out.jpg"
    write_atomically(target, b"one")
    write_atomically(target, b"two")
    assert target.read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jpg"]
    if os.name != "nt":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "no-room"), (errno.EIO, "write-failed")]
)
def test_a_failing_disk_leaves_nothing_behind(tmp_path, monkeypatch, step, number, code):
    target = tmp_path / "out.jpg"
    target.write_bytes(b"old")

    def fail(*_args, **_kwargs):
        raise OSError(number, "injected")

    monkeypatch.setattr(*((Path, "replace") if step == "replace" else (os, step)), fail)
    with pytest.raises(MediaError) as caught:
        write_atomically(target, b"new")
    assert caught.value.code == code
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jpg"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_disk_that_is_really_full(tmp_path, monkeypatch):
    real = os.open

    def onto_a_full_disk(path, flags, mode=0o777):
        if str(path).endswith(".part"):
            os.close(real(path, flags, mode))  # the directory entry still fits
            return real("/dev/full", os.O_WRONLY)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", onto_a_full_disk)
    with pytest.raises(MediaError) as caught:
        write_atomically(tmp_path / "out.jpg", b"x" * 100_000)
    assert caught.value.code == "no-room"
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "out.jpg", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(MediaError) as caught:
        write_atomically(tmp_path / "nowhere" / "out.jpg", b"new")
    assert caught.value.code == "write-failed"


def test_a_link_is_replaced_not_followed(tmp_path):
    elsewhere = tmp_path / "precious.txt"
    elsewhere.write_bytes(b"precious")
    target = tmp_path / "out.jpg"
    try:
        target.symlink_to(elsewhere)
    except OSError:
        pytest.skip("links are not allowed here")
    write_atomically(target, b"new")
    assert elsewhere.read_bytes() == b"precious"
    assert target.read_bytes() == b"new"
