"""The menu says what waits: to whoever may see it, and of what they may see only."""

import re
from datetime import timedelta

import pytest

from mediaguard.core.access import Role
from mediaguard.store.items import Items
from mediaguard.store.ledger import Ledger
from mediaguard.store.scope import Scope
from mediaguard.store.tables import LikenessRow, PublicationRow
from mediaguard.store.takedown_pages import TakedownPages
from mediaguard.web.console import waiting
from tests.console.school import Visiting
from tests.pipeline.world import CHANNEL, picture, run

PAGES = ("inbox", "review", "people", "published", "takedowns", "account")


def counts(who: Visiting, page: str = "people") -> dict[str, str]:
    """What stands beside the entries of the menu."""
    menu = re.search(r"<nav.*?</nav>", who.get(f"/console/{page}").text, re.DOTALL)
    assert menu
    found = re.findall(r'data-go="(\w)"[^>]*>[^<]*<span class="badge[^>]*>([^<]+)<', menu[0])
    return {{"r": "review", "t": "takedowns"}[key]: count for key, count in found}


@pytest.fixture
def held(world, tmp_path) -> list[str]:
    """Two photos that cannot be opened, the first of them of 2b."""
    made = []
    for seed in range(2):
        torn = picture(tmp_path / f"{seed}.jpg", "S-1", seed=seed)
        torn.write_bytes(torn.read_bytes()[:2000])
        made.append(str(run(world, torn).item_id))
    with world.database.write() as session:
        Items(session).get(made[0]).groups = ["2b"]
    return made


def test_nothing_is_said_where_nothing_waits(officer):
    assert counts(officer) == {}


def test_what_waits_in_review_is_told_on_every_page(officer, held):
    assert [counts(officer, page) for page in PAGES] == [{"review": "2"}] * len(PAGES)


def test_a_question_after_a_withdrawal_waits_too(world, officer, tmp_path):
    run(world, picture(tmp_path / "a.jpg", "S-1"))
    with world.database.write() as session:
        publication = session.query(PublicationRow).one().id
        likeness = {"publication_id": publication, "subject_id": "S-2", "shown_as": "S-1"}
        session.add(LikenessRow(**likeness, distance=0.5))
    assert counts(officer) == {}
    world.desk.withdraw("S-2", CHANNEL)
    assert counts(officer) == {"review": "1"}


def test_only_what_somebody_may_see_is_counted(world, staff, held):
    assert counts(staff) == {"review": "2"}
    assert counts(Visiting(world, staff.roles, groups=frozenset({"2b"}))) == {"review": "1"}
    assert counts(Visiting(world, staff.roles, groups=frozenset({"3c"}), user_id="u-2")) == {}


def test_whoever_may_not_see_the_pages_is_told_nothing(world, held):
    assert counts(Visiting(world, frozenset({Role.ADMINISTRATOR})), "audit") == {}


def test_overdue_takedowns_are_told_to_whoever_can_do_something(
    world, officer, staff, tmp_path, monkeypatch
):
    with world.database.write() as session:
        Ledger(session).set_groups("S-1", ["2b"])
    run(world, picture(tmp_path / "a.jpg", "S-1"))
    world.desk.withdraw("S-1", CHANNEL)
    assert counts(officer) == {}
    later = world.now() + timedelta(minutes=world.config.takedown.overdue_minutes, seconds=1)
    monkeypatch.setattr(waiting, "due_since", lambda app: later)
    assert counts(officer) == {"takedowns": "1"}
    assert counts(staff) == {}
    with world.database.read() as session:
        pages = TakedownPages(session)
        seen = [pages.overdue(later, Scope([group], "user:u-2"), 9) for group in ("2b", "3c")]
    assert seen == [1, 0]


def test_of_many_no_more_is_told_than_that_they_are_many(officer, held, monkeypatch):
    monkeypatch.setattr(waiting, "MOST", 2)
    assert counts(officer) == {"review": "1+"}
