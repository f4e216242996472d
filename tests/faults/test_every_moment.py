"""Each act is cut short at each of its moments in turn, until one run is left whole.

A moment is just before or just after a write to the records or a call of the channel. Afterwards
the leases lapse, a new worker goes on, and the promise (`FragileWorld.check`) must hold.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mediaguard.errors import StoreError
from mediaguard.review import Review
from mediaguard.store.items import Items
from mediaguard.store.leases import LEASE
from tests.faults.fragile import FragileWorld, Homes, PowerCut, homes_on, photo
from tests.faults.misbehaving import trouble
from tests.pipeline.world import CHANNEL

LAPSED = LEASE.total_seconds() + 1
WRITES, CALLS = "before write, after write", "before call, after call"


def unreachable() -> StoreError:
    return StoreError("database-unreachable", database="x")


STRIKES: dict[str, tuple[Callable[[], BaseException], str, bool]] = {
    "the database fails once": (unreachable, "before write", True),
    "the database commits once and does not say so": (unreachable, "after write", True),
    "the database is gone from then on": (unreachable, "before write", False),
    "the channel fails once": (trouble, CALLS, True),
    "the channel fails in an unexpected way": (ZeroDivisionError, CALLS, True),
    "the power is cut": (PowerCut, f"{WRITES}, {CALLS}", False),
}
CUT = "the power is cut"
everything = pytest.mark.parametrize(
    ("homes", "strike", "in_place"),
    [
        *(("sqlite", strike, False) for strike in STRIKES),
        ("sqlite", CUT, True),
        ("postgresql", CUT, False),
    ],
    indirect=["homes"],
)


@pytest.fixture(scope="module")
def homes(request, tmp_path_factory) -> Iterator[Homes]:
    with homes_on(request, tmp_path_factory.mktemp("homes")) as homes:
        yield homes


class Case:
    """A home with one photo: S-1, in whom S-3 may be meant, and S-2."""

    def __init__(self, world: FragileWorld, folder: Path) -> None:
        self.world = world
        self.path = photo(folder / "a.jpg", "S-1~S-3", "S-2")
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self.item_id = world.book(CHANNEL).item_id(digest)

    def publish(self) -> None:
        self.world.process(self.path)

    def withdraw(self) -> None:
        self.world.desk.withdraw("S-1", CHANNEL)

    def work(self) -> None:
        self.world.worker().drain()

    def reject(self) -> None:
        Review(self.world).reject(self.item_id)

    def approve(self) -> None:
        Review(self.world).approve(self.item_id)

    def live(self) -> list[list[str]]:
        return [one["subjects"] for one in self.world.publications() if one["state"] == "live"]

    def state(self) -> str | None:
        with self.world.database.read() as session:
            item = Items(session).find(self.item_id)
            return None if item is None else item.state

    def finish(self) -> None:
        self.world.finish()
        self.world.check()


Act = Callable[[Case], object]


def cut_short(
    act: Act,
    strike: str,
    homes: Homes,
    folder: Path,
    *,
    after: Act = lambda _: None,
    **channel: object,
) -> Iterator[Case]:
    """Prepare with `after` and cut `act` short; a new home for each moment, while there is one."""
    error, places, once = STRIKES[strike]
    for number in itertools.count(1):
        here = folder / str(number)
        here.mkdir()
        with homes.new(here, **channel) as world:
            case = Case(world, here)
            after(case)
            world.moments.strike(number, error, places, once=once)
            with suppress(PowerCut, StoreError):
                act(case)
            struck = world.moments.struck
            world.moments.recover()
            world.advance(LAPSED)
            yield case
        if not struck:
            assert number > 1, "there was no moment at all"
            return


@everything
def test_publishing(homes, tmp_path, strike, in_place):
    for case in cut_short(Case.publish, strike, homes, tmp_path, in_place=in_place):
        was_begun = bool(case.world.left_to_do() or case.world.site.pages)
        case.finish()
        if was_begun and case.state() != "held":
            assert case.live() == [["S-1", "S-2"]]
        else:
            assert case.live() == []
        case.publish()
        case.finish()
        assert case.live() == [["S-1", "S-2"]]


@everything
def test_publishing_and_then_a_withdrawal(homes, tmp_path, strike, in_place):
    for case in cut_short(Case.publish, strike, homes, tmp_path, in_place=in_place):
        case.withdraw()
        case.finish()
        case.publish()
        case.finish()
        assert case.live() == [["S-2"]]


@everything
def test_publishing_and_then_a_rejection(homes, tmp_path, strike, in_place):
    for case in cut_short(Case.publish, strike, homes, tmp_path, in_place=in_place):
        if case.state() is not None:
            case.reject()
        case.finish()
        assert case.live() == []


@everything
def test_removing(homes, tmp_path, strike, in_place):
    def withdrawn(case: Case) -> None:
        case.publish()
        case.withdraw()

    for case in cut_short(Case.work, strike, homes, tmp_path, after=withdrawn, in_place=in_place):
        case.finish()
        assert case.live() == []
        assert [row.state for row in case.world.takedowns()] == ["confirmed"]


@everything
def test_replacing(homes, tmp_path, strike, in_place):
    def withdrawn(case: Case) -> None:
        case.world.replacing()
        case.publish()
        case.withdraw()

    for case in cut_short(Case.work, strike, homes, tmp_path, after=withdrawn, in_place=in_place):
        case.finish()
        assert case.live() == ([] if case.state() == "held" else [["S-2"]])


@everything
def test_the_photo_comes_again_after_somebody_took_it_away(homes, tmp_path, strike, in_place):
    """On a channel that publishes twice when it is told twice."""

    def taken_away(case: Case) -> None:
        case.publish()
        case.world.site.pages.clear()

    for case in cut_short(
        Case.publish,
        strike,
        homes,
        tmp_path,
        after=taken_away,
        in_place=in_place,
        knows_keys=False,
    ):
        case.world.finish()
        case.publish()
        case.world.finish()
        assert len(case.world.site.pages) == 2, "once, at its two addresses"
        assert case.live() == [["S-1", "S-2"]]


@everything
def test_the_photo_comes_again_after_a_withdrawal(homes, tmp_path, strike, in_place):
    def withdrawn(case: Case) -> None:
        case.publish()
        case.withdraw()

    for case in cut_short(
        Case.publish, strike, homes, tmp_path, after=withdrawn, in_place=in_place
    ):
        case.finish()
        assert case.live() in ([], [["S-2"]])
        case.publish()
        case.finish()
        assert case.live() == [["S-2"]]


@everything
def test_rejecting(homes, tmp_path, strike, in_place):
    for case in cut_short(
        Case.reject, strike, homes, tmp_path, after=Case.publish, in_place=in_place
    ):
        case.finish()
        if case.state() == "rejected":
            assert case.live() == []
        case.reject()
        case.finish()
        assert (case.state(), case.live()) == ("rejected", [])


@pytest.mark.parametrize("homes", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("strike", ["the database fails once", CUT])
def test_withdrawing(homes, tmp_path, strike):
    for case in cut_short(Case.withdraw, strike, homes, tmp_path, after=Case.publish):
        case.finish()
        case.withdraw()
        case.finish()
        assert case.live() == []


@everything
def test_answering_a_question(homes, tmp_path, strike, in_place):
    """Somebody said that it is S-3, who withdrew: shown, it must be asked about or be to do."""

    def tagged(case: Case) -> None:
        case.publish()
        case.world.desk.withdraw("S-3", CHANNEL)
        Review(case.world).tag(case.item_id, 1, "S-3")

    for case in cut_short(Case.approve, strike, homes, tmp_path, after=tagged, in_place=in_place):
        case.finish()
        asked = Review(case.world).items() != []
        assert case.live() in ([], [["S-2"]]) or asked
