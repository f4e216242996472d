"""The steps in their order, with faults at every joint: an error holds, a withdrawal wins."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from mediaguard.channels.folder import FolderChannel
from mediaguard.core.decision import Action, Decision, Outcome
from mediaguard.core.faces import Box, Detection, Quality
from mediaguard.core.media import ItemReport
from mediaguard.core.publication import Delivery, Published
from mediaguard.errors import StoreError
from mediaguard.pipeline.release import release
from mediaguard.pipeline.render import Rendition
from mediaguard.review import Review
from mediaguard.store.audit import Audit
from mediaguard.store.book import ChannelBook
from mediaguard.store.items import Items
from mediaguard.store.tables import Base, TemplateRow
from mediaguard.texts import say
from mediaguard.work import Worker
from tests.pipeline.world import CHANNEL, World, grant, make_world, people_in, picture, run


@pytest.fixture(params=["sqlite", "postgresql"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "sqlite":
        yield make_world(tmp_path)
        return
    with request.getfixturevalue("postgresql_server")() as url:
        world = make_world(tmp_path, url)
        yield world
        world.database.close()


def ready(world: World, channel: str = CHANNEL) -> list[Path]:
    return sorted(world.ready(channel).iterdir())


def records(world: World) -> list[int]:
    """How many rows each table has."""
    with world.database.read() as session:
        return [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        ]


def states(world: World) -> list[str]:
    return sorted(entry["state"] for entry in world.publications(everything=True))


def test_exactly_those_who_agreed_are_visible(world: World, tmp_path: Path):
    world.desk.withdraw("S-2", CHANNEL)
    report = run(world, picture(tmp_path / "a.jpg", "S-1", "S-2", "X"))
    assert report.outcome is Outcome.REDACT
    assert report.verified
    assert [
        (f.action, f.rule) for f in sorted(report.faces, key=lambda f: f.face.detection.box.x)
    ] == [
        (Action.KEEP, "consent-granted"),
        (Action.REDACT, "consent-withdrawn"),
        (Action.REDACT, "face-unknown"),
    ]
    assert people_in(Path(str(report.rendition))) == {"S-1"}
    (entry,) = world.publications()
    assert (entry["state"], entry["subjects"]) == ("live", ["S-1"])
    digest = hashlib.sha256(ready(world)[0].read_bytes()).hexdigest()
    assert entry["rendition_sha256"] == digest


def test_consent_for_one_channel_does_not_count_for_another(world: World, tmp_path: Path):
    report = run(world, picture(tmp_path / "a.jpg", "S-1"), "facebook")
    assert report.faces[0].rule == "consent-none"
    assert people_in(Path(str(report.rendition))) == set()


def test_check_and_export_write_no_record(world: World, tmp_path: Path):
    path = picture(tmp_path / "a.jpg", "S-1", "X")
    pipeline = world.pipeline(CHANNEL)
    before = records(world)
    assert pipeline.check(path).outcome is Outcome.REDACT
    (tmp_path / "out").mkdir()
    report = pipeline.export(path, tmp_path / "out")
    assert people_in(Path(str(report.rendition))) == {"S-1"}
    assert world.publications(everything=True) == []
    assert ready(world) == []
    assert not (world.home / "vault").exists()
    assert records(world) == before


@pytest.mark.parametrize("look", [1, 2], ids=["while looking", "while verifying"])
def test_a_withdrawal_under_way_wins(world: World, tmp_path: Path, look: int):
    def withdraw(number: int) -> None:
        if number == look:
            world.desk.withdraw("S-1", CHANNEL)

    world.detector.on_look = withdraw
    report = run(world, picture(tmp_path / "a.jpg", "S-1", "S-2"))
    assert report.outcome is Outcome.REDACT
    assert people_in(Path(str(report.rendition))) == {"S-2"}
    assert [entry["subjects"] for entry in world.publications()] == [["S-2"]]


def test_consent_that_keeps_changing_holds(world: World, tmp_path: Path):
    def fickle(number: int) -> None:
        subject = f"S-{min(number - 1, 3)}"
        if number > 1:
            world.desk.withdraw(subject, CHANNEL)

    world.detector.on_look = fickle
    report = run(world, picture(tmp_path / "a.jpg", "S-1", "S-2", "S-3"))
    assert (report.outcome, report.reason) == (Outcome.HOLD, "consent-moved")
    assert ready(world) == []
    assert world.publications() == []


def test_a_withdrawal_replaces_the_rendition_when_the_photo_comes_again(
    world: World, tmp_path: Path
):
    path = picture(tmp_path / "a.jpg", "S-1", "S-2")
    first = run(world, path)
    assert first.outcome is Outcome.RELEASE
    world.desk.withdraw("S-1", CHANNEL)
    second = run(world, path)
    assert second.rendition == first.rendition
    assert people_in(Path(str(second.rendition))) == {"S-2"}
    assert len(ready(world)) == 1
    assert states(world) == ["live", "removed"]
    grant(world, "S-1", CHANNEL)
    assert people_in(Path(str(run(world, path).rendition))) == {"S-1", "S-2"}


def test_what_a_person_rejected_stays_rejected_until_a_person_approves(
    world: World, tmp_path: Path
):
    path = picture(tmp_path / "a.jpg", "S-1")
    item = str(run(world, path).item_id)
    Review(world).reject(item)
    for _ in range(2):
        again = run(world, path)
        assert (again.outcome, again.reason) == (Outcome.BLOCK, "rejected")
        assert (again.item_id, again.kept_safe) == (item, True)
        assert states(world) == ["removed"]
    assert ready(world) == []
    assert Review(world).approve(item).outcome is Outcome.RELEASE
    assert run(world, path).outcome is Outcome.RELEASE


def test_what_a_person_rejected_goes_out_on_no_other_way(world: World, tmp_path: Path):
    path = picture(tmp_path / "a.jpg", "S-1")
    item = str(run(world, path).item_id)
    Review(world).reject(item)
    pipeline, elsewhere = world.pipeline(CHANNEL), tmp_path / "out"
    for report in (pipeline.check(path), pipeline.export(path, elsewhere)):
        assert (report.outcome, report.reason) == (Outcome.BLOCK, "rejected")
        assert len(report.faces) == 1
    assert not elsewhere.exists()


def test_a_worker_does_nothing_with_what_was_rejected_while_it_came_in(
    world: World, tmp_path: Path
):
    item = str(run(world, picture(tmp_path / "a.jpg", "S-1")).item_id)
    Review(world).reject(item)
    book = world.book(CHANNEL)
    with book.held(item):
        book.begin(item, (), ())  # it had asked just before
    Worker(world, tell=lambda _: None).drain()
    assert ready(world) == []
    with world.database.read() as session:
        row = Items(session).get(item)
        assert (row.state, row.next_attempt_at) == ("rejected", None)
        assert len((row.report or {})["faces"]) == 1, "what was looked at stays to be seen"


def test_a_file_that_somebody_took_away_is_written_again(world: World, tmp_path: Path):
    path = picture(tmp_path / "a.jpg", "S-1")
    first = Path(str(run(world, path).rendition))
    content = first.read_bytes()
    first.rename(tmp_path / "in-the-leaflet.jpg")
    again = Path(str(run(world, path).rendition))
    assert again.read_bytes() == content
    assert states(world) == ["live"], "the same publication, not another one"


def test_an_item_that_is_blocked_later_is_taken_away(world: World, tmp_path: Path):
    path = picture(tmp_path / "a.jpg", "S-1")
    run(world, path)
    assert len(ready(world)) == 1
    world.desk.withdraw("S-1", CHANNEL)
    config = world.home / "mediaguard.toml"
    config.write_text(config.read_text().replace('"redact"', '"block"'))
    del world.config
    assert run(world, path).outcome is Outcome.BLOCK
    assert ready(world) == []
    assert states(world) == ["removed"]


def test_a_face_that_verification_finds_is_redacted_in_a_second_try(world: World, tmp_path: Path):
    def appear(number: int) -> None:
        # From the second look on there is a face where the first saw none.
        world.detector.extra = [Detection(Box(30, 30, 60, 60), 0.9)] if number == 2 else []

    world.detector.on_look = appear
    report = run(world, picture(tmp_path / "a.jpg", "S-1"))
    assert report.verified
    assert people_in(Path(str(report.rendition))) == {"S-1"}


def test_what_cannot_be_verified_is_held(world: World, tmp_path: Path):
    def ghost(number: int) -> None:
        world.detector.extra = [Detection(Box(10 + 70 * number, 20, 60, 60), 0.9)]

    world.detector.on_look = ghost
    report = run(world, picture(tmp_path / "a.jpg", "S-1", "S-2"))
    assert (report.outcome, report.reason) == (Outcome.HOLD, "verification-failed")
    assert "faces can be seen" in say(report.reason, report.params)
    assert "gezichten te zien" in say(report.reason, report.params, "nl")
    assert not report.verified
    assert ready(world) == []


def test_an_unexpected_error_holds_and_keeps_the_original(world: World, tmp_path: Path):
    def explode(_: int) -> None:
        raise RuntimeError("secret detail")

    world.detector.on_look = explode
    path = picture(tmp_path / "a.jpg", "S-1")
    report = run(world, path)
    assert (report.outcome, report.reason) == (Outcome.HOLD, "internal-error")
    assert "secret" not in str(report.params)
    assert world.vault.get(str(report.item_id)) == path.read_bytes()
    assert ready(world) == []
    with world.database.read() as session:
        assert Items(session).get(str(report.item_id)).state == "held"


def test_a_channel_that_fails_leaves_nothing_public(world: World, tmp_path: Path):
    class Broken(FolderChannel):
        def publish(self, delivery: Delivery) -> Published:
            super().publish(delivery)
            raise OSError("the connection broke after the upload")

    report = world.pipeline(CHANNEL).process(
        picture(tmp_path / "a.jpg", "S-1"),
        vault=world.vault,
        channel=Broken(world.ready(CHANNEL)),
    )
    assert report.outcome is Outcome.HOLD
    assert ready(world) == []
    assert states(world) == ["removed"]


def test_a_crash_between_publishing_and_confirming_is_repaired(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    class PowerCutError(BaseException):
        pass

    def cut(*_: object) -> None:
        raise PowerCutError

    path = picture(tmp_path / "a.jpg", "S-1", "S-2")
    with monkeypatch.context() as patched:
        patched.setattr(ChannelBook, "confirm", cut)
        with pytest.raises(PowerCutError):
            run(world, path)
    assert states(world) == ["intended"]
    world.desk.withdraw("S-1", CHANNEL)
    report = run(world, path)
    assert people_in(Path(str(report.rendition))) == {"S-2"}
    assert len(ready(world)) == 1
    assert states(world) == ["live", "removed"]


def test_dead_records_stop_everything(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def dead(*_: object, **__: object) -> None:
        raise StoreError("database-unreachable", database="x")

    path = picture(tmp_path / "a.jpg", "S-1")
    for method in ("admit", "rulings", "intend"):
        with monkeypatch.context() as patched:
            patched.setattr(ChannelBook, method, dead)
            with pytest.raises(StoreError):
                run(world, path)
        assert ready(world) == []
    assert path.exists()


def test_release_refuses_what_was_not_verified(world: World):
    rendition = Rendition(b"", ".jpg", "0" * 64, verified=False, findings=())
    report = ItemReport("a.jpg", None, Outcome.RELEASE, "no-faces")
    decision = Decision(CHANNEL, Outcome.RELEASE, "no-faces", ())
    with pytest.raises(ValueError, match="unverified"):
        release(
            "item",
            report,
            decision,
            rendition,
            book=world.book(CHANNEL),
            channel=world.channel(CHANNEL),
        )


def test_no_file_name_reaches_the_records(world: World, tmp_path: Path):
    run(world, picture(tmp_path / "Wilhelmina-Jansen.jpg", "S-1", "X"))
    broken = tmp_path / "Wilhelmina-Jansen.png"
    broken.write_bytes(b"no picture")
    run(world, broken)
    for path in world.home.rglob("*"):
        assert b"Wilhelmina" not in os.fsencode(path.name)
        if path.is_file():
            assert b"Wilhelmina" not in path.read_bytes(), path


def test_a_group_narrows_the_search(world: World, tmp_path: Path):
    from mediaguard.errors import InputError
    from mediaguard.store.ledger import Ledger

    with world.database.write() as session:
        Ledger(session).set_groups("S-1", ["4B"])
    path = picture(tmp_path / "a.jpg", "S-1", "S-2")
    report = world.pipeline(CHANNEL, ["4B"]).check(path)
    assert {f.rule for f in report.faces} == {"consent-granted", "face-unknown"}
    with pytest.raises(InputError, match="group-unknown"):
        world.require_groups(["4b"])


def test_forgotten_references_are_gone_from_the_files_too(tmp_path: Path):
    """Also from the write-ahead log; and it is on record that they were removed."""
    world = make_world(tmp_path)
    with world.database.read() as session:
        sealed = session.scalar(
            select(TemplateRow.embedding).where(TemplateRow.subject_id == "S-1")
        )
    assert sealed

    def stored() -> bool:
        return any(sealed in path.read_bytes() for path in world.home.glob("mediaguard.db*"))

    assert stored()
    assert world.desk.forget("S-1") == 1
    assert not stored()
    with world.database.read() as session:
        assert Audit(session, world.keyring).entries(subject_id="S-1")[-1].action == (
            "references-removed"
        )


def test_the_same_photo_is_one_reference_and_one_record(world: World):
    reference = {
        "model": "colours",
        "embedding": np.array([1.0, 0.0, 0.5], np.float32),
        "quality": Quality(100, 100, 1),
        "sha256": "0" * 64,
    }
    counts = [world.desk.add_reference("S-1", **reference) for _ in range(2)]
    assert counts == [2, 2]
    with world.database.read() as session:
        entries = Audit(session, world.keyring).entries(subject_id="S-1")
    assert [entry.action for entry in entries].count("reference-added") == 1
