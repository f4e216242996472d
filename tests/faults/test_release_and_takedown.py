"""Whatever goes wrong at the channel or in the records: the promise holds in the end.

The promise is `FragileWorld.check`: nobody is public who may not be, nothing is public that no
record knows, nothing that is recorded as live is gone, and no item is public twice.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mediaguard.channels.folder import FolderChannel
from mediaguard.core.decision import WithoutConsent
from mediaguard.core.publication import Abilities
from mediaguard.errors import ConfigError, MediaError, StoreError
from mediaguard.review import Review
from mediaguard.store.backoff import LAST
from mediaguard.store.leases import LEASE
from tests.faults.fragile import FragileWorld, Homes, PowerCut, homes_on, photo
from tests.faults.misbehaving import (
    fails,
    fails_afterwards,
    fails_but_happens_later,
    lies,
    meanwhile,
    trouble,
)
from tests.pipeline.world import CHANNEL, grant

LAPSED = LEASE.total_seconds() + 1


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def homes(request, tmp_path_factory) -> Iterator[Homes]:
    with homes_on(request, tmp_path_factory.mktemp("homes")) as homes:
        yield homes


@pytest.fixture
def world(homes: Homes, tmp_path: Path) -> Iterator[FragileWorld]:
    with homes.new(tmp_path) as world:
        yield world


@pytest.fixture
def both(tmp_path: Path) -> Path:
    return photo(tmp_path / "both.jpg", "S-1", "S-2")


def published(world: FragileWorld, path: Path) -> str:
    report = world.process(path)
    assert report.outcome.goes_out
    return str(report.item_id)


def states(world: FragileWorld) -> list[str]:
    return [row.state for row in world.takedowns()]


def live(world: FragileWorld) -> list[list[str]]:
    return [entry["subjects"] for entry in world.publications() if entry["state"] == "live"]


# -- a channel that is down, slow, or says the wrong thing ----------------------------------------


def test_a_channel_that_is_down_for_an_hour_gets_everything_afterwards(world, both, tmp_path):
    published(world, both)
    world.site.misbehave("publish replace remove lookup confirm_gone", fails())
    report = world.process(photo(tmp_path / "other.jpg", "S-2"))
    assert (report.reason, report.kept_safe) == ("channel-later", True)
    world.desk.withdraw("S-1", CHANNEL)
    end = world.clock + timedelta(hours=1)
    while world.clock < end:
        world.worker().drain()
        assert len(world.left_to_do()) == 2
        world.advance(60)
    assert world.site.called("remove") < 20, "it is asked less and less often"
    world.site.behave()
    world.finish(minutes=LAST / 60 + 1)
    assert states(world) == ["confirmed"]
    assert live(world) == [["S-2"]]
    world.check()


@pytest.mark.parametrize("verb", ["publish", "replace", "remove", "confirm_gone"])
@pytest.mark.parametrize("in_place", [False, True])
@pytest.mark.parametrize("fault", [fails, fails_afterwards])
def test_a_failure_before_or_after_the_work_is_made_good(homes, tmp_path, verb, in_place, fault):
    with homes.new(tmp_path, in_place=in_place) as world:
        world.replacing()
        world.site.misbehave(verb, fault(), times=2)
        world.process(photo(tmp_path / "both.jpg", "S-1", "S-2"))
        world.finish()
        assert live(world) == [["S-1", "S-2"]]
        world.desk.withdraw("S-1", CHANNEL)
        world.finish()
        assert live(world) == [["S-2"]]
        world.check()


@pytest.mark.parametrize("error", [RuntimeError("secret"), ConfigError("no-config"), OSError()])
def test_an_unexpected_error_in_a_channel_does_not_end_the_takedown(world, both, error):
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("remove", fails(error), times=3)
    world.worker().drain()
    (row,) = world.takedowns()
    assert (row.state, row.problem) == ("requested", "internal-error")
    assert "secret" not in str(row.problem_params)
    world.finish()
    assert states(world) == ["confirmed"]
    world.check()


def test_an_unexpected_error_in_a_lookup_keeps_nothing_up(world, both):
    """One publication is live, and of another one nobody knows whether it is."""
    published(world, both)
    world.desk.withdraw("S-2", CHANNEL)
    world.moments.strike(1, PowerCut, "before call")
    with pytest.raises(PowerCut):
        world.process(both)
    world.moments.recover()
    world.advance(LAPSED)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("lookup", fails(RuntimeError()), times=6)
    world.worker().drain()
    assert "S-1" not in world.visible()
    world.finish()
    world.check()


def test_a_removal_that_was_only_claimed_is_repeated_until_it_is_true(world, both):
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("remove", lies, times=5)
    world.worker().drain()
    (row,) = world.takedowns()
    assert (row.state, row.problem) == ("requested", "takedown-lingers")
    assert [look["gone"] for look in row.looks] == [False, False]
    world.finish()
    assert states(world) == ["confirmed"]
    assert world.site.called("remove") == 6
    world.check()


def test_what_lingers_is_known_to_be_public_to_everybody_in_it(world, both):
    """The second withdrawal must not hear that nothing shows the subject."""
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("remove", lies, times=5)
    world.worker().drain()
    assert world.visible() == {"S-1", "S-2"}
    assert len(world.publications(subject="S-2")) == 1
    assert len(world.desk.withdraw("S-2", CHANNEL).takedowns) == 1
    world.finish()
    assert states(world) == ["confirmed", "confirmed"]
    world.check()


def test_copies_in_caches_are_waited_for_and_looked_at_again(homes, tmp_path, both):
    with homes.new(tmp_path, lifetime=300) as world:
        published(world, both)
        world.desk.withdraw("S-1", CHANNEL)
        asked = world.clock
        world.worker().drain()
        (row,) = world.takedowns()
        assert row.next_attempt_at == asked + timedelta(seconds=300)
        world.advance(299)
        world.worker().drain()
        assert states(world) == ["requested"]
        world.advance(1)
        world.worker().drain()
        assert states(world) == ["confirmed"]
        assert [look["answer"] for look in world.takedowns()[0].looks] == ["404", "404"]


@pytest.mark.parametrize("verb", ["publish", "remove"])
def test_the_time_that_a_channel_asks_for_is_given_to_the_second(world, both, verb):
    world.site.misbehave(verb, fails(trouble("channel-busy", retry_after=137)), times=1)
    world.process(both)
    if verb == "remove":
        world.desk.withdraw("S-1", CHANNEL)
        world.worker().drain()
    for seconds, calls in ((136, 1), (1, 2)):
        world.advance(seconds)
        world.worker().drain()
        assert world.site.called(verb) == calls
    world.finish()
    world.check()


def test_a_channel_that_asks_for_time_is_not_asked_for_something_else_meanwhile(world, both):
    world.replacing()
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("replace", fails(trouble("channel-busy", retry_after=137)), times=1)
    world.worker().drain()
    assert world.site.called("remove") == 0
    world.finish()
    assert live(world) == [["S-2"]]
    world.check()


def test_other_credentials_for_a_while_delay_and_lose_nothing(world, both, tmp_path):
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.secret_trouble = ConfigError("secret-missing", name="x")
    world.worker().drain()
    assert states(world) == ["requested"]
    assert world.takedowns()[0].problem == "secret-missing"
    world.secret_trouble = None
    world.site.misbehave("remove lookup", fails(trouble("channel-credentials")))
    world.advance(5)
    world.worker().drain()
    assert world.takedowns()[0].problem == "channel-credentials"
    world.site.behave()
    world.finish()
    assert states(world) == ["confirmed"]
    world.check()


def test_a_channel_that_cannot_hold_the_new_rendition_shows_none(world, both):
    world.replacing()
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("replace publish", fails(trouble("channel-refuses", later=False)))
    world.finish()
    assert live(world) == []
    assert world.visible() == set()
    world.check()


@pytest.mark.parametrize("abilities", [Abilities(replace=False), Abilities(True, False)])
def test_a_channel_that_cannot_replace_shows_one_rendition_in_the_end(
    homes, tmp_path, both, abilities
):
    with homes.new(tmp_path, abilities=abilities) as world:
        published(world, both)
        world.desk.withdraw("S-1", CHANNEL)
        published(world, both)
        world.finish()
        assert live(world) == [["S-2"]]
        world.check()


def test_what_was_sent_is_told_to_be_beyond_recall_for_everybody_in_it(homes, tmp_path, both):
    with homes.new(tmp_path, abilities=Abilities(recall=False, replace=False)) as world:
        published(world, both)
        for subject in ("S-1", "S-2"):
            assert len(world.desk.withdraw(subject, CHANNEL).takedowns) == 1, subject
            world.finish()
        assert states(world) == ["unrecallable", "unrecallable"]


def test_a_disk_that_is_full_for_a_while_delays_and_loses_nothing(world, both, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise MediaError("no-room", name="x")

    world.site = FolderChannel(world.ready(CHANNEL))
    with monkeypatch.context() as patched:
        patched.setattr("mediaguard.channels.folder.write_atomically", full)
        assert world.process(both).reason == "channel-later"
    world.finish()
    assert live(world) == [["S-1", "S-2"]]


# -- people and orders that cross -----------------------------------------------------------------


def test_two_subjects_who_withdraw_from_one_photo_each_have_their_takedown(world, both):
    world.replacing()
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.desk.withdraw("S-2", CHANNEL)
    world.finish()
    assert {(row.subject_id, row.state) for row in world.takedowns()} == {
        ("S-1", "confirmed"),
        ("S-2", "confirmed"),
    }
    assert live(world) == [[]]
    world.check()


def test_withdrawing_everything_takes_down_on_every_channel(world, both):
    published(world, both)
    done = world.desk.withdraw("S-1")
    assert [(one.channel, one.state) for one in done.takedowns] == [(CHANNEL, "live")]
    world.finish()
    assert states(world) == ["confirmed"]
    assert world.visible() == set()
    world.check()


def test_a_photo_that_comes_again_while_a_takedown_is_open(world, both):
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("remove", fails(), times=3)
    world.worker().drain()
    published(world, both)
    assert world.visible() == {"S-2"}
    world.finish()
    assert live(world) == [["S-2"]]
    world.check()


@pytest.mark.parametrize("in_place", [False, True])
def test_a_yes_after_a_no_shows_the_photo_again_only_when_it_comes_again(
    homes, tmp_path, both, in_place
):
    with homes.new(tmp_path, in_place=in_place) as world:
        published(world, both)
        world.desk.withdraw("S-1", CHANNEL)
        grant(world, "S-1", CHANNEL)
        published(world, both)
        world.finish()
        assert live(world) == [["S-1", "S-2"]]
        assert states(world) == ["confirmed"]
        world.check()


def test_what_is_rejected_while_public_comes_down_and_stays_down(world, both):
    item_id = published(world, both)
    world.site.misbehave("remove", fails(), times=2)
    assert Review(world).reject(item_id)
    world.finish()
    assert live(world) == []
    assert states(world) == ["confirmed"]
    world.check()


def test_a_rejected_photo_is_not_published_anew_by_a_replacement(world, both):
    world.replacing()
    item_id = published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.misbehave("remove", fails(), times=1)
    Review(world).reject(item_id)
    world.finish()
    assert live(world) == []
    assert world.visible() == set()
    world.check()


def test_without_its_original_a_photo_is_removed_instead_of_replaced(world, both):
    world.replacing()
    item_id = published(world, both)
    world.vault.delete(item_id)
    world.desk.withdraw("S-1", CHANNEL)
    world.worker().drain()
    assert states(world) == ["confirmed"]
    assert world.visible() == set()


def test_a_channel_that_is_not_configured_any_more_is_told_and_taken_up_again(world, both):
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    channels = dict(world.config.channels)
    gone = world.config.model_copy(
        update={"channels": {name: one for name, one in channels.items() if name != CHANNEL}}
    )
    kept, world.__dict__["config"] = world.config, gone
    world.worker().drain()
    assert states(world) == ["requested"]
    assert world.takedowns()[0].problem is not None
    world.__dict__["config"] = kept
    world.finish()
    assert states(world) == ["confirmed"]
    world.check()


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_a_question_about_somebody_under_another_name_is_answered(world, tmp_path, answer):
    item_id = published(world, photo(tmp_path / "like.jpg", "S-1~S-3", "S-2"))
    assert world.desk.withdraw("S-3", CHANNEL).questions == 1
    (reviewed,) = Review(world).items()
    assert [(q.subject_id, q.shown_as) for q in reviewed.questions] == [("S-3", "S-1")]
    if answer == "approve":
        Review(world).tag(item_id, 1, "S-3")
        Review(world).approve(item_id)
    else:
        Review(world).reject(item_id)
    world.finish()
    assert world.visible() == ({"S-2"} if answer == "approve" else set())
    assert Review(world).items() == []
    world.check()


def test_an_answer_that_could_not_be_carried_out_is_not_forgotten(world, tmp_path):
    """Somebody else has the item in hand: the question stays, or the work is still to do."""
    item_id = published(world, photo(tmp_path / "like.jpg", "S-1~S-3", "S-2"))
    world.desk.withdraw("S-3", CHANNEL)
    Review(world).tag(item_id, 1, "S-3")
    with world.book(CHANNEL).held(item_id), pytest.raises(StoreError, match="item-busy"):
        Review(world).approve(item_id)
    world.finish()
    assert Review(world).items() != [] or world.visible() == {"S-2"}


@pytest.mark.parametrize("failures", [1, 2])
def test_an_intent_that_came_to_nothing_does_not_take_the_next_one_with_it(
    homes, tmp_path, both, failures
):
    """In a folder the one looks like the other."""
    with homes.new(tmp_path, nameless=True) as world:
        world.site.misbehave("publish", fails(RuntimeError()), times=failures)
        for _ in range(failures + 1):
            world.process(both)
        assert live(world) == [["S-1", "S-2"]]
        world.finish()
        assert live(world) == [["S-1", "S-2"]]
        world.check()


def test_an_approved_photo_goes_out_once_the_channel_is_back(world, tmp_path):
    """Nobody has to look at it a second time."""
    world.configure(without_consent=WithoutConsent.HOLD)
    report = world.process(photo(tmp_path / "held.jpg", "S-1", "X"))
    assert report.reason == "channel-holds"
    world.site.misbehave("publish", fails(), times=1)
    assert Review(world).approve(str(report.item_id)).reason == "channel-later"
    world.finish()
    assert live(world) == [["S-1"]]
    world.check()


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_somebody_broke_off_while_it_was_published_is_not_left_unknown(world, both, when):
    def ctrl_c() -> None:
        raise KeyboardInterrupt

    world.site.misbehave("publish", meanwhile(**{when: ctrl_c}), times=1)
    with pytest.raises(KeyboardInterrupt):
        world.process(both)
    world.finish()
    world.check()


def test_what_a_replacement_left_is_known_to_be_public_to_everybody_in_it(world, both):
    world.replacing()
    published(world, both)
    world.desk.withdraw("S-1", CHANNEL)
    world.site.keeps_what_it_replaces = True
    world.site.misbehave("remove", lies, times=5)
    world.worker().drain()
    assert world.visible() == {"S-1", "S-2"}
    assert len(world.desk.withdraw("S-2", CHANNEL).takedowns) == 2
    world.finish()
    world.check()


# -- a replacement that is overtaken by a withdrawal ----------------------------------------------


@pytest.fixture(params=[{}, {"in_place": True}, {"nameless": True}], ids=str)
def shown_alone(request, homes, tmp_path, both) -> Iterator[FragileWorld]:
    """S-2 is shown without S-1, who has just agreed after all: the photo is to be replaced."""
    with homes.new(tmp_path, **request.param) as world:
        world.desk.withdraw("S-1", CHANNEL)
        published(world, both)
        grant(world, "S-1", CHANNEL)
        world.advance(1)
        yield world
        world.finish()
        assert live(world) == [["S-2"]]
        world.check()


def test_what_an_interrupted_replacement_took_away_is_published_again(shown_alone, both):
    world = shown_alone
    world.site.misbehave("replace", fails_afterwards(PowerCut()), times=1)
    with pytest.raises(PowerCut):
        world.process(both)
    assert world.visible() == {"S-1", "S-2"}
    world.desk.withdraw("S-1", CHANNEL)
    world.advance(LAPSED)


def test_what_a_late_replacement_took_away_is_published_again(shown_alone, both):
    world = shown_alone
    world.site.misbehave("replace", fails_but_happens_later, times=1)
    assert world.process(both).reason == "channel-later"
    world.desk.withdraw("S-1", CHANNEL)
    published(world, both)
    assert live(world) == [["S-2"]]
    world.advance(1)
    world.site.arrive()
    assert world.visible() == {"S-1", "S-2"}


def test_what_a_replacement_by_who_lost_the_item_took_away_is_published_again(shown_alone, both):
    world = shown_alone

    def others() -> None:
        world.advance(LAPSED)
        world.desk.withdraw("S-1", CHANNEL)
        published(world, both)
        assert live(world) == [["S-2"]]

    world.site.misbehave("replace", meanwhile(before=others), times=1)
    world.process(both)
    assert world.visible() == {"S-1", "S-2"}
