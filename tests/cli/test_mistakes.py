"""What is said to somebody who mistyped a command, or left something out."""

import socket

import pytest
from click.testing import CliRunner

from mediaguard.app import App
from mediaguard.cli.main import cli
from mediaguard.resources import resource


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("mistaken") / "home"
    App(home).create()
    return home


def run(home, *arguments, fails=2):
    done = CliRunner().invoke(cli, ["--home", str(home), *map(str, arguments)])
    assert done.exit_code == fails, done.output
    return done.output


def test_a_misspelt_command_is_named_with_the_one_that_is_meant(home):
    assert "No such command 'chek'. Did you mean 'check'?" in run(home, "chek", "x.jpg")
    assert "Did you mean" not in run(home, "frobnicate")


def test_a_port_that_is_taken_is_said_plainly(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = run(home, "serve", "--port", port)
    assert f"listen on 127.0.0.1, port {port}: another program listens there already." in said
    assert "--port" in said
    assert "mediaguard: mediaguard" not in said
    assert "attempting" not in said


def test_a_column_layout_is_found_by_its_name(home, tmp_path):
    roster, consents = (resource("sample_media", name) for name in ("roster.csv", "consents.csv"))
    run(home, "subject", "import", roster, fails=0)
    said = run(home, "consent", "import", consents)
    assert "parent-app" in said
    assert str(home / "mappings") in said
    assert "no column layout other" in run(
        home, "consent", "import", consents, "--mapping", "other"
    )
    for name in (
        "parent-app",
        "parent-app.toml",
        resource("config", "examples", "parent-app.toml"),
    ):
        run(home, "consent", "import", consents, "--mapping", name, "--dry-run", fails=0)
    own = resource("config", "examples", "parent-app.toml").read_text()
    (home / "mappings" / "ours.toml").write_text(own)
    run(home, "consent", "import", consents, "--mapping", "ours", "--dry-run", fails=0)
    elsewhere = tmp_path / "ours"
    elsewhere.write_text("nonsense")
    said = run(home, "consent", "import", consents, "--mapping", elsewhere, "--dry-run")
    assert str(elsewhere) in said or "ours" in said  # a file is a file, whatever it is called
