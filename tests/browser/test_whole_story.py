"""Upload, review, release, withdraw, takedown: in a real browser, with the keyboard only."""

from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, expect

from mediaguard.app import App
from mediaguard.core.access import Role
from mediaguard.published import Published
from mediaguard.resources import resource
from tests.browser.hands import Hands

CHANNEL = "website-public"
SUBJECT = "S-1006"
PASSWORD = "three odd purple horses"
LONG = 120_000  # milliseconds in which a busy machine has handled a photo


@pytest.mark.parametrize("language", ["en", "nl"])
def test_from_upload_to_takedown(browser: Browser, served: str, home: Path, language: str):
    app = App(home)
    app.users.add("p.officer", roles=[Role.OFFICER], language=language, password=PASSWORD)
    # Scripts of tests may look into the page: the pages themselves may not be changed by any.
    context = browser.new_context(bypass_csp=True, viewport={"width": 1024, "height": 768})
    page = context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    page.on("dialog", lambda dialog: dialog.accept())
    hands = Hands(page, served)

    # In, with a second factor that is set up on the way.
    page.goto(f"{served}/console/")
    hands.look()
    hands.type("#login", "p.officer")
    hands.type("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/set-up*")
    hands.look()
    secret = page.inner_text(".secret").replace(" ", "")
    hands.type("input[name=code]", pyotp.TOTP(secret).now())
    page.keyboard.press("Enter")
    expect(page.locator(".recovery-codes li").first).to_be_visible()
    hands.look()
    hands.press("main a.button")
    page.wait_for_url("**/console/inbox")
    assert page.locator("html").get_attribute("lang") == language

    # Two photos: one goes out redacted, one is held because little would be left of it.
    hands.look()
    photos = resource("sample_media", "photos")
    hands.reach("#channel")
    page.keyboard.type(CHANNEL)
    assert page.input_value("#channel") == CHANNEL
    chooser = hands.choose_files("#files")
    chooser.set_files([photos / "02-on-the-grass.jpg", photos / "07-in-the-gym.jpg"])
    sent = page.locator("#list > li")
    expect(sent.locator(".badge.good")).to_have_count(1, timeout=LONG)
    expect(sent.locator(".badge.wait")).to_have_count(1, timeout=LONG)
    hands.look()

    # The held one: a face is marked, unmarked, and it is approved all the same.
    hands.go("r", "/console/review")
    hands.press("main table a")
    page.wait_for_url("**/console/review/*")
    hands.look()
    item = page.locator("#review").get_attribute("data-item")
    assert item is not None
    page.keyboard.press("1")
    page.keyboard.press("r")
    expect(page.locator("#face-1 .mark, #face-1 .marks li").first).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator("#face-1 .mark, #face-1 .marks li")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator("#review .row:has(> h1) .badge.good")).to_be_visible(timeout=LONG)
    hands.look()

    # Both are public; whoever is shown in one withdraws, and it comes down.
    hands.go("u", "/console/published")
    assert len([p for p in Published(app).publications() if p.row.state == "live"]) == 2
    shown = Published(app).publications(subject=SUBJECT)
    assert len(shown) == 1
    file = Path(shown[0].row.urls[0])
    assert file.exists()
    hands.go("p", "/console/people")
    hands.type("#who, input[type=search], main input[name=who]", SUBJECT)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/people/{SUBJECT}")
    hands.look()
    hands.press(f"main a[href*='withdraw?channel={CHANNEL}']")
    page.wait_for_url("**/withdraw*")
    hands.look()
    hands.press("main form button.danger")
    expect(page.locator("main .notice")).to_be_visible()
    hands.look()
    hands.go("t", "/console/takedowns")
    for _ in range(60):
        if not Published(app).takedowns(subject=SUBJECT):
            break
        page.wait_for_timeout(500)
    (gone,) = Published(app).takedowns(subject=SUBJECT, everything=True)
    assert gone.row.state == "confirmed"
    assert not file.exists()
    page.goto(f"{served}/console/takedowns/{gone.row.id}")
    hands.look()
    for letter, path in (("c", "/console/channels"), ("a", "/console/audit")):
        hands.go(letter, path)
    assert mistakes == []
    assert asked == {served.split("/")[2]}
    hands.press(".who button")
    page.wait_for_url("**/sign-in*")
    assert "/sign-in" in context.request.get(f"{served}/console/people").url
    context.close()
    app.database.close()
