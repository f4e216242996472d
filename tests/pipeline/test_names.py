"""A name in a text holds, is recorded as a pseudonym only, and comes down with a withdrawal."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from mediaguard.cli.main import cli
from mediaguard.config import FILE_NAME
from mediaguard.core.decision import Outcome
from mediaguard.core.names import Text
from mediaguard.errors import ConfigError
from mediaguard.review import Review
from mediaguard.work import Worker
from tests.pipeline.world import CHANNEL, World, make_world, picture

LIST = "subject_id;first_name;last_name\nS-1;Wilhelmina;Kwak\nS-2;Teun;Duck\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = make_world(tmp_path)
    (world.home / "names.csv").write_text(LIST)
    path = world.home / FILE_NAME
    path.write_text(f'names = "names.csv"\n{path.read_text()}')
    del world.__dict__["config"]
    return world


def publish(world: World, path: Path, caption: str):
    named = [named.subject_id for named in world.named_in(Text(caption=caption))]
    pipeline = replace(world.pipeline(CHANNEL), named=named)
    return pipeline.process(path, vault=world.vault, channel=world.channel(CHANNEL))


def test_a_name_without_consent_holds_and_is_not_stored(world, tmp_path):
    world.desk.refuse("S-1", CHANNEL, signatory="guardian", evidence="F")
    path = picture(tmp_path / "a.jpg", "S-2")
    report = publish(world, path, "Wilhelmina wint van Teun")
    assert (report.outcome, report.reason) == (Outcome.HOLD, "named-without-consent")
    assert list(world.ready(CHANNEL).iterdir()) == []
    world.database.close()
    for file in world.home.rglob("*"):
        if file.is_file() and file.name != "names.csv":
            assert b"ilhelmina" not in file.read_bytes(), file
    # Offered again without texts, and by a worker: what is on record counts.
    again = world.pipeline(CHANNEL).process(path, vault=world.vault, channel=world.channel(CHANNEL))
    assert again.reason == "named-without-consent"
    assert Review(world).approve(str(report.item_id)).outcome is Outcome.RELEASE


def test_who_agreed_may_be_named_until_that_is_withdrawn(world, tmp_path):
    publish(world, picture(tmp_path / "a.jpg", "S-2"), "Met Wilhelmina Kwak")
    (live,) = world.publications()
    assert live["subjects"] == ["S-1", "S-2"]
    assert len(world.desk.withdraw("S-1", CHANNEL).takedowns) == 1
    Worker(world, tell=lambda _: None).drain()
    assert list(world.ready(CHANNEL).iterdir()) == []


def test_approving_says_of_the_refused_name_only_that_it_is_somebody_else(world, tmp_path):
    world.desk.refuse("S-1", CHANNEL, signatory="guardian", evidence="F")
    held = publish(world, picture(tmp_path / "a.jpg", "S-3"), "Wilhelmina met Teun")
    assert Review(world).approve(str(held.item_id)).outcome is Outcome.RELEASE
    assert world.publications()[0]["subjects"] == ["S-2", "S-3"]
    assert len(world.desk.withdraw("S-2", CHANNEL).takedowns) == 1


def test_a_text_that_went_out_is_not_forgotten_when_another_comes(world, tmp_path):
    path = picture(tmp_path / "a.jpg", "S-2")
    publish(world, path, "Met Wilhelmina Kwak")
    publish(world, path, "Zonder haar")
    (live,) = world.publications()
    assert live["subjects"] == ["S-1", "S-2"]
    assert len(world.desk.withdraw("S-1", CHANNEL).takedowns) == 1


def test_a_name_of_the_text_that_went_out_is_asked_about_until_the_next_one_does(world, tmp_path):
    path = picture(tmp_path / "a.jpg", "S-2")
    publish(world, path, "Met Wilhelmina Kwak")
    looks = world.detector.looks
    world.detector.on_look = lambda look: look == looks + 2 and world.desk.withdraw("S-1", CHANNEL)
    assert publish(world, path, "Zonder haar").reason == "named-without-consent"


def test_a_text_that_was_held_is_replaced_by_a_better_one(world, tmp_path):
    world.desk.refuse("S-1", CHANNEL, signatory="guardian", evidence="F")
    path = picture(tmp_path / "a.jpg", "S-2")
    assert publish(world, path, "Met Wilhelmina Kwak").outcome is Outcome.HOLD
    assert publish(world, path, "Zonder haar").outcome is Outcome.RELEASE
    assert world.publications()[0]["subjects"] == ["S-2"]


def test_a_withdrawal_between_decision_and_release_wins(world, tmp_path):
    path = picture(tmp_path / "a.jpg", "S-2")
    world.detector.on_look = lambda look: look == 2 and world.desk.withdraw("S-1", CHANNEL)
    report = publish(world, path, "Met Wilhelmina")
    assert report.reason == "named-without-consent"


def test_a_list_that_cannot_be_used_stops_everything(world):
    for content in (b"", b"subject_id;first_name\nS-1;A\n", b"\xff\xfe"):
        (world.home / "names.csv").write_bytes(content)
        with pytest.raises(ConfigError) as error:
            world.named_in(Text(caption="x"))
        assert error.value.code == "names-unusable"
    (world.home / "names.csv").unlink()
    with pytest.raises(ConfigError):
        world.named_in(Text(caption="x"))


def test_the_command_says_which_word(world, tmp_path, monkeypatch):
    class ThisWorld(World):
        detector = verifier = world.detector

    monkeypatch.setattr("mediaguard.cli.main.App", ThisWorld)
    world.desk.refuse("S-1", CHANNEL, signatory="guardian", evidence="F")
    path = picture(tmp_path / "a.jpg", "S-2")
    command = ["--home", str(world.home), "check", str(path), "-c", CHANNEL]
    done = CliRunner().invoke(cli, [*command, "--caption", "Wilhelmina wint"])
    assert done.exit_code == 1
    assert "'Wilhelmina' in the caption is a name: of S-1." in done.output
    assert CliRunner().invoke(cli, [*command, "--caption", "Teun wint"]).exit_code == 0
