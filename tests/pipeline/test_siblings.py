"""Somebody who is searched for no more must not be taken for a sibling who agreed."""

from pathlib import Path

import pytest
from PIL import Image as Pil

from mediaguard.core.consent import MATCHING
from mediaguard.core.decision import Action
from mediaguard.errors import InputError
from mediaguard.review import Review
from mediaguard.work import Worker
from tests.pipeline import world as squares
from tests.pipeline.clip_world import during, film, shown, walking
from tests.pipeline.world import CHANNEL, grant, make_world, people_in, picture, run
from tests.takedown_world import reconfigured

REPLACE = f"[channels.{CHANNEL}]\n"


@pytest.fixture
def world(tmp_path, monkeypatch):
    """S-2's face resembles that of S-1: without S-1 in the gallery S-1 would be taken for S-2."""
    monkeypatch.setitem(squares.COLOURS, "S-2", (220, 90, 30))
    world = make_world(tmp_path)
    (path := world.home / "mediaguard.toml").write_text(
        path.read_text().replace(REPLACE, REPLACE + 'takedown = "replace"\n')
    )
    return reconfigured(world)


def visible(world) -> set[str]:
    """Who can be seen in whatever is public."""
    places = [Path(place) for one in world.publications() for place in one["urls"]]
    return set().union(*(people_in(place) for place in places if place.exists()))


@pytest.fixture
def photo(world, tmp_path):
    path = picture(tmp_path / "siblings.jpg", "S-1", "S-3")
    assert run(world, path).outcome.goes_out
    assert visible(world) == {"S-1", "S-3"}
    return path


ENDS = {
    "everything": lambda world: world.desk.withdraw("S-1"),
    "both, one by one": lambda world: [
        world.desk.withdraw("S-1", MATCHING),
        world.desk.withdraw("S-1", CHANNEL),
    ],
    "forgotten": lambda world: [world.desk.forget("S-1"), world.desk.withdraw("S-1", CHANNEL)],
}


@pytest.mark.parametrize("end", ENDS)
def test_a_replacement_does_not_show_who_withdrew_as_a_sibling(world, photo, end):
    ENDS[end](world)
    Worker(world, tell=lambda _: None).drain()
    assert visible(world) == {"S-3"}
    for _ in range(2):  # nor when the same photo comes again, and once more
        assert run(world, photo).outcome.goes_out
        assert visible(world) == {"S-3"}


def test_nor_after_a_look_that_failed(world, photo):
    world.desk.withdraw("S-1")
    world.detector.on_look = lambda _: 1 / 0
    assert run(world, photo).reason == "internal-error"
    world.detector.on_look = lambda _: None
    assert run(world, photo).outcome.goes_out
    assert visible(world) == {"S-3"}


def remembered(report, who: str = "S-1") -> int:
    """The number of the only face that an earlier look alone gave a name; its name is this one."""
    ((number, face),) = [
        (number, one) for number, one in enumerate(report.faces, 1) if one.rule == "face-remembered"
    ]
    assert face.action is Action.REDACT
    assert face.face.match.subject_id == who
    return number


def test_who_may_be_shown_but_not_searched_for_is_not_shown_as_a_sibling(world, photo):
    world.desk.withdraw("S-1", MATCHING)
    for _ in range(2):
        remembered(world.pipeline(CHANNEL).check(photo))
        remembered(run(world, photo))
        assert visible(world) == {"S-3"}


def test_nor_on_another_channel(world, photo):
    for subject in ("S-1", "S-2", "S-3"):
        grant(world, subject, "newsletter")
    world.desk.withdraw("S-1")
    report = run(world, photo, "newsletter")
    remembered(report)
    assert people_in(Path(str(report.rendition))) == {"S-3"}


def test_what_was_held_or_rejected_is_remembered_too(world, photo):
    Review(world).reject(item := run(world, photo).item_id)
    world.desk.withdraw("S-1")
    remembered(world.pipeline(CHANNEL).check(photo))
    remembered(Review(world).approve(item))
    assert visible(world) == {"S-3"}


def test_the_rest_of_the_world_may_be_unknown_by_then(world, photo):
    for subject in ("S-1", "S-2", "S-3"):
        world.desk.withdraw(subject, MATCHING)
    found = world.pipeline(CHANNEL).check(photo).faces
    assert [(face.rule, face.face.match.subject_id) for face in found] == [
        ("face-remembered", "S-1"),
        ("face-remembered", "S-3"),
    ]


def test_what_was_somebody_is_not_called_no_face(world, photo):
    world.desk.withdraw("S-1")
    item = run(world, photo)
    with pytest.raises(InputError) as error:
        Review(world).veto(item.item_id, remembered(item))
    assert (error.value.code, error.value.params["subject"]) == ("review-somebody", "S-1")


def test_a_photo_that_was_taken_sideways(world, tmp_path):
    upright = Pil.open(picture(tmp_path / "upright.png", "S-1", "S-3"))
    exif = Pil.Exif()
    exif[0x0112] = 6  # turned a quarter to the right to be looked at
    path = tmp_path / "sideways.jpg"
    upright.transpose(Pil.Transpose.ROTATE_90).save(path, exif=exif, quality=95)
    run(world, path)
    assert visible(world) == {"S-1", "S-3"}
    world.desk.withdraw("S-1")
    remembered(run(world, path))
    assert visible(world) == {"S-3"}


def test_an_animation(world, tmp_path):
    """Who left while a sibling came to the same place is in other frames."""
    frames = [
        Pil.open(picture(tmp_path / f"{seed}.png", who, "S-3", seed=seed)).convert("RGB")
        for seed, who in enumerate(("S-1", "S-1", "S-2"))
    ]
    path = tmp_path / "siblings.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=200, lossless=True)
    for _ in range(2):
        names = [face.face.match.subject_id for face in run(world, path).faces]
        assert names == ["S-1", "S-3", "S-1", "S-3", "S-2", "S-3"]
        assert visible(world) == {"S-1", "S-3"}
    world.desk.withdraw("S-1")
    rules = [face.rule for face in run(world, path).faces]
    assert [rule == "face-remembered" for rule in rules] == [True, False, True, *[False] * 3]
    assert visible(world) == {"S-3"}


def test_a_clip(world, tmp_path):
    script = {
        "S-1": during(0, 29, walking(200, -4, 20)),
        "S-2": during(35, 59, walking(200, -4, 20)),
        "S-3": walking(0, 4, 130),
    }
    path = film(tmp_path / "siblings.mp4", script, frames=60)
    seen = shown(str(run(world, path).rendition), script)
    assert all(seen.values())
    assert shown(str(run(world, path).rendition), script) == seen
    world.desk.withdraw("S-1")
    for _ in range(2):
        report = run(world, path)
        remembered(report)
        now = shown(str(report.rendition), script)
        assert now["S-1"] == []
        assert now["S-2"][-15:] == seen["S-2"][-15:]
        assert now["S-3"] == seen["S-3"]


def test_a_person_may_still_say_who_it_is(world, photo):
    world.desk.withdraw("S-1")
    item = run(world, photo)
    number = remembered(item)
    Review(world).tag(item.item_id, number, "S-2")
    run(world, photo)
    assert visible(world) == {"S-1", "S-3"}, "whoever looked says that it is S-2"
