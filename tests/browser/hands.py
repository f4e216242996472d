"""Hands on a keyboard, and nothing else; and eyes that see what a screen reader would miss."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FileChooser, Locator, Page, TimeoutError  # noqa: A004

from mediaguard.app import App
from mediaguard.web.console.sign_in import one_time_link

MOST = 150
"""Whatever is further away by Tab is not within reach."""

WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}}


@contextmanager
def signed_in(
    browser: Browser, served: str, app: App, login: str, **settings: object
) -> Iterator[Page]:
    """A page of somebody who came in by a link; `settings` are Playwright's, of the context."""
    # Scripts of tests may look into the page: the pages themselves may not be changed by any.
    context = browser.new_context(bypass_csp=True, **settings)
    page = context.new_page()
    page.goto(served + one_time_link(app, login))
    page.click("main button")
    page.wait_for_url("**/console/**")
    yield page
    context.close()


class Hands:
    """Operates a page with keys only.

    Args:
        page: it.
        base: where the site is.
    """

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base

    def reach(self, selector: str) -> Locator:
        """Press Tab until something is in focus."""
        wanted = self.page.locator(selector).first
        wanted.wait_for(state="attached")
        for _ in range(MOST):
            if wanted.evaluate("one => one === document.activeElement"):
                return wanted
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{selector} on {self.page.url} cannot be reached with Tab")

    def type(self, selector: str, text: str) -> None:
        """Write into a field."""
        self.reach(selector)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def press(self, selector: str, key: str = "Enter") -> None:
        """Press a button or follow a link."""
        self.reach(selector)
        self.page.keyboard.press(key)

    def choose_files(self, selector: str) -> FileChooser:
        """Open the window in which files are chosen; headless Chromium forgets to now and then."""
        self.reach(selector)
        for patience in (5_000, 5_000, 5_000, 30_000):
            with suppress(TimeoutError), self.page.expect_file_chooser(timeout=patience) as chooser:
                self.page.keyboard.press("Space")
            with suppress(TimeoutError):
                return chooser.value
        raise AssertionError("no files can be chosen")

    def go(self, letter: str, path: str) -> None:
        """To a section, by its key."""
        self.page.keyboard.press("g")
        self.page.keyboard.press(letter)
        self.page.wait_for_url(f"{self.base}{path}*")
        self.look()

    def look(self) -> None:
        """What axe finds wrong is an error."""
        found = Axe().run(self.page, options=WCAG)
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
