"""The configuration: mistakes are named, never ignored, and secrets are never repeated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard import config
from mediaguard.app import App
from mediaguard.errors import ConfigError
from mediaguard.texts import explain

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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("langage = 'nl'\n" + CHANNEL, "there is no setting `langage`; is `language` meant?"),
        (CHANNEL + "purpos = 'x'", "[channels.website-public] there is no setting `purpos`; is `p"),
        (
            CHANNEL + "[web.oidc]\nisuer = 'x'",
            "[web.oidc] there is no setting `isuer`; is `issuer`",
        ),
        (CHANNEL + "[web.senders.cms]\nsecret = []", "setting `secret`; is `secrets` meant?"),
        (
            "[channels.newsletter]\nchanels = []",
            "[channels.newsletter] there is no setting `chanels`",
        ),
        ("[channels.newsletter]\npurpos = ''", "is `purpose` meant?"),
        (CHANNEL + "[watch]\nzzz = 1", "there is no setting `zzz`; there are: polling, settle_"),
    ],
)
def test_a_misspelt_setting_is_named_with_the_one_that_is_meant(tmp_path: Path, text, said):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert said in explain(caught.value)
    assert "Extra inputs" not in explain(caught.value)


def test_records_without_a_configuration_are_no_new_home(tmp_path: Path):
    home = tmp_path / "home"
    App(home).create()
    (home / config.FILE_NAME).unlink()
    with pytest.raises(ConfigError) as caught:
        config.load(home)
    said = explain(caught.value)
    assert "Only the configuration is missing" in said
    assert str(home / config.FILE_NAME) in said
    assert " init" not in said
    (home / config.FILE_NAME).write_bytes(caught.value.params["template"].read_bytes())
    assert config.load(home).channels
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "nowhere")
    assert " init" in explain(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_a_config_error(tmp_path_factory, text: str):
    folder = tmp_path_factory.mktemp("c")
    (folder / config.FILE_NAME).write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError):
        config.load(folder)
