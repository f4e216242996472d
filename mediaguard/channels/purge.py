"""Caches in front of a website, told to forget what was taken away."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from mediaguard.channels.web import Web, is_web_address, json_of, odd_answer
from mediaguard.core.publication import Abilities, Delivery, Look, Published


class Channel(Protocol):
    """Any channel (`mediaguard.pipeline.ports` says what the methods promise)."""

    @property
    def abilities(self) -> Abilities:
        """What it can do."""

    def publish(self, delivery: Delivery) -> Published:
        """Make a rendition public."""

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:
        """Put a rendition in the place of earlier ones."""

    def remove(self, published: Published) -> None:
        """Take a rendition away."""

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        """The rendition with this key."""

    def confirm_gone(self, published: Published, successor: str | None) -> Sequence[Look]:
        """Look at every place where it was."""


class Purged:
    """A channel with a cache in front of it.

    A purge that fails fails the whole act: it is then tried again, which is harmless.

    Args:
        channel: does the work.
        purge: makes the cache forget addresses.
    """

    def __init__(self, channel: Channel, purge: Callable[[Sequence[str]], None]) -> None:
        self._channel = channel
        self._purge = purge

    @property
    def abilities(self) -> Abilities:
        """What the channel can do."""
        return self._channel.abilities

    def publish(self, delivery: Delivery) -> Published:
        """Make a rendition public."""
        return self._channel.publish(delivery)

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:
        """Put a rendition in the place of earlier ones, and make the cache forget those."""
        published = self._channel.replace(earlier, delivery)
        self._forget(url for one in earlier for url in one.urls)
        return published

    def remove(self, published: Published) -> None:
        """Take a rendition away, and make the cache forget it."""
        self._channel.remove(published)
        self._forget(published.urls)

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        """The rendition with this key, if the channel has it."""
        return self._channel.lookup(key, item_id, sha256)

    def confirm_gone(self, published: Published, successor: str | None) -> Sequence[Look]:
        """Look at every place where it was."""
        return self._channel.confirm_gone(published, successor)

    def _forget(self, urls: Iterable[str]) -> None:
        # A folder's places are no addresses.
        purged = [url for url in dict.fromkeys(urls) if is_web_address(url)]
        if purged:
            self._purge(purged)


class Cloudflare:
    """Makes Cloudflare's cache forget addresses.

    Args:
        zone: the zone's id.
        token: may purge the zone's cache.
        api: where Cloudflare's API is.
        web: for the calls.
    """

    MOST = 30
    """Addresses that one call may name."""

    def __init__(self, zone: str, token: str, *, api: str, web: Web | None = None) -> None:
        self._url = f"{api.rstrip('/')}/zones/{zone}/purge_cache"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._web = web or Web()

    def __call__(self, urls: Sequence[str]) -> None:
        """Purge the addresses; ChannelError unless Cloudflare says that all were."""
        for start in range(0, len(urls), self.MOST):
            files = list(urls[start : start + self.MOST])
            response = self._web.call(
                "POST", self._url, json={"files": files}, headers=self._headers
            )
            answer = json_of(response)
            if not isinstance(answer, dict) or answer.get("success") is not True:
                raise odd_answer(response, "success")
