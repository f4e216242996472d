"""The documentation is tested: its commands run, and it names every command and setting."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from mediaguard.config import Config
from tests.conftest import ROOT

GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
BLOCK = re.compile(r"<!-- test: (\w+) -->|```sh\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_the_commands_of_a_guide_run(guide: Path, tmp_path: Path, sample_home: Path):
    """Each `sh` block runs, in order, in a folder with the sample school.

    `<!-- test: home -->` gives a home with the sample school's people in it; 1 (something may
    not go out) is a good answer of check and process, 2 (an error) never is.
    """
    for name in ("sample_media", "config"):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MEDIAGUARD_HOME": str(tmp_path / "mediaguard-home"),
    }
    ran = 0
    for setup, commands in BLOCK.findall(guide.read_text()):
        if setup == "home":
            shutil.copytree(sample_home, tmp_path / "mediaguard-home")
        for command in commands.strip().splitlines():
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            allowed = (0, 1) if re.match(r"mediaguard (check|process)", command) else (0,)
            assert done.returncode in allowed, f"{command}\n{done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr
            ran += 1
    assert ran


def test_the_command_reference_is_up_to_date():
    from tests.command_reference import reference

    written = (ROOT / "docs" / "commands.md").read_text()
    assert written == reference(), "run: python -m tests.command_reference > docs/commands.md"


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """The sections of the configuration in a type, and in the types of its settings."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from sections(field.annotation)
    for part in get_args(annotation):
        yield from sections(part)


def test_the_configuration_file_names_every_setting_with_its_default():
    text = (ROOT / "config" / "mediaguard.toml").read_text()
    # With every commented setting switched on it must be a valid configuration of defaults.
    switched_on = re.sub(r"^# (\[?\w+\]?( = .*)?)$", r"\1", text, flags=re.MULTILINE)
    settings = Config.model_validate(tomllib.loads(switched_on))
    for section in sections(Config):
        for name, field in section.model_fields.items():
            if [*sections(field.annotation)]:
                heading = rf"\[([\w.-]+\.)?{name}[\].]"
                assert re.search(heading, text), f"[{name}] is not in config/mediaguard.toml"
            else:
                said = rf"^(# +)?{name} ="
                said += rf"|^#   {name} "
                assert re.search(said, text, re.MULTILINE), f"{name} is not there"
    defaults = Config.model_validate({"channels": {"c": {}}})
    for name in ("detection", "matching", "redaction", "limits", "watch", "time_zone"):
        assert getattr(settings, name) == getattr(defaults, name)


def test_the_readme_has_exactly_the_two_commands():
    section = (ROOT / "README.md").read_text().split("## Try it")[1].split("\n## ")[0]
    assert len(re.findall(r"```sh\n(.+)\n```", section)) == 2


def test_links_inside_the_documentation_lead_somewhere():
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
    ]
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
