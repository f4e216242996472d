"""Where secrets are read from, and that they are shown nowhere."""

import os
from pathlib import Path

import pytest

from mediaguard.config import Config
from mediaguard.errors import ConfigError
from mediaguard.secrets import read_secret


def test_from_a_file_of_the_home_or_the_environment(tmp_path: Path, monkeypatch):
    (tmp_path / "site").write_text("abcd efgh\n")
    (tmp_path / "site").chmod(0o600)
    assert read_secret("file:site", tmp_path) == "abcd efgh"
    monkeypatch.setenv("SITE_PASSWORD", "from outside")
    assert read_secret("env:SITE_PASSWORD", tmp_path) == "from outside"


@pytest.mark.parametrize("content", [None, b"", b"  \n", b"\xff\xfe"])
def test_one_that_is_not_there_is_named_by_its_place(tmp_path: Path, content):
    if content is not None:
        (tmp_path / "site").write_bytes(content)
        (tmp_path / "site").chmod(0o600)
    with pytest.raises(ConfigError) as error:
        read_secret("file:site", tmp_path)
    assert (error.value.code, error.value.params) == ("secret-missing", {"reference": "file:site"})
    with pytest.raises(ConfigError):
        read_secret("env:NOBODY_SET_THIS", tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="rights of files are POSIX's")
def test_a_file_that_others_may_read_is_refused(tmp_path: Path):
    (tmp_path / "site").write_text("abcd")
    (tmp_path / "site").chmod(0o640)
    with pytest.raises(ConfigError) as error:
        read_secret("file:site", tmp_path)
    assert error.value.code == "secret-exposed"


def test_a_secret_itself_is_no_setting():
    with pytest.raises(ValueError, match="match pattern"):
        Config.model_validate(
            {
                "channels": {
                    "c": {
                        "connector": "wordpress",
                        "wordpress": {"url": "https://x.example", "user": "u", "password": "abcd"},
                    }
                }
            }
        )
