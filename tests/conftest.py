"""What all tests share."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from tests.chromium import browser  # noqa: F401 - a fixture
from tests.wordpress.fixture import wordpress  # noqa: F401 - a fixture

ROOT = Path(__file__).parent.parent

# No test depends on how fast the machine is.
settings.register_profile("mediaguard", deadline=None)
settings.load_profile("mediaguard")
POSTGRESQL = os.environ.get(
    "MEDIAGUARD_TEST_POSTGRESQL", "postgresql+psycopg://127.0.0.1:5432/test"
)


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


@pytest.fixture(scope="session")
def postgresql_server() -> Callable[[], AbstractContextManager[str]]:
    """Makes databases of this test run's own, each dropped at the end of its `with`."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: mediaguard[postgresql]")
    server = create_engine(POSTGRESQL, isolation_level="AUTOCOMMIT")
    try:
        server.connect().close()
    except OperationalError as error:
        reason = (
            "no PostgreSQL to test with (set MEDIAGUARD_TEST_POSTGRESQL to the URL of a database "
            f"whose user may create databases): {error.orig}"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    @contextmanager
    def make() -> Iterator[str]:
        name = f"mediaguard_test_{uuid.uuid4().hex[:12]}"
        with server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        yield make_url(POSTGRESQL).set(database=name).render_as_string(hide_password=False)
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    return make


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server) -> Iterator[str]:
    with postgresql_server() as url:
        yield url
