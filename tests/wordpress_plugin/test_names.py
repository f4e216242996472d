"""What is downloaded from the library, changed and added again is a publication of its own."""

from tests.wordpress_plugin.site import CHANNEL, until
from tests.wordpress_plugin.test_takedown import added, state_of


def downloaded(made: dict) -> str:
    """The name under which a browser saves it."""
    return made["source_url"].rpartition("/")[2]


def test_it_stays_when_the_first_is_taken_down(site, school, photo):
    made, first = added(site, school, "lesson.jpg", photo(1))
    _, second = added(site, school, downloaded(made), photo(3))
    assert first["id"] not in second["urls"][0]
    assert "S-1003" in first["subjects"]
    assert "S-1003" not in second["subjects"]
    school.run("consent", "withdraw", "S-1003", "--channel", CHANNEL)
    until(lambda: state_of(school, first) == "removed")
    assert {site.status(url) for url in first["urls"]} == {404}
    assert {site.status(url) for url in second["urls"]} == {200}


def test_it_may_come_after_the_first_was_taken_down(site, school, photo):
    made, first = added(site, school, "play.jpg", photo(8))
    assert "S-1008" in first["subjects"]
    school.run("consent", "withdraw", "S-1008", "--channel", CHANNEL)
    until(lambda: state_of(school, first) == "removed")
    _, second = added(site, school, downloaded(made), photo(5))
    assert {site.status(url) for url in second["urls"]} == {200}


def test_that_the_first_was_deleted_is_told(site, school, photo):
    made, first = added(site, school, "outside.jpg", photo(10))
    _, second = added(site, school, downloaded(made), photo(2))
    site.wordpress.rest("DELETE", f"/wp/v2/media/{made['id']}", params={"force": "true"})
    until(lambda: state_of(school, first) == "removed")
    assert state_of(school, second) == "live"
    assert {site.status(url) for url in second["urls"]} == {200}
