"""What all pages share."""

import pytest

from mediaguard.web.console.sections import SECTIONS


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
