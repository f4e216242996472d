"""The commands about subjects and consent, on a real home."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from mediaguard.app import App
from mediaguard.cli.main import cli
from mediaguard.core.faces import Quality
from mediaguard.store.items import Items, Publications
from tests.conftest import ROOT

EXAMPLES = ROOT / "config" / "examples"
GUARDIAN = ("--signatory", "guardian", "--evidence", "form 7")


@pytest.fixture(scope="session")
def made_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("made") / "home"
    App(home).create()
    return home


@pytest.fixture
def home(made_home, tmp_path):
    return shutil.copytree(made_home, tmp_path / "home")


@pytest.fixture
def run(home):
    """Runs a command; `json` parses what it wrote, `fails` is the exit code expected."""

    def run(*arguments, fails=0, as_json=False):
        if as_json:
            arguments = (*arguments, "--format", "json")
        done = CliRunner().invoke(cli, ["--home", str(home), *map(str, arguments)])
        assert done.exit_code == fails, done.output
        return json.loads(done.stdout) if as_json else done.output

    return run


def allowed(run, subject):
    channels = run("subject", "show", subject, as_json=True)["channels"]
    return {channel for channel, ruling in channels.items() if ruling["allowed"]}


def test_a_subject_is_added_listed_and_shown(run):
    run("subject", "add", "S-1", "--group", "4B", "-g", "koor", "--born", "2016-11-02")
    run("subject", "add", "M-1", "--kind", "staff")
    assert run("subject", "list", "--group", "4B", as_json=True) == {
        "subjects": [
            {
                "subject": "S-1",
                "kind": "student",
                "groups": ["4B", "koor"],
                "born": "2016-11-02",
                "references": 0,
            }
        ]
    }
    assert "M-1" in run("subject", "list")
    assert "has not agreed" in run("subject", "show", "S-1")
    assert allowed(run, "S-1") == set()
    assert "exists already" in run("subject", "add", "S-1", fails=2)
    assert "pseudonym" in run("subject", "add", "Jan Jansen", fails=2)
    assert "no subject" in run("subject", "show", "nobody", fails=2)
    run("subject", "add", "S-2", "--born", "31-01-2016", fails=2)


def test_a_consent_holds_for_its_channel_only(run):
    run("subject", "add", "S-1")
    said = run(
        *("consent", "grant", "S-1", "--channel", "newsletter", *GUARDIAN),
        *("--wording", "2026-1", "--until", "2099-07-31"),
    )
    assert "may be shown on newsletter" in said
    assert allowed(run, "S-1") == {"newsletter"}
    history = run("consent", "show", "S-1")
    for shown in ("2026-1", "form 7", "2099-07-31", "guardian"):
        assert shown in history
    matrix = run("consent", "show", as_json=True)["subjects"][0]["channels"]
    assert matrix["newsletter"] == {"allowed": True, "rule": "consent-granted", "consent_event": 1}
    assert matrix["facebook"] == {"allowed": False, "rule": "consent-none", "consent_event": None}


def test_a_yes_that_does_not_count_says_so(run):
    run("subject", "add", "S-1", "--born", "2000-01-01")
    said = run("consent", "grant", "S-1", "-c", "newsletter", *GUARDIAN)
    assert "may not be shown" in said
    assert allowed(run, "S-1") == set()
    said = run("consent", "grant", "S-1", "-c", "facebook", *GUARDIAN, as_json=True)
    assert said["now"]["rule"] == "consent-signatory"


@pytest.mark.parametrize(
    "arguments",
    [
        ("grant", "S-1", "-c", "tiktok", *GUARDIAN),
        ("grant", "nobody", "-c", "newsletter", *GUARDIAN),
        ("grant", "S-1", "-c", "newsletter", "--signatory", "school", "--evidence", "f"),
        ("grant", "S-1", "-c", "newsletter", "--signatory", "guardian"),
        ("grant", "S-1", "-c", "newsletter", "--signatory", "guardian", "--evidence", " "),
        ("grant", "S-1", "-c", "newsletter", *GUARDIAN, "--until", "soon"),
        (
            "grant",
            "S-1",
            "-c",
            "newsletter",
            *GUARDIAN,
            "--from",
            "2026-2-3",
            "--until",
            "2025-1-1",
        ),
        ("refuse", "S-1", "-c", "tiktok", *GUARDIAN),
        ("withdraw", "S-1"),
        ("withdraw", "S-1", "--all", "-c", "newsletter"),
        ("withdraw", "S-1", "-c", "tiktok"),
        ("withdraw", "nobody", "--all"),
        ("show", "nobody"),
        ("show", "--channel", "tiktok"),
    ],
)
def test_what_cannot_be_recorded_is_an_error_and_records_nothing(run, arguments):
    run("subject", "add", "S-1")
    run("consent", *arguments, fails=2)
    assert run("consent", "export", as_json=True) == {"events": []}


def test_withdrawing_is_as_easy_as_it_can_be_and_giving_again_works(run):
    run("subject", "add", "S-1")
    for channel in ("newsletter", "facebook"):
        run("consent", "grant", "S-1", "-c", channel, *GUARDIAN)
    run("consent", "withdraw", "S-1", "--channel", "newsletter")
    assert allowed(run, "S-1") == {"facebook"}
    # In the same second as the withdrawal, so that the command has to wait for the next.
    run("consent", "grant", "S-1", "-c", "newsletter", *GUARDIAN)
    assert allowed(run, "S-1") == {"facebook", "newsletter"}
    run("consent", "withdraw", "S-1", "--all")
    assert allowed(run, "S-1") == set()
    assert "nothing was recorded" in run("subject", "add", "S-2") + run(
        "consent", "withdraw", "S-2", "--all"
    )


def test_a_refusal_is_recorded(run):
    run("subject", "add", "S-1")
    run("consent", "grant", "S-1", "-c", "facebook", *GUARDIAN)
    run("consent", "refuse", "S-1", "-c", "facebook", *GUARDIAN)
    assert allowed(run, "S-1") == set()


def test_a_withdrawal_names_what_still_shows_the_subject(run, home):
    run("subject", "add", "S-1")
    run("consent", "grant", "S-1", "-c", "newsletter", *GUARDIAN)
    now = datetime.now(UTC)
    with App(home).database.write() as session:
        Items(session).admit("i1", channel="newsletter", source_digest="d", at=now)
        publications = Publications(session)
        for number in range(2):
            publications.intend(
                f"publication-{number}",
                item_id="i1",
                channel="newsletter",
                rendition_sha256="0",
                subjects=["S-1"],
                consent_events=[1],
                at=now + timedelta(seconds=number),
            )
        publications.confirm("publication-0", at=now, urls=["https://school.example/a.jpg"])
        publications.mark_removed("publication-1", at=now)
    said = run("consent", "withdraw", "S-1", "--all")
    assert "https://school.example/a.jpg" in said
    assert "publication-1" not in said
    again = run("consent", "withdraw", "S-1", "-c", "newsletter", as_json=True)
    assert [p["publication"] for p in again["still_public"]] == ["publication-0"]


def test_a_withdrawn_opt_in_deletes_the_references(run, home):
    run("subject", "add", "S-1")
    run("consent", "grant", "S-1", "-c", "matching", *GUARDIAN)
    app = App(home)
    with app.database.write() as session:
        app.gallery(session).enrol(
            "S-1",
            model="m",
            embedding=[0.5] * 128,
            quality=Quality(100, 100, 1),
            source_digest="d",
            at=app.now(),
        )
    assert run("subject", "show", "S-1", as_json=True)["references"] == 1
    assert "1 references" in run("consent", "withdraw", "S-1", "-c", "matching")
    assert run("subject", "show", "S-1", as_json=True)["references"] == 0


def test_imports_show_the_difference_and_are_all_or_nothing(run, tmp_path):
    assert "5 added" in run("subject", "import", EXAMPLES / "roster.csv")
    assert "2 unchanged" in run("subject", "import", EXAMPLES / "roster-edexml.xml")
    file = tmp_path / "consents.csv"
    shutil.copy(EXAMPLES / "consents.csv", file)
    command = ("consent", "import", file, "--mapping", EXAMPLES / "parent-app.toml")
    dry = run(*command, "--dry-run", as_json=True)
    assert dry["applied"] is False
    assert dry["summary"]["granted"] == 10
    assert run("consent", "export", as_json=True) == {"events": []}
    assert run(*command, as_json=True)["changes"] == dry["changes"]
    assert run(*command, as_json=True)["changes"] == []

    rows = file.read_text().splitlines()
    rows[2] = rows[2].replace("nee;ja;nee", "nee;nee;nee")
    file.write_text("\n".join(rows))
    assert "S-1002, website-protected: WITHDRAWN" in run(*command)

    before = run("consent", "export", as_json=True)
    file.write_text("\n".join([*rows, "ghost;ouder;f;v;;;ja;;;;", "S-1003;ouder;f;v;;;x;;;;"]))
    said = run(*command, fails=2)
    assert "line 6, Leerlingnummer" not in said
    assert "line 7, Openbare website: 'x'" in said
    file.write_text("\n".join([*rows, "ghost;ouder;f;v;;;ja;;;;"]))
    assert "line 6: ghost is not a known subject" in run(*command, fails=2)
    assert run("consent", "export", as_json=True) == before
    assert run(*command, "--add-subjects", as_json=True)["summary"]["added"] == 1


def test_an_exported_cell_is_never_a_formula(run):
    run("subject", "add", "S-1")
    evidence = '=HYPERLINK("http://x")'
    run(
        "consent",
        "grant",
        "S-1",
        "-c",
        "facebook",
        "--signatory",
        "guardian",
        "--evidence",
        evidence,
    )
    table = run("consent", "export", "--format", "csv")
    assert "'=HYPERLINK" in table
    assert run("consent", "export", as_json=True)["events"][0]["evidence"] == evidence


def test_everything_is_on_the_audit_log(run):
    run("subject", "add", "S-1")
    run("consent", "grant", "S-1", "-c", "facebook", *GUARDIAN)
    run("consent", "withdraw", "S-1", "--all")
    log = run("audit", "show", "--subject", "S-1", as_json=True)["entries"]
    assert [entry["action"] for entry in log] == [
        "subject-added",
        "consent-granted",
        "consent-withdrawn",
    ]
    run("audit", "verify")


def test_everything_is_said_in_dutch_too(run, home):
    path = home / "mediaguard.toml"
    path.write_text(path.read_text().replace('language = "en"', 'language = "nl"'))
    assert "toegevoegd (leerling)" in run("subject", "add", "S-1")
    said = run("consent", "grant", "S-1", "-c", "facebook", *GUARDIAN)
    assert "mag zichtbaar zijn op facebook" in said
    assert "Ingetrokken" in run("consent", "withdraw", "S-1", "--all")
    assert "heeft de toestemming ingetrokken" in run("consent", "show", "S-1")
    assert "niemand met het pseudoniem" in run("subject", "show", "S-9", fails=2)


@pytest.mark.parametrize("group", ["subject", "consent"])
def test_every_command_has_an_example(run, group):
    commands = cli.get_command(None, group).commands
    for name in commands:
        assert "Example" in run(group, name, "--help"), name
