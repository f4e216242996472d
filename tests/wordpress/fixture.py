"""The fixture `wordpress`, which tests/conftest.py gives to all tests."""

import os
from collections.abc import Iterator

import pytest

from tests.wordpress.server import MissingError, Site


@pytest.fixture(scope="session")
def wordpress() -> Iterator[Site]:
    """A real WordPress for the whole test run; who kills it starts it again."""
    try:
        site = Site.create()
    except MissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield site
    site.stop()
