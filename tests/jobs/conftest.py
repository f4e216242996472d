"""Both databases, with our tables, and a queue that no other test uses."""

import uuid
from collections.abc import Iterator

import pytest

from mediaguard.store.database import Database


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'mediaguard.db'}"


@pytest.fixture(autouse=True)
def looks_often(monkeypatch) -> None:
    monkeypatch.setattr("mediaguard.jobs.engine.POLL_SECONDS", 0.02)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request) -> str:
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
def database(url) -> Iterator[Database]:
    database = Database(url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def queue() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"
