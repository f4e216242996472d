"""What was published through the plugin goes when a consent goes; what is deleted is told."""

from mediaguard.config import FILE_NAME
from tests.wordpress_plugin.site import CHANNEL, until

SECTION = f"[channels.{CHANNEL}]\n"


def added(site, school, name: str, content: bytes) -> tuple[dict, dict]:
    """A photo in the library, and its publication."""
    answer = site.upload(name, content)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    published = until(lambda: school.publications())[0]
    assert made["source_url"] == published["urls"][0]
    return made, published


def state_of(school, publication: dict) -> str:
    return next(
        one["state"]
        for one in school.publications(everything=True)
        if one["id"] == publication["id"]
    )


def takedown_of(school, publication: dict) -> dict:
    return next(
        one
        for one in school.json("takedown", "list", "--all")["takedowns"]
        if one["publication"] == publication["id"]
    )


def test_a_withdrawal_takes_it_down_in_every_size(site, school, photo):
    made, published = added(site, school, "lesson.jpg", photo(1))
    assert "S-1003" in published["subjects"]
    places = [*published["urls"], made["link"]]
    assert {site.status(url) for url in places} == {200}
    school.run("consent", "withdraw", "S-1003", "--channel", CHANNEL)
    until(lambda: {site.status(url) for url in places} == {404})
    until(lambda: state_of(school, published) == "removed")
    takedown = takedown_of(school, published)
    assert takedown["state"] == "confirmed"
    assert {look["url"]: look["answer"] for look in takedown["looks"]} == dict.fromkeys(
        published["urls"], "404"
    )
    assert site.uploads() == {}


def test_what_somebody_deletes_is_told(site, school, photo):
    made, published = added(site, school, "corridor.jpg", photo(3))
    site.wordpress.rest("DELETE", f"/wp/v2/media/{made['id']}", params={"force": "true"})
    until(lambda: state_of(school, published) == "removed")
    takedown = takedown_of(school, published)
    assert (takedown["state"], takedown["reason"]) == ("confirmed", "removed-there")
    # Somebody may want it back.
    _, again = added(site, school, "corridor.jpg", photo(3))
    assert again["id"] != published["id"]


def test_what_is_deleted_while_nobody_listens_is_told_later(site, school, photo):
    made, published = added(site, school, "outside.jpg", photo(10))
    waiting = "echo count(Mediaguard\\Notes\\all('gone:'));"
    with school.down():
        site.wordpress.rest("DELETE", f"/wp/v2/media/{made['id']}", params={"force": "true"})
        site.wordpress.run("do_action('mediaguard_tell');")
        assert site.wordpress.run(waiting) == "1"
    assert state_of(school, published) == "live"
    site.wordpress.run("do_action('mediaguard_tell');")
    assert site.wordpress.run(waiting) == "0"
    until(lambda: state_of(school, published) == "removed")


def test_a_withdrawal_reaches_a_website_that_was_away(site, school, photo):
    _, published = added(site, school, "play.jpg", photo(8))
    assert "S-1008" in published["subjects"]
    site.wordpress.kill()
    school.run("consent", "withdraw", "S-1008", "--channel", CHANNEL)
    site.wordpress.start()
    until(lambda: state_of(school, published) == "removed", 120)
    assert {site.status(url) for url in published["urls"]} == {404}


def test_a_withdrawal_puts_another_rendition_in_its_place(site, school, photo):
    assert SECTION in (school.home / FILE_NAME).read_text()
    with school.configured(SECTION, f'{SECTION}takedown = "replace"\n'):
        made, published = added(site, school, "reading.jpg", photo(2))
        assert "S-1006" in published["subjects"]
        post = site.wordpress.post(
            f'<!-- wp:image --><img src="{made["source_url"]}"/><!-- /wp:image -->'
        )
        school.run("consent", "withdraw", "S-1006", "--channel", CHANNEL)
        until(lambda: state_of(school, published) == "removed", 120)
        (now,) = [one for one in school.publications() if one["item"] == published["item"]]
        assert "S-1006" not in now["subjects"]
        after = site.wordpress.rest("GET", f"/wp/v2/media/{made['id']}")
        assert after["source_url"] == now["urls"][0] != made["source_url"]
        assert after["title"]["rendered"] == "reading"
        assert {site.status(url) for url in published["urls"]} == {404}
        assert {site.status(url) for url in now["urls"]} == {200}
        assert after["source_url"] in site.wordpress.raw(post)["content"]["raw"]
