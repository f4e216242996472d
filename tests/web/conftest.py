from pathlib import Path

import pytest

from tests.pipeline.world import picture
from tests.web.school import Caller, make_school


@pytest.fixture
def world(tmp_path: Path):
    return make_school(tmp_path)


@pytest.fixture
def caller(world) -> Caller:
    return Caller(world)


@pytest.fixture
def photo(tmp_path: Path):
    """Makes photos, each with the people that are named."""

    def make(*people: str, seed: int = 0) -> bytes:
        return picture(tmp_path / "made.jpg", *people, seed=seed).read_bytes()

    return make
