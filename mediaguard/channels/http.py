r"""A website's own system that follows our contract.

Every request is signed as Standard Webhooks has it (`signing.py`); the system checks the
signature and the age before it does anything.

1. ``PUT {url}/content/{sha256}`` brings a rendition: its bytes, with their ``Content-Type``. The
   system checks that they have this sha256 and keeps them private. Bringing it again is fine.
2. ``POST {url}/events`` says what is to happen, as JSON: ``{"type", "timestamp", "data"}``.

   - ``publication.publish``, data ``{"key", "item", "sha256", "media_type", "size"}``: the content
     becomes public. Answer ``{"id": "…", "urls": ["https://…"]}``: its name in the system (a
     string) and every address where it can be fetched, derived sizes too; the first is the one to
     show.
   - ``publication.replace``, data also ``"replaces": [id, …]``: it takes the place of these, so
     that pages stay whole. An address of theirs either shows the new content, byte for byte, or
     nothing any more; derived sizes of the new one get new addresses. The same answer.
   - ``publication.remove``, data ``{"key", "item", "sha256", "id", "urls"}``: it is public no
     longer, at any address, caches included, and its content is deleted. Any 2xx, 404 or 410 is an
     answer.
   - ``publication.lookup``, data ``{"key", "item", "sha256"}``: what is public under this key. The
     same answer as to publish, or 404. It changes nothing.

``item`` is what the API calls it: so a system that also sends media there knows what this is about.
The event names the sha256 and is signed: content cannot be exchanged, and a content that came
without an event stays private. ``key`` names the publication: the same key never becomes a second
one. ``webhook-id`` is ``{key}-{verb}``, so a repetition is recognised; it is not to be dropped but
answered, after making sure that what it asks for is so. (The id of a lookup has the time too.)
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx

from mediaguard.channels.network import inside
from mediaguard.channels.signing import sign, signing_key
from mediaguard.channels.web import Web, is_web_address, json_of, odd_answer
from mediaguard.core.publication import Abilities, Delivery, Look, Published
from mediaguard.errors import ChannelError

_PIECE = 1 << 16
_MOST_URLS = 100
_LONGEST_URL = 2000
_LONGEST_ID = 500


def _now() -> datetime:
    return datetime.now(UTC)


class HttpChannel:
    """Publishes through a website's own endpoint.

    Args:
        url: where the endpoint is.
        secrets: for signing; more than one while they are exchanged.
        web: for the calls.
        now: the clock.
    """

    abilities = Abilities()

    def __init__(
        self,
        url: str,
        secrets: Sequence[str],
        web: Web | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        for secret in secrets:
            signing_key(secret)
        self._url = url.rstrip("/")
        self._secrets = tuple(secrets)
        self._web = web or Web()
        self._now = now

    def publish(self, delivery: Delivery) -> Published:
        """Bring the content, then make it public."""
        return self._published(delivery, "publish", {})

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:
        """Bring the content, then let it take the place of earlier ones."""
        return self._published(
            delivery, "replace", {"replaces": [one.remote_id for one in earlier]}
        )

    def remove(self, published: Published) -> None:
        """Say that it has to go; a system that does not know it says 404, and that is fine."""
        data = {"id": published.remote_id, "urls": list(published.urls)}
        self._event("remove", published, data, accept=(404, 410))

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        """What is public under this key."""
        wanted = Published(key, item_id, "", (), sha256)
        response = self._event("lookup", wanted, {}, accept=(404, 410))
        if response.status_code in (404, 410):
            return None
        return self._read(response, wanted)

    def confirm_gone(self, published: Published, successor: str | None) -> list[Look]:
        """What a visitor sees at its addresses."""
        return [self._look(url, successor) for url in published.urls]

    def _look(self, url: str, successor: str | None) -> Look:
        if not self._may_be_visited(url):
            return Look(url, gone=False, answer="no answer")
        return self._web.look(url, successor)

    def _may_be_visited(self, url: str) -> bool:
        """Whether it is in the internet, or where the endpoint is.

        What else there is in the school's network is none of its business. (A name may lead
        elsewhere a moment later: whoever plays such tricks learns a status, and no more.)
        """
        return inside(_host(url)) <= inside(_host(self._url))

    def _read(self, response: httpx.Response, about: Delivery | Published) -> Published:
        published = _read(response, about.key, about.item_id, about.sha256)
        if not all(map(self._may_be_visited, published.urls)):
            raise odd_answer(response, "urls")
        return published

    def _published(self, delivery: Delivery, verb: str, more: Mapping[str, object]) -> Published:
        size = self._bring(delivery)
        data = {"media_type": delivery.media_type, "size": size, **more}
        response = self._event(verb, delivery, data)
        return self._read(response, delivery)

    def _bring(self, delivery: Delivery) -> int:
        # Read twice, piece by piece: the signature goes first, and a video may be large.
        first = _Reading()
        with delivery.open() as content:
            headers = self._signed(f"{delivery.key}-content", first.pieces(content))
        if first.sha256 != delivery.sha256:
            raise ChannelError("rendition-changed", later=False, item=delivery.item_id)
        headers["Content-Type"] = delivery.media_type
        headers["Content-Length"] = str(first.size)
        with delivery.open() as content:
            self._web.call(
                "PUT",
                f"{self._url}/content/{delivery.sha256}",
                content=_Reading().pieces(content),
                headers=headers,
            )
        return first.size

    def _event(
        self,
        verb: str,
        about: Delivery | Published,
        more: Mapping[str, object],
        accept: tuple[int, ...] = (),
    ) -> httpx.Response:
        moment = self._now()
        event = {
            "type": f"publication.{verb}",
            "timestamp": moment.isoformat(),
            "data": {
                "key": about.key,
                "item": about.item_id,
                "sha256": about.sha256,
                **more,
            },
        }
        body = json.dumps(event, separators=(",", ":")).encode()
        # An answer to a lookup is true only now: it must not be taken for a repetition.
        own = f"-{int(moment.timestamp() * 1000)}" if verb == "lookup" else ""
        headers = self._signed(f"{about.key}-{verb}{own}", [body])
        headers["Content-Type"] = "application/json"
        return self._web.call(
            "POST", f"{self._url}/events", content=body, headers=headers, accept=accept
        )

    def _signed(self, message_id: str, body: Iterator[bytes] | list[bytes]) -> dict[str, str]:
        return sign(self._secrets, message_id, int(self._now().timestamp()), body)


class _Reading:
    """Passes a content on in pieces, and knows afterwards what it was."""

    def __init__(self) -> None:
        self.size = 0
        self._digest = hashlib.sha256()

    def pieces(self, content: BinaryIO) -> Iterator[bytes]:
        while piece := content.read(_PIECE):
            self.size += len(piece)
            self._digest.update(piece)
            yield piece

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _read(response: httpx.Response, key: str, item_id: str, sha256: str) -> Published:
    found = json_of(response)
    remote_id = found.get("id") if isinstance(found, dict) else None
    urls = found.get("urls") if isinstance(found, dict) else None
    if not isinstance(remote_id, str) or not 1 <= len(remote_id) <= _LONGEST_ID:
        raise odd_answer(response, "id")
    if not isinstance(urls, list) or not 1 <= len(urls) <= _MOST_URLS:
        raise odd_answer(response, "urls")
    for url in urls:
        if not isinstance(url, str) or len(url) > _LONGEST_URL or not is_web_address(url):
            raise odd_answer(response, "urls")
    return Published(key, item_id, remote_id, tuple(dict.fromkeys(urls)), sha256)
