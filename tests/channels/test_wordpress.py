"""Publishing to a real WordPress, taking it back, and all the ways in which that can go wrong."""

import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from mediaguard.channels.web import Web
from mediaguard.channels.wordpress import WordPressChannel
from mediaguard.channels.wordpress_posts import Swap, swapped
from mediaguard.core.publication import Delivery, Published
from mediaguard.errors import ChannelError
from tests.channels.contract import ChannelContract
from tests.channels.harness import Harness, delivery
from tests.conftest import ROOT
from tests.wordpress.server import Site

OLD, NEW, UP = "a" * 32, "b" * 32, "https://school.nl/u"


def jpeg(width: int, height: int, *, seed: int = 0) -> bytes:
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 12, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize((width, height)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


# Above 2560 pixels WordPress shows a smaller copy.
BIG, WIDE, OTHER_WIDE = jpeg(3000, 2000), jpeg(2700, 900), jpeg(2700, 900, seed=1)
SMALL = jpeg(120, 80)


@pytest.fixture
def site(wordpress: Site) -> Site:
    """The WordPress, with an empty media library and without posts."""
    wordpress.empty()
    return wordpress


@pytest.fixture
def channel(site: Site) -> WordPressChannel:
    return WordPressChannel(site.url, site.user, site.password)


VISITOR = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))


def status(url: str) -> int:
    return VISITOR.get(url).status_code


def names(published: Published) -> set[str]:
    """The file names of its addresses; the page of an attachment is no file."""
    return {name for url in published.urls if "." in (name := url.rsplit("/", 1)[-1])}


def dying(site: Site, times: int, how: str) -> str:
    """A plugin with which WordPress dies after it wrote a size and before it noted that down."""
    counter = site.folder / "dying"
    counter.write_text(str(times))
    return f"""add_filter('image_make_intermediate_size', function ($file) {{
        $left = (int) file_get_contents('{counter}');
        if ($left > 0 && !str_contains($file, 'scaled')) {{
            file_put_contents('{counter}', $left - 1);
            {how}
        }}
        return $file;
    }});"""


FATAL = "throw new Error('out of memory');"


class TestContract(ChannelContract):
    @pytest.fixture
    def harness(self, site: Site, channel: WordPressChannel) -> Iterator[Harness]:
        lies = site.folder / "lies"
        uploads = site.folder / "site" / "wp-content" / "uploads"
        plugin = f"""
        // The contract's pictures are no pictures.
        add_filter('wp_check_filetype_and_ext', fn() => [
            'ext' => 'jpg', 'type' => 'image/jpeg', 'proper_filename' => false]);
        add_filter('pre_delete_attachment', fn($delete, $post) =>
            is_file('{lies}') ? $post : $delete, 10, 2);
        """
        with site.plugin(plugin):
            yield Harness(
                channel,
                lambda: [path.read_bytes() for path in uploads.rglob("*.jpg")],
                lies.touch,
            )
            lies.unlink(missing_ok=True)


class TestPublishing:
    def test_of_a_big_picture_every_file_is_known(self, site: Site, channel: WordPressChannel):
        sent = delivery(BIG)
        published = channel.publish(sent)
        answers = {url: VISITOR.get(url) for url in published.urls}
        assert {answer.status_code for answer in answers.values()} == {200}
        key = sent.key
        assert names(published) == site.files()
        assert {f"{key}.jpg", f"{key}-scaled.jpg", f"{key}-300x200.jpg"} <= names(published)
        assert published.urls[0].endswith(f"/{key}-scaled.jpg")
        assert published.urls[-1].endswith(f"/{key}/")
        original = next(url for url in published.urls if url.endswith(f"/{key}.jpg"))
        assert answers[original].content == BIG

    def test_only_the_key_is_told(self, site: Site, channel: WordPressChannel):
        sent = delivery(SMALL, item_id="secretitem")
        channel.publish(sent)
        (stored,) = site.media()
        assert stored["title"]["raw"] == stored["slug"] == sent.key
        assert not stored["alt_text"]
        assert not stored["caption"]["raw"]
        assert not stored["description"]["raw"]
        assert "secretitem" not in str(stored)

    def test_a_small_picture_stays_as_it_is(self, site: Site, channel: WordPressChannel):
        sent = delivery(SMALL)
        published = channel.publish(sent)
        assert site.files() == {f"{sent.key}.jpg"} == names(published)
        assert VISITOR.get(published.urls[0]).content == SMALL
        assert published.remote_id == str(site.media()[0]["id"])

    def test_a_video(self, channel: WordPressChannel):
        content = (ROOT / "sample_media" / "clips" / "01-walking-by.mp4").read_bytes()
        published = channel.publish(delivery(content, suffix=".mp4"))
        answer = VISITOR.get(published.urls[0])
        assert answer.content == content
        assert answer.headers["Content-Type"] == "video/mp4"
        channel.remove(published)
        assert {status(url) for url in published.urls} == {404}

    def test_what_the_site_does_not_take_is_not_tried_again(self, site: Site, channel):
        with pytest.raises(ChannelError) as caught:
            channel.publish(delivery(b"<svg/>", suffix=".svg"))
        assert (caught.value.code, caught.value.later) == ("channel-refuses", False)
        assert "not allowed" in str(caught.value.params["detail"])
        assert not site.files()

    def test_a_picture_is_finished_that_wordpress_died_over(self, site: Site, channel):
        with site.plugin(dying(site, 2, FATAL)):
            published = channel.publish(delivery(WIDE))
        assert names(published) == site.files()
        assert len(names(published)) >= 6
        assert len(site.media()) == 1

    def test_a_picture_that_wordpress_cannot_finish_is_deleted(self, site: Site, channel):
        with site.plugin(dying(site, 100, FATAL)), pytest.raises(ChannelError) as caught:
            channel.publish(delivery(WIDE))
        assert (caught.value.code, caught.value.later) == ("channel-failed", True)
        assert not site.media()

    def test_a_file_left_by_a_dead_attempt_is_watched(self, site: Site, channel):
        sent = delivery(SMALL)
        before = channel.publish(delivery(SMALL))
        folder = before.urls[0].rsplit("/", 1)[0]
        left = site.folder / "site" / folder.removeprefix(site.url).strip("/") / f"{sent.key}.jpg"
        left.write_bytes(SMALL)
        published = channel.publish(sent)
        assert f"{folder}/{sent.key}.jpg" in published.urls
        assert published.urls[0] == f"{folder}/{sent.key}-1.jpg"
        assert channel.lookup(sent.key, sent.item_id, sent.sha256) == published
        channel.remove(published)
        (visible,) = [one for one in channel.confirm_gone(published, None) if not one.gone]
        assert visible.url == f"{folder}/{sent.key}.jpg"

    def test_of_repeated_uploads_one_stays(self, site: Site, channel):
        sent = delivery(WIDE)
        first = channel.publish(sent)
        upload_again(site, sent)
        upload_again(site, sent)
        assert len(site.media()) == 3
        assert channel.lookup(sent.key, sent.item_id, sent.sha256) == first
        assert len(site.media()) == 1
        assert site.files() == names(first)


def upload_again(site: Site, sent: Delivery) -> None:
    site.rest(
        "POST",
        "/wp/v2/media",
        data={"title": sent.key, "slug": sent.key},
        files={"file": (f"{sent.key}{sent.suffix}", sent.open(), sent.media_type)},
    )


class TestRemoving:
    def test_everything_goes_and_the_rest_stays(self, site: Site, channel: WordPressChannel):
        other = channel.publish(delivery(OTHER_WIDE))
        published = channel.publish(delivery(WIDE))
        channel.remove(published)
        assert {status(url) for url in published.urls} == {404}
        assert {status(url) for url in other.urls} == {200}
        assert site.files() == names(other)
        assert all(look.gone for look in channel.confirm_gone(published, None))

    def test_an_interrupted_publication(self, site: Site, channel: WordPressChannel):
        sent = delivery(WIDE)
        channel.publish(sent)
        upload_again(site, sent)
        channel.remove(Published(sent.key, sent.item_id, "", (), sent.sha256))
        assert not site.files()
        assert not site.media()

    def test_a_size_that_wordpress_does_not_know_of_goes_too(self, site: Site, channel):
        sent = delivery(WIDE)
        with site.plugin(dying(site, 1, FATAL)), pytest.raises(httpx.HTTPStatusError):
            upload_again(site, sent)
        (stored,) = site.media()
        assert not stored["media_details"]["sizes"]
        assert len(site.files()) == 3
        channel.remove(Published(sent.key, sent.item_id, "", (), sent.sha256))
        assert not site.files()

    def test_what_cannot_be_finished_goes_anyway(self, site: Site):
        sent = delivery(WIDE)
        with site.plugin(dying(site, 1, FATAL)), pytest.raises(httpx.HTTPStatusError):
            upload_again(site, sent)
        # The first change would be to finish it.
        failing = WordPressChannel(site.url, site.user, site.password, web=Failing(site, 0))
        with pytest.raises(ChannelError):
            failing.remove(Published(sent.key, sent.item_id, "", (), sent.sha256))
        assert not site.media()

    def test_what_an_editor_made_of_it_goes_too(self, site: Site, channel: WordPressChannel):
        published = channel.publish(delivery(WIDE))
        crop = {"type": "crop", "args": {"left": 10, "top": 10, "width": 50, "height": 50}}
        cropped = site.rest(
            "POST",
            f"/wp/v2/media/{published.remote_id}/edit",
            json={"src": published.urls[0], "modifiers": [crop]},
        )
        title = {"title": "Our class", "slug": "our-class"}
        site.rest("POST", f"/wp/v2/media/{cropped['id']}", json=title)
        found = channel.lookup(published.key, published.item_id, published.sha256)
        assert found is not None
        assert found.remote_id == published.remote_id
        assert cropped["source_url"] in found.urls
        channel.remove(published)
        assert status(cropped["source_url"]) == 404
        assert not site.files()

    def test_what_an_editor_threw_away_goes_too(self, site: Site, channel: WordPressChannel):
        published = channel.publish(delivery(SMALL))
        site.run(f"wp_trash_post({published.remote_id});")
        assert status(published.urls[0]) == 200
        channel.remove(published)
        assert not site.files()

    def test_what_was_renamed_goes_too(self, site: Site, channel: WordPressChannel):
        published = channel.publish(delivery(SMALL))
        title = {"title": "Our class", "slug": "our-class"}
        site.rest("POST", f"/wp/v2/media/{published.remote_id}", json=title)
        assert channel.lookup(published.key, published.item_id, published.sha256) is not None
        channel.remove(published)
        assert not site.files()

    def test_a_number_alone_deletes_nothing(self, channel: WordPressChannel):
        other = channel.publish(delivery(SMALL))
        channel.remove(Published(OLD, "item", other.remote_id, (), ""))
        assert status(other.urls[0]) == 200

    @pytest.mark.parametrize("key", ["", "a", "A" * 32, "a" * 33, f"{'a' * 31}%"])
    def test_a_key_that_is_none_deletes_nothing(self, key: str, channel: WordPressChannel):
        other = channel.publish(delivery(SMALL))
        with pytest.raises(ValueError, match=key or "^$"):
            channel.remove(Published(key, "item", other.remote_id, (), ""))
        assert status(other.urls[0]) == 200

    def test_a_file_that_wordpress_cannot_delete_is_noticed(self, site: Site, channel):
        published = channel.publish(delivery(WIDE))
        stays = f"{published.key}-300x100.jpg"
        keep = f"fn($file) => str_ends_with($file, '{stays}') ? '' : $file"
        with site.plugin(f"add_filter('wp_delete_file', {keep});"):
            channel.remove(published)
        visible = [look.url for look in channel.confirm_gone(published, None) if not look.gone]
        assert [url.rsplit("/", 1)[-1] for url in visible] == [stays]


def page_with(published: Published) -> str:
    """A text that shows a picture in all the ways that WordPress' editors write."""
    number, urls = published.remote_id, {url.rsplit("/", 1)[-1]: url for url in published.urls}
    key = published.key
    full, medium = urls[f"{key}-scaled.jpg"], urls[f"{key}-300x100.jpg"]
    original, page = urls[f"{key}.jpg"], published.urls[-1]
    return f"""<!-- wp:paragraph -->
<p>Sports day: 12 teams, {number} points &amp; <em>sun</em>, naïvely “quoted” \\ slashed.</p>
<!-- /wp:paragraph -->

<!-- wp:image {{"id":{number},"sizeSlug":"medium","linkDestination":"media"}} -->
<figure class="wp-block-image size-medium"><a href="{original}"><img src="{medium}" alt="Two runners" class="wp-image-{number}"/></a><figcaption>Finish</figcaption></figure>
<!-- /wp:image -->

<!-- wp:cover {{"url":"{full}","id":{number},"dimRatio":50}} -->
<div class="wp-block-cover"><img class="wp-block-cover__image-background wp-image-{number}" alt="" src="{full}"/></div>
<!-- /wp:cover -->

<!-- wp:latest-posts {{"categories":[{{"id":{number}}}]}} /-->

[caption id="attachment_{number}" align="alignleft" width="300"]<a href="{page}"><img class="size-medium wp-image-{number}" src="{medium}" alt="Two runners" width="300" height="200" /></a> Finish[/caption]

[gallery ids="1,{number},{number}9" link="file"]
"""  # noqa: E501


class TestReplacing:
    def test_posts_stay_and_show_the_new_one(self, site: Site, channel: WordPressChannel):
        other = channel.publish(delivery(SMALL))
        earlier = channel.publish(delivery(WIDE))
        text = page_with(earlier)
        untouched = f'<img src="{other.urls[0]}" class="wp-image-{other.remote_id}"/>'
        post = site.post(text, featured_media=int(earlier.remote_id))
        draft = site.post(text, status="draft")
        page = site.post(text, kind="pages")
        block = site.post(text, kind="blocks")
        gallery = site.post(f'[gallery ids="{earlier.remote_id}"]')
        bystander = site.post(untouched, featured_media=int(other.remote_id))
        before = site.raw(bystander)
        title = site.raw(post)["title"]

        sent = delivery(OTHER_WIDE)
        published = channel.replace([earlier], sent)

        expected = page_with(published)
        # A number that is a category's, or part of a sentence, is no picture's.
        for text_about in (r'categories":\[\{"id":(\d+)', r"teams, (\d+) points"):
            stays = re.search(text_about, text)[0]
            expected = re.sub(text_about, stays, expected)
        expected = expected.replace(
            f'ids="1,{published.remote_id},{published.remote_id}9"',
            f'ids="1,{published.remote_id},{earlier.remote_id}9"',
        )
        assert site.raw(post)["content"]["raw"] == expected
        assert site.raw(post)["featured_media"] == int(published.remote_id)
        assert (site.raw(post)["title"], site.raw(post)["status"]) == (title, "publish")
        assert site.raw(draft)["content"]["raw"] == expected
        assert site.raw(draft)["status"] == "draft"
        assert site.raw(page, kind="pages")["content"]["raw"] == expected
        assert site.raw(block, kind="blocks")["content"]["raw"] == expected
        gallery_now = site.raw(gallery)["content"]["raw"]
        assert gallery_now == f'[gallery ids="{published.remote_id}"]'
        assert site.raw(bystander) == before

        assert {status(url) for url in earlier.urls} == {404}
        assert {status(url) for url in published.urls} == {200}
        assert all(look.gone for look in channel.confirm_gone(earlier, sent.sha256))
        shown = VISITOR.get(site.raw(post)["link"]).text
        assert earlier.key not in shown
        assert published.key in shown

    def test_it_happens_once(self, site: Site, channel: WordPressChannel):
        earlier = channel.publish(delivery(WIDE))
        post = site.post(page_with(earlier))
        sent = delivery(OTHER_WIDE)
        published = channel.replace([earlier], sent)
        before = site.raw(post)
        assert channel.replace([earlier], sent) == published
        assert site.raw(post) == before
        assert len(site.media()) == 1

    def test_several_earlier_ones_and_none(self, site: Site, channel: WordPressChannel):
        earlier = [channel.publish(delivery(jpeg(400, 300, seed=seed))) for seed in (1, 2)]
        text = "".join(
            f'<img src="{one.urls[0]}" class="wp-image-{one.remote_id}"/>' for one in earlier
        )
        post = site.post(text)
        published = channel.replace(earlier, delivery(jpeg(400, 300, seed=3)))
        one = f'<img src="{published.urls[0]}" class="wp-image-{published.remote_id}"/>'
        assert site.raw(post)["content"]["raw"] == one * 2
        channel.replace([], delivery(SMALL))
        assert len(site.media()) == 2

    def test_a_size_that_the_new_one_lacks_is_shown_in_full(self, site: Site, channel):
        earlier = channel.publish(delivery(WIDE))
        post = site.post(page_with(earlier))
        published = channel.replace([earlier], delivery(SMALL))
        text = site.raw(post)["content"]["raw"]
        shown = set(re.findall(r'(?:src=|href=|"url":)"([^"]+)', text))
        assert shown <= set(published.urls)
        assert earlier.key not in text

    def test_a_long_site_is_gone_through_to_its_end(self, site: Site, channel):
        earlier = channel.publish(delivery(SMALL))
        picture = earlier.urls[0]
        rows = ",".join(f"('{picture if n % 50 == 0 else 'x'}','','','','')" for n in range(101))
        columns = "post_content, post_excerpt, to_ping, pinged, post_content_filtered"
        site.run(f'global $wpdb; $wpdb->query("INSERT $wpdb->posts ({columns}) VALUES {rows}");')
        published = channel.replace([earlier], delivery(SMALL))
        for key, number in ((earlier.key, 0), (published.key, 3)):
            found = site.rest("GET", "/wp/v2/posts", params={"search": key})
            assert len(found) == number

    def test_a_post_that_the_user_may_not_edit_gets_a_hole(self, site: Site, channel):
        password = site.run(
            "$user = ['user_login' => 'writer', 'user_pass' => 'x', 'role' => 'author'];"
            "[$password] = WP_Application_Passwords::create_new_application_password("
            "wp_insert_user($user), ['name' => 'mediaguard']); echo $password;"
        )
        theirs = WordPressChannel(site.url, "writer", password)
        earlier = theirs.publish(delivery(SMALL))
        text = f'<img src="{earlier.urls[0]}"/>'
        post = site.post(text)
        published = theirs.replace([earlier], delivery(jpeg(200, 100)))
        assert site.raw(post)["content"]["raw"] == text
        assert {status(url) for url in earlier.urls} == {404}
        assert status(published.urls[0]) == 200

    @pytest.mark.parametrize("step", range(5))
    def test_interrupted_anywhere_it_is_finished_later(
        self, step: int, site: Site, channel: WordPressChannel
    ):
        earlier = [channel.publish(delivery(jpeg(120, 80, seed=seed))) for seed in (1, 2)]
        texts = [f'<img src="{one.urls[0]}" class="wp-image-{one.remote_id}"/>' for one in earlier]
        posts = [site.post(text, featured_media=int(earlier[0].remote_id)) for text in texts]
        sent = delivery(jpeg(120, 80, seed=3))
        failing = WordPressChannel(site.url, site.user, site.password, web=Failing(site, step))
        with pytest.raises(ChannelError):
            failing.replace(earlier, sent)
        published = channel.replace(earlier, sent)
        one = f'<img src="{published.urls[0]}" class="wp-image-{published.remote_id}"/>'
        for post in posts:
            found = site.raw(post)
            assert found["content"]["raw"] == one
            assert found["featured_media"] == int(published.remote_id)
        assert site.files() == names(published)
        assert len(site.media()) == 1


class Failing(Web):
    """The confirmation of one change is lost: of the upload, two posts, and two deletions."""

    def __init__(self, site: Site, step: int) -> None:
        super().__init__(auth=(site.user, site.password))
        self._left = step

    def call(self, method: str, url: str, **rest: Any) -> httpx.Response:
        response = super().call(method, url, **rest)
        self._left -= method != "GET"
        if self._left < 0:
            raise ChannelError("channel-unreachable", host="?", detail="cut")
        return response


class TestTrouble:
    @pytest.mark.parametrize("do", ["publish", "lookup", "remove", "replace"])
    def test_a_wrong_password(self, do: str, site: Site, channel: WordPressChannel):
        published = channel.publish(delivery(SMALL))
        wrong = WordPressChannel(site.url, site.user, "not the password")
        calls: dict[str, Callable[[], object]] = {
            "publish": lambda: wrong.publish(delivery(SMALL)),
            "lookup": lambda: wrong.lookup(published.key, published.item_id, published.sha256),
            "remove": lambda: wrong.remove(published),
            "replace": lambda: wrong.replace([published], delivery(SMALL)),
        }
        with pytest.raises(ChannelError) as caught:
            calls[do]()
        assert (caught.value.code, caught.value.later) == ("channel-credentials", True)
        assert len(site.media()) == 1
        assert "password" not in str(caught.value)

    def test_the_password_as_wordpress_shows_it(self, site: Site):
        groups = " ".join(re.findall(".{4}", site.password))
        channel = WordPressChannel(site.url, site.user, groups)
        assert status(channel.publish(delivery(SMALL)).urls[0]) == 200

    def test_a_server_that_dies_over_an_upload(self, site: Site, channel: WordPressChannel):
        sent = delivery(WIDE)
        with (
            site.plugin(dying(site, 1, "sleep(60);")),
            killed_when_it_sleeps(site),
            pytest.raises(ChannelError) as caught,
        ):
            channel.publish(sent)
        assert (caught.value.code, caught.value.later) == ("channel-unreachable", True)
        with pytest.raises(ChannelError) as caught:
            channel.lookup(sent.key, sent.item_id, sent.sha256)
        assert caught.value.code == "channel-unreachable"
        site.start()
        found = channel.lookup(sent.key, sent.item_id, sent.sha256)
        assert found is not None
        assert channel.publish(sent) == found
        assert len(site.media()) == 1
        assert names(found) == site.files()
        assert len(names(found)) >= 6
        assert {status(url) for url in found.urls} == {200}
        channel.remove(found)
        assert not site.files()

    @pytest.mark.parametrize("odd", ["'a text'", "17", "[1, 2]", "[['id' => 'x']]", "['a' => 1]"])
    @pytest.mark.parametrize("do", ["publish", "remove", "replace"])
    def test_odd_answers(self, odd: str, do: str, site: Site, channel: WordPressChannel):
        published = channel.publish(delivery(SMALL))
        calls: dict[str, Callable[[], object]] = {
            "publish": lambda: channel.publish(delivery(SMALL)),
            "remove": lambda: channel.remove(published),
            "replace": lambda: channel.replace([published], delivery(SMALL)),
        }
        with (
            site.plugin(f"add_filter('rest_pre_echo_response', fn() => {odd});"),
            pytest.raises(ChannelError) as caught,
        ):
            calls[do]()
        assert caught.value.code == "channel-answer"
        assert status(published.urls[0]) == 200

    def test_an_odd_answer_to_an_upload(self, site: Site, channel: WordPressChannel):
        sent = delivery(SMALL)
        odd = "fn($answer, $server, $request) => $request->get_method() == 'POST' ? [1] : $answer"
        with (
            site.plugin(f"add_filter('rest_pre_echo_response', {odd}, 10, 3);"),
            pytest.raises(ChannelError) as caught,
        ):
            channel.publish(sent)
        assert caught.value.code == "channel-answer"
        assert channel.lookup(sent.key, sent.item_id, sent.sha256) is not None

    def test_what_is_no_wordpress(self, site: Site, channel: WordPressChannel):
        with (
            site.plugin("die('<h1>Under construction</h1>');"),
            pytest.raises(ChannelError) as caught,
        ):
            channel.publish(delivery(SMALL))
        assert (caught.value.code, caught.value.later) == ("channel-answer", True)

    def test_plain_permalinks(self, site: Site):
        with site.plain_permalinks():
            channel = WordPressChannel(site.url, site.user, site.password)
            earlier = channel.publish(delivery(WIDE))
            assert "attachment_id=" in earlier.urls[-1]
            assert {status(url) for url in earlier.urls} == {200}
            assert channel.lookup(earlier.key, earlier.item_id, earlier.sha256) == earlier
            post = site.post(f'<a href="{earlier.urls[-1]}"><img src="{earlier.urls[0]}"/></a>')
            published = channel.replace([earlier], delivery(OTHER_WIDE))
            text = f'<a href="{published.urls[-1]}"><img src="{published.urls[0]}"/></a>'
            assert site.raw(post)["content"]["raw"] == text
            assert {status(url) for url in earlier.urls} == {404}
            channel.remove(published)
            assert {status(url) for url in published.urls} == {404}
            assert not site.files()


@contextmanager
def killed_when_it_sleeps(site: Site) -> Iterator[None]:
    """Kills the web server as soon as the plugin `dying` has begun."""

    def kill() -> None:
        until = time.monotonic() + 60
        while (site.folder / "dying").read_text() != "0" and time.monotonic() < until:
            time.sleep(0.02)
        site.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    yield
    thread.join()


class TestSwapping:
    """What is written in a post."""

    SWAP = Swap(
        keys={OLD},
        ids={12},
        key=NEW,
        id=77,
        names={f"{OLD}-300x200.jpg": f"{UP}/{NEW}-300x200.jpg"},
        url=f"{UP}/{NEW}.jpg",
        link=f"https://school.nl/{NEW}/",
    )

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("nothing about it: 12", "nothing about it: 12"),
            (f"//school.nl/u/{OLD}.jpg", f"{UP}/{NEW}.jpg"),
            (f"/u/{OLD}-300x200.jpg", f"{UP}/{NEW}-300x200.jpg"),
            (f"/u/{OLD}-9x9.jpg", f"{UP}/{NEW}.jpg"),
            (f"/u/cropped-{OLD}-e17.jpg.webp", f"{UP}/{NEW}.jpg"),
            (
                f"https://i0.wp.com/school.nl/u/{OLD}.jpg?ssl=1",
                f"{UP}/{NEW}.jpg?ssl=1",
            ),
            (
                f"/u/{OLD}-300x200.jpg 300w,/u/{OLD}.jpg 900w",
                f"{UP}/{NEW}-300x200.jpg 300w,{UP}/{NEW}.jpg 900w",
            ),
            (
                f"style='background:url(/u/{OLD}.jpg)'",
                f"style='background:url({UP}/{NEW}.jpg)'",
            ),
            (
                rf'"https:\/\/school.nl\/u\/{OLD}.jpg"',
                rf'"https:\/\/school.nl\/u\/{NEW}.jpg"',
            ),
            (f"&quot;/u/{OLD}.jpg&quot;", f"&quot;{UP}/{NEW}.jpg&quot;"),
            (f'href="https://school.nl/{OLD}/"', f'href="https://school.nl/{NEW}/"'),
            (f'href="https://school.nl/x/{OLD}"', f'href="https://school.nl/{NEW}/"'),
            (f'href="https://school.nl/{OLD}/#top"', f'href="https://school.nl/{NEW}/#top"'),
            (f"<a>{OLD}</a> {OLD}.jpg.", f"<a>{NEW}</a> {NEW}.jpg."),
            (f"See /u/{OLD}.jpg.", f"See {UP}/{NEW}.jpg."),
            ('class="wp-image-12 wp-image-120"', 'class="wp-image-77 wp-image-120"'),
            ('rel="attachment wp-att-12"', 'rel="attachment wp-att-77"'),
            ("/?attachment_id=12&x=12", "/?attachment_id=77&x=12"),
            ('<img data-id="12" width="12"/>', '<img data-id="77" width="12"/>'),
            ('<p data-id="12">', '<p data-id="12">'),
            ('[gallery x="12" ids="112,12, 120"]', '[gallery x="12" ids="112,77, 120"]'),
            ('<!-- wp:gallery {"ids":[12,2]} -->', '<!-- wp:gallery {"ids":[77,2]} -->'),
            ('<!-- wp:media-text {"mediaId":12} -->', '<!-- wp:media-text {"mediaId":77} -->'),
            ('<!-- wp:block {"id":12} /-->', '<!-- wp:block {"id":12} /-->'),
            (
                f'<!-- wp:my/slide {{"id":12,"src":"/u/{OLD}.jpg"}} /-->',
                f'<!-- wp:my/slide {{"id":77,"src":"{UP}/{NEW}.jpg"}} /-->',
            ),
        ],
    )  # fmt: skip
    def test_what_is_said_about_it(self, text: str, expected: str):
        assert swapped(text, self.SWAP) == expected
        assert swapped(expected, self.SWAP) == expected

    def test_a_long_text_takes_no_longer_than_it_has_to(self):
        text = "x" * 1_000_000 + f"/u/{OLD}.jpg" + "a" * 1_000_000
        assert NEW in swapped(text, self.SWAP)
