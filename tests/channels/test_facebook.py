"""A Facebook page: what its documented answers mean, and where the token goes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mediaguard.channels import facebook as facebook_module
from mediaguard.channels.facebook import FacebookChannel
from mediaguard.core.publication import ELSEWHERE, Published
from mediaguard.errors import ChannelError
from tests.channels.harness import PAGE, TOKEN, delivery, web
from tests.channels.roles import Facebook, PublicSite, as_json
from tests.channels.standin import Standin, afterwards, instead, running


@pytest.fixture
def graph() -> Facebook:
    return Facebook(PublicSite(), PAGE, TOKEN)


@pytest.fixture
def standin(graph: Facebook) -> Iterator[Standin]:
    with running(graph, graph.site) as made:
        graph.base = made.url
        yield made


@pytest.fixture
def channel(standin: Standin) -> FacebookChannel:
    return FacebookChannel(PAGE, TOKEN, api=f"{standin.url}/graph/v25.0", web=web())


def trouble(act, *arguments) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        act(*arguments)
    assert TOKEN not in str(caught.value)
    return caught.value


def test_a_photo_is_a_post_with_our_reference(channel, graph, standin):
    sent = delivery(b"one")
    published = channel.publish(sent)
    (photo,) = graph.objects.values()
    assert photo["name"] == f"[{sent.key[:12]}]"
    assert published.remote_id == f"{PAGE}:{photo['id']} {photo['page_story_id']}"
    assert published.urls == (photo["link"], *(one["source"] for one in photo["images"]))
    upload = standin.requests[0]
    assert b"Content-Type: image/jpeg" in upload.body
    assert sent.item_id.encode() not in upload.body
    assert "content-length" in upload.headers


def test_a_video_goes_another_way(channel, graph, standin):
    sent = delivery(b"moving", suffix=".mp4")
    published = channel.publish(sent)
    assert standin.requests[0].path.endswith(f"/{PAGE}/videos")
    (video,) = graph.objects.values()
    assert published.remote_id == f"{PAGE}:{video['id']} {video['post_id']}"
    assert published.urls[0] == f"https://www.facebook.com/{PAGE}/videos/{video['id']}/"
    assert channel.lookup(sent.key, sent.item_id, sent.sha256) == published
    channel.remove(published)
    assert all(look.gone for look in channel.confirm_gone(published, None))


def test_the_token_is_in_no_address(channel, standin):
    published = channel.publish(delivery())
    channel.lookup("f" * 32, "item", "0" * 64)
    channel.remove(published)
    channel.confirm_gone(published, None)
    for request in standin.requests:
        assert TOKEN not in request.path
        assert TOKEN not in str(request.query)
        assert request.path.startswith("/fbcdn") == ("authorization" not in request.headers)


def test_lookup_goes_back_so_far_and_no_further(channel, standin, monkeypatch):
    sent = [delivery(str(number).encode()) for number in range(5)]
    for one in sent:
        channel.publish(one)
    standin.requests.clear()
    assert channel.lookup(sent[0].key, "item", sent[0].sha256) is not None
    assert len(standin.requests) == 3
    monkeypatch.setattr(facebook_module, "_MOST_PAGES", 2)
    assert channel.lookup(sent[0].key, "item", sent[0].sha256) is None


def test_a_failure_after_the_work_is_found_out_by_looking_up(channel, graph, standin):
    standin.misbehave("POST", afterwards(500), times=1)
    sent = delivery(b"one")
    assert trouble(channel.publish, sent).code == "channel-failed"
    assert graph.visible() == [b"one"]
    found = channel.lookup(sent.key, sent.item_id, sent.sha256)
    channel.remove(found)
    assert not graph.visible()


def test_a_photo_that_outlives_its_post_is_deleted_too(channel, graph, standin):
    published = channel.publish(delivery())
    photo, post = published.remote_id.removeprefix(f"{PAGE}:").split()
    graph.posts.clear()
    looks = channel.confirm_gone(published, None)
    assert not any(look.gone for look in looks)
    channel.remove(published)
    assert not graph.visible()
    assert [line.rpartition("/")[2] for line in standin.lines("DELETE")] == [post, photo]


@pytest.mark.parametrize(
    ("error", "code", "later"),
    [
        ({"code": 190}, "channel-credentials", True),
        ({"code": 10}, "channel-credentials", True),
        ({"code": 200}, "channel-credentials", True),
        ({"code": 4}, "channel-busy", True),
        ({"code": 17}, "channel-busy", True),
        ({"code": 32}, "channel-busy", True),
        ({"code": 613}, "channel-busy", True),
        ({"code": 1}, "channel-failed", True),
        ({"code": 9999, "is_transient": True}, "channel-failed", True),
        ({"code": 324, "message": "Missing or invalid image file"}, "channel-refuses", False),
        ({"code": 100}, "channel-refuses", False),
        ({"code": []}, "channel-refuses", False),
        ("odd", "channel-refuses", False),
    ],
)
@pytest.mark.parametrize("status", [400, 403])
def test_what_its_errors_mean(channel, standin, error, code, later, status):
    if status == 403 and code == "channel-refuses":
        code, later = "channel-credentials", True
    answer = as_json({"error": error})
    standin.misbehave("POST", instead(status, answer.body))
    caught = trouble(channel.publish, delivery())
    assert (caught.code, caught.later) == (code, later)


def test_a_wrong_token_is_said(standin):
    channel = FacebookChannel(PAGE, "wrong" * 5, api=f"{standin.url}/graph/v25.0", web=web())
    assert trouble(channel.publish, delivery()).code == "channel-credentials"


def test_a_token_that_lost_its_rights_proves_nothing(channel, graph, standin):
    """Facebook says of what a token may not see that it does not exist."""
    published = channel.publish(delivery())
    standin.misbehave("GET /graph", instead(400, graph.error(100, 33).body))
    assert trouble(channel.confirm_gone, published, None).code == "channel-credentials"
    assert trouble(channel.lookup, "f" * 32, "item", "0" * 64).code == "channel-credentials"


def test_its_files_count_although_the_post_is_deleted(channel, graph):
    published = channel.publish(delivery(b"one"))
    files = dict(graph.site.files)
    channel.remove(published)
    graph.site.files |= files
    looks = channel.confirm_gone(published, None)
    assert [(look.gone, look.answer) for look in looks] == [
        (True, "no object"),
        (False, "200"),
        (False, "200"),
    ]


@pytest.mark.parametrize("suffix", [".jpg", ".mp4"])
def test_what_the_token_of_another_page_does_not_see_is_not_gone(channel, graph, standin, suffix):
    """The settings name another page since it was published."""
    published = channel.publish(delivery(b"one", suffix=suffix))
    graph.page = "1234"
    other = FacebookChannel("1234", TOKEN, api=f"{standin.url}/graph/v25.0", web=web())
    other.remove(published)
    assert graph.visible() == [b"one"]
    graph.site.files.clear()
    post, *files = other.confirm_gone(published, None)
    assert (post.gone, post.answer) == (False, ELSEWHERE)
    assert all(look.gone for look in files), "a file that is not found is gone, whose it may be"


def test_it_deletes_nothing_of_another_connector_and_looks_at_its_addresses(
    channel, graph, standin
):
    channel.publish(delivery(b"one"))
    graph.site.files["/there.jpg"] = b"two"
    urls = (f"{standin.url}/there.jpg", f"{standin.url}/gone.jpg", "/home/ready/x.jpg")
    published = Published("key", "item", next(iter(graph.objects)), urls, "0" * 64)
    channel.remove(published)
    assert b"one" in graph.visible()
    looks = channel.confirm_gone(published, None)
    assert [(look.gone, look.answer) for look in looks] == [
        (False, "200"),
        (True, "404"),
        (False, ELSEWHERE),
    ]


def test_what_is_not_deleted_is_said(channel, standin):
    published = channel.publish(delivery())
    standin.misbehave("DELETE", instead(200, b'{"success": false}'))
    assert trouble(channel.remove, published).code == "channel-answer"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"id": 5}', b'{"id": ""}'])
def test_odd_answers_to_an_upload(channel, standin, body):
    standin.misbehave("POST", instead(200, body))
    assert trouble(channel.publish, delivery()).code == "channel-answer"


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {}}'])
def test_odd_answers_to_a_lookup(channel, standin, body):
    standin.misbehave("GET", instead(200, body))
    assert trouble(channel.lookup, "f" * 32, "item", "0" * 64).code == "channel-answer"


def test_odd_parts_of_a_list_are_passed_over(channel, standin):
    parts = [5, {}, {"id": 7}, {"id": "8", "name": None, "images": [3, {"source": "file:///x"}]}]
    standin.misbehave("GET", instead(200, as_json({"data": parts, "paging": []}).body))
    assert channel.lookup("f" * 32, "item", "0" * 64) is None
    sent = replace(delivery(), key="f" * 32)
    parts[-1]["name"] = "[ffffffffffff]"
    standin.behave()
    standin.misbehave("GET", instead(200, as_json({"data": parts}).body))
    found = channel.lookup(sent.key, sent.item_id, sent.sha256)
    assert found is not None
    assert (found.remote_id, found.urls) == (f"{PAGE}:8", ("https://www.facebook.com/8",))
