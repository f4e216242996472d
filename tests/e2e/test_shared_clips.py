"""The real clips beside the project, where they are there (they are never copied into it)."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from mediaguard.app import App
from mediaguard.core.faces import Box
from mediaguard.media.redaction import FILL_COLOUR
from mediaguard.vision.centerface import CenterFace
from mediaguard.watch import Watcher
from tests.e2e.test_sample_school import mediaguard

CHANNEL = "website-public"
SMALLEST, CLEAR = 24, 0.5
"""Height in pixels and score of a face that nobody may see."""


def pictures(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def is_filled(picture: np.ndarray, box: Box) -> bool:
    x0, x1 = (max(int(v), 0) for v in (box.x + box.w / 5, box.right - box.w / 5))
    y0, y1 = (max(int(v), 0) for v in (box.y + box.h / 5, box.bottom - box.h / 5))
    part = picture[y0:y1, x0:x1].astype(int)
    return not part.size or float((np.abs(part - FILL_COLOUR).max(axis=2) < 25).mean()) > 0.9


def shown(source: Path, output: Path) -> list[tuple[int, Box, float]]:
    """Faces of the source, each frame at twice its size and less, that are not covered."""
    reference = CenterFace()
    return [
        (index, face.box, face.score)
        for index, (before, after) in enumerate(
            zip(pictures(source), pictures(output), strict=True)
        )
        for face in reference.detect(before)
        if face.score >= CLEAR and face.box.h >= SMALLEST and not is_filled(after, face.box)
    ]


def packets(path: Path, kind: str) -> list[tuple[object, bytes]]:
    with av.open(str(path)) as container:
        return sorted(
            (packet.pts * packet.time_base, bytes(packet))
            for packet in container.demux(**{kind: 0})
            if packet.size
        )


def assert_clean(source: Path, output: Path) -> None:
    assert shown(source, output) == []
    assert [time for time, _ in packets(source, "video")] == [
        time for time, _ in packets(output, "video")
    ]
    assert packets(source, "audio") == packets(output, "audio")


@pytest.mark.parametrize("name", ["crowd_1080p.mp4", "stage_640x360.mp4"])
def test_no_clear_face_of_an_unknown_person_in_any_frame(
    shared_data: Path, tmp_path: Path, name: str
):
    home, out = tmp_path / "home", tmp_path / "out"
    mediaguard(home, "init")
    source = shared_data / "video" / name
    done = mediaguard(home, "process", source, "--channel", CHANNEL, "--out", out)
    assert done.exit_code == 0, done.output
    (output,) = out.iterdir()
    assert_clean(source, output)


def test_the_same_through_the_watched_folder(shared_data: Path, tmp_path: Path):
    app = App(tmp_path / "home")
    app.create()
    source = shared_data / "video" / "stage_640x360.mp4"
    shutil.copy(source, app.inbox(CHANNEL) / source.name)
    clock = [0.0]
    watcher = Watcher(app, tell=lambda _: None, clock=lambda: clock[0])
    watcher.step(threading.Event())
    clock[0] = 60.0
    watcher.step(threading.Event())
    assert list(app.inbox(CHANNEL).iterdir()) == []
    (output,) = app.ready(CHANNEL).iterdir()
    assert_clean(source, output)


def test_a_clip_full_of_metadata_comes_out_clean(shared_data: Path, tmp_path: Path):
    home, out = tmp_path / "home", tmp_path / "out"
    mediaguard(home, "init")
    mediaguard(home, "process", shared_data / "dirty" / "dirty.mp4", "-c", CHANNEL, "--out", out)
    (output,) = out.iterdir()
    with av.open(str(output)) as container:
        assert set(container.metadata) <= {"major_brand", "minor_version", "compatible_brands"}
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert all(
            set(stream.metadata) <= {"language", "handler_name"} for stream in container.streams
        )
