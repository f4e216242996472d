"""Which files are meant when a user names files and folders."""

from pathlib import Path

import pytest

from mediaguard.errors import InputError
from mediaguard.files import find_files


def test_folders_are_searched_and_nothing_is_taken_twice(tmp_path: Path):
    for name in (
        "b.jpg",
        "a/c.txt",
        "a/d.JPG",
        ".hidden.jpg",
        "a/.git/x.jpg",
        "Thumbs.db",
        "e.part",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = find_files([tmp_path, tmp_path / "b.jpg", tmp_path / "a"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/c.txt", "a/d.JPG", "b.jpg"]


def test_a_file_that_was_named_is_taken_whatever_it_is_called(tmp_path: Path):
    path = tmp_path / ".hidden.jpg"
    path.write_bytes(b"x")
    assert find_files([path]) == [path]


def test_a_missing_path_is_an_error_before_anything_is_done(tmp_path: Path):
    with pytest.raises(InputError, match="file-missing"):
        find_files([tmp_path, tmp_path / "nowhere"])
