"""The console and a personal page on a telephone: all is to be seen, and within reach of keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mediaguard.app import App
from mediaguard.core.access import Role
from mediaguard.core.consent import Signatory
from mediaguard.personal import PersonalLinks
from mediaguard.store.audit import Audit
from tests.browser.hands import Hands, signed_in

PHONE = {"width": 390, "height": 844}

PAGES = (
    "/console/inbox",
    "/console/review",
    "/console/people",
    "/console/people/S-1001",
    "/console/people/S-1001/links",
    "/console/people/S-1001/references",
    "/console/people/-groups",
    "/console/wordings/2026-1",
    "/console/published",
    "/console/takedowns?which=all",
    "/console/channels",
    "/console/audit",
    "/console/users",
    "/console/account",
    "/console/nothing-here",
)

MENU = 120
"""So many pixels of the height are enough for the menu."""

TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll(".table")]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent.slice(0, 80))"""


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    app = App(home)
    app.users.add("demo", roles=[*Role], language="nl")
    PersonalLinks(app).make("S-1001", Signatory.GUARDIAN)
    yield app
    app.database.close()


@pytest.fixture
def phone(browser: Browser, served: str, app: App) -> Iterator[Page]:
    with signed_in(browser, served, app, "demo", viewport=PHONE, locale="nl") as page:
        yield page


def test_nothing_lies_beside_the_screen(phone: Page, served: str):
    hands = Hands(phone, served)
    for path in PAGES:
        phone.goto(served + path)
        assert phone.locator("header.top").bounding_box()["height"] <= MENU, path
        assert phone.evaluate(TOO_WIDE) == [], path
        hands.look()
    # Every section is within reach, and seen when it is reached.
    users = hands.reach('a[href="/console/users"]').bounding_box()
    assert users["x"] >= 0
    assert users["x"] + users["width"] <= PHONE["width"] + 1
    # What can be done about a row is to be seen with it, and each cell says what it is.
    phone.goto(f"{served}/console/people/S-1001/links")
    button = phone.locator("td button").first.bounding_box()
    assert button["x"] + button["width"] <= PHONE["width"]
    label = "getComputedStyle(document.querySelector('tbody td'), '::before').content"
    assert "Link" in phone.evaluate(label)


def test_a_parent_withdraws_everything_after_a_question(phone: Page, served: str, app: App):
    link = PersonalLinks(app).make("S-1002", Signatory.GUARDIAN)
    hands = Hands(phone, served)
    phone.goto(served + link.address[link.address.index("/my/") :])
    hands.look()
    hands.press("text=Alles intrekken …")
    phone.wait_for_url("**/no-everywhere*")
    hands.look()
    assert phone.evaluate(TOO_WIDE) == []
    assert not _withdrawn(app)
    hands.press("text=Ja, alles intrekken")
    phone.wait_for_url("**#done")
    assert _withdrawn(app)
    assert "Alles is ingetrokken" in phone.inner_text("#done")
    hands.look()
    phone.reload()
    assert phone.locator("#done").count() == 0


def _withdrawn(app: App) -> bool:
    with app.database.read() as session:
        entries = Audit(session, app.keyring).entries(subject_id="S-1002")
    return any(entry.action == "consent-withdrawn" for entry in entries)
