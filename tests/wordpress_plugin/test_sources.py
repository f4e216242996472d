"""What can be said of the plugin without a WordPress."""

import re
import shutil
import subprocess

import pytest

from mediaguard import __version__
from tests.wordpress_plugin.site import PLUGIN

SOURCES = sorted(path for path in PLUGIN.rglob("*.php") if path.parent.name != "languages")
_STRING = r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\$]|\\.)*")"""
SAID = re.compile(rf"\b(?:__|esc_html_e)\(\s*{_STRING},\s*'mediaguard'", re.DOTALL)


def unquoted(text: str) -> str:
    return text[1:-1].replace("\\'", "'")


def test_everything_that_is_said_is_said_in_dutch_too():
    said = {unquoted(text) for path in SOURCES for text in SAID.findall(path.read_text())}
    dutch = (PLUGIN / "languages" / "nl.php").read_text()
    pairs = dict(re.findall(rf"^\t{_STRING}\s*=> {_STRING},$", dutch, re.MULTILINE))
    known = {unquoted(english): unquoted(text) for english, text in pairs.items()}
    assert len(said) > 30
    assert said == known.keys()
    for english, text in known.items():
        wanted = re.findall(r"%\S*[sd]", english)
        assert re.findall(r"%\S*[sd]", text) == wanted, english
    # Nothing is said in any other way.
    calls = sum(
        len(re.findall(r"\b(?:__|_e|_x|_n|esc_html__|esc_html_e)\(", path.read_text()))
        for path in SOURCES
    )
    assert calls == sum(len(SAID.findall(path.read_text())) for path in SOURCES)


def test_it_is_of_the_same_version_everywhere():
    main = (PLUGIN / "mediaguard.php").read_text()
    assert f"Version:           {__version__}\n" in main
    assert f"const VERSION = '{__version__}';" in main
    assert f"Stable tag: {__version__}\n" in (PLUGIN / "readme.txt").read_text()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_nobody_runs_a_part_by_itself(path):
    text = path.read_text()
    assert "defined( 'ABSPATH' ) || exit;" in text or "WP_UNINSTALL_PLUGIN" in text
    if shutil.which("php"):
        checked = subprocess.run(["php", "-l", path], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout
