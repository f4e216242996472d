"""Any order of drops, withdrawals, crashes and faults; and a withdrawal that races a release.

What is public is compared with consent after every step (somebody who said no is visible only
while somebody still has to take it down) and, when all has come to rest, with the records.
"""

import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import ChannelPolicy, decide
from mediaguard.core.media import from_decision
from mediaguard.errors import StoreError
from mediaguard.pipeline.release import release
from mediaguard.review import Review
from mediaguard.store.takedown_book import QUIET
from tests.faults.fragile import FragileWorld, Homes, Opened, PowerCut, homes_on, photo
from tests.faults.misbehaving import (
    fails,
    fails_afterwards,
    fails_but_happens_later,
    lies,
    meanwhile,
    trouble,
)
from tests.pipeline.world import CHANNEL, grant

EXAMPLES = {"sqlite": 60, "postgresql": 25}
STEPS = 25
RACES = {"sqlite": 1000, "postgresql": 1000}

SUBJECTS = ("S-1", "S-2")
PHOTOS = (("S-1", "S-2"), ("S-1",), ("S-2", "X"))
CHANNELS = ({}, {"in_place": True}, {"nameless": True})
FAULTS = {
    "fails": fails(),
    "fails afterwards": fails_afterwards(),
    "asks for time": fails(trouble("channel-busy", retry_after=90)),
    "refuses": fails(trouble("channel-refuses", later=False)),
    "crashes": fails(RuntimeError()),
    "lies": lies,
    "happens later": fails_but_happens_later,
}
MOMENTS = "before write, after write, before call, after call"
CUT_AT = st.none() | st.integers(1, 24)
"""At which moment the power is cut; None, or beyond the last moment: not at all."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def homes(request, tmp_path_factory) -> Iterator[Homes]:
    with homes_on(request, tmp_path_factory.mktemp("homes")) as homes:
        yield homes


class Life(RuleBasedStateMachine):
    """Of a home with three photos."""

    homes: Homes
    folders: Iterator[Path]

    @initialize(channel=st.sampled_from(CHANNELS))
    def begin(self, channel):
        folder = next(self.folders)
        folder.mkdir()
        self._home = self.homes.new(folder, **channel)
        self.world: FragileWorld = self._home.__enter__()
        self.photos = [
            photo(folder / f"{number}.jpg", *people, seed=number)
            for number, people in enumerate(PHOTOS)
        ]
        self.items: dict[int, str] = {}
        self.rejected: set[int] = set()

    def _do(self, act, cut_at: int | None) -> None:
        if cut_at is not None:
            self.world.moments.strike(cut_at, PowerCut, MOMENTS)
        try:
            with suppress(PowerCut):
                act()
        except StoreError as error:
            assert error.code in ("item-busy", "item-lost")  # noqa: PT017
        finally:
            self.world.moments.recover()

    # -- what people do

    @rule(number=st.integers(0, len(PHOTOS) - 1), cut_at=CUT_AT)
    def drop(self, number, cut_at):
        self._do(lambda: self.world.process(self.photos[number]), cut_at)

    @rule(
        number=st.integers(0, len(PHOTOS) - 1),
        when=st.sampled_from(["before", "after"]),
        acts=st.lists(
            st.sampled_from(["withdraw", "agree", "work", "reject", "advance"]), max_size=5
        ),
    )
    def drop_and_be_stopped(self, number, when, acts):
        """Just before or after the channel did it, until its lease lapsed and others acted."""
        stopped = False

        def others() -> None:
            nonlocal stopped
            if stopped:
                return
            stopped = True
            self.world.advance(21)
            for act in acts:
                arguments = {
                    "withdraw": {"subject": PHOTOS[number][0]},
                    "agree": {"subject": PHOTOS[number][0]},
                    "work": {"cut_at": None},
                    "reject": {"number": number, "cut_at": None},
                    "advance": {"seconds": 21},
                }[act]
                getattr(self, act)(**arguments)

        self.world.site.misbehave("publish replace", meanwhile(**{when: others}), times=1)
        self.drop(number=number, cut_at=None)

    @rule(subject=st.sampled_from(SUBJECTS))
    def withdraw(self, subject):
        self.world.desk.withdraw(subject, CHANNEL)

    @rule(subject=st.sampled_from(SUBJECTS))
    def agree(self, subject):
        grant(self.world, subject, CHANNEL)

    @rule(number=st.integers(0, len(PHOTOS) - 1), cut_at=CUT_AT)
    def reject(self, number, cut_at):
        item_id = self.world.item_of(self.photos[number])
        if self.world.state(item_id) is None:
            return
        self._do(lambda: Review(self.world).reject(item_id), cut_at)
        if self.world.state(item_id) == "rejected":
            self.rejected.add(number)

    @rule(how=st.sampled_from(["remove", "replace"]))
    def configure(self, how):
        self.world.replacing(how)

    # -- what happens by itself

    @rule(cut_at=CUT_AT)
    def work(self, cut_at):
        self._do(lambda: self.world.worker().drain(), cut_at)

    @rule(seconds=st.sampled_from([1, 6, 21, 61, 300]))
    def advance(self, seconds):
        if self.world.site.under_way and self._late + seconds > QUIET.total_seconds() - 60:
            self.arrive()
        self._late = self._late + seconds if self.world.site.under_way else 0
        self.world.advance(seconds)

    _late = 0.0

    @rule(
        verb=st.sampled_from(["publish", "replace", "remove", "lookup", "confirm_gone"]),
        fault=st.sampled_from(sorted(FAULTS)),
        times=st.integers(1, 3),
    )
    def misbehave(self, verb, fault, times):
        if fault == "happens later" and verb not in ("publish", "replace"):
            return
        if fault == "lies" and verb != "remove":
            return
        self.world.site.misbehave(verb, FAULTS[fault], times)

    @rule()
    def behave(self):
        self.world.site.behave()

    @rule()
    def arrive(self):
        self.world.site.arrive()

    # -- what always holds

    @invariant()
    def whoever_said_no_is_to_be_taken_down(self):
        if not hasattr(self, "world"):
            return
        shown = {
            (page.item_id, name) for page in self.world.site.pages.values() for name in page.people
        }
        rulings = self.world.desk.rulings() if shown else {}
        left = self.world.items_left_to_do() if shown else set()
        for item_id, name in shown:
            assert rulings[name][CHANNEL].allowed or item_id in left, f"{name} is forgotten"

    def teardown(self):
        if not hasattr(self, "world"):
            return
        world = self.world
        world.site.behave()
        world.site.arrive()
        world.advance(21)
        world.finish()
        world.check()
        for number, path in enumerate(self.photos):
            if number not in self.rejected:
                assert world.process(path).outcome.goes_out
        world.finish()
        world.check()
        allowed = {name for name in SUBJECTS if world.desk.rulings()[name][CHANNEL].allowed}
        live = {
            row["item"]: row["subjects"] for row in world.publications() if row["state"] == "live"
        }
        assert live == {
            world.item_of(path): sorted(allowed & set(PHOTOS[number]))
            for number, path in enumerate(self.photos)
            if number not in self.rejected
        }
        self._home.__exit__(None, None, None)


def test_any_order_of_events_ends_well(homes, tmp_path, request):
    Life.homes = homes
    Life.folders = (tmp_path / str(number) for number in itertools.count())
    run_machine(
        Life,
        settings=settings(
            max_examples=EXAMPLES[request.node.callspec.params["homes"]],
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
            deadline=None,
        ),
    )


# -- a withdrawal that races a release ------------------------------------------------------------

AT_ONCE = 5
POLICY = ChannelPolicy(CHANNEL)
ALLOWED = {"S-1": Ruling(True, "consent-granted", 1)}


def admitted(world: FragileWorld, number: int) -> str:
    item_id = f"{number:032x}"
    world.book(CHANNEL).admit(item_id, "photo")
    return item_id


def release_one(world: FragileWorld, item_id: str, barrier: threading.Barrier) -> str | None:
    """Decide and render while S-1 is allowed, and release at the same moment as the others."""
    book = world.book(CHANNEL)
    opened = Opened(f"photo {item_id} S-1".encode())
    assessment = opened.assess()
    decision = decide(assessment, ALLOWED, POLICY)
    rendition = opened.render(decision)
    report = from_decision("a.jpg", "0" * 64, assessment, decision)
    try:
        with book.held(item_id):
            barrier.wait()
            return release(
                item_id, report, decision, rendition, book=book, channel=world.channel(CHANNEL)
            )
    except BaseException:
        barrier.abort()
        raise


def test_a_withdrawal_that_races_releases_always_wins_or_takes_down(homes, tmp_path, request):
    races = RACES[request.node.callspec.params["homes"]]
    numbers = itertools.count()
    with homes.new(tmp_path) as world, ThreadPoolExecutor(AT_ONCE + 1) as pool:
        count, worker = {"released": 0, "refused": 0}, world.worker()
        while sum(count.values()) < races:
            items = [admitted(world, next(numbers)) for _ in range(AT_ONCE)]
            barrier = threading.Barrier(AT_ONCE + 1)
            done = [pool.submit(release_one, world, item_id, barrier) for item_id in items]
            barrier.wait()
            world.desk.withdraw("S-1", CHANNEL)
            released = {item for item, one in zip(items, done, strict=True) if one.result()}
            asked = [row.item_id for row in world.takedowns("requested")]
            assert sorted(asked) == sorted(released)
            assert {page.item_id for page in world.site.pages.values()} == released
            count["released"] += len(released)
            count["refused"] += AT_ONCE - len(released)
            worker.drain()
            assert world.site.pages == {}
            world.advance(1)
            grant(world, "S-1", CHANNEL)
        world.check()
        assert min(count.values()) > races / 50, count
