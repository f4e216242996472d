"""A real WordPress: Debian's package, served by PHP itself, with a MariaDB database of its own.

Nothing of the machine's own WordPress is used or changed, and nothing outside the machine is
called. ``MEDIAGUARD_TEST_MARIADB`` names another database server, or another user, who has to be
allowed to create databases: ``mysql://root:password@127.0.0.1:3306``.
"""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

PACKAGE = Path("/usr/share/wordpress")
MARIADB = os.environ.get("MEDIAGUARD_TEST_MARIADB", "mysql://root@127.0.0.1:3306")
HERE = Path(__file__).parent
PHP = [
    "php",
    *("-d", "upload_max_filesize=64M"),
    *("-d", "post_max_size=72M"),
    *("-d", "memory_limit=256M"),
    *("-d", "display_errors=0"),
    *("-d", "opcache.enable_cli=1"),
    *("-d", "opcache.revalidate_freq=0"),
]


class MissingError(Exception):
    """Something that a WordPress needs is not on this machine."""


class Site:
    """A WordPress that is running.

    Attributes:
        url: its address, without a slash at the end.
        user, password: an administrator, and an application password of theirs.
        web: a visitor's browser.
        folder: where its files are.
    """

    user = "mediaguard"

    def __init__(self, folder: Path, database: str, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"
        self.password = ""
        self._database = database
        self._port = port
        self._server: subprocess.Popen[bytes] | None = None
        # Without connections that are kept: the server may be killed at any time.
        self.web = httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))

    @classmethod
    def create(cls) -> "Site":
        """Install a fresh one and start it.

        Raises:
            MissingError: the packages or the database server are not there.
        """
        _look_for_packages()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        folder = Path(tempfile.mkdtemp(prefix="mediaguard-wordpress-"))
        site = cls(folder, f"mediaguard_test_{secrets.token_hex(6)}", port)
        try:
            _sql(f"CREATE DATABASE {site._database}")
            site._install()
            site.start()
        except BaseException:
            site.stop()
            raise
        return site

    def start(self) -> None:
        """Serve it, at the same address and with the same content as before."""
        log = (self.folder / "server.log").open("ab")
        router = HERE / "router.php"
        with log:
            self._server = subprocess.Popen(
                [*PHP, "-S", f"127.0.0.1:{self._port}", "-t", self.folder / "site", router],
                stdout=log,
                stderr=log,
                env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4"},
                # The workers are its children: together they can be killed.
                start_new_session=True,
            )
        until = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx.TransportError):
                if self.web.get(f"{self.url}/wp-includes/images/blank.gif").status_code == 200:
                    return
            if self._server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """End the web server and its workers as a power cut would, in the middle of anything."""
        if self._server is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def stop(self) -> None:
        """End it for good; its database and its files go."""
        self.kill()
        self.web.close()
        with contextlib.suppress(MissingError):
            _sql(f"DROP DATABASE IF EXISTS {self._database}")
        shutil.rmtree(self.folder, ignore_errors=True)

    def rest(self, method: str, path: str, **arguments: Any) -> Any:
        """What the REST API answers to the administrator; `path` as in ``/wp/v2/posts``."""
        response = self.web.request(
            method,
            f"{self.url}/index.php",
            params={"rest_route": path, **arguments.pop("params", {})},
            auth=(self.user, self.password),
            **arguments,
        )
        response.raise_for_status()
        return response.json()

    def post(self, content: str = "", *, kind: str = "posts", **fields: Any) -> int:
        """The id of a new post (or page) with this content, published unless `fields` say so."""
        body = {"title": "News", "status": "publish", "content": content, **fields}
        return int(self.rest("POST", f"/wp/v2/{kind}", json=body)["id"])

    def raw(self, post: int, *, kind: str = "posts") -> dict[str, Any]:
        """A post (or page) as its author sees it; its text is in ``["content"]["raw"]``."""
        found = self.rest("GET", f"/wp/v2/{kind}/{post}", params={"context": "edit"})
        assert isinstance(found, dict)
        return found

    def media(self) -> list[dict[str, Any]]:
        """Everything in the media library."""
        params = {"context": "edit", "per_page": "100", "status": "inherit,private,trash"}
        found = self.rest("GET", "/wp/v2/media", params=params)
        assert isinstance(found, list)
        return found

    def files(self) -> set[str]:
        """The names of all uploaded files that lie there, derived sizes among them."""
        uploads = self.folder / "site" / "wp-content" / "uploads"
        return {path.name for path in uploads.rglob("*") if path.is_file()}

    def empty(self) -> None:
        """Forget all posts, pages and media; numbers are not given again."""
        tables = ("posts", "postmeta", "comments", "term_relationships")
        _sql(*(f"DELETE FROM {self._database}.wp_{table}" for table in tables))
        for path in (self.folder / "site" / "wp-content" / "uploads").iterdir():
            shutil.rmtree(path)

    def run(self, code: str) -> str:
        """What PHP code prints that runs within WordPress."""
        load = f"$_SERVER['HTTP_HOST'] = '127.0.0.1'; require '{self.folder}/site/wp-load.php';"
        return _php("-r", load + code)

    @contextlib.contextmanager
    def plugin(self, code: str) -> Iterator[None]:
        """Within it, WordPress has a plugin with this code."""
        folder = self.folder / "site" / "wp-content" / "mu-plugins"
        folder.mkdir(exist_ok=True)
        file = folder / f"{secrets.token_hex(6)}.php"
        file.write_text(f"<?php\n{code}\n")
        try:
            yield
        finally:
            file.unlink()

    @contextlib.contextmanager
    def plain_permalinks(self) -> Iterator[None]:
        """Within it, addresses look as WordPress makes them without rewrite rules."""
        marker = self.folder / "plain-permalinks"
        before = self.run("echo get_option('permalink_structure');")
        change = (
            "global $wp_rewrite; $wp_rewrite->set_permalink_structure('{}');"
            "flush_rewrite_rules(false);"
        )
        self.run(change.format(""))
        marker.touch()
        try:
            yield
        finally:
            marker.unlink()
            self.run(change.format(before))

    def _install(self) -> None:
        site = self.folder / "site"
        site.mkdir()
        # PHP follows links before it says where a file is: what looks for its neighbours must be
        # a copy, or it would find the machine's own configuration.
        for path in PACKAGE.iterdir():
            if path.name == "wp-includes":
                (site / path.name).symlink_to(path)
            elif path.name in ("wp-admin", "wp-content"):
                leave = shutil.ignore_patterns("languages")
                shutil.copytree(path, site / path.name, ignore=leave)
            elif path.suffix == ".php" and path.name != "wp-config.php":
                shutil.copy(path, site)
        (site / "wp-content" / "uploads").mkdir()
        (site / "wp-config.php").write_text(self._configuration())
        installed = _php(str(HERE / "install.php"), str(site), self.user)
        self.password = json.loads(installed)["password"]

    def _configuration(self) -> str:
        server = _server()
        themes = sorted(path.parent.name for path in PACKAGE.glob("wp-content/themes/*/style.css"))
        values: dict[str, str | bool] = {
            "DB_NAME": self._database,
            "DB_USER": server["user"],
            "DB_PASSWORD": server["password"],
            "DB_HOST": f"{server['host']}:{server['port']}",
            "DB_CHARSET": "utf8mb4",
            "WP_HOME": self.url,
            "WP_SITEURL": self.url,
            "WP_DEFAULT_THEME": themes[-1],
            # Application passwords without https are for machines like this one.
            "WP_ENVIRONMENT_TYPE": "local",
            "WP_DEBUG": False,
            "WP_HTTP_BLOCK_EXTERNAL": True,
            "DISABLE_WP_CRON": True,
            "AUTOMATIC_UPDATER_DISABLED": True,
        }
        for name in ("AUTH", "SECURE_AUTH", "LOGGED_IN", "NONCE"):
            values |= {f"{name}_{kind}": secrets.token_hex(32) for kind in ("KEY", "SALT")}
        lines = [f"define({name!r}, {json.dumps(value)});" for name, value in values.items()]
        return "\n".join(
            [
                "<?php",
                *lines,
                "$table_prefix = 'wp_';",
                "if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');",
                "require_once ABSPATH . 'wp-settings.php';",
            ]
        )


def _look_for_packages() -> None:
    if not (PACKAGE / "wp-load.php").is_file() or shutil.which("php") is None:
        raise MissingError("no WordPress to test with: Debian's packages wordpress and php-cli")
    if not list(PACKAGE.glob("wp-content/themes/*/style.css")):
        raise MissingError("WordPress needs one of Debian's packages wordpress-theme-*")
    needed = {"mysqli": "php-mysql", "gd": "php-gd", "curl": "php-curl"}
    present = _php("-m").split()
    packages = [package for module, package in needed.items() if module not in present]
    if packages:
        raise MissingError(f"WordPress needs Debian's {' '.join(packages)}")
    _sql("SELECT 1")


def _server() -> dict[str, str]:
    parts = urlsplit(MARIADB)
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": str(parts.port or 3306),
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
    }


def _sql(*statements: str) -> None:
    code = (
        "$s = json_decode(getenv('SERVER'));"
        "$d = new mysqli($s->host, $s->user, $s->password, '', (int) $s->port);"
        "foreach (json_decode(getenv('STATEMENTS')) as $statement) $d->query($statement);"
    )
    try:
        _php("-r", code, SERVER=json.dumps(_server()), STATEMENTS=json.dumps(statements))
    except subprocess.CalledProcessError as error:
        raise MissingError(
            "no MariaDB to test WordPress with (set MEDIAGUARD_TEST_MARIADB to a server and a "
            f"user who may create databases): {error.stderr.strip().splitlines()[:1]}"
        ) from None


def _php(*arguments: str, **environment: str) -> str:
    finished = subprocess.run(
        [*PHP, "-d", "display_errors=stderr", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return finished.stdout
