"""Lists of people and of consents: what would change, and the change."""

import os
import re
import time

import pytest

from mediaguard.core.access import Role
from mediaguard.core.consent import Kind
from mediaguard.sent import Sent
from mediaguard.store.audit import Audit
from mediaguard.store.ledger import Ledger
from mediaguard.store.takedowns import Takedowns
from mediaguard.web.console.parked import MINUTES, Parked
from tests.console.school import Visiting, words
from tests.console.test_people import resembling
from tests.pipeline.world import CHANNEL, picture, run

PATH = "/console/people/-import"

HEADING = (
    "Leerlingnummer;Toestemming door;Kenmerk;Versie;Vanaf;Tot;"
    "Openbare website;Besloten website;Facebook;Nieuwsbrief;Gezichtsherkenning\n"
)


def row(subject: str, *answers: str, evidence: str = "FORM-1") -> str:
    return ";".join((subject, "ouder", evidence, "", "", "", *answers)) + "\n"


SAME = [row(f"S-{number}", "ja", "", "", "", "ja") for number in (1, 2, 3)]


def send(who: Visiting, content: str | bytes, name: str = "consents.csv", **fields: str):
    data = {"token": who.token, "kind": "consents", "mapping": "parent-app.toml", **fields}
    files = {"file": (name, content.encode() if isinstance(content, str) else content)}
    return who.client.post(PATH, data=data, files=files)


def hidden(page, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]


def apply(who: Visiting, page):
    """The answer; of an import that is done the page that says so."""
    answer = who.post(f"{PATH}/apply", parked=hidden(page, "parked"), seen=hidden(page, "seen"))
    return who.get(answer.headers["location"]) if answer.status_code == 303 else answer


def ledger(world) -> int:
    with world.database.read() as session:
        return len(Ledger(session).events())


def parked(world) -> list[bytes]:
    return [path.read_bytes() for path in (world.home / "work" / "parked").glob("*")]


def test_first_what_would_change_and_then_the_change(world, officer, tmp_path):
    run(world, picture(tmp_path / "a.jpg", "S-1", "S-2"))
    before = ledger(world)
    page = send(officer, HEADING + row("S-1", "nee", "ja", "nee", "", "ja") + "".join(SAME[1:]))
    assert page.status_code == 200
    told = words(page)
    for word in ("Withdrawn 1", "Refused 1", "Agreed 1", "1 publication would be taken down"):
        assert word in told
    assert ledger(world) == before
    done = apply(officer, page)
    assert done.status_code == 200
    assert "Withdrawn 1" in words(done)
    assert "All of consents.csv is recorded" in words(done)
    assert words(officer.get(str(done.url))) == words(done)  # loaded again, nothing is done again
    stranger = Visiting(world, frozenset({Role.OFFICER}), user_id="v-1")
    assert "consents.csv" not in words(stranger.get(str(done.url)))
    assert ledger(world) == before + 3
    assert not world.desk.rulings(["S-1"])["S-1"][CHANNEL].allowed
    with world.database.read() as session:
        assert len(Takedowns(session).list(subject_id="S-1")) == 1
        last = [*Audit(session, world.keyring).entries()][-1]
    assert last.actor == "user:u-1"
    assert not parked(world)


def test_what_is_foreseen_is_what_comes_down(world, officer, tmp_path):
    """A yes of somebody who may not decide ends what a guardian's yes allowed? Never silently."""
    run(world, picture(tmp_path / "a.jpg", "S-1"))
    run(world, picture(tmp_path / "b.jpg", "S-1", "S-2"))
    run(world, picture(tmp_path / "c.jpg", "S-3"))
    lines = [row("S-1", "", "", "", "", "ja"), row("S-2", "", "", "", "", "ja"), SAME[2]]
    page = send(officer, HEADING + "".join(lines))
    assert "2 publications would be taken down" in words(page)
    apply(officer, page)
    with world.database.read() as session:
        asked = {row.publication_id for row in Takedowns(session).list()}
    assert len(asked) == 2


def test_the_same_file_again_changes_nothing(world, officer):
    page = send(officer, HEADING + "".join(SAME))
    assert "changes nothing" in words(page)
    assert 'action="/console/people/-import/apply"' not in page.text


def test_mistakes_are_named_by_line(world, officer):
    page = send(officer, HEADING + row("S-1", "perhaps") + row("S-2", "ja", "", "", "", ""))
    assert page.status_code == 422
    assert "2 - has 7 fields" in words(page)
    assert "1 mistake." in words(page)
    page = send(officer, HEADING + row("S-1", "perhaps<b>", "", "", "", "") + row("S-77", *"     "))
    assert "perhaps&lt;b&gt;" in page.text
    assert not parked(world)


def test_people_who_are_not_known_are_refused_or_added(world, officer):
    content = HEADING + "".join(SAME) + row("S-77", "ja", "", "", "", "")
    page = send(officer, content)
    assert page.status_code == 422
    assert "5 - S-77 is not known" in words(page)
    assert "--add-subjects" not in page.text
    page = send(officer, content, add="yes")
    assert "People added 1" in words(page)
    apply(officer, page)
    assert world.desk.rulings(["S-77"])["S-77"][CHANNEL].allowed


def test_a_yes_after_a_no_at_the_desk_is_kept_at_no(world, officer):
    world.desk.withdraw("S-1", CHANNEL)
    page = send(officer, HEADING + "".join(SAME[:2]) + row("S-3", "ja", "ja", "", "", "ja"))
    assert "Kept at no 1" in words(page)
    assert "no since" in words(page)
    assert "recorded, but for 1 yes: it is kept at no" in words(apply(officer, page))


def test_an_import_says_what_a_person_should_look_at(world, officer, tmp_path):
    resembling(world, tmp_path)
    lines = [SAME[0], row("S-2", "nee", "", "", "", "ja"), SAME[2]]
    done = apply(officer, send(officer, HEADING + "".join(lines)))
    assert "In 1 picture that is public, somebody shown under another name" in words(done)
    assert re.search(r'<a href="/console/review">Look', done.text)


def test_what_changed_meanwhile_is_shown_before_it_is_done(world, officer):
    page = send(officer, HEADING + row("S-1", "nee", "", "", "", "ja") + "".join(SAME[1:]))
    world.desk.withdraw("S-2", CHANNEL)
    before = ledger(world)
    again = apply(officer, page)
    assert again.status_code == 409
    assert "Nothing was changed" in words(again)
    assert ledger(world) == before
    assert hidden(again, "seen") != hidden(page, "seen")
    assert apply(officer, again).status_code == 200
    assert ledger(world) == before + 1


def test_a_file_waits_encrypted_and_not_long_for_its_owner_only(world, officer):
    page = send(
        officer, HEADING + row("S-1", "nee", *"    ", evidence="geheim") + "".join(SAME[1:])
    )
    (content,) = parked(world)
    assert b"S-1" not in content
    assert b"geheim" not in content
    (path,) = (world.home / "work" / "parked").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    other = Visiting(world, frozenset({Role.OFFICER}), user_id="v-1")
    before = ledger(world)
    refused = apply(other, page)
    assert refused.status_code == 422
    assert "not here any more" in words(refused)
    other.post(f"{PATH}/discard", parked=hidden(page, "parked"))
    assert parked(world)
    old = time.time() - MINUTES * 60 - 1
    os.utime(path, (old, old))
    assert apply(officer, page).status_code == 422
    assert not parked(world)
    assert ledger(world) == before


def test_a_file_is_thrown_away(world, officer):
    page = send(officer, HEADING + row("S-1", "nee", *"    ") + "".join(SAME[1:]))
    officer.post(f"{PATH}/discard", parked=hidden(page, "parked"))
    assert not parked(world)
    assert apply(officer, page).status_code == 422


@pytest.mark.parametrize("key", ["", "../keys/master.key", "0" * 32, "x" * 32, "0" * 31 + "/"])
def test_only_what_was_parked_is_read(world, key):
    folder = Parked(world.home / "work" / "parked", world.keyring)
    folder.put("user:a", Sent("a.csv", b"x"), {})
    folder.drop("user:a", key)
    assert len(parked(world)) == 1


def test_a_list_of_people(world, officer, tmp_path):
    run(world, picture(tmp_path / "a.jpg", "S-1"))
    world.desk.correct_subject("S-2", kind=Kind.STUDENT, groups={"4B"}, born=None)
    roster = "subject_id,kind,groups,born\nS-1,student,,2005-01-01\nS-2,student,5C,\nS-8,staff,,\n"
    page = send(officer, roster, "roster.csv", kind="people")
    told = words(page)
    for word in ("People added 1", "Corrected 2", "left as they are 1", "4B 5C", "- 2005-01-01"):
        assert word in told
    assert "1 publication would be taken down" in told
    assert len(world.subjects()) == 3
    assert apply(officer, page).status_code == 200
    assert len(world.subjects()) == 4
    with world.database.read() as session:
        assert Ledger(session).known_subject("S-2").groups == {"5C"}
        assert len(Takedowns(session).list(subject_id="S-1")) == 1


def test_an_edexml(world, officer):
    content = (
        "<EDEX><groepen><groep key='a'><naam>4B</naam></groep></groepen><leerlingen>"
        "<leerling key='S-1'><roepnaam>Anna</roepnaam><groep key='a'/></leerling>"
        "</leerlingen></EDEX>"
    )
    page = send(officer, content, "school.xml", kind="people")
    assert "Corrected 1" in words(page)
    assert "Anna" not in page.text


def test_a_column_layout_of_the_school(world, officer):
    folder = world.home / "mappings"
    folder.mkdir(exist_ok=True)
    (folder / "own.toml").write_text(
        '[csv]\ndelimiter = ","\n[columns]\nsubject = "id"\n[channels]\nfacebook = "fb"\n'
        '[values]\nyes = ["y"]\nno = ["n"]\n[signatory]\ndefault = "guardian"\n'
    )
    (folder / "bad.toml").write_text("what is this")
    assert "own" in words(officer.get(PATH))
    assert "Refused 1" in words(send(officer, "id,fb\nS-1,n\n", mapping="own.toml"))
    bad = send(officer, "id,fb\nS-1,n\n", mapping="bad.toml")
    assert bad.status_code == 422
    assert "bad.toml" in words(bad)
    for mapping in ("", "../keys/master.key", "none.toml"):
        assert send(officer, "id,fb\n", mapping=mapping).status_code == 422


def test_what_is_no_list(world, officer):
    assert send(officer, b"\x00\x01\x02\xff").status_code == 422
    assert send(officer, b"").status_code == 422
    nothing = officer.client.post(PATH, data={"token": officer.token}, files={"other": ("a", b"a")})
    assert nothing.status_code == 422
    assert "one file" in words(nothing)
    large = send(officer, b"x" * 10_300_000)
    assert large.status_code == 413
    assert "10" in words(large)


def test_a_file_name_is_only_text(world, officer):
    page = send(
        officer, HEADING + row("S-1", "nee", *"    ") + "".join(SAME[1:]), name='"><script>.csv'
    )
    assert "<script>." not in page.text


def test_importing_is_for_officers_who_mean_it(world, staff, officer):
    assert send(staff, HEADING + "".join(SAME)).status_code == 403
    forged = officer.client.post(PATH, data={"token": "no"}, files={"file": ("a.csv", b"a")})
    assert forged.status_code == 403
    assert not parked(world)
