"""The plugin in a WordPress, and `mediaguard serve` beside it."""

import base64
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from mediaguard.channels.signing import sign
from mediaguard.config import FILE_NAME
from tests.conftest import ROOT
from tests.wordpress.server import Site

PLUGIN = ROOT / "integrations" / "wordpress" / "mediaguard"
SENDER, CHANNEL = "wordpress", "website-public"
_NAME = "'mediaguard/mediaguard.php'"
_LOAD = "require_once ABSPATH . 'wp-admin/includes/plugin.php';"


def new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


class PluginSite:
    """A WordPress with the plugin.

    Attributes:
        wordpress: the site.
        secret: what it and mediaguard both know.
        base: where mediaguard calls.
        private: where it keeps what is not public yet.
    """

    def __init__(self, wordpress: Site) -> None:
        self.wordpress = wordpress
        self.secret = new_secret()
        self.base = f"{wordpress.url}/wp-json/mediaguard/v1"
        self.private = wordpress.folder / "private"

    def install(self) -> None:
        """As the readme says."""
        shutil.copytree(PLUGIN, self._plugins / "mediaguard")
        config = self._config
        config.write_text(
            config.read_text().replace(
                "<?php\n", f"<?php\ndefine('MEDIAGUARD_FOLDER', '{self.private}');\n", 1
            )
        )
        assert self.wordpress.run(f"{_LOAD} echo activate_plugin({_NAME});") == ""

    def uninstall(self) -> None:
        """As an administrator does by deleting it."""
        self.wordpress.run(f"{_LOAD} deactivate_plugins({_NAME}); uninstall_plugin({_NAME});")
        shutil.rmtree(self._plugins / "mediaguard", ignore_errors=True)
        line = f"define('MEDIAGUARD_FOLDER', '{self.private}');\n"
        self._config.write_text(self._config.read_text().replace(line, ""))

    def set_up(self, address: str, **other: str) -> None:
        """Store what stands on the settings page."""
        settings = {"sender": SENDER, "channel": CHANNEL, "secret": self.secret, **other}
        told = json.dumps({"address": address, **settings})
        self.wordpress.run(f"update_option('mediaguard', json_decode('{told}', true));")

    @contextlib.contextmanager
    def settings(self, **other: str) -> Iterator[None]:
        """Within it, some of the settings are different ones."""
        before = self.wordpress.run("echo json_encode(get_option('mediaguard'));")
        self.set_up(**{**json.loads(before), **other})
        try:
            yield
        finally:
            self.set_up(**json.loads(before))

    def upload(self, name: str, content: bytes, **fields: str) -> httpx.Response:
        """What the REST API answers to an author who adds a file, as the block editor does."""
        return self.wordpress.web.post(
            f"{self.wordpress.url}/wp-json/wp/v2/media",
            auth=(self.wordpress.user, self.wordpress.password),
            files={"file": (name, content, "image/jpeg")},
            data=fields,
            timeout=120,
        )

    def call(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        secret: str | None = None,
        message_id: str = "",
        at: float | None = None,
        seconds: float = 0,
        signed: bytes | None = None,
    ) -> httpx.Response:
        """What the plugin answers to a call as mediaguard makes them."""
        moment = int((time.time() if at is None else at) + seconds)
        name = message_id or secrets.token_hex(16)
        headers = sign([secret or self.secret], name, moment, [body if signed is None else signed])
        headers["Content-Type"] = "application/json"
        return self.wordpress.web.request(method, self.base + path, content=body, headers=headers)

    def uploads(self) -> dict[str, bytes]:
        """All files that lie among the uploads, with what is in them."""
        folder = self._content / "uploads"
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def status(self, url: str) -> int:
        """What a visitor is answered."""
        return self.wordpress.web.get(url, headers={"Cache-Control": "no-cache"}).status_code

    @property
    def _content(self) -> Path:
        return self.wordpress.folder / "site" / "wp-content"

    @property
    def _plugins(self) -> Path:
        return self._content / "plugins"

    @property
    def _config(self) -> Path:
        return self.wordpress.folder / "site" / "wp-config.php"


class Serving:
    """`mediaguard serve` of a home whose channel is the WordPress with the plugin."""

    def __init__(self, home: Path, site: PluginSite) -> None:
        self.home = home
        self.site = site
        self.url = ""
        self._process: subprocess.Popen[str] | None = None
        key = home / "keys" / "wordpress"
        key.write_text(site.secret)
        key.chmod(0o600)
        # What the settings page shows, put where it belongs.
        told = site.wordpress.run("echo Mediaguard\\configuration();")
        heading, rest = f"[channels.{CHANNEL}]\n", told.partition("\n")[2]
        connector, _, sections = rest.partition("\n\n")
        path = home / FILE_NAME
        text = path.read_text()
        assert heading in text
        path.write_text(f"{text.replace(heading, heading + connector + chr(10))}\n{sections}")

    def start(self) -> None:
        """Serve, and tell the site where."""
        self._process = self._begin("serve", "--port", "0")
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        self.url = next(word for word in line.split() if word.startswith("http"))
        self.site.set_up(self.url)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.communicate(timeout=60)
            self._process = None

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Within it, nobody serves."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def configured(self, old: str, new: str) -> Iterator[None]:
        """Within it, something else stands in the configuration."""
        path = self.home / FILE_NAME
        text = path.read_text()
        assert old in text
        with self.down():
            path.write_text(text.replace(old, new))
        try:
            yield
        finally:
            with self.down():
                path.write_text(text)

    def run(self, *arguments: object, allowed: tuple[int, ...] = (0, 1)) -> str:
        process = self._begin(*arguments)
        out, _ = process.communicate(timeout=300)
        assert process.returncode in allowed, out
        return out

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--format", "json"))

    def publications(self, *, everything: bool = False) -> list[dict[str, Any]]:
        """The newest first."""
        more = ("--all",) if everything else ()
        found = self.json("publication", "list", *more)["publications"]
        assert isinstance(found, list)
        return found[::-1]

    def _begin(self, *arguments: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", "from mediaguard.cli.main import main; main()"]
            + [str(argument) for argument in arguments],
            env={**os.environ, "MEDIAGUARD_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            text=True,
        )
