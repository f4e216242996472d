"""Caches forget what was taken away, in portions that they accept."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from mediaguard.channels.folder import FolderChannel
from mediaguard.channels.http import HttpChannel
from mediaguard.channels.purge import Cloudflare, Purged
from mediaguard.core.publication import Abilities
from mediaguard.errors import ChannelError
from tests.channels.harness import SECRET, TOKEN, ZONE, delivery, web
from tests.channels.roles import CloudflareZone, Cms, PublicSite
from tests.channels.standin import Standin, instead, running


@pytest.fixture
def zone() -> CloudflareZone:
    return CloudflareZone(PublicSite(lifetime=300), ZONE, TOKEN)


@pytest.fixture
def standin(zone: CloudflareZone) -> Iterator[Standin]:
    with running(zone, zone.site) as made:
        yield made


@pytest.fixture
def cloudflare(standin: Standin) -> Cloudflare:
    return Cloudflare(ZONE, TOKEN, api=f"{standin.url}/cloudflare/", web=web())


def test_addresses_go_in_portions(cloudflare, zone):
    urls = [f"https://school.example/{number}.jpg" for number in range(65)]
    cloudflare(urls)
    assert [len(files) for files in zone.purged] == [30, 30, 5]
    assert [url for files in zone.purged for url in files] == urls


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (instead(200, b'{"success": false, "errors": [{"message": "no"}]}'), "channel-answer"),
        (instead(200, b'{"success": "true"}'), "channel-answer"),
        (instead(200, b"[]"), "channel-answer"),
        (instead(200), "channel-answer"),
        (instead(403), "channel-credentials"),
        (instead(429, Retry_After="9"), "channel-busy"),
        (instead(500), "channel-failed"),
        (instead(400, b'{"errors": [{"message": "no"}]}'), "channel-refuses"),
    ],
)
def test_what_was_not_purged_is_said(cloudflare, standin, fault, code):
    standin.misbehave("POST", fault)
    with pytest.raises(ChannelError) as caught:
        cloudflare(["https://school.example/1.jpg"])
    assert caught.value.code == code
    assert TOKEN not in str(caught.value)


def test_without_a_purge_the_copy_is_noticed_and_with_one_it_is_gone(zone, standin, cloudflare):
    cms = Cms(zone.site, (SECRET,), base=standin.url)
    standin.roles.insert(0, cms)
    plain = HttpChannel(f"{standin.url}/cms", [SECRET], web())
    published = plain.publish(delivery())
    plain.confirm_gone(published, None)
    plain.remove(published)
    looks = plain.confirm_gone(published, None)
    assert {(look.gone, look.answer) for look in looks} == {(False, "200 from a cache")}
    assert all(look.again_after == 300 for look in looks)
    purged = Purged(plain, cloudflare)
    purged.remove(published)
    assert all(look.gone for look in purged.confirm_gone(published, None))


def test_a_failed_purge_fails_the_removal_and_can_be_tried_again(zone, standin, cloudflare):
    cms = Cms(zone.site, (SECRET,), base=standin.url)
    standin.roles.insert(0, cms)
    channel = Purged(HttpChannel(f"{standin.url}/cms", [SECRET], web()), cloudflare)
    published = channel.publish(delivery())
    standin.misbehave("POST /cloudflare", instead(500), times=1)
    with pytest.raises(ChannelError):
        channel.remove(published)
    channel.remove(published)
    assert zone.purged == [list(published.urls)]


def test_what_went_is_purged_once_and_files_are_no_addresses(tmp_path: Path):
    purged: list[Sequence[str]] = []
    channel = Purged(FolderChannel(tmp_path), purged.append)
    published = channel.publish(delivery())
    channel.remove(published)
    assert purged == []
    assert channel.abilities == Abilities()
