"""`publication`, `takedown` and what `consent withdraw` says, on the sample of coloured squares."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from mediaguard.channels.folder import FolderChannel
from mediaguard.cli.main import cli
from mediaguard.errors import ChannelError
from tests.pipeline.world import CHANNEL, World, make_world, picture, run


@pytest.fixture
def world(tmp_path: Path, monkeypatch) -> World:
    world = make_world(tmp_path)

    class ThisWorld(World):
        def __new__(cls, _home: Path) -> World:
            return world  # with the clock that a test gave it

    monkeypatch.setattr("mediaguard.cli.main.App", ThisWorld)
    monkeypatch.setenv("MEDIAGUARD_HOME", str(world.home))
    run(world, picture(tmp_path / "a.jpg", "S-1", "S-2"))
    run(world, picture(tmp_path / "b.jpg", "S-2", seed=1))
    return world


def command(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == code, result.output
    return result.output


def as_json(*arguments: str, code: int = 0) -> dict:
    return json.loads(command(*arguments, "--format", "json", code=code))


def test_from_the_withdrawal_to_the_proof(world):
    (first,) = as_json("publication", "list", "--subject", "S-1")["publications"]
    said = command("consent", "withdraw", "S-1", "-c", CHANNEL)
    assert "1 publications" in said
    assert first["urls"][0] in said
    assert "takedown run --subject S-1" in said
    assert "to be removed" in command("takedown", "list", code=1)
    assert "confirmed gone" in command("takedown", "run", "--subject", "S-1")
    assert "nothing to take down" in command("takedown", "list")
    (done,) = as_json("takedown", "list", "--all")["takedowns"]
    shown = command("takedown", "show", done["id"][:8])
    for word in (first["urls"][0], "no file", "gone", "has withdrawn consent", "S-1"):
        assert word in shown
    assert "S-2" not in shown
    assert as_json("takedown", "show", done["id"])["state"] == "confirmed"
    shown = command("publication", "show", first["id"][:8])
    assert "removed" in shown
    assert done["id"][:12] in shown
    assert len(as_json("publication", "list")["publications"]) == 1


def test_what_is_left_to_do_exits_with_1_and_says_why(world, monkeypatch):
    def broken(*_: object) -> None:
        raise ChannelError("channel-folder", path="ready", detail="no room")

    command("consent", "withdraw", "S-1", "--all")
    with monkeypatch.context() as patched:
        patched.setattr(FolderChannel, "remove", broken)
        command("takedown", "run", code=1)
    (left,) = as_json("takedown", "list", code=1)["takedowns"]
    assert (left["state"], left["problem"], left["failures"]) == ("requested", "channel-folder", 1)
    assert "no room" in command("takedown", "show", left["id"])
    assert "nothing to take down" in command("takedown", "list", "--overdue")
    now = world.now()
    world.now = lambda: now + timedelta(hours=2)
    assert "overdue" in command("takedown", "list", "--overdue", code=1)
    assert left["id"] in command("takedown", "show", "--overdue")
    command("takedown", "run", left["id"][:6])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["takedown", "show", "abcd"], "There is no takedown abcd"),
        (["takedown", "show", "ab"], "at least four characters"),
        (["takedown", "list", "--subject", "S-9"], "S-9"),
        (["takedown", "list", "--channel", "webiste"], "webiste"),
        (["publication", "show", "abcd"], "abcd"),
        (["takedown", "certificate", "S-3"], "S-3"),
    ],
)
def test_what_is_not_there_is_named(world, arguments, words):
    assert words in command(*arguments, code=2)


def test_the_certificate_is_written_in_the_language_asked_for(world, tmp_path):
    command("consent", "withdraw", "S-1", "--all")
    command("takedown", "run")
    english = command("takedown", "certificate", "S-1")
    assert "S-2" not in english
    out = tmp_path / "S-1.html"
    command(
        "takedown", "certificate", "S-1", "--format", "html", "--language", "nl", "--out", str(out)
    )
    assert '<html lang="nl"' in out.read_text()
