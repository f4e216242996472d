"""Reviewing, from the command line: what is held is looked at, marked, approved or rejected.

Faces are coloured squares (`tests.pipeline.world`); all else is real.
"""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image as Pil

from mediaguard.cli.main import cli
from mediaguard.config import FILE_NAME
from mediaguard.core.faces import Box, Detection
from mediaguard.store.audit import Audit
from mediaguard.store.marks import Marks
from mediaguard.texts import say
from tests.media import clip_builders
from tests.pipeline.world import (
    CHANNEL,
    COLOURS,
    World,
    make_world,
    people_in,
    picture,
    run,
)


@pytest.fixture
def world(tmp_path, monkeypatch) -> World:
    made = make_world(tmp_path)

    class ThisWorld(World):
        detector = verifier = clip_detector = clip_verifier = made.detector

    monkeypatch.setattr("mediaguard.cli.main.App", ThisWorld)
    return made


@pytest.fixture
def review(world):
    """Runs `mediaguard review`; `code` is the exit code expected."""

    def review(*arguments, code=0, as_json=False):
        if as_json:
            arguments = (*arguments, "--format", "json")
        command = ["--home", str(world.home), "review", *map(str, arguments)]
        done = CliRunner().invoke(cli, command)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if as_json else done.output

    return review


def configure(world: World, old: str, new: str) -> None:
    path = world.home / FILE_NAME
    path.write_text(path.read_text().replace(old, new, 1))
    world.__dict__.pop("config", None)


@pytest.fixture
def held(world, tmp_path) -> str:
    """A photo of S-1 and somebody unknown, held because the channel wants a person to look."""
    configure(world, 'without_consent = "redact"', 'without_consent = "hold"')
    return str(run(world, picture(tmp_path / "Jan-Jansen.jpg", "S-1", "X")).item_id)


def finished(world: World) -> list[Path]:
    return sorted(path for path in world.ready(CHANNEL).iterdir() if path.suffix != ".txt")


def shown(world: World) -> set[str]:
    (path,) = finished(world)
    return people_in(path)


def actions(world: World, item: str) -> list[str]:
    with world.database.read() as session:
        return [entry.action for entry in Audit(session, world.keyring).entries(item_id=item)]


# -- looking --------------------------------------------------------------------------------


def test_what_is_held_is_listed_with_its_reason(world, review, held, tmp_path):
    run(world, picture(tmp_path / "b.jpg", "S-1"))
    (entry,) = review("list", as_json=True)["items"]
    assert (entry["item"], entry["channel"], entry["kind"]) == (held, CHANNEL, "photo")
    assert (entry["state"], entry["reason"], entry["face_count"]) == ("held", "channel-holds", 2)
    assert entry["words"] == say("channel-holds")
    text = review("list", "--channel", CHANNEL)
    assert held in text
    assert say("channel-holds") in text
    assert "Nothing is held." in review("list", "--channel", "facebook")
    assert len(review("list", "--all", as_json=True)["items"]) == 2
    assert "published" in review("list", "--all")
    assert "no channel" in review("list", "--channel", "facebok", code=2)


def test_an_item_is_shown_with_numbered_faces(review, held):
    entry = review("show", held[:4], as_json=True)
    assert [face["number"] for face in entry["faces"]] == [1, 2]
    assert [face["rule"] for face in entry["faces"]] == ["consent-granted", "face-unknown"]
    assert entry["faces"][0]["subject"] == "S-1"
    assert (entry["marks"], entry["pictures"]) == ([], None)
    text = review("show", held)
    assert re.search(r"1 +shown: S-1 \(at 1\d\d,1\d\d, \d+ by \d+ pixels\): has agreed", text)
    assert re.search(r"2 +redacted: somebody unknown", text)


def test_it_speaks_dutch(world, review, held, tmp_path):
    configure(world, 'language = "en"', 'language = "nl"')
    assert "vastgehouden" in review("list")
    assert "geen gezicht" in review("veto", held, 2)
    review("show", held, "--out", tmp_path / "look")
    page = (tmp_path / "look" / "index.html").read_text()
    assert '<html lang="nl">' in page
    assert say("review-warning", {}, "nl") in page.replace("&#39;", "'")


def test_pictures_are_for_their_owner_and_leave_nothing_behind(world, review, held, tmp_path):
    before = {path for path in world.home.rglob("*") if "mediaguard.db" not in path.name}
    out = tmp_path / "look" / "at"
    written = review("show", held, "--out", out, as_json=True)["pictures"]
    names = ["face-01.jpg", "face-02.jpg", "index.html", "poster.jpg"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert written["faces"] == {"1": str(out / "face-01.jpg"), "2": str(out / "face-02.jpg")}
    assert people_in(out / "poster.jpg") >= {"S-1", "X"}
    for number, person in ((1, "S-1"), (2, "X")):
        with Pil.open(out / f"face-0{number}.jpg") as strip:
            assert strip.height == 96
            middle = np.asarray(strip)[48, strip.width // 2]
        assert np.abs(middle.astype(int) - COLOURS[person]).max() < 40
    assert {path for path in world.home.rglob("*") if "mediaguard.db" not in path.name} == before
    assert actions(world, held)[-1] == "review-seen"


def test_the_page_needs_nothing_else_and_holds_no_name(review, held, tmp_path):
    text = review("show", held, "--out", tmp_path / "look")
    assert "delete them after use" in text
    page = (tmp_path / "look" / "index.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 3
    assert not re.search(r"https?://|<script|<link", page)
    assert "Jansen" not in page + text
    assert say("review-warning") in page
    assert f"mediaguard review approve {held}" in page
    assert say("channel-holds") in page


def test_showing_without_pictures_opens_no_original(world, review, held):
    review("show", held)
    assert "review-seen" not in actions(world, held)


def test_the_help_says_that_pictures_are_unredacted():
    said = CliRunner().invoke(cli, ["review", "show", "--help"]).output
    assert "UNREDACTED" in said
    assert "delete the folder" in re.sub(r"\s+", " ", said)


# -- deciding -------------------------------------------------------------------------------


def test_an_approved_item_goes_out_redacted(world, review, held):
    note = world.ready(CHANNEL) / f"{held}.txt"
    note.write_text("This photo or video was not published")
    assert finished(world) == []
    report = review("approve", held[:6], as_json=True)
    assert report["items"][0]["outcome"] == "redact"
    assert report["items"][0]["path"] == held
    assert shown(world) == {"S-1"}
    assert not note.exists()
    (entry,) = world.publications()
    assert (entry["state"], entry["subjects"]) == ("live", ["S-1"])
    assert "Nothing is held." in review("list")
    acts = actions(world, held)
    assert acts[-3:] == ["review-approved", "publication-intended", "publication-live"]


def test_too_many_redacted_faces_may_be_approved(world, review, tmp_path):
    old = f"[channels.{CHANNEL}]\n"
    configure(world, old, old + "max_redacted_share = 0.4\n")
    item = run(world, picture(tmp_path / "a.jpg", "S-1", "X", "X")).item_id
    review("approve", item)
    assert shown(world) == {"S-1"}


def test_a_vetoed_face_stays_visible_until_it_is_taken_back(world, review, held):
    assert "will stay visible" in review("veto", held, 2)
    text = review("show", held)
    assert "no face" in text
    assert "count when the item is handled anew" in text
    review("approve", held)
    assert shown(world) == {"S-1", "X"}
    entry = review("show", held, as_json=True)
    assert entry["faces"][1]["rule"] == "marked-no-face"
    assert [mark["numbers"] for mark in entry["marks"]] == [[2]]
    assert "handled anew" not in review("show", held)
    assert "somebody looked" in review("show", held)
    review("undo", held)
    review("approve", held)
    assert shown(world) == {"S-1"}
    assert actions(world, held).count("review-undone") == 1


def test_a_tagged_face_is_shown_as_that_subjects_consent_says(world, review, held):
    review("tag", held, 2, "S-2")
    assert "S-2" in review("show", held)
    review("approve", held)
    assert shown(world) == {"S-1", "X"}
    (entry,) = world.publications()
    assert entry["subjects"] == ["S-1", "S-2"]
    assert world.publications(subject="S-2") == [entry]
    world.desk.withdraw("S-2", CHANNEL)
    review("approve", held)
    assert shown(world) == {"S-1"}


def test_the_last_of_two_marks_counts(world, review, held):
    world.desk.withdraw("S-3", CHANNEL)
    review("veto", held, 2)
    review("tag", held, 2, "S-3")
    review("approve", held)
    assert shown(world) == {"S-1"}


def test_somebody_recognised_may_be_said_to_be_another_but_not_to_be_nobody(world, review, held):
    assert "recognised as S-1" in review("veto", held, 1, code=2)
    world.desk.withdraw("S-2", CHANNEL)
    review("tag", held, 1, "S-2")
    review("approve", held)
    assert shown(world) == set()


def test_a_mark_counts_also_when_the_same_photo_is_offered_again(world, review, held, tmp_path):
    review("veto", held, 2)
    run(world, tmp_path / "Jan-Jansen.jpg")
    assert shown(world) == {"S-1", "X"}


def test_a_withdrawal_while_an_approved_item_is_handled_wins(world, review, held):
    first = world.detector.looks

    def withdraw(look: int) -> None:
        if look == first + 2:  # while the rendition is searched
            world.desk.withdraw("S-1", CHANNEL)

    world.detector.on_look = withdraw
    review("approve", held)
    assert shown(world) == set()


def test_what_is_not_safe_stays_held_whoever_approves(world, review, tmp_path):
    def ghost(look: int) -> None:
        world.detector.extra = [Detection(Box(10 + 70 * look, 20, 60, 60), 0.9)]

    world.detector.on_look = ghost
    item = run(world, picture(tmp_path / "a.jpg", "S-1", "S-2")).item_id
    report = review("approve", item, code=1, as_json=True)
    assert report["items"][0]["reason"] == "verification-failed"
    assert finished(world) == []
    assert len(review("list", as_json=True)["items"]) == 1


def test_a_blocked_item_stays_blocked(world, review, tmp_path):
    configure(world, 'without_consent = "redact"', 'without_consent = "block"')
    item = run(world, picture(tmp_path / "a.jpg", "X")).item_id
    report = review("approve", item, code=1, as_json=True)
    assert report["items"][0]["outcome"] == "block"
    assert finished(world) == []


def test_a_rejected_item_is_taken_away(world, review, held):
    note = world.ready(CHANNEL) / f"{held}.txt"
    note.write_text("File: a name.jpg")
    assert "was not public" in review("reject", held)
    assert not note.exists(), "it names a file, and nobody needs it any more"
    review("approve", held)
    assert len(finished(world)) == 1
    assert "taken away" in review("reject", held)
    assert finished(world) == []
    assert [entry["state"] for entry in world.publications(everything=True)] == ["removed"]
    (entry,) = review("list", "--all", as_json=True)["items"]
    assert (entry["state"], entry["reason"]) == ("rejected", "rejected")
    assert review("show", held, as_json=True)["faces"]
    assert actions(world, held)[-3:] == [
        "review-rejected",
        "takedown-removed",
        "takedown-confirmed",
    ]


# -- what goes wrong ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "ffff0000"), "There is no item"),
        (("show", "ab"), "too short"),
        (("veto", "ITEM", 0), "no face 0"),
        (("veto", "ITEM", 3), "has 2 faces"),
        (("tag", "ITEM", 1, "S-9"), "no subject S-9"),
        (("tag", "ITEM", 9, "S-1"), "has 2 faces"),
        (("undo", "ITEM"), "no mark"),
        (("undo", "ffff0000"), "There is no item"),
        (("approve", "ffff0000"), "There is no item"),
        (("reject", "ffff0000"), "There is no item"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_recorded(world, review, held, arguments, said):
    before = actions(world, held)
    text = review(*(held if a == "ITEM" else a for a in arguments), code=2)
    assert said in text
    assert actions(world, held) == before
    with world.database.read() as session:
        assert Marks(session).list(held) == []


@pytest.mark.parametrize("act", [("approve",), ("show", "--out", "look")])
def test_without_its_original_an_item_cannot_be_handled(world, review, held, tmp_path, act):
    world.vault.delete(held)
    arguments = [tmp_path / "look" if a == "look" else a for a in act[1:]]
    assert "not kept any more" in review(act[0], held, *arguments, code=2)
    assert not (tmp_path / "look").exists()
    assert "review-approved" not in actions(world, held)
    review("reject", held)


def test_another_file_in_the_place_of_the_original_is_not_published(world, review, held, tmp_path):
    other = picture(tmp_path / "b.jpg", "S-1", seed=5).read_bytes()
    world.vault.delete(held)
    world.vault.put(held, other)
    assert "changed or is damaged" in review("approve", held, code=2)
    assert finished(world) == []


def test_an_item_that_cannot_be_opened_says_why(world, review, tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(picture(path, "S-1").read_bytes()[:2000])
    item = run(world, path).item_id
    assert say("photo-truncated") in review("show", item)
    assert "incomplete" in review("show", item, "--out", tmp_path / "look", code=2)
    assert "has 0 faces" in review("veto", item, 1, code=2)
    review("approve", item, code=1)


# -- clips ----------------------------------------------------------------------------------

CLIP_FRAMES = 24


def clip(path: Path, *people: str) -> Path:
    """A second in which a square per person goes to the right; the last comes in later."""

    def frame(index: int, size: tuple[int, int]) -> np.ndarray:
        width, height = size
        rng = np.random.default_rng(index)
        pixels = np.full((height, width, 3), 128, np.uint8)
        pixels += rng.integers(0, 4, pixels.shape, dtype=np.uint8)
        for number, person in enumerate(people):
            if number == 0 or index >= 8:
                left = 40 + 240 * number + 2 * index
                square = pixels[100:200, left : left + 80]
                square[:] = COLOURS[person]
                for row in (*range(4, 40, 8), *range(64, 96, 8)):
                    square[row : row + 4] = square[row : row + 4] * 0.72
        return pixels

    size = (64 + 240 * len(people), 320)
    path.write_bytes(clip_builders.clip(frames=CLIP_FRAMES, size=size, pictures=frame))
    return path


def people_in_clip(path: Path) -> set[str]:
    """Who can be seen in a frame near the end of a finished clip."""
    import av

    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == CLIP_FRAMES
    buffer = io.BytesIO()
    Pil.fromarray(frames[-4]).save(buffer, "PNG")
    return people_in(buffer)  # type: ignore[arg-type]


@pytest.fixture
def held_clip(world, tmp_path) -> str:
    configure(world, 'without_consent = "redact"', 'without_consent = "hold"')
    return str(run(world, clip(tmp_path / "Jan-Jansen.mp4", "S-1", "X")).item_id)


def test_a_clip_is_shown_with_times_and_strips(world, review, held_clip, tmp_path):
    (listed,) = review("list", as_json=True)["items"]
    assert (listed["kind"], listed["reason"]) == ("video", "channel-holds")
    out = tmp_path / "look"
    first, second = review("show", held_clip, "--out", out, as_json=True)["faces"]
    assert (first["subject"], second["subject"]) == ("S-1", None)
    assert first["frames"][0] == 0
    assert second["times"][0] > 0.2
    assert "0:00.00-0:00.9" in review("show", held_clip)
    with Pil.open(out / "face-01.jpg") as strip:
        assert strip.height == 96
        assert strip.width > 4 * 80  # several pictures beside each other
    assert people_in(out / "poster.jpg") >= {"S-1", "X"}
    assert (out / "index.html").read_text().count("data:image/jpeg;base64,") == 3
    assert not list(world.work.glob("*"))


def test_a_clip_is_approved_with_its_marks(world, review, held_clip):
    review("approve", held_clip)
    (path,) = finished(world)
    assert people_in_clip(path) == {"S-1"}
    review("tag", held_clip, 2, "S-2")
    review("approve", held_clip)
    (path,) = finished(world)
    assert people_in_clip(path) == {"S-1", "X"}
    assert world.publications()[0]["subjects"] == ["S-1", "S-2"]
    world.desk.withdraw("S-2", CHANNEL)
    review("approve", held_clip)
    (path,) = finished(world)
    assert people_in_clip(path) == {"S-1"}


def test_only_the_needed_part_of_a_clip_is_read(world, review, held_clip, tmp_path, monkeypatch):
    """Pictures of what was seen early need no look at the end, be it damaged or an hour away."""
    from mediaguard.media import strips
    from mediaguard.media.clip import Clip, ClipLimits

    read = []
    frames = Clip.frames

    def counted(self, start=None):
        for frame in frames(self, start):
            read.append(frame.pts)
            yield frame

    monkeypatch.setattr(Clip, "frames", counted)
    opened = Clip(lambda: world.vault.open(held_clip), "mov", limits=ClipLimits())
    sights = [strips.Sight([(2, Box(44, 100, 80, 100)), (5, Box(50, 100, 80, 100))], "#c62828")]
    strips.of_clip(opened, sights)
    assert len(read) == 6


# -- not this person, and redact ------------------------------------------------------------


def test_who_is_not_that_person_is_redacted(world, review, held):
    assert "not being S-1" in review("not", held, 1)
    assert "not S-1" in review("show", held)
    review("approve", held)
    assert shown(world) == set()
    review("undo", held)
    review("approve", held)
    assert shown(world) == {"S-1"}


def test_a_face_or_a_place_is_redacted_whatever_else_was_said(world, review, held):
    review("redact", held, 1)
    review("redact", held, "--box", 10, 20, 60, 60)
    assert "Take that back first" in review("tag", held, 1, "S-1", code=2)
    review("approve", held)
    assert shown(world) == set()
    faces = review("show", held, as_json=True)["faces"]
    assert [face["rule"] for face in faces] == [
        "reviewer-redacted",
        "face-unknown",
        "reviewer-redacted",
    ]
    assert [mark["verdict"] for mark in faces[2]["marks"]] == ["redact"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        (1, "--box", 1, 1, 9, 9),
        (1, "--frames", 1, 2),
        ("--box", 9000, 1, 9, 9),
        ("--box", 1, 1, 1, 1),
        ("--box", "nan", 1, 9, 9),
        ("--box", 1, 1, 9, 9, "--frames", 7, 3),
    ],
)
def test_what_cannot_be_redacted_is_refused(review, held, arguments):
    review("redact", held, *arguments, code=2)
    assert review("show", held, as_json=True)["marks"] == []
