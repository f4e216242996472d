"""A real WordPress with the plugin, and the sample school's mediaguard that it sends to."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediaguard.resources import resource
from tests.wordpress.server import Site
from tests.wordpress_plugin.site import PluginSite, Serving


@pytest.fixture(scope="module")
def site(wordpress: Site) -> Iterator[PluginSite]:
    """The WordPress with the plugin active, and nothing in its media library."""
    wordpress.empty()
    made = PluginSite(wordpress)
    made.install()
    try:
        yield made
    finally:
        made.uninstall()
        wordpress.empty()


@pytest.fixture(scope="module")
def school(
    sample_home: Path, site: PluginSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    """The sample school, whose public website is that WordPress; it serves."""
    home = Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("plugin") / "home"))
    made = Serving(home, site)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def photo() -> Callable[[int], bytes]:
    """The sample photos by their numbers."""
    folder = resource("sample_media", "photos")
    return lambda number: next(folder.glob(f"{number:02}-*.jpg")).read_bytes()
