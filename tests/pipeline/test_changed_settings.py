"""What was published before a channel's settings were changed: gone only where that is proven."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaguard.config import FILE_NAME
from mediaguard.published import Published
from mediaguard.store.items import Publications
from mediaguard.work import Worker
from tests.channels.harness import SECRET
from tests.channels.roles import PublicSite
from tests.channels.standin import Answer, Request, Standin, running
from tests.pipeline.world import CHANNEL, World, make_world, picture, run
from tests.takedown_world import published, reconfigured

PLACE = "/uploads/x.jpg"


def know_nothing(request: Request) -> Answer | None:
    """What WordPress, a website's own system and Facebook say that never had the picture."""
    known = {"/wp-json/": b'{"namespaces": ["wp/v2"]}', "/wp-json/wp/v2/media": b"[]"}
    if request.path in known:
        return Answer(200, known[request.path])
    if request.path.startswith("/graph"):
        return Answer(200, b'{"data": []}')
    return Answer(404) if request.path == "/cms/events" else None


@pytest.fixture
def site() -> PublicSite:
    return PublicSite()


@pytest.fixture
def standin(site: PublicSite) -> Iterator[Standin]:
    with running(know_nothing, site) as made:
        yield made


@pytest.fixture
def world(tmp_path: Path, monkeypatch) -> World:
    monkeypatch.setenv("SECRET", SECRET)
    return make_world(tmp_path)


def connected(world: World, connector: str, url: str) -> World:
    """The home after the channel's connector was changed."""
    settings = {
        "newsletter": '{recipients = ["parents"]}',
        "wordpress": f'{{url = "{url}", user = "u", password = "env:SECRET"}}',
        "http": f'{{url = "{url}/cms", secrets = ["env:SECRET"]}}',
        "facebook": f'{{page = "4711", token = "env:SECRET", api = "{url}/graph"}}',
    }
    given = [f'connector = "{connector}"']
    given += [f"{connector} = {settings[connector]}"] if connector in settings else []
    path = world.home / FILE_NAME
    before, section, after = path.read_text().partition(f"[channels.{CHANNEL}]\n")
    kept = [line for line in after.splitlines() if not line.startswith((*settings, "connector"))]
    path.write_text(before + section + "\n".join([*given, *kept]) + "\n")
    return reconfigured(world)


def drained(world: World) -> tuple[str, str | None]:
    """The state and the problem of the only takedown after one more attempt."""
    world.desk.withdraw("S-1", CHANNEL)
    Published(world).hurry(Published(world).takedowns())
    Worker(world, lambda _: None).drain()
    (takedown,) = Published(world).takedowns(everything=True)
    return takedown.row.state, takedown.row.problem


@pytest.mark.parametrize("connector", ["folder", "newsletter", "wordpress", "http", "facebook"])
def test_what_is_on_a_website_is_not_gone_until_it_says_so(world, site, standin, connector):
    site.files[PLACE] = b"still there"
    published(world, "S-1", urls=[standin.url + PLACE])
    world = connected(world, connector, standin.url)
    assert drained(world) == ("requested", "takedown-lingers")
    site.files.clear()  # somebody deleted it by hand
    assert drained(world)[0] == ("unrecallable" if connector == "newsletter" else "confirmed")


@pytest.mark.parametrize("connector", ["wordpress", "http", "facebook"])
def test_a_file_is_not_gone_because_a_website_does_not_know_it(world, standin, tmp_path, connector):
    path = Path(str(run(world, picture(tmp_path / "a.jpg", "S-1")).rendition))
    world = connected(world, connector, standin.url)
    assert drained(world) == ("requested", "takedown-elsewhere")
    assert path.exists()
    world = connected(world, "folder", standin.url)
    assert drained(world) == ("confirmed", None)
    assert not path.exists()


def test_where_it_was_is_not_forgotten_when_it_is_published_elsewhere(
    world, site, standin, tmp_path
):
    path = Path(str(run(world, picture(tmp_path / "a.jpg", "S-1")).rendition))
    path.unlink()
    (live,) = world.publications()
    with world.database.write() as session:  # as if a website had been the channel then
        Publications(session).get(live["id"]).urls = [standin.url + PLACE]
    site.files[PLACE] = b"still there"
    run(world, tmp_path / "a.jpg")
    (live,) = world.publications()
    assert live["urls"] == [str(path), standin.url + PLACE]
    assert drained(world) == ("requested", "takedown-lingers")
    assert not path.exists()
