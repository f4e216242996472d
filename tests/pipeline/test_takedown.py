"""From a withdrawal to the proof that everything is gone, with the real store and folder."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mediaguard.config import FILE_NAME
from mediaguard.published import Published
from mediaguard.review import Review
from mediaguard.store.tables import ItemRow, LikenessRow
from mediaguard.store.takedown_book import PATIENCE
from mediaguard.work import REPLACE_TRIES, Worker
from tests.pipeline.world import CHANNEL, World, grant, make_world, people_in, picture, run
from tests.takedown_world import later


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request, tmp_path) -> World:
    url = None if request.param == "sqlite" else request.getfixturevalue("own_postgresql")
    return make_world(tmp_path, url)


@pytest.fixture
def own_postgresql(postgresql_server):
    with postgresql_server() as url:
        yield url


def worker(world: World) -> Worker:
    return Worker(world, tell=lambda _: None)


def configure(world: World, tmp_path: Path, text: str) -> None:
    path = world.home / FILE_NAME
    section = f"[channels.{CHANNEL}]\n"
    path.write_text(path.read_text().replace(section, section + text))
    del world.__dict__["config"]
    world.__dict__.pop("desk", None)


def withdrawn_from_a_newsletter(world: World, tmp_path: Path) -> Path:
    """A photo of S-1 and S-2, from which S-1 withdrew once it was in a newsletter's folder."""
    settings = 'connector = "newsletter"\nnewsletter = {recipients = ["parents"]}\n'
    configure(world, tmp_path, settings)
    photo = picture(tmp_path / "a.jpg", "S-1", "S-2")
    run(world, photo)
    world.desk.withdraw("S-1", CHANNEL)
    return photo


def ready(world: World) -> list[Path]:
    return sorted(world.ready(CHANNEL).iterdir())


def states(world: World) -> list[str]:
    return [entry.row.state for entry in Published(world).takedowns(everything=True)]


def test_a_withdrawal_takes_down_what_shows_the_subject_and_nothing_else(world, tmp_path):
    run(world, picture(tmp_path / "a.jpg", "S-1", "S-2"))
    run(world, picture(tmp_path / "b.jpg", "S-1", seed=1))
    other = run(world, picture(tmp_path / "c.jpg", "S-2", seed=2))
    done = world.desk.withdraw("S-1", CHANNEL)
    assert len(done.takedowns) == 2
    assert {asked.action for asked in done.takedowns} == {"remove"}
    assert len(ready(world)) == 3  # nothing happened to the files yet
    worker(world).drain()
    assert ready(world) == [Path(str(other.rendition))]
    assert states(world) == ["confirmed", "confirmed"]
    entry = Published(world).takedowns(everything=True)[0]
    assert entry.row.removed_at is not None
    assert [(look["gone"], look["answer"]) for look in entry.row.looks] == [(True, "no file")]
    assert world.desk.withdraw("S-1", CHANNEL).takedowns == []


def test_a_replacement_keeps_the_picture_without_the_subject(world, tmp_path):
    configure(world, tmp_path, 'takedown = "replace"\n')
    report = run(world, picture(tmp_path / "a.jpg", "S-1", "S-2"))
    path = Path(str(report.rendition))
    assert people_in(path) == {"S-1", "S-2"}
    world.desk.withdraw("S-1", CHANNEL)
    worker(world).drain()
    assert people_in(path) == {"S-2"}
    assert states(world) == ["confirmed"]
    live = world.publications()
    assert [entry["subjects"] for entry in live] == [["S-2"]]
    (look,) = Published(world).takedowns(everything=True)[0].row.looks
    assert look["answer"] == "new file"


def test_what_is_replaced_waits_for_its_turn_and_is_not_taken_away(world, tmp_path, monkeypatch):
    """One worker looks at one picture at a time; the others wait, however many they are."""
    monkeypatch.setattr("mediaguard.work.TURN", 0.0)
    configure(world, tmp_path, 'takedown = "replace"\n')
    path = Path(str(run(world, picture(tmp_path / "a.jpg", "S-1", "S-2")).rendition))
    world.desk.withdraw("S-1", CHANNEL)
    with world.eyes:  # a long video
        for _ in range(2 * REPLACE_TRIES):
            worker(world).drain()
            later(world, timedelta(seconds=10))
        assert people_in(path) == {"S-1", "S-2"}
        (entry,) = Published(world).takedowns()
        assert (entry.row.state, entry.row.failures) == ("requested", 0)
        later(world, PATIENCE)
        worker(world).drain()
        assert ready(world) == [], "nobody waits longer than that"
    later(world, timedelta(seconds=10))
    worker(world).drain()
    assert [people_in(file) for file in ready(world)] == [{"S-2"}]


def test_a_withdrawal_from_the_future_is_carried_out_now(world, tmp_path):
    """The clock of this machine was days ahead when somebody withdrew, and was put right."""
    run(world, picture(tmp_path / "a.jpg", "S-1"))
    later(world, timedelta(days=2))
    world.desk.withdraw("S-1", CHANNEL)
    with world.database.write() as session:  # a worker had got the hint, and was killed
        session.scalars(select(ItemRow)).one().hinted_at = world.now()
    later(world, timedelta(days=-2))
    worker(world).drain()
    assert ready(world) == []
    assert states(world) == ["confirmed"]
    (entry,) = Published(world).takedowns(everything=True)
    assert entry.row.requested_at <= world.now()


def test_a_newsletter_keeps_the_picture_that_took_the_place_of_another(world, tmp_path):
    photo = withdrawn_from_a_newsletter(world, tmp_path)
    again = Path(str(run(world, photo).rendition))
    assert people_in(again) == {"S-2"}
    worker(world).drain()
    assert ready(world) == [again]
    assert states(world) == ["unrecallable"]


def test_what_somebody_rejects_goes_from_a_newsletter_and_does_not_come_back(world, tmp_path):
    photo = withdrawn_from_a_newsletter(world, tmp_path)
    worker(world).drain()
    Review(world).reject(str(run(world, photo).item_id))
    worker(world).drain()
    assert ready(world) == []
    assert states(world) == ["unrecallable", "unrecallable"]


def test_what_cannot_be_replaced_is_removed(world, tmp_path):
    configure(world, tmp_path, 'takedown = "replace"\n')
    report = run(world, picture(tmp_path / "a.jpg", "S-1", "S-2"))
    world.vault.delete(str(report.item_id))
    world.desk.withdraw("S-1", CHANNEL)
    worker(world).drain()
    assert ready(world) == []
    assert states(world) == ["confirmed"]


def test_a_consent_that_ends_by_its_date_takes_down(world, tmp_path):
    today = world.now()
    world.desk.grant(
        "S-3", "newsletter", signatory="guardian", evidence="F", valid_until=today.date()
    )
    picture(tmp_path / "a.jpg", "S-3")
    run(world, tmp_path / "a.jpg", "newsletter")
    assert world.desk.take_down_ended() == 0
    world.now = lambda: today + timedelta(days=2)
    del world.__dict__["desk"]  # it was made with the old clock
    worker(world).drain()
    entry = Published(world).takedowns(everything=True)[0]
    assert (entry.row.reason, entry.row.state) == ("consent-expired", "confirmed")
    assert list(world.ready("newsletter").iterdir()) == []


def test_a_second_yes_does_not_undo_the_takedown_but_allows_a_new_publication(world, tmp_path):
    path = picture(tmp_path / "a.jpg", "S-1")
    run(world, path)
    world.desk.withdraw("S-1", CHANNEL)
    grant(world, "S-1", CHANNEL)
    worker(world).drain()
    assert ready(world) == []
    report = run(world, path)
    assert people_in(Path(str(report.rendition))) == {"S-1"}
    worker(world).drain()
    assert len(ready(world)) == 1


def test_the_same_picture_again_is_not_published_twice(world, tmp_path):
    path = picture(tmp_path / "a.jpg", "S-1", "S-2")
    first = run(world, path)
    before = world.publications(everything=True)
    again = run(world, path)
    assert again.rendition == first.rendition
    assert world.publications(everything=True) == before


def test_somebody_who_may_be_shown_under_another_name_is_asked_about(world, tmp_path):
    report = run(world, picture(tmp_path / "a.jpg", "S-1"))
    with world.database.write() as session:
        publication = world.publications()[0]["id"]
        session.add(
            LikenessRow(publication_id=publication, subject_id="S-2", shown_as="S-1", distance=0.45)
        )
    done = world.desk.withdraw("S-2", CHANNEL)
    assert (len(done.takedowns), done.questions) == (0, 1)
    assert world.desk.withdraw("S-2", CHANNEL).questions == 0
    (reviewed,) = Review(world).items()
    assert reviewed.item.id == report.item_id
    assert [(q.subject_id, q.shown_as) for q in reviewed.questions] == [("S-2", "S-1")]
    Review(world).tag(reviewed.item.id, 1, "S-2")
    Review(world).approve(reviewed.item.id)
    assert people_in(Path(world.publications()[0]["urls"][0])) == set()
    assert Review(world).items() == []
