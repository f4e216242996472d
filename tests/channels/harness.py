"""Every channel with what stands behind it, made the same way for `contract.py`."""

import base64
import hashlib
import io
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mediaguard.channels.facebook import FacebookChannel
from mediaguard.channels.folder import FolderChannel
from mediaguard.channels.http import HttpChannel
from mediaguard.channels.newsletter import NewsletterChannel
from mediaguard.channels.purge import Cloudflare, Purged
from mediaguard.channels.web import Web
from mediaguard.core.publication import Delivery
from mediaguard.pipeline.ports import Channel
from tests.channels.roles import CloudflareZone, Cms, Facebook, PublicSite
from tests.channels.standin import instead, running

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TOKEN = "a-token-that-nobody-may-see"
PAGE, ZONE = "4711", "f" * 32


@dataclass
class Harness:
    """A channel for tests.

    Attributes:
        channel: what is tested.
        visible: the full-size contents that the public can get now, asked behind its back.
        lie: from now on removals are acknowledged and not done; None if it cannot lie.
    """

    channel: Channel
    visible: Callable[[], Collection[bytes]]
    lie: Callable[[], None] | None = None


def delivery(
    content: bytes = b"a picture", *, item_id: str = "0123abcd", suffix: str = ".jpg"
) -> Delivery:
    return Delivery(
        uuid.uuid4().hex,
        item_id,
        suffix,
        hashlib.sha256(content).hexdigest(),
        lambda: io.BytesIO(content),
    )


def web() -> Web:
    return Web(timeout=2, deadline=4)


@contextmanager
def folder(path: Path) -> Iterator[Harness]:
    yield Harness(FolderChannel(path / "ready"), lambda: _files(path / "ready"))


@contextmanager
def newsletter(path: Path) -> Iterator[Harness]:
    yield Harness(NewsletterChannel(path / "edition"), lambda: _files(path / "edition"))


@contextmanager
def http(_: Path, *, in_place: bool = False) -> Iterator[Harness]:
    site = PublicSite()
    cms = Cms(site, (SECRET,), in_place=in_place)
    with running(cms, site) as standin:
        cms.base = standin.url
        yield Harness(
            HttpChannel(f"{standin.url}/cms", [SECRET], web()),
            cms.visible,
            lambda: standin.misbehave("POST /cms/events", instead(200, b"{}")),
        )


@contextmanager
def http_in_place(path: Path) -> Iterator[Harness]:
    with http(path, in_place=True) as harness:
        yield harness


@contextmanager
def purged_http(_: Path) -> Iterator[Harness]:
    site = PublicSite(lifetime=300)
    cms = Cms(site, (SECRET,), in_place=True)
    zone = CloudflareZone(site, ZONE, TOKEN)
    with running(cms, zone, site) as standin:
        cms.base = standin.url
        channel = HttpChannel(f"{standin.url}/cms", [SECRET], web())
        cloudflare = Cloudflare(ZONE, TOKEN, api=f"{standin.url}/cloudflare", web=web())
        yield Harness(
            Purged(channel, cloudflare),
            cms.visible,
            lambda: standin.misbehave("POST /cms/events", instead(200, b"{}")),
        )


@contextmanager
def facebook(_: Path) -> Iterator[Harness]:
    site = PublicSite()
    graph = Facebook(site, PAGE, TOKEN)
    with running(graph, site) as standin:
        graph.base = standin.url
        yield Harness(
            FacebookChannel(PAGE, TOKEN, api=f"{standin.url}/graph/v25.0", web=web()),
            graph.visible,
            lambda: standin.misbehave("DELETE", instead(200, b'{"success": true}')),
        )


def _files(path: Path) -> list[bytes]:
    return [one.read_bytes() for one in path.iterdir()] if path.exists() else []


CHANNELS: dict[str, Callable[[Path], AbstractContextManager[Harness]]] = {
    "folder": folder,
    "newsletter": newsletter,
    "http": http,
    "http-in-place": http_in_place,
    "http-purged": purged_http,
    "facebook": facebook,
}
"""A channel joins here, or with a class of its own: see `contract.ChannelContract`."""
