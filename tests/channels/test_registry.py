"""From the configuration to the connector."""

from pathlib import Path

import pytest

from mediaguard.channels.facebook import FacebookChannel
from mediaguard.channels.folder import FolderChannel
from mediaguard.channels.http import HttpChannel
from mediaguard.channels.newsletter import NewsletterChannel
from mediaguard.channels.purge import Purged
from mediaguard.channels.registry import connect
from mediaguard.channels.wordpress import WordPressChannel
from mediaguard.config import Channel
from mediaguard.errors import ConfigError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECTIONS = {
    "wordpress": {"url": "https://www.school.example", "user": "u", "password": "file:secret"},
    "http": {"url": "https://www.school.example/mg", "secrets": ["file:secret", "env:OTHER"]},
    "facebook": {"page": "123", "token": "file:secret"},
    "newsletter": {"recipients": ["parents"]},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.setenv("OTHER", SECRET)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("folder", FolderChannel),
        ("wordpress", WordPressChannel),
        ("http", HttpChannel),
        ("facebook", FacebookChannel),
        ("newsletter", NewsletterChannel),
    ],
)
def test_each_connector(name: str, kind: type, home: Path):
    sections = {name: SECTIONS[name]} if name in SECTIONS else {}
    settings = Channel.model_validate({"connector": name, **sections})
    channel = connect(settings, home / "ready", home)
    assert isinstance(channel, kind)
    assert channel.abilities.recall is (name != "newsletter")


def test_a_cache_is_emptied_besides(home: Path):
    settings = Channel.model_validate({"cloudflare": {"zone": "0" * 32, "token": "file:secret"}})
    channel = connect(settings, home / "ready", home)
    assert isinstance(channel, Purged)
    assert channel.abilities.replace


@pytest.mark.parametrize("name", SECTIONS)
def test_a_connector_without_its_section_is_refused(name: str):
    with pytest.raises(ValueError, match="needs a section"):
        Channel.model_validate({"connector": name})


@pytest.mark.parametrize("name", ["facebook", "newsletter"])
def test_what_cannot_be_replaced_is_not_promised(name: str):
    with pytest.raises(ValueError, match="cannot replace"):
        Channel.model_validate({"connector": name, name: SECTIONS[name], "takedown": "replace"})


def test_a_missing_secret_is_named(tmp_path: Path):
    settings = Channel.model_validate({"connector": "facebook", "facebook": SECTIONS["facebook"]})
    with pytest.raises(ConfigError) as error:
        connect(settings, tmp_path, tmp_path)
    assert error.value.code == "secret-missing"
