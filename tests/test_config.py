"""The configuration: mistakes are named, never ignored, and secrets are never repeated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard import config
from mediaguard.errors import ConfigError

CHANNEL = "[channels.website-public]\n"


def load(tmp_path: Path, text: str) -> config.Config:
    (tmp_path / config.FILE_NAME).write_text(text)
    return config.load(tmp_path)


def test_defaults(tmp_path: Path):
    loaded = load(tmp_path, CHANNEL)
    channel = loaded.channel("website-public")
    assert channel.without_consent.value == "redact"
    assert loaded.zone.key == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "channels"),
        ("[channels]\n", "at least one channel"),
        (CHANNEL + "without_consent = 'publish'", "without_consent"),
        (CHANNEL + "witout_consent = 'block'", "witout_consent"),
        (CHANNEL + "max_redacted_share = 2", "max_redacted_share"),
        (CHANNEL + "connector = 'tiktok'", "connector"),
        (CHANNEL + "wordings = ['1']\nwording = '2'", "wording '2'"),
        ("language = 'de'\n" + CHANNEL, "language"),
        ("time_zone = 'Mars/Olympus'\n" + CHANNEL, "time zone"),
        ("[channels.matching]\n", "reserved"),
        ("[channels.'../x']\n", "channels"),
        (CHANNEL + "[matching]\nthreshold = 0.9", "matching.threshold"),
        ("not toml at all", "mistake"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, named: str):
    from mediaguard.texts import explain

    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    said = explain(caught.value)
    assert config.FILE_NAME in said
    assert named in said


def test_a_secret_in_a_wrong_setting_is_not_repeated(tmp_path: Path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "databse = 'postgresql://u:hunter2@h/d'\n" + CHANNEL)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_a_config_error(tmp_path_factory, text: str):
    folder = tmp_path_factory.mktemp("c")
    (folder / config.FILE_NAME).write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError):
        config.load(folder)
