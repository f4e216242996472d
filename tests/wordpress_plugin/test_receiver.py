"""What mediaguard asks of the plugin: the contract of the channel, and nobody else's word."""

import hashlib
import io
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from PIL import Image

from mediaguard.channels.http import HttpChannel
from mediaguard.core.publication import Published
from mediaguard.errors import ChannelError
from tests.channels.contract import ChannelContract
from tests.channels.harness import Harness, delivery, web
from tests.wordpress_plugin.site import PluginSite, new_secret

OLD = new_secret()
LIE = """
add_filter('rest_pre_dispatch', function ($result, $server, $request) {
    $event = json_decode($request->get_body(), true);
    return 'publication.remove' === ($event['type'] ?? '') ? new WP_REST_Response([]) : $result;
}, 10, 3);
"""


@pytest.fixture
def plugin(site: PluginSite) -> Iterator[PluginSite]:
    site.wordpress.empty()
    for path in site.private.glob("*"):
        path.unlink()
    # Nobody is called in these tests; only who calls is proven.
    site.set_up("http://127.0.0.1:9")
    yield site
    site.wordpress.empty()


@pytest.fixture
def channel(plugin: PluginSite) -> HttpChannel:
    return HttpChannel(plugin.base, [plugin.secret], web())


def picture(colour: str = "red", size: tuple[int, int] = (900, 600)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, colour).save(made, "JPEG")
    return made.getvalue()


def event(kind: str, *, at: str = "", **data: object) -> bytes:
    about = {
        "key": secrets.token_hex(16),
        "item": "0123abcd",
        "sha256": "0" * 64,
        "media_type": "image/jpeg",
        "size": 1,
    }
    moment = at or time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    return json.dumps(
        {"type": f"publication.{kind}", "timestamp": moment, "data": {**about, **data}}
    ).encode()


class TestContract(ChannelContract):
    @pytest.fixture
    def harness(self, plugin: PluginSite, channel: HttpChannel) -> Iterator[Harness]:
        site = plugin.wordpress

        def visible() -> list[bytes]:
            answers = [site.web.get(one["source_url"]) for one in site.media()]
            return [answer.content for answer in answers if answer.status_code == 200]

        with ExitStack() as stack:
            yield Harness(channel, visible, lambda: stack.enter_context(site.plugin(LIE)))


def test_every_size_is_told_and_goes(plugin, channel):
    sent = delivery(picture())
    published = channel.publish(sent)
    assert len(published.urls) >= 3
    assert {url.rpartition("/")[2] for url in published.urls} == plugin.uploads().keys()
    assert {plugin.status(url) for url in published.urls} == {200}
    (attachment,) = plugin.wordpress.media()
    page = attachment["link"]
    assert plugin.status(page) == 200
    channel.remove(published)
    assert {plugin.status(url) for url in published.urls} == {404}
    assert plugin.status(page) == 404
    assert plugin.uploads() == {}
    assert [*plugin.private.glob("*")] == []


def test_what_editors_made_of_it_goes_with_it(plugin, channel):
    published = channel.publish(delivery(picture()))
    (attachment,) = plugin.wordpress.media()
    edit = {"src": attachment["source_url"], "x": 10, "y": 10, "width": 50, "height": 50}
    path = f"/wp/v2/media/{attachment['id']}/edit"
    made = plugin.wordpress.rest("POST", path, json=edit)
    # A plugin for other formats writes its own files beside them.
    name = published.urls[0].rpartition("/")[2]
    folder = next((plugin.wordpress.folder / "site").rglob(name)).parent
    (folder / f"{name}.webp").write_bytes(b"webp")
    again = channel.lookup(published.key, published.item_id, published.sha256)
    assert again is not None
    assert {made["source_url"], f"{published.urls[0]}.webp"} <= set(again.urls)
    channel.remove(published)
    assert plugin.wordpress.media() == []
    assert plugin.uploads() == {}


def test_of_several_keys_in_a_name_the_last_counts(plugin, channel):
    """As in names that were made before the others were left out."""
    first, second = (channel.publish(delivery(picture(one))) for one in ("red", "blue"))
    uploads = plugin.wordpress.folder / "site" / "wp-content" / "uploads"
    for path in uploads.rglob(f"{second.key}*"):
        path.rename(path.with_name(f"trip-{first.key}-{path.name}"))
    plugin.wordpress.run(
        f"list($id) = Mediaguard\\Library\\attachments('{second.key}');"
        "$path = get_post_meta($id, '_wp_attached_file', true);"
        f"$new = str_replace('{second.key}', 'trip-{first.key}-{second.key}', $path);"
        "update_post_meta($id, '_wp_attached_file', $new);"
    )
    once = channel.lookup(first.key, first.item_id, first.sha256)
    assert once is not None
    assert set(once.urls) == set(first.urls)
    channel.remove(first)
    again = channel.lookup(second.key, second.item_id, second.sha256)
    assert again is not None
    assert len(again.urls) == len(second.urls)
    assert {plugin.status(url) for url in again.urls} == {200}
    channel.remove(second)
    assert plugin.uploads() == {}


def test_pages_stay_whole_when_it_is_replaced(plugin, channel):
    site = plugin.wordpress
    earlier = channel.publish(delivery(picture("red")))
    (before,) = site.media()
    large = before["media_details"]["sizes"]["medium"]["source_url"]
    post = site.post(
        f'<!-- wp:image {{"id":{before["id"]}}} --><img class="wp-image-{before["id"]}" '
        f'src="{large}"/><!-- /wp:image -->'
    )
    stored = f"['address' => '{large}', 'after' => 'it']"
    site.run(f"update_post_meta({post}, 'builder', {stored});")
    sent = delivery(picture("blue"))
    published = channel.replace([earlier], sent)
    (after,) = site.media()
    assert after["id"] == before["id"]
    assert site.web.get(after["source_url"]).content == sent.open().read()
    raw = site.raw(post)["content"]["raw"]
    new = after["media_details"]["sizes"]["medium"]["source_url"]
    assert earlier.key not in raw
    assert new in raw
    assert plugin.status(new) == 200
    read = f"echo json_encode(get_post_meta({post}, 'builder', true));"
    assert json.loads(site.run(read)) == {"address": new, "after": "it"}
    assert {plugin.status(url) for url in earlier.urls} == {404}
    assert {url.rpartition("/")[2] for url in published.urls} == plugin.uploads().keys()


def test_content_without_an_event_is_private(plugin):
    content = picture()
    sha256 = hashlib.sha256(content).hexdigest()
    assert plugin.call("PUT", f"/content/{sha256}", content).status_code == 204
    assert plugin.uploads() == {}
    assert plugin.wordpress.media() == []
    assert [path.name for path in plugin.private.iterdir()] == [sha256]
    assert plugin.status(f"{plugin.base}/content/{sha256}") == 404


@pytest.mark.parametrize(
    "how",
    [
        {"secret": OLD},
        {"seconds": -400},
        {"seconds": 400},
        {"signed": b"something else"},
    ],
    ids=["forged", "late", "early", "changed"],
)
def test_nobody_else_is_believed(plugin, channel, how):
    published = channel.publish(delivery(picture()))
    before = plugin.uploads()
    what = event("remove", key=published.key)
    assert plugin.call("POST", "/events", what, **how).status_code == 401
    content = picture("green")
    place = f"/content/{hashlib.sha256(content).hexdigest()}"
    assert plugin.call("PUT", place, content, **how).status_code == 401
    assert [*plugin.private.iterdir()] == []
    assert plugin.uploads() == before


def test_without_a_signature(plugin, channel):
    published = channel.publish(delivery(picture()))
    before = plugin.uploads()
    post = plugin.wordpress.web.post
    for headers in ({}, {"webhook-id": "x", "webhook-signature": "v1,"}):
        answer = post(
            f"{plugin.base}/events", content=event("remove", key=published.key), headers=headers
        )
        assert answer.status_code == 401
    # An administrator of the website is not mediaguard either.
    auth = (plugin.wordpress.user, plugin.wordpress.password)
    body = event("remove", key=published.key)
    assert post(f"{plugin.base}/events", content=body, auth=auth).status_code == 401
    with plugin.settings(secret=""):  # an empty field leaves it; nobody can store none
        pass
    plugin.wordpress.run("delete_option('mediaguard');")
    assert plugin.call("POST", "/events", body).status_code == 401
    assert plugin.uploads() == before


def test_a_message_that_was_overheard_is_of_no_use(plugin, channel):
    """Sent again within five minutes, to bring back what was taken down."""
    content = picture()
    sha256 = hashlib.sha256(content).hexdigest()
    key = secrets.token_hex(16)
    plugin.call("PUT", f"/content/{sha256}", content)
    body, moment = event("publish", key=key, sha256=sha256), time.time()
    first = plugin.call("POST", "/events", body, message_id="one", at=moment)
    assert first.status_code == 200
    plugin.call("POST", "/events", event("remove", key=key))
    assert plugin.uploads() == {}
    plugin.call("PUT", f"/content/{sha256}", content)
    again = plugin.call("POST", "/events", body, message_id="one", at=moment)
    assert (again.status_code, again.json()["code"]) == (401, "mediaguard_repeated")
    # One that lay in a queue meanwhile comes late: it was said before the removal.
    late = plugin.call("POST", "/events", body)
    assert late.status_code == 410
    assert plugin.uploads() == {}
    # mediaguard itself may change its mind.
    time.sleep(1.1)
    anew = plugin.call("POST", "/events", event("publish", key=key, sha256=sha256))
    assert anew.status_code == 200
    assert len(plugin.uploads()) >= 3


def test_two_secrets_while_one_is_exchanged(plugin):
    content = picture()
    place = f"/content/{hashlib.sha256(content).hexdigest()}"
    with plugin.settings(secret=f"{OLD} {plugin.secret}"):
        assert plugin.call("PUT", place, content).status_code == 204
        assert plugin.call("PUT", place, content, secret=OLD).status_code == 204
        assert plugin.call("PUT", place, content, secret=new_secret()).status_code == 401


def test_what_makes_no_sense(plugin):
    sha256 = hashlib.sha256(b"one").hexdigest()
    assert plugin.call("PUT", f"/content/{sha256}", b"two").status_code == 422
    assert plugin.call("PUT", "/content/..", b"two").status_code in (401, 404)
    bodies = {
        b"": 422,
        b"[]": 422,
        b"{}": 422,
        event("publish", key="../../x"): 422,
        event("publish", item="x/"): 422,
        event("replace", replaces=["%"]): 422,
        event("publish", at="when"): 422,
        event("vanish"): 422,
        event("publish"): 503,  # its content is not here: mediaguard brings it again
        event("publish", media_type="text/html"): 415,
        event("publish", media_type="application/x-php"): 415,
        event("remove"): 200,
        event("lookup"): 404,
        b"{": 400,
        b"[" + b"1," * 100_000 + b"1]": 401,
    }
    for body, status in bodies.items():
        assert plugin.call("POST", "/events", body).status_code == status, body[:200]
    assert plugin.uploads() == {}
    assert [*plugin.private.glob("*")] == []


def test_a_wrong_secret_at_mediaguard_is_told_there(plugin):
    stranger = HttpChannel(plugin.base, [OLD], web())
    with pytest.raises(ChannelError) as caught:
        stranger.remove(Published(secrets.token_hex(16), "0123abcd", "x", (), "0" * 64))
    assert (caught.value.code, caught.value.later) == ("channel-credentials", True)


def test_a_large_content_is_never_whole_in_memory(plugin):
    content = bytes(300_000_000)  # more than PHP may use here
    sha256 = hashlib.sha256(content).hexdigest()
    with httpx.Client(timeout=120):
        answer = plugin.call("PUT", f"/content/{sha256}", content)
    assert answer.status_code == 204
    (plugin.private / sha256).unlink()


@pytest.mark.parametrize(
    ("state", "status"),
    [
        # The built-in server of PHP waits for a body before it says how long that is.
        ("$_SERVER['CONTENT_LENGTH'] = '10000000001';", 413),
        (
            "namespace Mediaguard; $_SERVER['CONTENT_LENGTH'] = '20000000';"
            "function disk_free_space($folder) { return 300000000; }",
            507,
        ),
        # Between two looks at the clock a hundred seconds go by.
        ("namespace Mediaguard; function microtime() { static $n = 0; return $n += 100; }", 503),
    ],
    ids=["size", "share", "pace"],
)
def test_a_stranger_gets_little_of_the_disk_and_the_time(plugin, state, status):
    content = picture()
    place = f"/content/{hashlib.sha256(content).hexdigest()}"
    with plugin.wordpress.plugin(state):
        answer = plugin.call("PUT", place, content)
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert [*plugin.private.glob("*")] == []
    assert plugin.call("PUT", place, content).status_code == 204


def test_two_contents_come_in_at_once(plugin):
    content = picture()
    place = f"/content/{hashlib.sha256(content).hexdigest()}"
    assert plugin.call("PUT", place, content).status_code == 204
    others = {plugin.private / f"{number}.part" for number in range(2)}
    for path in others:
        path.write_bytes(b"half")
    answer = plugin.call("PUT", place, content)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert {*plugin.private.glob("*.part")} == others
    # What grows no more was broken off, and keeps nobody out.
    for path in others:
        os.utime(path, (time.time() - 700,) * 2)
    assert plugin.call("PUT", place, content).status_code == 204
    assert [*plugin.private.glob("*.part")] == []
