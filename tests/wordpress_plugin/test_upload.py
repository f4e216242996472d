"""A photo that somebody adds comes out redacted, or not at all."""

import hashlib
import io

import httpx
import pytest
from PIL import Image, ImageChops

from mediaguard.resources import resource
from tests.wordpress_plugin.site import until

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def refusal(answer) -> str:
    assert answer.status_code >= 400, answer.text
    return answer.json()["message"]


def pixels(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> int:
    """By how much the most different pixel differs; small for another encoding of the same."""
    same_size = other.resize(one.size, Image.Resampling.LANCZOS)
    return max(high for _, high in ImageChops.difference(one, same_size).getextrema())


def test_what_comes_into_the_library_is_the_rendition(site, school, photo):
    original = photo(2)
    answer = site.upload("Op het gras.jpg", original, caption="A fine day")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    (published,) = school.publications()
    assert published["state"] == "live"
    assert (made["title"]["raw"], made["slug"]) == ("Op het gras", "op-het-gras")
    assert made["caption"]["raw"] == "A fine day"

    full = site.wordpress.web.get(made["source_url"])
    assert full.headers["content-type"] == "image/jpeg"
    assert digest(full.content) == published["rendition_sha256"]
    assert digest(full.content) != digest(original)
    assert difference(pixels(full.content), pixels(original)) > 100  # a face is covered
    # mediaguard knows every file that is there, and each is made from the rendition.
    files = site.uploads()
    assert {url.rpartition("/")[2] for url in published["urls"]} == files.keys()
    assert len(files) >= 4
    for url in published["urls"]:
        assert site.status(url) == 200
    for content in files.values():
        size = pixels(content)
        if size.width >= 300:
            assert difference(size, pixels(full.content)) < difference(size, pixels(original))
    assert [*site.private.iterdir()] == []


def test_the_same_once_more_is_there_already(site, school, photo):
    before = site.uploads()
    assert 'already, as "Op het gras"' in refusal(site.upload("again.jpg", photo(2)))
    assert site.uploads() == before


def test_what_is_held_is_refused_and_comes_by_itself_when_it_may(site, school, photo):
    before = site.uploads()
    told = refusal(site.upload("In de gymzaal.jpg", photo(7)))
    (held,) = school.json("review", "list")["items"]
    assert held["channel"] == "website-public"
    assert told.startswith("Not added yet: ")
    assert "comes into the media library by itself" in told
    assert site.uploads() == before

    school.run("review", "approve", held["item"])
    made = until(lambda: site.wordpress.rest("GET", "/wp/v2/media", params={"search": "gymzaal"}))
    assert [(one["title"]["rendered"], one["author"]) for one in made] == [("In de gymzaal", 1)]
    published = school.publications()[0]
    content = site.wordpress.web.get(made[0]["source_url"]).content
    assert digest(content) == published["rendition_sha256"]
    assert set(published["urls"]) >= {made[0]["source_url"]}


def test_a_name_in_the_file_name_is_told(site, school, photo):
    before = site.uploads()
    told = refusal(site.upload("Kwame in de klas.jpg", photo(1)))
    assert '"Kwame"' in told
    assert site.uploads() == before
    # Without it, it may.
    assert site.upload("In de klas.jpg", photo(1)).status_code == 201


def test_a_video_that_takes_long_comes_by_itself(site, school):
    clip = resource("sample_media", "clips") / "02-coming-and-going.mp4"
    with site.wordpress.plugin("define('MEDIAGUARD_WAIT', 2);"):
        told = refusal(site.upload("sportdag.mp4", clip.read_bytes()))
    assert "still looking" in told
    wanted = {"search": "sportdag", "media_type": "video"}
    (made,) = until(lambda: site.wordpress.rest("GET", "/wp/v2/media", params=wanted), 240)
    assert made["mime_type"] == "video/mp4"
    content = site.wordpress.web.get(made["source_url"]).content
    assert digest(content) == school.publications()[0]["rendition_sha256"]


def test_what_is_no_picture_at_all_is_refused(site, school):
    before = site.uploads()
    told = refusal(site.upload("photo.jpg", b"not a picture"))
    assert "mediaguard did not take this" in told or "Not added" in told
    assert site.uploads() == before


def test_documents_are_none_of_its_business(site, school):
    with school.down():
        answer = site.upload("menu.pdf", PDF)
    assert answer.status_code == 201, answer.text
    assert site.uploads()["menu.pdf"] == PDF


def test_a_picture_by_another_name_is_one(site, school, photo):
    before = site.uploads()
    with school.down():
        assert "cannot be reached" in refusal(site.upload("menu.pdf", photo(3)))
    assert site.uploads() == before


def test_nothing_is_added_without_mediaguard(site, school, photo):
    before = site.uploads()
    with school.down():
        told = refusal(site.upload("photo.jpg", photo(3)))
    assert "cannot be reached" in told
    assert "Try again" in told
    # An http address is not this machine: it is refused before anything is sent there.
    for address in ("", "http://mediaguard.example", "https://user@mediaguard.example"):
        with site.settings(address=address):
            assert "not set up" in refusal(site.upload("photo.jpg", photo(3)))
    with site.settings(secret="whsec_" + "A" * 43 + "="):
        assert "does not know this website" in refusal(site.upload("photo.jpg", photo(3)))
    with site.settings(channel="facebook"):
        assert "did not take this" in refusal(site.upload("photo.jpg", photo(3)))
    # Something else answers there: the website itself.
    with site.settings(address=site.wordpress.url):
        assert "makes no sense" in refusal(site.upload("photo.jpg", photo(3)))
    assert site.uploads() == before


def test_it_is_told_in_dutch(site, school, photo):
    with site.wordpress.plugin("add_filter('locale', fn() => 'nl_NL');"), school.down():
        assert "niet bereikbaar" in refusal(site.upload("photo.jpg", photo(3)))


def test_other_ways_in(site, school, photo):
    """Sideloading goes through mediaguard; whatever cannot (as XML-RPC) is refused."""
    before = site.uploads()
    (site.wordpress.folder / "photo.jpg").write_bytes(photo(3))
    load = (
        "foreach (['file', 'image', 'media'] as $part)"
        ' require_once ABSPATH . "wp-admin/includes/$part.php";'
        f"$path = wp_tempnam(); copy('{site.wordpress.folder}/photo.jpg', $path);"
        "$file = ['name' => 'photo.jpg', 'tmp_name' => $path, 'type' => 'image/jpeg',"
        " 'size' => filesize($path), 'error' => 0];"
    )
    other = "_wp_handle_upload($file, ['test_form' => false], null, 'my_own_way');"
    told = site.wordpress.run(f"{load} {other}")
    assert "through the media library only" in told
    bits = f"wp_upload_bits('a.jpg', null, file_get_contents('{site.wordpress.folder}/photo.jpg'))"
    assert "through the media library only" in site.wordpress.run(f"echo json_encode({bits});")
    assert site.uploads() == before

    number = int(site.wordpress.run(f"{load} echo media_handle_sideload($file, 0);"))
    made = site.wordpress.rest("GET", f"/wp/v2/media/{number}")
    published = school.publications()[0]
    assert (
        digest(site.wordpress.web.get(made["source_url"]).content)
        == (published["rendition_sha256"])
    )


@pytest.mark.parametrize("moment", ["wp_handle_upload", "wp_update_attachment_metadata"])
def test_killed_in_the_middle_of_it(site, school, photo, moment):
    """The website dies when the file is public, or all its sizes are; nothing is forgotten."""
    mark = site.wordpress.folder / f"died-{moment}"
    dies = (
        f"add_filter('{moment}', function ($it) {{ if (!file_exists('{mark}')) {{"
        f" touch('{mark}'); posix_kill(getmypid(), 9); }} return $it; }});"
    )
    number = {"wp_handle_upload": 9, "wp_update_attachment_metadata": 10}[moment]
    before = site.uploads()
    known = {one["id"] for one in school.publications()}
    with site.wordpress.plugin(dies), pytest.raises(httpx.TransportError):
        site.upload("Buiten.jpg", photo(number))
    assert mark.exists()

    def live() -> list[dict]:
        new = [one for one in school.publications() if one["id"] not in known]
        return [one for one in new if one["state"] == "live"]

    (published,) = until(live, 90)
    files = site.uploads().keys() - before.keys()
    assert files == {url.rpartition("/")[2] for url in published["urls"]}
    sizes = [one for one in site.wordpress.media() if one["source_url"] == published["urls"][0]]
    assert len(sizes) == 1
    assert not sizes[0]["missing_image_sizes"]
