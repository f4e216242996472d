"""The clips of the sample school against what is really in them, frame by frame."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from click.testing import CliRunner

from mediaguard.app import App
from mediaguard.cli.demo import sample_school
from mediaguard.cli.main import cli
from mediaguard.core.consent import MATCHING, Kind
from mediaguard.files import find_files
from mediaguard.media.redaction import FILL_COLOUR
from mediaguard.resources import resource

CHANNEL = "website-public"
CLIPS = resource("sample_media", "clips")
TRUTH: list[dict[str, Any]] = json.loads((CLIPS / "ground_truth.json").read_text())["clips"]
AGREED = {"S-1001", "S-1003", "S-1006", "S-1007", "T-2001"}
"""On the public website; see sample_media/README.md."""
SMALLEST = 24  # pixels of height
Face = tuple[int, int, int, int, int, str, float]


def by_name(start: str) -> dict[str, Any]:
    return next(clip for clip in TRUTH if clip["file"].startswith(start))


def processed(home: Path, clip: dict[str, Any], out: Path) -> dict[str, Any]:
    path = str(CLIPS / clip["file"])
    arguments = ["--home", str(home), "process", path, "-c", CHANNEL, "--out", str(out)]
    done = CliRunner().invoke(cli, [*arguments, "--format", "json"])
    assert done.exit_code == 0, done.output
    (item,) = json.loads(done.stdout)["items"]
    assert item["verified"]
    return item


def pictures(path: Path | str) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def filled(picture: np.ndarray, face: Face) -> float:
    """Which share of the inner part of a face has the fill's colour."""
    _, left, top, width, height, _, _ = face
    x0, x1 = max(left + width // 4, 0), max(left + width - width // 4, 0)
    y0, y1 = max(top + height // 4, 0), max(top + height - height // 4, 0)
    part = picture[y0:y1, x0:x1].astype(int)
    if not part.size:
        return 1.0
    return float((np.abs(part - np.array(FILL_COLOUR)).max(axis=2) < 25).mean())


def recognisable(face: Face) -> bool:
    *_, height, side, share = face
    return side in ("front", "half") and share >= 0.5 and height >= SMALLEST


def near_somebody_hidden(face: Face, clip: dict[str, Any], hidden: set[str]) -> bool:
    """Whether the head of somebody redacted reaches over this face: then redaction wins."""
    frame, left, top, width, height, *_ = face
    for person in hidden:
        for other in clip["faces"][person]:
            if abs(other[0] - frame) <= 6 and (
                abs((left + width / 2) - (other[1] + other[3] / 2)) < 1.3 * (width + other[3]) / 2
                and abs((top + height / 2) - (other[2] + other[4] / 2)) < height + other[4]
            ):
                return True
    return False


@pytest.fixture(scope="module")
def renditions(
    sample_home: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[dict[str, Any], list[np.ndarray]]]:
    out = tmp_path_factory.mktemp("out")
    made = {}
    for clip in TRUTH:
        item = processed(sample_home, clip, out)
        made[clip["file"]] = item, list(pictures(item["rendition"]))
    return made


@pytest.mark.parametrize("clip", TRUTH, ids=lambda clip: clip["file"])
class TestEachClip:
    def test_nobody_who_did_not_agree_is_shown_for_a_single_frame(self, clip, renditions):
        _, frames = renditions[clip["file"]]
        shown = [
            (person, face)
            for person in clip["faces"].keys() - AGREED
            for face in clip["faces"][person]
            if recognisable(face) and filled(frames[face[0]], face) < 0.9
        ]
        assert shown == []

    def test_those_who_agreed_are_visible_throughout(self, clip, renditions):
        _, frames = renditions[clip["file"]]
        hidden = set(clip["faces"]) - AGREED
        covered = [
            (person, face)
            for person in clip["faces"].keys() & AGREED
            for face in clip["faces"][person]
            if recognisable(face)
            and not near_somebody_hidden(face, clip, hidden)
            and filled(frames[face[0]], face) > 0.1
        ]
        assert covered == []

    def test_sound_and_every_timestamp_are_those_of_the_source(self, clip, renditions):
        item, frames = renditions[clip["file"]]
        assert len(frames) == clip["frames"]
        for kind in ("video", "audio"):
            packets = []
            for path in (str(CLIPS / clip["file"]), item["rendition"]):
                with av.open(path) as container:
                    assert container.metadata.keys() <= {
                        "major_brand", "minor_version", "compatible_brands",
                    }  # fmt: skip
                    packets.append(
                        [
                            (packet.pts * packet.time_base, bytes(packet))
                            for packet in container.demux(**{kind: 0})
                            if packet.size
                        ]
                    )
            times = [sorted(time for time, _ in stream) for stream in packets]
            assert times[0] == times[1]
            if kind == "audio":
                assert packets[0] == packets[1]
                assert len(packets[0]) > 10

    def test_the_report_names_who_is_seen(self, clip, renditions):
        item, _ = renditions[clip["file"]]
        shown = {face["subject"] for face in item["faces"] if face["action"] == "keep"}
        assert shown == clip["faces"].keys() & AGREED
        for face in item["faces"]:
            assert 0 <= face["frames"][0] <= face["frames"][1] < clip["frames"]
            start, end = face["times"]
            assert start == pytest.approx(face["frames"][0] / clip["fps"], abs=0.01)
            assert start <= end


def test_with_two_people_granted_exactly_they_are_visible(tmp_path: Path):
    """The same clip in a school that knows these two only."""
    app = App(tmp_path / "home")
    app.create()
    for subject in ("S-1001", "S-1006"):
        app.desk.add_subject(subject, kind=Kind.STUDENT, groups=(), born=None)
        for channel in (MATCHING, CHANNEL):
            app.desk.grant(subject, channel, signatory="guardian", evidence="FORM-1")
        app.enrol(subject, find_files([resource("sample_media", "references") / subject]))
    app.database.close()
    clip = by_name("01")
    item = processed(app.home, clip, tmp_path / "out")
    frames = list(pictures(item["rendition"]))
    for person, faces in clip["faces"].items():
        for face in filter(recognisable, faces):
            share = filled(frames[face[0]], face)
            if person == "X-1":
                assert share > 0.9, (person, face)
            elif not near_somebody_hidden(face, clip, {"X-1"}):
                assert share < 0.1, (person, face)


def test_on_an_empty_gallery_nobody_is_visible(tmp_path: Path):
    app = App(tmp_path / "home")
    app.create()
    app.database.close()
    clip = by_name("03")
    item = processed(app.home, clip, tmp_path / "out")
    assert {face["action"] for face in item["faces"]} == {"redact"}
    frames = list(pictures(item["rendition"]))
    for person, faces in clip["faces"].items():
        for face in filter(recognisable, faces):
            assert filled(frames[face[0]], face) > 0.9, (person, face)


def test_after_a_withdrawal_the_same_clip_comes_out_without(tmp_path: Path):
    app = sample_school(tmp_path / "home")
    app.desk.withdraw("S-1006", CHANNEL)
    app.database.close()
    clip = by_name("01")
    item = processed(app.home, clip, tmp_path / "out")
    assert {f["subject"] for f in item["faces"] if f["action"] == "keep"} == {"S-1001"}
    frames = list(pictures(item["rendition"]))
    for face in filter(recognisable, clip["faces"]["S-1006"]):
        assert filled(frames[face[0]], face) > 0.9, face
