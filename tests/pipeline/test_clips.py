"""Videos through the whole pipeline: no face for a single frame, and a fault holds."""

import os
import shutil
import stat
import threading
from pathlib import Path

import av
import pytest

from mediaguard.config import FILE_NAME
from mediaguard.core.decision import Action, Outcome
from mediaguard.core.faces import Box, Detection
from mediaguard.errors import Cancelled, StoreError
from mediaguard.media import clip_verification
from mediaguard.pipeline import render_clip
from mediaguard.review import Review
from mediaguard.store.book import ChannelBook
from mediaguard.store.items import Items
from mediaguard.texts import say
from mediaguard.watch import Watcher
from tests.pipeline.clip_world import (
    FPS,
    Script,
    draw,
    during,
    film,
    ground,
    shown,
    standing,
    times,
    walking,
)
from tests.pipeline.world import CHANNEL, World, make_world, run

COUPLE: Script = {"S-1": standing(40), "X": standing(220)}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


def configured(world: World, **settings: str) -> World:
    """The same home with settings for the channel."""
    path = world.home / FILE_NAME
    lines = "".join(f'{key} = "{value}"\n' for key, value in settings.items())
    section = f"[channels.{CHANNEL}]\n"
    path.write_text(path.read_text().replace(section, section + lines))
    again = World(world.home)
    again.detector = again.verifier = again.clip_detector = again.clip_verifier = world.detector
    again.embedder = world.embedder
    return again


def work_left(world: World) -> list[Path]:
    return list(world.work.rglob("*")) if world.work.exists() else []


def test_exactly_those_who_agreed_are_visible_in_every_frame(world: World, tmp_path: Path):
    path = film(tmp_path / "a.mp4", COUPLE)
    report = run(world, path)
    assert report.outcome is Outcome.REDACT, say(report.reason, report.params)
    assert report.verified
    assert {f.face.match.subject_id if f.face.match else None: f.action for f in report.faces} == {
        "S-1": Action.KEEP,
        None: Action.REDACT,
    }
    assert shown(str(report.rendition), COUPLE) == {"S-1": [*range(40)], "X": []}
    assert times(str(report.rendition)) == times(path)
    assert times(str(report.rendition), "audio") == times(path, "audio")
    assert work_left(world) == []


def test_the_report_names_frames_and_times(world: World, tmp_path: Path):
    script: Script = {"S-1": standing(40), "X": during(10, 29, standing(220))}
    report = world.pipeline(CHANNEL).check(film(tmp_path / "a.mp4", script))
    known, unknown = (face for face in report.as_json()["faces"])
    assert (known["subject"], known["frames"], known["times"]) == ("S-1", [0, 39], [0.0, 39 / FPS])
    assert unknown["frames"][0] in (10, 11)
    assert unknown["frames"][1] in (28, 29)
    assert 1 < len(known["sightings"]) <= 6
    assert known["sightings"][0]["box"][:2] == [40, 60]
    assert work_left(world) == []


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_face_for_a_few_frames_is_never_shown(world: World, tmp_path: Path, length: int):
    """Frames that are not looked at first are searched before and after they are encoded."""
    for first in (11, 12):
        script: Script = {"X": during(first, first + length - 1, standing(150))}
        report = run(world, film(tmp_path / f"{first}.mp4", script, seed=first))
        assert report.outcome is Outcome.REDACT
        assert shown(str(report.rendition), script) == {"X": []}


def test_somebody_who_passes_behind_stays_hidden_and_the_one_in_front_seen(
    world: World, tmp_path: Path
):
    script: Script = {"X": walking(-40, 8, y=66), "S-1": standing(140)}
    report = run(world, film(tmp_path / "a.mp4", script, frames=48))
    assert report.outcome is Outcome.REDACT
    seen = shown(str(report.rendition), script)
    behind = [frame for frame in range(48) if abs(-40 + 8 * frame - 140) < 48]
    assert [frame for frame in seen["X"] if frame not in behind] == []
    # The redacted head covers a part of the face in front while it is beside it; away from that
    # the face in front is seen all the time.
    near = [frame for frame in range(48) if abs(-40 + 8 * frame - 140) < 110]
    assert [frame for frame in range(48) if frame not in near and frame not in seen["S-1"]] == []


def test_two_who_cross_are_not_exchanged(world: World, tmp_path: Path):
    """S-2 refused; in front of S-1 or behind, before and after: never shown."""
    world.desk.withdraw("S-2", CHANNEL)
    for number, order in enumerate((("S-1", "S-2"), ("S-2", "S-1"))):
        ways = {"S-1": walking(10, 6), "S-2": walking(250, -6)}
        script: Script = {person: ways[person] for person in order}
        report = run(world, film(tmp_path / f"{number}.mp4", script, frames=40, seed=number))
        assert report.outcome is Outcome.REDACT
        seen = shown(str(report.rendition), script)
        assert [f for f in seen["S-2"] if abs((250 - 6 * f) - (10 + 6 * f)) > 40] == []
        assert {0, 1, 2, 37, 38, 39} <= set(seen["S-1"])


def test_nothing_reaches_over_a_cut(world: World, tmp_path: Path):
    before = during(0, 19, standing(150))
    after = during(20, 39, standing(150))
    script: Script = {"X": before, "S-1": after}
    report = run(world, film(tmp_path / "a.mp4", script, cut=20))
    assert shown(str(report.rendition), script) == {"X": [], "S-1": [*range(20, 40)]}


def test_a_detector_that_blinks_shows_nobody(world: World, tmp_path: Path):
    """Every third look finds nothing; what is between is covered all the same."""
    detect = world.detector.detect

    class Blinking:
        name, looks = "blinking", 0

        def detect(self, image):
            self.looks += 1
            return [] if self.looks % 3 == 0 else detect(image)

    world.clip_detector = Blinking()
    script: Script = {"X": walking(20, 4)}
    report = run(world, film(tmp_path / "a.mp4", script))
    assert report.outcome is Outcome.REDACT
    assert shown(str(report.rendition), script) == {"X": []}


def test_what_only_verification_sees_is_redacted_or_held(world: World, tmp_path: Path):
    detect = world.detector.detect

    class Blind:
        name = "blind"

        def detect(self, image):
            return []

    world.clip_detector = Blind()
    world.clip_verifier = world.detector
    script: Script = {"X": standing(150)}
    path = film(tmp_path / "a.mp4", script)
    report = run(world, path)
    if report.outcome.goes_out:
        assert shown(str(report.rendition), script) == {"X": []}
    else:
        assert report.reason == "verification-failed"
        assert "faces can be seen" in say(report.reason, report.params)
        assert list(world.ready(CHANNEL).glob("*.mp4")) == []
    assert detect is not None


def test_a_detector_that_sees_faces_everywhere_holds(world: World, tmp_path: Path):
    class Haunted:
        """Sees a new face somewhere else at each look."""

        name, looks = "haunted", 0

        def detect(self, image):
            self.looks += 1
            x = float(self.looks * 37 % 250)
            return [Detection(Box(x, 130.0, 40.0, 40.0), 0.9)]

    world.clip_verifier = Haunted()
    report = run(world, film(tmp_path / "a.mp4", COUPLE))
    assert report.outcome is Outcome.HOLD
    assert report.reason == "verification-failed"
    assert list(world.ready(CHANNEL).glob("*.mp4")) == []
    assert work_left(world) == []


@pytest.mark.parametrize("style", ["mosaic", "blur"])
def test_the_coarse_styles_pass_verification(world: World, tmp_path: Path, style: str):
    path = world.home / FILE_NAME
    path.write_text(path.read_text() + f'\n[redaction]\nstyle = "{style}"\n')
    again = configured(world)
    again.clip_verifier = type("Nobody", (), {"name": "no", "detect": lambda self, image: []})()
    script: Script = {"X": walking(20, 4)}
    report = run(again, film(tmp_path / "a.mp4", script))
    assert report.outcome is Outcome.REDACT, say(report.reason, report.params)


class TestSound:
    def test_it_goes_along_by_default(self, world: World, tmp_path: Path):
        path = film(tmp_path / "a.mp4", COUPLE)
        report = run(world, path)
        with av.open(str(path)) as before, av.open(str(report.rendition)) as after:
            packets = [[bytes(p) for p in c.demux(audio=0)] for c in (before, after)]
        assert packets[0] == packets[1]

    def test_muted(self, world: World, tmp_path: Path):
        report = run(configured(world, audio="mute"), film(tmp_path / "a.mp4", COUPLE))
        assert report.verified
        with av.open(str(report.rendition)) as container:
            assert [stream.type for stream in container.streams] == ["video"]

    def test_held(self, world: World, tmp_path: Path):
        world = configured(world, audio="hold")
        report = run(world, film(tmp_path / "a.mp4", COUPLE))
        assert (report.outcome, report.reason) == (Outcome.HOLD, "clip-sound")
        silent = run(world, film(tmp_path / "b.mp4", COUPLE, sound=False))
        assert silent.outcome is Outcome.REDACT


class TestConsentUnderWay:
    def test_a_withdrawal_during_the_work_wins(self, world: World, tmp_path: Path):
        withdrawn = threading.Event()

        def progress(step: str, done: int, total: int) -> None:
            if step == "write" and done > total // 2 and not withdrawn.is_set():
                world.desk.withdraw("S-1", CHANNEL)
                withdrawn.set()

        path = film(tmp_path / "a.mp4", COUPLE)
        report = world.pipeline(CHANNEL).process(
            path, vault=world.vault, channel=world.channel(CHANNEL), progress=progress
        )
        assert withdrawn.is_set()
        assert report.outcome is Outcome.REDACT
        assert shown(str(report.rendition), COUPLE) == {"S-1": [], "X": []}

    def test_the_records_name_the_clip_and_who_is_in_it(self, world: World, tmp_path: Path):
        run(world, film(tmp_path / "a.mp4", COUPLE))
        with world.database.read() as session:
            (item,) = Items(session).list()
            assert (item.kind, item.state, item.verified) == ("video", "released", True)
        (publication,) = world.publications(subject="S-1")
        assert publication["subjects"] == ["S-1"]


class TestBrokenOff:
    def test_what_was_done_is_not_done_again(self, world: World, tmp_path: Path):
        path = film(tmp_path / "a.mp4", COUPLE, frames=120)

        def stop(step: str, done: int, total: int) -> None:
            if step == "write" and done >= 100:
                raise Cancelled("cancelled")

        with pytest.raises(Cancelled):
            world.pipeline(CHANNEL).process(
                path, vault=world.vault, channel=world.channel(CHANNEL), progress=stop
            )
        assert list(world.ready(CHANNEL).glob("*.mp4")) == []
        left = [p for p in work_left(world) if p.is_file()]
        segments = [p for p in left if p.suffix == ".mp4" and p.name != "draft.mp4"]
        assert len(segments) == 2
        assert all(stat.S_IMODE(p.stat().st_mode) & 0o077 == 0 for p in world.work.iterdir())
        before = world.detector.looks
        report = run(world, path)
        # Only what was not done: the last 24 frames, and a sample of what came out.
        assert world.detector.looks - before < 60
        assert shown(str(report.rendition), COUPLE) == {"S-1": [*range(120)], "X": []}
        assert work_left(world) == []

    def test_nothing_that_tells_whose_face_it_is_is_left(self, world: World, tmp_path: Path):
        path = film(tmp_path / "a.mp4", COUPLE, frames=60)

        def stop(step: str, done: int, total: int) -> None:
            if step == "write":
                raise Cancelled("cancelled")

        with pytest.raises(Cancelled):
            world.pipeline(CHANNEL).export(path, tmp_path, stop)
        text = b"".join(p.read_bytes() for p in work_left(world) if p.suffix == ".jsonl")
        assert text
        assert b"S-1" not in text
        assert len(text.splitlines()[0]) < 700  # places of two faces; no vectors

    def test_two_at_once_do_not_disturb_each_other(self, world: World, tmp_path: Path):
        path = film(tmp_path / "a.mp4", COUPLE)
        met: list[Exception] = []

        def meanwhile(step: str, done: int, total: int) -> None:
            if step == "write" and done == 5:
                try:
                    run(world, path)
                except StoreError as error:
                    met.append(error)

        report = world.pipeline(CHANNEL).process(
            path, vault=world.vault, channel=world.channel(CHANNEL), progress=meanwhile
        )
        assert report.verified
        assert [getattr(error, "code", "") for error in met] == ["item-busy"]

    def test_a_stop_signal_ends_watching_within_a_video(self, world: World, tmp_path: Path):
        stop = threading.Event()
        film(world.inbox(CHANNEL) / "a.mp4", COUPLE, frames=60)
        clock = [0.0]
        lines: list[str] = []
        watcher = Watcher(world, tell=lines.append, clock=lambda: clock[0])
        watcher.step(stop)
        clock[0] = 10.0
        world.detector.on_look = lambda look: stop.set() if look > 10 else None
        assert watcher.step(stop) == 0.0
        assert (world.inbox(CHANNEL) / "a.mp4").exists()
        assert list(world.ready(CHANNEL).iterdir()) == []
        stop.clear()
        world.detector.on_look = lambda _: None
        watcher.step(stop)
        assert not (world.inbox(CHANNEL) / "a.mp4").exists()
        assert [p.suffix for p in world.ready(CHANNEL).iterdir()] == [".mp4"]

    def test_watching_tells_how_far_it_is(self, world: World, tmp_path: Path):
        film(world.inbox(CHANNEL) / "a.mp4", COUPLE)
        clock = [0.0]
        lines: list[str] = []

        def tick() -> float:
            clock[0] += 3.0
            return clock[0]

        watcher = Watcher(world, tell=lines.append, clock=tick)
        watcher.step()
        watcher.step()
        assert any("looking for faces" in line and "%" in line for line in lines)
        assert not any("a.mp4" in line for line in lines)


class TestFaults:
    def test_no_room_is_said_before_the_work(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
        monkeypatch.setattr(render_clip.shutil, "disk_usage", lambda _: usage)
        report = run(world, film(tmp_path / "a.mp4", COUPLE))
        assert (report.outcome, report.reason) == (Outcome.HOLD, "no-room-clip")
        assert "MB" in say(report.reason, report.params, "nl")

    def test_a_disk_that_fills_up_holds(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(render_clip.SegmentWriter, "finish", full)
        report = run(world, film(tmp_path / "a.mp4", COUPLE))
        assert report.outcome is Outcome.HOLD
        assert list(world.ready(CHANNEL).iterdir()) == []
        assert work_left(world) == []

    @pytest.mark.parametrize("broken", ["detector", "embedder", "measure"])
    def test_anything_that_breaks_holds(self, world: World, tmp_path: Path, broken: str):
        pipeline = world.pipeline(CHANNEL)

        class Broken:
            name = "broken"

            def detect(self, image):
                raise RuntimeError("no")

            def embed(self, image, detections):
                raise RuntimeError("no")

            def __call__(self, image, detection):
                raise RuntimeError("no")

        from dataclasses import replace

        looking = replace(pipeline.looking_at_clips, **{broken: Broken()})
        pipeline = replace(pipeline, looking_at_clips=looking)
        path = film(tmp_path / "a.mp4", COUPLE)
        report = pipeline.process(path, vault=world.vault, channel=world.channel(CHANNEL))
        assert (report.outcome, report.reason) == (Outcome.HOLD, "internal-error")
        assert report.kept_safe
        assert list(world.ready(CHANNEL).iterdir()) == []

    def test_a_finished_file_that_is_not_what_was_verified_holds(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        real = render_clip.assemble

        def lying(path, segments, starts, clip, *, sound):
            real(path, segments, starts, clip, sound=sound)
            with path.open("ab") as file:
                file.write(b"\0\0\0\x10uuid" + b"secrets!")

        monkeypatch.setattr(render_clip, "assemble", lying)
        report = run(world, film(tmp_path / "a.mp4", COUPLE))
        assert (report.outcome, report.reason) == (Outcome.HOLD, "verification-failed")

    def test_paint_that_does_not_cover_is_noticed(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        real = render_clip.paint
        count = [0]

        def sloppy(planes, paints, *, strength=1):
            count[0] += 1
            if count[0] % 17 == 0:  # one frame now and then
                return real(planes, [], strength=strength)
            return real(planes, paints, strength=strength)

        monkeypatch.setattr(render_clip, "paint", sloppy)
        report = run(world, film(tmp_path / "a.mp4", COUPLE))
        if report.outcome.goes_out:
            assert shown(str(report.rendition), COUPLE)["X"] == []
        else:
            assert report.reason == "verification-failed"

    def test_a_file_that_changes_while_it_is_exported_is_held(self, world: World, tmp_path: Path):
        path = film(tmp_path / "a.mp4", COUPLE)
        other = film(tmp_path / "b.mp4", {"X": standing(100)})

        def swap(step: str, done: int, total: int) -> None:
            if step == "look" and done == total:
                os.replace(other, path)  # noqa: PTH105

        report = world.pipeline(CHANNEL).export(path, tmp_path / "out", swap)
        assert report.outcome is Outcome.HOLD
        assert not (tmp_path / "out").exists()

    def test_a_dead_database_leaves_the_file(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        def dead(*_: object, **__: object) -> bool:
            raise StoreError("database-unreachable", database="x", detail="x")

        monkeypatch.setattr(ChannelBook, "intend", dead)
        with pytest.raises(StoreError):
            run(world, film(tmp_path / "a.mp4", COUPLE))
        assert list(world.ready(CHANNEL).iterdir()) == []


def test_verification_decodes_what_was_written(world: World, tmp_path: Path):
    """The whole of a segment is looked at, also when nobody is in it."""
    counted: list[int] = []
    real = clip_verification.verify_segment

    def counting(path, expected, **options):
        counted.append(len(expected))
        return real(path, expected, **options)

    render_clip.verify_segment = counting
    try:
        report = run(world, film(tmp_path / "a.mp4", {"X": lambda _: None}, frames=60))
    finally:
        render_clip.verify_segment = real
    assert report.outcome is Outcome.RELEASE
    assert report.verified
    assert counted == [48, 12]


def test_the_drawing_itself_is_found(world: World):
    """The world's own check: a square is a face, the ground is none."""
    pixels = ground()
    assert world.detector.detect(pixels) == []
    draw(pixels, "X", (100, 60))
    assert len(world.detector.detect(pixels)) == 1


@pytest.mark.parametrize("span", [None, (0, 14)])
def test_a_place_that_somebody_wants_redacted_hides_whoever_passes_it(
    world: World, tmp_path: Path, span: tuple[int, int] | None
):
    script = {"S-1": walking(10, 6)}  # over the place from about frame 12 to 22
    path = film(tmp_path / "a.mp4", script)
    item = run(world, path).item_id
    Review(world).redact_place(item, (0, Box(110, 60, 48, 48)), span)
    report = Review(world).approve(item)
    assert (report.outcome, report.verified) == (Outcome.REDACT, True)
    kept, place, *parts = report.faces  # the detector finds parts of a face at the place's rim
    assert {part.action for part in parts} <= {Action.REDACT}
    assert (kept.action, place.action, place.rule) == (
        Action.KEEP,
        Action.REDACT,
        "reviewer-redacted",
    )
    seen = shown(report.rendition, script)["S-1"]
    assert {0, 1, 30, 31} <= set(seen)
    assert not set(seen) & set(range(14, 20 if span is None else 15))
    assert span is None or set(range(24, 30)) <= set(seen)
