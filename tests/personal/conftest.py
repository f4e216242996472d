from pathlib import Path

import pytest

from mediaguard.config import FILE_NAME
from tests.personal.holder import TEXTS, Holding
from tests.pipeline.world import CHANNEL, World
from tests.web.school import make_school


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A home whose public website and matching are asked for by a wording with a text."""
    world = make_school(tmp_path)
    path = world.home / FILE_NAME
    heading = f"[channels.{CHANNEL}]\n"
    text = path.read_text().replace(heading, f'{heading}wordings = ["old", "w-1"]\n')
    path.write_text(text.replace("# [matching]\n", '[matching]\nwording = "w-1"\n'))
    for language, words in TEXTS.items():
        (world.home / "wordings" / f"w-1.{language}.txt").write_text(words, encoding="utf-8")
    vars(world).pop("config", None)
    for subject in ("S-1", "S-2"):
        world.desk.grant(subject, CHANNEL, signatory="guardian", evidence="FORM-2", wording="old")
    return world


@pytest.fixture
def guardian(world) -> Holding:
    """Who has a link to S-1, as a guardian."""
    return Holding(world, "S-1")
