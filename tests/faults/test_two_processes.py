"""Two processes at one item: one was stopped for so long that another one took the item over.

Both are the same thread here. What the one does while the other is stopped happens inside the
channel's call, so every run is the same.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mediaguard.errors import StoreError
from mediaguard.review import Review
from mediaguard.store.leases import LEASE
from tests.faults.fragile import FragileWorld, Homes, PowerCut, homes_on, photo
from tests.faults.misbehaving import meanwhile
from tests.pipeline.world import CHANNEL, grant

LAPSED = LEASE.total_seconds() + 1


KINDS = {
    "own-addresses": {},
    "in-place": {"in_place": True},
    "no-keys": {"knows_keys": False},
    "like-a-folder": {"nameless": True},
}
pytestmark = pytest.mark.parametrize(
    ("homes", "kind"),
    [*(("sqlite", kind) for kind in KINDS), ("postgresql", "like-a-folder")],
    indirect=["homes"],
)


@pytest.fixture(scope="module")
def homes(request, tmp_path_factory) -> Iterator[Homes]:
    with homes_on(request, tmp_path_factory.mktemp("homes")) as homes:
        yield homes


@pytest.fixture
def world(homes: Homes, kind: str, tmp_path: Path) -> Iterator[FragileWorld]:
    """On channels of four kinds."""
    with homes.new(tmp_path, **KINDS[kind]) as world:
        yield world


@pytest.fixture
def both(tmp_path: Path) -> Path:
    return photo(tmp_path / "both.jpg", "S-1", "S-2")


def live(world: FragileWorld) -> list[list[str]]:
    return [entry["subjects"] for entry in world.publications() if entry["state"] == "live"]


def stopped_while_publishing(
    world: FragileWorld, path: Path, then: Callable[[], object], *, when: str
) -> None:
    """Publish, and be stopped just before or after the effect until `then` and a worker are done.

    The process goes on as if nothing had happened, and gets told at most that it lost the item.
    """

    def others() -> None:
        world.site.behave()
        world.advance(LAPSED)
        then()
        world.finish()

    world.site.misbehave("publish replace", meanwhile(**{when: others}), times=1)
    with suppress(StoreError):
        world.process(path)


when = pytest.mark.parametrize("when", ["before", "after"])


@when
def test_the_other_one_published_the_same(world, both, when):
    stopped_while_publishing(world, both, lambda: None, when=when)
    world.finish()
    assert live(world) == [["S-1", "S-2"]]
    world.check()


@when
def test_consent_was_withdrawn_and_the_other_one_published_without_the_subject(world, both, when):
    stopped_while_publishing(world, both, lambda: world.desk.withdraw("S-1", CHANNEL), when=when)
    world.finish()
    assert live(world) == [["S-2"]]
    world.check()


@when
def test_consent_was_given_back_meanwhile(world, both, when):
    def back_and_forth() -> None:
        world.desk.withdraw("S-1", CHANNEL)
        world.finish()
        grant(world, "S-1", CHANNEL)

    stopped_while_publishing(world, both, back_and_forth, when=when)
    world.finish()
    assert live(world) in ([["S-2"]], [["S-1", "S-2"]])
    world.check()


@when
def test_the_other_one_took_down_the_earlier_rendition_meanwhile(world, both, when):
    world.process(both)
    world.desk.withdraw("S-1", CHANNEL)
    stopped_while_publishing(world, both, lambda: None, when=when)
    world.finish()
    assert live(world) == [["S-2"]]
    world.check()


@when
def test_the_item_was_rejected_meanwhile(world, both, when):
    item_id = world.process(both).item_id
    world.desk.withdraw("S-1", CHANNEL)
    stopped_while_publishing(world, both, lambda: Review(world).reject(item_id), when=when)
    world.finish()
    assert live(world) == []
    world.check()


def test_the_stopped_one_publishes_just_before_the_takedown_is_confirmed(world, tmp_path):
    """The other one looked, and it was gone; but now it is there again."""
    looked, go_on = threading.Event(), threading.Event()
    taking_down = threading.Thread(target=world.worker().drain)

    def look_and_wait() -> None:
        looked.set()
        go_on.wait(20)

    def others() -> None:
        world.advance(LAPSED)
        world.finish()  # publishes the same
        world.desk.withdraw("S-1", CHANNEL)
        world.site.misbehave("confirm_gone", meanwhile(after=look_and_wait), times=1)
        taking_down.start()
        looked.wait(20)

    world.site.misbehave("publish", meanwhile(before=others), times=1)
    world.process(photo(tmp_path / "one.jpg", "S-1"))
    go_on.set()
    taking_down.join()
    world.finish()
    assert world.visible() == set()
    world.check()


# -- what was under way when its process died -----------------------------------------------------


def die_while_uploading(world: FragileWorld, path: Path) -> None:
    """The process is gone; its upload lies in the server's queue."""

    def late(channel, effect) -> None:
        channel.under_way.append(effect)
        raise PowerCut

    world.site.misbehave("publish replace", late, times=1)
    with pytest.raises(PowerCut):
        world.process(path)
    world.advance(LAPSED)


def test_a_late_upload_of_a_withdrawn_subject_is_found_and_taken_down(world, both):
    die_while_uploading(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.worker().drain()
    world.site.arrive()
    world.finish()
    assert live(world) == [["S-2"]]
    world.check()


def test_a_late_upload_of_a_rejected_photo_is_found_and_taken_down(world, both):
    die_while_uploading(world, both)
    Review(world).reject(world.publications()[0]["item"])
    world.worker().drain()
    world.advance(120)
    world.site.arrive()
    world.finish()
    assert live(world) == []
    world.check()


def test_a_late_upload_after_it_was_published_again_is_no_second_publication(world, both):
    die_while_uploading(world, both)
    world.worker().drain()
    assert live(world) == [["S-1", "S-2"]]
    world.site.arrive()
    world.finish()
    world.desk.withdraw("S-1", CHANNEL)
    world.finish()
    assert "S-1" not in world.visible()
    world.check()


# -- at the same moment ---------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> list[BaseException]:
    barrier, errors = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_two_workers_do_each_thing_once(world, both, tmp_path):
    for number in range(4):
        world.process(photo(tmp_path / f"{number}.jpg", "S-1", "S-2", seed=number))
    world.desk.withdraw("S-1", CHANNEL)
    assert at_once(world.worker().drain, world.worker().drain) == []
    assert world.site.called("remove") == 4
    world.finish()
    world.check()


def test_two_processes_publish_one_photo_once(world, both):
    errors = at_once(lambda: world.process(both), lambda: world.process(both))
    assert all(isinstance(error, StoreError) and error.code == "item-busy" for error in errors)
    world.finish()
    assert live(world) == [["S-1", "S-2"]]
    assert world.site.called("publish") == 1
    world.check()
