"""A channel that misbehaves by plan, and knows for certain what is public."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mediaguard.core.publication import Abilities, Delivery, Look, Published
from mediaguard.errors import ChannelError

SITE = "https://school.test"

Effect = Callable[[], "Published | None"]
Fault = Callable[["MisbehavingChannel", Effect], "Published | None"]


# -- what can go wrong at a channel ---------------------------------------------------------------


def trouble(
    code: str = "channel-failed", *, later: bool = True, retry_after: float | None = None
) -> ChannelError:
    return ChannelError(
        code, later=later, retry_after=retry_after, host="school.test", status=500, detail="?"
    )


def fails(error: Exception | None = None) -> Fault:
    """Without having done anything."""

    def fault(_: "MisbehavingChannel", effect: Effect) -> None:
        raise error or trouble()

    return fault


def fails_afterwards(error: Exception | None = None) -> Fault:
    """It was done all the same."""

    def fault(_: "MisbehavingChannel", effect: Effect) -> None:
        effect()
        raise error or trouble()

    return fault


def fails_but_happens_later(channel: "MisbehavingChannel", effect: Effect) -> None:
    """The caller hears nothing; what it asked for lies in a queue until `arrive`."""
    channel.under_way.append(effect)
    raise trouble("channel-unreachable")


def lies(_: "MisbehavingChannel", effect: Effect) -> None:
    """Says that it was done."""


def meanwhile(
    *, before: Callable[[], object] = lambda: None, after: Callable[[], object] = lambda: None
) -> Fault:
    """Lets something else happen just before, or just after it is done: a slow channel."""

    def fault(_: "MisbehavingChannel", effect: Effect) -> "Published | None":
        before()
        done = effect()
        after()
        return done

    return fault


# -- the channel ----------------------------------------------------------------------------------


def people_in(content: bytes) -> set[str]:
    """Who can be seen: the last word of a made-up picture (see `fragile.photo`)."""
    return set(filter(None, content.rsplit(b" ", 1)[-1].decode().split(",")))


@dataclass(frozen=True)
class Page:
    """What a visitor gets at an address; each act of publishing has a number of its own."""

    remote_id: str
    key: str
    item_id: str
    sha256: str
    content: bytes

    @property
    def people(self) -> set[str]:
        return people_in(self.content)


class MisbehavingChannel:
    """Keeps what is public in memory; every rendition has two addresses.

    Args:
        now: the clock.
        abilities: what it can do.
        in_place: a rendition has its item's address, and what replaces it has the same one.
        knows_keys: the same key never becomes a second publication.
        nameless: like a folder, it knows nothing but addresses, which are those of the item.
        lifetime: for so many seconds caches go on showing what was removed.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        abilities: Abilities | None = None,
        in_place: bool = False,
        knows_keys: bool = True,
        nameless: bool = False,
        lifetime: float = 0,
    ) -> None:
        self.abilities = abilities or Abilities()
        self.pages: dict[str, Page] = {}
        self.under_way: list[Effect] = []
        self.calls: list[str] = []
        self.at_each: Callable[[str], None] = lambda _: None
        """Called with ``before call`` and ``after call`` at every call."""
        self.keeps_what_it_replaces = False
        self._now = now
        self._in_place = in_place
        self._knows_keys = knows_keys and not nameless
        self._nameless = nameless
        self._lifetime = lifetime
        self._caches: dict[str, tuple[datetime, Page]] = {}
        self._faults: list[tuple[str, Fault, int]] = []
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    # -- how it misbehaves

    def misbehave(self, verbs: str, fault: Fault, times: int = 1_000_000) -> None:
        """Let calls of these verbs (several with a space between them) go wrong."""
        self._faults += [(verb, fault, times) for verb in verbs.split()]

    def behave(self) -> None:
        self._faults.clear()

    def arrive(self) -> None:
        """What was under way takes effect now."""
        effects, self.under_way = self.under_way, []
        for effect in effects:
            effect()

    def called(self, verb: str) -> int:
        return self.calls.count(verb)

    # -- the protocol

    def publish(self, delivery: Delivery) -> Published:
        return self._call("publish", lambda: self._show(delivery, ()))

    def replace(self, earlier: Sequence[Published], delivery: Delivery) -> Published:
        if not self.abilities.replace:
            raise trouble("channel-cannot-replace", later=False)
        return self._call("replace", lambda: self._show(delivery, earlier))

    def remove(self, published: Published) -> None:
        self._call("remove", lambda: self._hide(published))

    def lookup(self, key: str, item_id: str, sha256: str) -> Published | None:
        def find() -> Published | None:
            for page in reversed(self.pages.values()):  # the newest
                if page.key == key:
                    return self._published(page)
                if self._nameless and (page.item_id, page.sha256) == (item_id, sha256):
                    return self._published(page, key)
            return None

        return self._call("lookup", find)

    def confirm_gone(self, published: Published, successor: str | None) -> list[Look]:
        return self._call(
            "confirm_gone", lambda: [self._look(url, successor) for url in published.urls]
        )

    # -- inside

    def _call(self, verb: str, effect: Effect) -> Published | None:
        self.calls.append(verb)

        def act() -> Published | None:
            self.at_each("before call")
            with self._lock:
                done = effect()
            self.at_each("after call")
            return done

        fault = self._next_fault(verb)
        return act() if fault is None else fault(self, act)

    def _next_fault(self, verb: str) -> Fault | None:
        for index, (name, fault, times) in enumerate(self._faults):
            if name == verb and times > 0:
                self._faults[index] = (name, fault, times - 1)
                return fault
        return None

    def _show(self, delivery: Delivery, earlier: Sequence[Published]) -> Published:
        known = [page for page in self.pages.values() if page.key == delivery.key]
        if known and self._knows_keys:
            page = known[0]
        else:
            with delivery.open() as file:
                content = file.read()
            assert hashlib.sha256(content).hexdigest() == delivery.sha256
            number = str(next(self._numbers))
            page = Page(number, delivery.key, delivery.item_id, delivery.sha256, content)
        own, shared = page.remote_id, page.item_id
        name = shared if self._in_place or self._nameless else own
        small = shared if self._nameless else own
        for url in (f"{SITE}/{name}", f"{SITE}/{small}-small"):
            if self.pages.get(url) is not page:  # also again, if it was taken away meanwhile
                self.pages.pop(url, None)
                self.pages[url] = page
        for one in earlier:
            if one.key != delivery.key and not self.keeps_what_it_replaces:
                self._hide(one, spare=page.remote_id)
        return self._published(page)

    def _hide(self, published: Published, *, spare: str = "") -> None:
        for url, page in list(self.pages.items()):
            is_meant = (
                url in published.urls
                or (published.remote_id and page.remote_id == published.remote_id)
                or (self._knows_keys and page.key == published.key)
            )
            if is_meant and page.remote_id != spare:
                del self.pages[url]
                until = self._now() + timedelta(seconds=self._lifetime)
                self._caches[url] = (until, page)

    def _published(self, page: Page, key: str | None = None) -> Published:
        urls = tuple(url for url, one in self.pages.items() if one.remote_id == page.remote_id)
        remote_id = "" if self._nameless else page.remote_id
        return Published(key or page.key, page.item_id, remote_id, urls, page.sha256)

    def _look(self, url: str, successor: str | None) -> Look:
        page = self.pages.get(url)
        until, _ = self._caches.get(url, (self._now(), None))
        if page is None and until > self._now():
            return Look(url, False, "200", (until - self._now()).total_seconds())
        if page is None:
            return Look(url, True, "404")
        return Look(url, page.sha256 == successor, "200")
