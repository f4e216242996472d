"""The promise, on a real WordPress: withdrawn, and gone from every address within a minute.

Also when worker and web server are killed in between. Real commands in processes of their own,
the sample school's people, a visitor's requests.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mediaguard.config import FILE_NAME
from mediaguard.resources import resource
from tests.wordpress.server import Site

CHANNEL = "website-public"
SUBJECT = "S-1003"


class School:
    """The sample school, with the real WordPress as its public website."""

    def __init__(self, home: Path, site: Site, takedown: str) -> None:
        self.home = home
        self.site = site
        (home / "keys" / "wordpress").write_text(site.password)
        (home / "keys" / "wordpress").chmod(0o600)
        section = f"[channels.{CHANNEL}]\n"
        config = (home / FILE_NAME).read_text()
        (home / FILE_NAME).write_text(
            config.replace(
                section,
                f'[channels.{CHANNEL}.wordpress]\nurl = "{site.url}"\nuser = "{site.user}"\n'
                f'password = "file:keys/wordpress"\n\n{section}connector = "wordpress"\n'
                f'takedown = "{takedown}"\n',
            )
        )

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", "from mediaguard.cli.main import main; main()"]
            + [str(argument) for argument in arguments],
            env={**os.environ, "MEDIAGUARD_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: object, allowed: tuple[int, ...] = (0,)) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        assert process.returncode in allowed, err
        return out

    def json(self, *arguments: object, allowed: tuple[int, ...] = (0,)) -> dict:
        return json.loads(self.run(*arguments, "--format", "json", allowed=allowed))

    def status(self, url: str) -> int:
        return self.site.web.get(url, headers={"Cache-Control": "no-cache"}).status_code


@pytest.fixture
def photos() -> list[Path]:
    found = sorted(resource("sample_media", "photos").glob("*.jpg"))
    return [found[number] for number in (1, 2, 3)]


@pytest.mark.parametrize("takedown", ["remove", "replace"])
def test_withdrawn_and_gone_within_a_minute(
    home: Path, wordpress: Site, photos: list[Path], takedown: str
):
    school = School(home, wordpress, takedown)
    report = school.json("process", *photos, "--channel", CHANNEL)
    assert [item["outcome"] for item in report["items"]].count("hold") == 0
    published = {p["id"]: p for p in school.json("publication", "list")["publications"]}
    assert len(published) == 3
    places = {key: p["urls"] for key, p in published.items()}
    for urls in places.values():
        assert len(urls) >= 4  # the picture, its sizes, its page
        assert {school.status(url) for url in urls} == {200}
    showing = {key for key, p in published.items() if SUBJECT in p["subjects"]}
    assert 0 < len(showing) < 3
    posts = {
        key: wordpress.post(f'<!-- wp:image --><img src="{urls[0]}"/><!-- /wp:image -->')
        for key, urls in places.items()
    }

    worker = school.start("work")
    assert worker.stdout is not None
    assert worker.stdout.readline()
    done = school.json("consent", "withdraw", SUBJECT, "--channel", CHANNEL)
    started = time.monotonic()
    assert {asked["publication"] for asked in done["still_public"]} == showing
    # The worker is at it, or just about to be.
    wordpress.kill()
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    wordpress.start()
    worker = school.start("work")
    try:
        gone = {url for key in showing for url in places[key]}
        while {school.status(url) for url in gone} != {404}:
            assert time.monotonic() - started < 60, {url: school.status(url) for url in gone}
            time.sleep(0.5)
        while school.run("takedown", "list", "--subject", SUBJECT, allowed=(0, 1)).count(CHANNEL):
            assert time.monotonic() - started < 90
            time.sleep(0.5)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=60)

    for key in set(places) - showing:
        assert {school.status(url) for url in places[key]} == {200}
    assert {
        SUBJECT in p["subjects"] for p in school.json("publication", "list")["publications"]
    } == {False}
    live = school.json("publication", "list")["publications"]
    assert len(live) == (3 if takedown == "replace" else 3 - len(showing))
    for key in showing:
        text = wordpress.raw(posts[key])["content"]["raw"]
        stands = takedown == "replace"
        assert (places[key][0] not in text) is stands
        assert any(p["urls"][0] in text for p in live) is stands
    (first, *_) = school.json("takedown", "list", "--subject", SUBJECT, "--all")["takedowns"]
    proof = school.json("takedown", "show", first["id"][:10])
    assert proof["state"] == "confirmed"
    assert {look["answer"] for look in proof["looks"]} == {"404"}
    assert {look["url"] for look in proof["looks"]} == set(places[proof["publication"]])
    assert wordpress.url in school.run("takedown", "certificate", SUBJECT)
