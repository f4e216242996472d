"""What a slip of the fingers can do in Review and the Inbox: nothing that anybody could see."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from mediaguard.app import App
from mediaguard.core.access import Role
from mediaguard.published import Published
from mediaguard.resources import resource
from mediaguard.review import Review
from mediaguard.store.audit import Audit
from tests.browser.hands import signed_in

CHANNEL = "website-public"
HELD = "07-in-the-gym.jpg"
LONG = 120_000


@pytest.fixture
def app(home: Path) -> Iterator[App]:
    app = App(home)
    app.users.add("s.staff", roles=[Role.STAFF], language="en")
    yield app
    app.database.close()


@pytest.fixture
def page(browser: Browser, served: str, app: App) -> Iterator[Page]:
    """The Inbox, opened by somebody who is signed in."""
    with signed_in(browser, served, app, "s.staff") as page:
        page.wait_for_url("**/console/inbox*")
        yield page


def photo(name: str) -> Path:
    return resource("sample_media", "photos") / name


def send(page: Page, name: str) -> None:
    page.select_option("#channel", CHANNEL)
    page.set_input_files("#files", photo(name))


@pytest.fixture
def held(page: Page, served: str) -> str:
    """An item that waits for somebody, opened in Review."""
    send(page, HELD)
    expect(page.locator("#list .badge.wait")).to_be_visible(timeout=LONG)
    page.click("#list .links a")
    page.wait_for_url("**/console/review/*")
    return page.locator("#review").get_attribute("data-item") or ""


def acts(app: App, item: str) -> set[str]:
    with app.database.read() as session:
        found = Audit(session, app.keyring).entries(item_id=item)
    return {entry.action for entry in found if entry.action.startswith("review-")}


def asked(page: Page) -> list[str]:
    """What is asked from now on; nobody agrees to any of it."""
    found: list[str] = []

    def refuse(dialog: Dialog) -> None:
        found.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    return found


def test_a_name_that_is_typed_is_no_command(page: Page, app: App, held: str):
    questions = asked(page)
    summary = page.locator("#face-1 summary")
    summary.focus()
    page.keyboard.type("axunfr")  # it is not open yet: they began too early
    summary.click()
    field = page.locator("#who-1")
    expect(field).to_be_focused()
    page.keyboard.type("Barbara Fox, nu")
    expect(field).to_have_value("Barbara Fox, nu")
    summary.focus()
    page.keyboard.type("axunfr")
    page.wait_for_timeout(1000)
    assert questions == []
    assert acts(app, held) == {"review-seen"}
    assert Review(app).item(held).item.state == "held"
    assert Published(app).publications() == []


def test_a_stray_key_publishes_nothing(page: Page, app: App, held: str):
    questions = asked(page)
    page.keyboard.press("a")
    page.wait_for_timeout(1000)
    assert questions == [f"Publish on {CHANNEL} what may be shown?"]
    assert acts(app, held) == {"review-seen"}
    # Keys go on to work beside the questions, and whoever agrees publishes.
    page.keyboard.press("?")
    page.keyboard.press("1")
    page.keyboard.press("r")
    expect(page.locator("#face-1 .mark")).to_be_visible()
    assert acts(app, held) == {"review-seen", "review-marked"}


def test_nothing_is_sent_before_somebody_said_where_to(page: Page, app: App):
    assert page.input_value("#channel") == ""
    page.set_input_files("#files", photo(HELD))
    expect(page.locator("#first")).to_contain_text("Choose a channel first")
    expect(page.locator("#channel")).to_be_focused()
    expect(page.locator("#list > li")).to_have_count(0)
    assert Review(app).items(everything=True) == []
    send(page, HELD)
    expect(page.locator("#first")).to_be_empty()
    expect(page.locator("#list > li")).to_have_count(1)


def test_what_was_just_brought_in_can_be_removed_at_once(page: Page, app: App):
    expect(page.get_by_text("You brought in nothing yet.")).to_be_visible()
    send(page, HELD)
    expect(page.get_by_text("You brought in nothing yet.")).to_be_hidden()
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name=f"Remove {HELD}").click()
    expect(page.locator("#list .badge")).to_have_text("rejected", timeout=LONG)
    expect(page.locator("#list .remove")).to_have_count(0)
    expect(page.locator("#list .name")).to_have_text(HELD)
    (item,) = Review(app).items(everything=True)
    assert item.item.state == "rejected"
    assert Published(app).publications() == []
