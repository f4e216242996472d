"""Makes the README's pictures of the console: `python -m tests.pictures`."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from mediaguard.app import App
from mediaguard.core.consent import Signatory
from mediaguard.personal import PersonalLinks
from mediaguard.published import Published
from mediaguard.resources import resource
from tests.chromium import CHROMIUM

IMAGES = Path(__file__).parents[1] / "docs" / "images"
RUN = "from mediaguard.cli.main import main; main()"
CHANNEL = "website-public"
LONG = 120_000  # milliseconds in which a busy machine has handled a photo


def console(page: Page, base: str, app: App, take) -> None:
    """What staff see."""
    page.goto(f"{base}/console/inbox")
    photos = resource("sample_media", "photos")
    page.select_option("#channel", CHANNEL)
    page.set_input_files("#files", [photos / "02-on-the-grass.jpg", photos / "07-in-the-gym.jpg"])
    page.locator("#list > li .badge.wait").first.wait_for(timeout=LONG)
    page.locator("#list > li .badge.good").first.wait_for(timeout=LONG)
    take("inbox")
    page.goto(f"{base}/console/review")
    page.click("main table a")
    page.wait_for_url("**/console/review/*")
    take("review", height=900)
    page.goto(f"{base}/console/people")
    take("people")
    live = [row for row in Published(app).publications() if row.row.state == "live"]
    gone = Published(app).takedowns(everything=True)
    page.goto(f"{base}/console/people/S-1001")
    take("person")
    page.goto(f"{base}/console/published")
    take("published")
    page.goto(f"{base}/console/published/{live[0].row.id}")
    take("publication")
    page.goto(f"{base}/console/takedowns?which=all")
    take("takedowns")
    page.goto(f"{base}/console/takedowns/{gone[0].row.id}")
    take("takedown")
    for name in ("channels", "audit", "users"):
        page.goto(f"{base}/console/{name}")
        take(name)


def main() -> None:
    """Serve the sample school, visit each page, and write what is seen."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder) / "home"
        command = ["demo", "--keep", str(home), "--out", folder, "--serve", "--port", "0"]
        process = subprocess.Popen(
            [sys.executable, "-c", RUN, *command], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        words = (word for line in process.stdout for word in line.split())
        link = next(word for word in words if word.startswith("http") and "/console/" in word)
        base = link.partition("/console/")[0]
        app = App(home)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 760})

        def take(name: str, height: int = 760) -> None:
            page.set_viewport_size({"width": page.viewport_size["width"], "height": height})
            page.wait_for_load_state("networkidle")
            png = Path(folder) / "page.png"
            page.screenshot(path=png)
            Image.open(png).convert("RGB").save(IMAGES / f"console-{name}.jpg", quality=80)

        page.goto(link)
        page.click("main button")
        page.wait_for_url("**/console/**")
        console(page, base, app, take)
        made = PersonalLinks(app).make("S-1002", Signatory.GUARDIAN)
        page = browser.new_page(viewport={"width": 480, "height": 760})
        page.goto(base + made.address[made.address.index("/my/") :])
        take("personal-link")
        browser.close()
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        app.database.close()


if __name__ == "__main__":
    main()
