from pathlib import Path

import pytest

from mediaguard.core.access import Role
from tests.console.school import Visiting
from tests.web.school import make_school


@pytest.fixture
def world(tmp_path: Path):
    return make_school(tmp_path)


@pytest.fixture
def officer(world) -> Visiting:
    return Visiting(world, frozenset({Role.OFFICER}))


@pytest.fixture
def staff(world) -> Visiting:
    return Visiting(world, frozenset({Role.STAFF}))


@pytest.fixture
def administrator(world) -> Visiting:
    return Visiting(world, frozenset({Role.ADMINISTRATOR}))
