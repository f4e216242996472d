"""What is judged is what is later written: files that change, grow, vanish or are no files."""

import hashlib
import io
import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaguard.errors import MediaError
from mediaguard.pipeline import admit as admit_module
from mediaguard.pipeline.admit import Admitted, admit, admit_again
from tests.media import clip_builders as clips
from tests.media.builders import saved, scene

LIMITS = {"max_bytes": 1_000_000, "max_clip_bytes": 4_000_000}
CLIPS = {
    "mp4": (clips.mp4_h264, "mov"), "mov": (clips.mov, "mov"), "mkv": (clips.mkv, "matroska"),
    "webm": (clips.webm, "matroska"), "avi": (clips.avi, "avi"),
}  # fmt: skip
PHOTOS = ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "IMG_1.jpg"


def admitted(path: Path, data: bytes | None = None, **limits) -> Admitted:
    if data is not None:
        path.write_bytes(data)
    return admit(path, **{**LIMITS, **limits})


def code(call) -> str:
    with pytest.raises(MediaError) as caught:
        call()
    return caught.value.code


def contents(item: Admitted) -> bytes:
    with item.open() as file:
        return file.read()


# -- what it is ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clip.mp4", "IMG_1.jpg", "no-suffix", "x.exe", "photo.png"])
@pytest.mark.parametrize("kind", CLIPS)
def test_a_clip_is_known_by_its_content(tmp_path, kind, name):
    make, container = CLIPS[kind]
    data = make()
    item = admitted(tmp_path / name, data)
    assert (item.kind, item.container) == ("video", container)
    assert item.sha256 == hashlib.sha256(data).hexdigest()
    assert item.size == len(data)
    assert contents(item) == contents(item) == item.read() == data


@pytest.mark.parametrize("name", ["IMG_1.jpg", "clip.mp4", "clip.mkv"])
@pytest.mark.parametrize("kind", PHOTOS)
def test_a_photo_is_known_by_its_content(tmp_path, kind, name):
    data = saved(scene(), kind)
    item = admitted(tmp_path / name, data)
    assert (item.kind, item.container) == ("photo", None)
    assert item.sha256 == hashlib.sha256(data).hexdigest()
    assert contents(item) == contents(item) == item.read() == data


@given(st.binary(max_size=600))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_it_is_its_content_is_known(path, data):
    item = admitted(path, data)
    assert item.read() == data
    assert (item.sha256, item.size) == (hashlib.sha256(data).hexdigest(), len(data))
    item.require_same()


@pytest.mark.parametrize(
    "head", [b"#EXTM3U\n", b"ffconcat version 1.0\n", b"v=0\n", b"", b"\0" * 99]
)
def test_what_names_other_files_is_no_clip(path, head):
    assert admitted(path, head).container is None


# -- how large ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["photo", "clip"])
@pytest.mark.parametrize("more", [-1, 0, 1, 1000])
def test_each_kind_has_its_own_limit(path, kind, more):
    data = saved(scene(), "JPEG") if kind == "photo" else clips.mp4_h264()
    own, other = ("max_bytes", "max_clip_bytes")[:: 1 if kind == "photo" else -1]
    limits = {own: len(data) - more, other: 10 if more <= 0 else 10**9}
    if more > 0:
        assert code(lambda: admitted(path, data, **limits)) == "file-too-large"
    else:
        assert admitted(path, data, **limits).size == len(data)


def test_a_file_that_grows_while_it_is_read_is_refused(path, monkeypatch):
    """Its size was small when it was asked for."""
    for data in (saved(scene(), "PNG"), clips.mp4_h264()):
        path.write_bytes(data)
        real = os.fstat

        def grown(descriptor, data=data, real=real):
            result = real(descriptor)
            if result.st_size == len(data):
                with path.open("ab") as file:
                    file.write(bytes(200_000))
            return os.stat_result([*result[:6], len(data), *result[7:]])

        monkeypatch.setattr(admit_module.os, "fstat", grown)
        size = len(data) + 1000
        assert (
            code(lambda s=size: admitted(path, max_bytes=s, max_clip_bytes=s)) == "file-too-large"
        )
        monkeypatch.undo()


def test_a_huge_file_is_refused_without_reading_it(path):
    """Ten terabytes, as far as the file system knows."""
    for head in (saved(scene(), "JPEG"), clips.mp4_h264()):
        path.write_bytes(head)
        try:
            os.truncate(path, 10 << 40)
        except OSError:
            pytest.skip("no files with holes here")
        assert code(lambda: admitted(path)) == "file-too-large"


# -- a file that changes ---------------------------------------------------------------------


def test_a_photo_is_read_once(path):
    """What comes after does not matter: the bytes are in memory."""
    data = saved(scene(), "JPEG")
    item = admitted(path, data)
    path.write_bytes(b"something else")
    assert contents(item) == data
    path.unlink()
    assert item.read() == data
    item.require_same()


def test_each_opening_starts_at_the_start(path):
    for data in (saved(scene(), "JPEG"), clips.mp4_h264()):
        item = admitted(path, data)
        with item.open() as one, item.open() as other:
            one.read(100)
            assert other.read() == data
            assert one.read() == data[100:]


CHANGES = {
    "one bit": lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:],
    "longer": lambda data: data + b"x",
    "much longer": lambda data: data + bytes(3 << 20),
    "shorter": lambda data: data[:-1],
    "empty": lambda _: b"",
    "another clip": lambda _: clips.mkv(),
    "a photo": lambda _: saved(scene(), "JPEG"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_clip_that_changed_is_noticed(path, change):
    data = clips.mp4_h264()
    item = admitted(path, data)
    item.require_same()
    before = path.stat()
    path.write_bytes(CHANGES[change](data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # the clock tells nothing
    assert code(item.require_same) == "file-changed"
    path.write_bytes(data)
    item.require_same()


def test_a_clip_that_was_replaced_between_two_openings_is_noticed(path):
    """Renamed into its place, as programs do that save safely."""
    item = admitted(path, clips.mp4_h264())
    with item.open() as file:
        head = file.read(100)
        other = path.with_name("other")
        other.write_bytes(clips.mkv())
        other.replace(path)
        assert head + file.read() == clips.mp4_h264(), "who has it open reads on in the old one"
    assert contents(item) == clips.mkv()
    assert code(item.require_same) == "file-changed"


def test_a_clip_that_vanished_is_said(path):
    item = admitted(path, clips.mp4_h264())
    path.unlink()
    assert code(item.open) == "file-vanished"
    assert code(item.require_same) == "file-vanished"
    assert code(item.read) == "file-vanished"


@pytest.mark.parametrize("what", ["folder", "pipe", "loop", "socket"])
def test_a_clip_in_whose_place_something_else_is_is_said(path, what):
    item = admitted(path, clips.mp4_h264())
    path.unlink()
    put(path, what)
    assert code(item.require_same) in ("not-a-file", "file-changed", "file-unreadable")
    assert code(item.open) in ("not-a-file", "file-changed", "file-unreadable")


# -- what is no file -------------------------------------------------------------------------


def put(path: Path, what: str) -> None:
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path.name)
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))


@pytest.mark.parametrize("what", ["folder", "pipe", "loop", "socket"])
def test_what_is_no_file_is_refused_at_once(path, what):
    put(path, what)
    found: list[str] = []
    worker = threading.Thread(
        target=lambda: found.append(code(lambda: admitted(path))), daemon=True
    )
    worker.start()
    worker.join(10)
    assert not worker.is_alive(), "it waits for somebody who writes"
    assert found[0] in ("not-a-file", "file-unreadable")


def test_a_pipe_that_somebody_writes_to_is_no_file(path):
    os.mkfifo(path)
    reader = os.open(path, os.O_RDWR)
    try:
        os.write(reader, clips.mp4_h264()[:4000])
        assert code(lambda: admitted(path)) == "not-a-file"
    finally:
        os.close(reader)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_file(device):
    if not Path(device).exists():
        pytest.skip("no such device")
    assert code(lambda: admitted(Path(device))) == "not-a-file"


def test_a_file_that_is_not_there_or_not_readable(path, tmp_path):
    assert code(lambda: admitted(path)) == "file-vanished"
    assert code(lambda: admitted(tmp_path / "gone" / "x.mp4")) == "file-vanished"
    assert code(lambda: admitted(tmp_path / ("x" * 300))) == "file-unreadable"
    path.write_bytes(b"x")
    assert code(lambda: admitted(path / "below")) == "file-unreadable"


def test_a_file_that_may_not_be_read(path, monkeypatch):
    path.write_bytes(b"x")
    path.chmod(0)
    if os.geteuid() != 0:
        assert code(lambda: admitted(path)) == "file-no-permission"
        return
    # Nobody can be kept out who may do everything: for a moment somebody else.
    path.parent.chmod(0o755)
    monkeypatch.chdir(path.parent)
    os.seteuid(65534)
    try:
        assert code(lambda: admitted(Path(path.name))) == "file-no-permission"
    finally:
        os.seteuid(0)


def test_a_link_to_a_file_is_that_file(path, tmp_path):
    target = tmp_path / "target"
    target.write_bytes(clips.mp4_h264())
    path.symlink_to(target)
    assert admitted(path).read() == clips.mp4_h264()


def test_no_file_stays_open(path):
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("no list of open files")

    def open_files() -> int:
        return len(list(folder.iterdir()))

    item = admitted(path, clips.mp4_h264())
    pipe, directory = path.with_name("pipe"), path.with_name("directory")
    os.mkfifo(pipe)
    directory.mkdir()
    before = open_files()
    for _ in range(20):
        item.require_same()
        item.read()
        for refused in (pipe, directory, path.with_name("gone")):
            with pytest.raises(MediaError):
                admitted(refused)
        with pytest.raises(MediaError):
            admitted(path, max_clip_bytes=10)
    assert open_files() == before


# -- an original that was kept ---------------------------------------------------------------


@pytest.mark.parametrize("make", [clips.mp4_h264, lambda: saved(scene(), "JPEG"), lambda: b""])
def test_an_original_that_was_kept_is_taken_in_as_it_was(path, make):
    data = make()
    first = admitted(path, data)
    item = admit_again("item-7", lambda: io.BytesIO(data))
    assert (item.sha256, item.size, item.container) == (first.sha256, first.size, first.container)
    assert item.read() == data
    assert str(item.path) == "item-7"
    item.require_same()


def test_an_original_that_changed_is_noticed():
    kept = [clips.mp4_h264()]
    item = admit_again("item-7", lambda: io.BytesIO(kept[0]))
    kept[0] = clips.mkv()
    assert code(item.require_same) == "file-changed"
