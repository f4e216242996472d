"""Somebody who is searched for no more must not be taken for a sibling who agreed."""

from pathlib import Path

import pytest

from mediaguard.core.consent import MATCHING
from mediaguard.review import Review
from mediaguard.work import Worker
from tests.pipeline import world as squares
from tests.pipeline.world import CHANNEL, make_world, people_in, picture, run
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


def test_a_person_may_still_say_who_it_is(world, photo):
    world.desk.withdraw("S-1")
    item = run(world, photo)
    (number,) = [n for n, face in enumerate(item.faces, 1) if face.rule == "face-uncertain"]
    Review(world).tag(item.item_id, number, "S-2")
    run(world, photo)
    assert visible(world) == {"S-1", "S-3"}, "whoever looked says that it is S-2"
