"""`mediaguard user`."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mediaguard.cli.main import cli
from mediaguard.config import FILE_NAME
from mediaguard.store.passwords import is_password
from mediaguard.store.tables import UserRow
from tests.console.school import browser
from tests.console.signing_in import PASSWORD, is_in, sign_in, submit
from tests.pipeline.world import World
from tests.web.school import make_school


@pytest.fixture
def world(tmp_path: Path, monkeypatch) -> World:
    world = make_school(tmp_path)
    monkeypatch.setenv("MEDIAGUARD_HOME", str(world.home))
    return world


def command(*arguments: str, code: int = 0, typed: str | None = None) -> str:
    result = CliRunner().invoke(cli, ["user", *arguments], input=typed)
    assert result.exit_code == code, result.output
    assert PASSWORD not in result.output
    return result.output


def as_json(*arguments: str) -> dict:
    return json.loads(command(*arguments, "--format", "json"))


def test_the_first_administrator(world):
    typed = f"{PASSWORD}\n{PASSWORD}\n"
    said = command("add", "Chief", "--role", "administrator", "--role", "officer", typed=typed)
    assert "chief may sign in as: Administrator, Privacy officer." in said
    assert sign_in(browser(world), "chief").status_code == 303
    shown = as_json("show", "chief")
    assert shown["roles"] == ["administrator", "officer"]
    assert shown["password"]
    assert not shown["second_factor"]
    assert shown["signed_in_at"] is None  # there is no second factor yet


def test_a_password_from_elsewhere(world):
    command("add", "c1", "--role", "staff", "--password-stdin", typed=f"{PASSWORD}\r\n")
    with world.database.read() as session:
        assert is_password(PASSWORD, session.get_one(UserRow, "c1").password_hash)
    command("password", "c1", "--password-stdin", typed="four even green donkeys\n")
    assert sign_in(browser(world), "c1", "four even green donkeys").status_code == 303


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "12 to 256"),
        ("eleven-char", "12 to 256"),
        ("x" * 257, "12 to 256"),
        ("mediaguard123", "guessed soon"),
        ("c1c1c1c1c1c1c1", "guessed soon"),
        ("aaaaaaaaaaaaaaaa", "guessed soon"),
        ("Welkom123456", "guessed soon"),
    ],
)
def test_a_password_that_is_guessed_soon(world, password, said):
    typed = f"{password}\n"
    error = command("add", "c1", "--role", "staff", "--password-stdin", code=2, typed=typed)
    assert said in error
    assert command("list").startswith("There are no users.")


@pytest.mark.parametrize("password", [PASSWORD, "пароль из слов", "correct horse", "x9$kQ!mm0pZr"])
def test_a_password_that_is_long_enough(world, password):
    typed = f"{password}\n"
    command("add", "c1", "--role", "staff", "--password-stdin", typed=typed)


def test_a_link_for_the_first_time(world):
    said = command("add", "c1", "--role", "staff", "-g", "4B", "--language", "nl", "--link")
    (path,) = re.findall(r"^http://127\.0\.0\.1:8321(/console/link/\S+)$", said, re.MULTILINE)
    client = browser(world)
    assert submit(client, path, client.get(path)).headers["location"] == "/console/sign-in/password"
    assert "Kies een wachtwoord" in client.get("/console/sign-in/password").text
    assert "/console/link/" in command("link", "c1")
    (shown,) = as_json("list")["users"]
    assert shown["groups"] == ["4B"]
    assert shown["language"] == "nl"


def test_what_changes(world):
    typed = f"{PASSWORD}\n"
    command("add", "c1", "--role", "staff", "--password-stdin", typed=typed)
    client = browser(world)
    sign_in(client, "c1")
    assert is_in(client)
    assert "has to sign in again" in command("groups", "c1", "4B", "5A")
    assert not is_in(client)
    assert as_json("show", "c1")["groups"] == ["4B", "5A"]
    command("groups", "c1", code=2)
    command("groups", "c1", "4B", "--whole-school", code=2)
    command("groups", "c1", "--whole-school")
    assert as_json("show", "c1")["groups"] == []
    command("roles", "c1", "--role", "officer")
    assert "privacy officer" in command("show", "c1").lower()
    command("second-factor", "c1", code=2)
    assert "is forgotten" in command("second-factor", "c1", "--reset")
    command("disable", "c1")
    assert as_json("show", "c1")["disabled"]
    assert "disabled" in command("link", "c1", code=2)
    command("enable", "c1")
    command("remove", "c1")
    assert "no user" in command("show", "c1", code=2)
    command("add", "c1", "--role", "staff", "--link", code=2)


def test_the_last_administrator_stays(world):
    command("add", "chief", "--role", "administrator", "--link")
    for arguments in (("disable",), ("remove",), ("roles", "--role", "staff")):
        error = command(arguments[0], "chief", *arguments[1:], code=2)
        assert "last administrator" in error


def test_school_accounts(world):
    assert "[web.oidc]" in command("add", "c1", "--role", "staff", "--school-account", "1", code=2)
    config = world.home / FILE_NAME
    config.write_text(
        config.read_text() + '\n[web.oidc]\nissuer = "https://login.school.example"\n'
        'client_id = "mediaguard"\nclient_secret = "env:SECRET"\n'
    )
    command("add", "c1", "--role", "staff", "--school-account", "248289761001")
    assert as_json("show", "c1")["school_account"]
    assert not as_json("show", "c1")["password"]
    assert b"248289761001" not in (world.home / "mediaguard.db").read_bytes()
    command("add", "c2", "--role", "staff", "--link")
    command("school-account", "c2", "248289761001", code=2)
    command("school-account", "c1")
    command("school-account", "c2", "248289761001")


def test_a_login_that_is_none(world):
    assert "cannot be a login" in command("add", "Jan Jansen", "--role", "staff", "--link", code=2)
    assert "no user" in command("disable", "nobody", code=2)
    assert "\x1b" not in command("show", "\x1b[31mx", code=2)
