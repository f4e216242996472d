"""What all tests share."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real photographs for measuring, where they lie beside the project."""
    data = ROOT.parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("the real photographs (../shared/data) are not beside the project")
    return data


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample school in it; copy it, never change it."""
    from mediaguard.cli.demo import sample_school

    home = tmp_path_factory.mktemp("sample") / "home"
    sample_school(home).database.close()
    return home


@pytest.fixture
def home(sample_home: Path, tmp_path: Path) -> Path:
    """A copy of the sample school's home that a test may change."""
    return Path(shutil.copytree(sample_home, tmp_path / "home"))
