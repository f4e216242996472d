"""What all pages share."""

import pytest
from sqlalchemy import text

from mediaguard.web.console.sections import SECTIONS
from tests.console.school import Visiting, browser


@pytest.mark.parametrize("section", [s for s in SECTIONS if s.permission != "keep-users"])
def test_every_section_opens_for_the_officer(officer, section):
    page = officer.get(section.path)
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


def test_a_page_that_is_not_there_says_so_in_words(officer):
    page = officer.get("/console/nothing-here")
    assert page.status_code == 404
    assert "<h1>" in page.text


def test_what_is_not_allowed_is_refused(staff):
    assert staff.get("/console/audit").status_code == 403


def test_a_problem_leaves_the_menu_to_whoever_is_signed_in(world, staff):
    dutch = Visiting(world, staff.roles, language="nl", user_id="u-nl")
    for path, status in (("/console/audit", 403), ("/console/nothing-here", 404)):
        page = staff.get(path)
        assert page.status_code == status
        assert 'href="/console/inbox"' in page.text
        assert 'href="/console/audit"' not in page.text
        assert 'action="/console/sign-out"' in page.text
        assert "Dit is niet gelukt" in dutch.get(path).text
    nobody = browser(world).get("/console/nothing-here").text
    assert "<nav" not in nobody
    assert "sign-out" not in nobody


def test_a_problem_is_told_also_when_nobody_knows_who_asks(world, staff):
    with world.database.write() as session:
        session.execute(text("ALTER TABLE user_sessions RENAME TO lost"))
    page = staff.get("/console/nothing-here")
    assert page.status_code == 404
    assert "<h1>" in page.text
    assert "<nav" not in page.text
