"""Handing out personal links, and the texts of wordings, by command."""

import csv
import json
import shutil
import stat

import pytest
from click.testing import CliRunner

from mediaguard.app import App
from mediaguard.cli.main import cli
from mediaguard.personal import PersonalLinks

GUARDIAN = ("--signatory", "guardian", "--evidence", "form 7")


@pytest.fixture(scope="session")
def linked_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("linked") / "home"
    App(home).create()
    return home


@pytest.fixture
def home(linked_home, tmp_path):
    return shutil.copytree(linked_home, tmp_path / "home")


@pytest.fixture
def run(home):
    def run(*arguments, fails=0, as_json=False):
        if as_json:
            arguments = (*arguments, "--format", "json")
        done = CliRunner().invoke(cli, ["--home", str(home), *map(str, arguments)])
        assert done.exit_code == fails, done.output
        return json.loads(done.stdout) if as_json else done.output

    return run


def test_a_link_is_made_listed_and_revoked(run, home):
    run("subject", "add", "S-1")
    made = run("link", "make", "S-1", "--signatory", "guardian", "--signatory-id", "G1")
    address = made.strip().splitlines()[-1]
    assert address.startswith("http://127.0.0.1:8321/my/")
    token = address.rpartition("/")[2]
    found = PersonalLinks(App(home)).find(token)
    assert found is not None
    assert (found.subject_id, found.signatory_id) == ("S-1", "G1")
    (listed,) = run("link", "list", "--subject", "S-1", as_json=True)["links"]
    assert (listed["link"], listed["state"]) == (found.id, "works")
    assert token not in run("link", "list") + json.dumps(listed)
    assert "does not work any more" in run("link", "revoke", found.id)
    run("link", "revoke", found.id)
    assert run("link", "list", as_json=True)["links"][0]["state"] == "revoked"
    assert PersonalLinks(App(home)).find(token) is None
    log = run("audit", "show", "--subject", "S-1", as_json=True)["entries"]
    assert [entry["action"] for entry in log][1:] == ["link-made", "link-revoked"]
    assert token not in json.dumps(log)
    run("audit", "verify")


def test_what_cannot_be_says_why(run):
    run("subject", "add", "S-1", "--born", "2000-01-01")
    run("subject", "add", "S-2")
    run("subject", "add", "M-1", "--kind", "staff")
    assert "no subject" in run("link", "make", "S-9", "--signatory", "guardian", fails=2)
    said = run("link", "make", "S-1", "--signatory", "guardian", fails=2)
    assert "--signatory subject" in said
    assert "16th birthday" in run("link", "make", "S-2", "--signatory", "subject", fails=2)
    run("link", "make", "M-1", "--signatory", "subject", "--days", 1)
    run("link", "make", "S-2", "--signatory", "guardian", "--days", 0, fails=2)
    bad = ("--signatory", "guardian", "--signatory-id", "a\nb")
    assert "signatory id" in run("link", "make", "S-2", *bad, fails=2)
    assert "no personal link" in run("link", "revoke", "ff", fails=2)
    assert "No links" in run("link", "list", "--subject", "S-1")


def test_links_for_many_go_to_a_file_that_only_its_owner_reads(run, home, tmp_path):
    run("subject", "add", "S-1", "--group", "4B", "--born", "2000-01-01")
    run("subject", "add", "S-2", "--group", "4B")
    run("subject", "add", "S-3", "--group", "5A")
    for guardian in ("=G1", "G2"):
        run("consent", "refuse", "S-2", "-c", "facebook", *GUARDIAN, "--signatory-id", guardian)
    out = tmp_path / "links.csv"
    assert "3 links" in run("link", "export", "--group", "4B", "--out", out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["subject_id"], row["signatory"], row["signatory_id"]) for row in rows] == [
        ("S-1", "subject", ""),
        ("S-2", "guardian", "'=G1"),
        ("S-2", "guardian", "G2"),
    ]
    links = PersonalLinks(App(home))
    assert all(links.find(row["address"].rpartition("/")[2]) for row in rows)
    run("link", "export", "--out", tmp_path / "all.csv")
    again = (tmp_path / "all.csv").read_text()
    assert all(row["address"] in again for row in rows)
    assert len(run("link", "list", as_json=True)["links"]) == 4
    assert "9Z" in run("link", "export", "-g", "9Z", "--out", out, fails=2)


def test_wordings_are_listed_and_shown(run, home):
    assert "There are no wordings" in run("wording", "list")
    folder = home / "wordings"
    (folder / "2026-1.en.txt").write_text("We \x1b[31mshow\r\n\r\nyou.")
    (folder / "2026-1.nl.txt").write_text("\ufeffWij tonen u.")
    (folder / "README.txt").write_text("Not a wording.")
    (folder / "other.de.txt").write_text("Auch nicht.")
    config = home / "mediaguard.toml"
    heading = "[channels.facebook]\n"
    config.write_text(config.read_text().replace(heading, f'{heading}wordings = ["1", "2026-1"]\n'))
    listed = {one["wording"]: one for one in run("wording", "list", as_json=True)["wordings"]}
    assert listed.keys() == {"1", "2026-1"}
    assert listed["1"]["state"] == "missing"
    assert listed["2026-1"]["asked_on"] == ["facebook"]
    assert listed["2026-1"]["languages"] == ["en", "nl"]
    assert "facebook" in run("wording", "list")
    config.write_text(config.read_text().replace(heading, f'{heading}wording = "1"\n'))
    listed = {one["wording"]: one for one in run("wording", "list", as_json=True)["wordings"]}
    assert listed["1"]["asked_on"] == ["facebook"]
    assert listed["2026-1"]["asked_on"] == []
    shown = run("wording", "show", "2026-1", "--language", "en")
    assert "\x1b" not in shown
    assert "Wij tonen" not in shown
    assert run("wording", "show", "2026-1", as_json=True)["texts"]["nl"] == "Wij tonen u."
    assert "no text" in run("wording", "show", "../mediaguard")


def test_what_was_agreed_to_is_kept_when_staff_records_it_too(run, home):
    run("subject", "add", "S-1")
    text = home / "wordings" / "2026-1.nl.txt"
    text.write_text("Wij tonen u.")
    run("consent", "grant", "S-1", "-c", "facebook", *GUARDIAN, "--wording", "2026-1")
    text.write_text("Iets anders.")
    shown = run("wording", "show", "2026-1")
    assert "Wij tonen u." in shown
    assert "new version" in shown
    assert "make a new version" in run("wording", "list")
    run("consent", "grant", "S-1", "-c", "newsletter", *GUARDIAN, "--wording", "2026-1")
    entry = run("audit", "show", "--subject", "S-1", as_json=True)["entries"][-1]
    assert entry["data"]["wording_nl"] == App(home).wordings.get("2026-1").digest("nl")


@pytest.mark.parametrize("group", ["link", "wording"])
def test_every_command_has_an_example(run, group):
    for name in cli.get_command(None, group).commands:
        assert "Example" in run(group, name, "--help"), name
