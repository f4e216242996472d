"""Personal links and wordings in the console."""

import re

import pytest

from mediaguard.core.access import Role
from mediaguard.personal import PersonalLinks
from tests.console.school import Visiting, words
from tests.pipeline.world import CHANNEL
from tests.takedown_world import entries

PATH = "/console/people/S-1/links"


def made(page) -> str:
    return re.search(r'value="(http[^"]*/my/[^"]*)"', page.text)[1]


def test_a_link_is_shown_once_and_can_be_revoked(world, officer):
    assert "No links were made yet" in words(officer.get(PATH))
    answer = officer.post(PATH, days="30", signatory_id="G1")
    assert answer.status_code == 303
    assert officer.get(PATH).text.count("/revoke") == 1
    stranger = Visiting(world, frozenset({Role.OFFICER}))  # another session of the same account
    assert "/my/" not in stranger.get(answer.headers["location"]).text
    token = made(officer.get(answer.headers["location"])).rpartition("/")[2]
    again = officer.get(answer.headers["location"])
    assert token not in again.text
    assert "shown only once" in words(again)
    assert len(PersonalLinks(world).of("S-1")) == 1
    row = PersonalLinks(world).find(token)
    assert (row.subject_id, row.signatory, row.signatory_id) == ("S-1", "guardian", "G1")
    assert entries(world, "link-made")[-1].actor == "user:u-1"
    assert token not in officer.get(PATH).text
    assert officer.client.get(f"/my/{token}").status_code == 200
    answer = officer.post(f"{PATH}/{row.id}/revoke")
    assert answer.status_code == 303
    assert "The link is revoked" in words(officer.get(answer.headers["location"]))
    assert officer.client.get(f"/my/{token}").status_code == 404
    assert entries(world, "link-revoked")[-1].actor == "user:u-1"


@pytest.mark.parametrize("days", ["", "0", "-1", "4001", "²", "1e3", "9" * 500])
def test_a_mistake_is_said_and_what_was_typed_stays(world, officer, days):
    page = officer.post(PATH, days=days, signatory_id="G<1>")
    assert page.status_code == 422
    assert "from 1 to 4000" in words(page)
    assert "G&lt;1&gt;" in page.text
    assert PersonalLinks(world).of("S-1") == []


def test_links_are_for_officers(world, officer, staff):
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    for other in (staff, administrator):
        assert other.get(PATH).status_code == 403
        assert other.post(PATH, days="30").status_code == 403
    answer = officer.client.post(PATH, data={"token": "wrong", "days": "30"})
    assert answer.status_code == 403
    assert PersonalLinks(world).of() == []


def test_what_is_not_there_is_not_found(world, officer):
    link = PersonalLinks(world).make("S-2", PersonalLinks(world).decider("S-2")).row
    assert officer.get("/console/people/S-9/links").status_code == 404
    assert officer.post(f"{PATH}/{link.id}/revoke").status_code == 404
    assert PersonalLinks(world).state(link) == "works"
    assert PersonalLinks(world).of("S-2")[0].revoked_at is None


def test_a_wording_is_shown_as_it_is(world, officer, staff):
    text = "Line one.\n\n<b>bold</b> & so on."
    (world.home / "wordings" / "w.en.txt").write_text(text)
    page = staff.get("/console/wordings/w")
    assert page.status_code == 200
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; so on." in page.text
    assert world.wordings.get("w").digest("en") in page.text
    assert 'href="/console/people">Back to the people' in page.text
    assert "There is no text" in words(officer.get("/console/wordings/none"))
    assert officer.get("/console/wordings/..%2Fmediaguard").status_code == 404
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    assert administrator.get("/console/wordings/w").status_code == 403


def test_a_wording_that_consents_name_does_not_pass_for_one_that_nobody_agreed_to(world, officer):
    path = "/console/wordings/w"
    how = {"signatory": "guardian", "evidence": "F", "wording": "w"}
    world.desk.refuse("S-2", CHANNEL, **how)
    (world.home / "wordings" / "w.en.txt").write_text("We ask you.")
    assert "Nobody has agreed to this text here yet" in words(officer.get(path))
    (world.home / "wordings" / "w.en.txt").unlink()
    world.desk.grant("S-1", CHANNEL, **how)
    (world.home / "wordings" / "w.en.txt").write_text("We ask you.")
    assert "A yes on record names this version" in words(officer.get(path))
    world.desk.grant("S-1", "facebook", **how)
    assert "A yes on record" not in words(officer.get(path))


def test_the_pages_are_in_dutch_too(world):
    officer = Visiting(world, frozenset({Role.OFFICER}), language="nl")
    assert "Persoonlijke links" in words(officer.get(PATH))
    assert "De nieuwe link" in words(officer.do(PATH, days="1"))
