"""A channel that misbehaves by plan, and a home in which every moment can be the last.

What is public is known here for certain (`MisbehavingChannel.pages`), so that the records can be
compared with the truth. Photos are made up: their bytes name who is in them, and so do those of a
rendition. All else is real: records, vault, decisions, every step between them.
"""

import hashlib
import io
import itertools
import shutil
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

from sqlalchemy import select, text

from mediaguard.core.decision import ChannelPolicy, Decision
from mediaguard.core.faces import Assessment, Box, Candidate, Detection, Face, Match
from mediaguard.core.media import Audio, Encoding
from mediaguard.core.publication import Abilities, Delivery, Look, Published
from mediaguard.errors import ChannelError
from mediaguard.media.redaction import Style
from mediaguard.pipeline.process import Pipeline
from mediaguard.pipeline.render import Rendition
from mediaguard.store.database import Database
from mediaguard.store.desk import Desk
from mediaguard.store.schedule import LOST_AFTER
from mediaguard.store.tables import Base, ItemRow, PublicationRow, TakedownRow
from mediaguard.store.takedowns import OPEN
from mediaguard.work import Worker
from tests.pipeline.world import CHANNEL, World, make_world

SITE = "https://school.test"

Effect = Callable[[], "Published | None"]
Fault = Callable[["MisbehavingChannel", Effect], "Published | None"]


class PowerCut(BaseException):  # noqa: N818
    """Nothing that the process would still do happens."""


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


@dataclass(frozen=True)
class Page:
    """What a visitor gets at an address."""

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
        lifetime: for so many seconds caches go on showing what was removed.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        abilities: Abilities | None = None,
        in_place: bool = False,
        knows_keys: bool = True,
        lifetime: float = 0,
    ) -> None:
        self.abilities = abilities or Abilities()
        self.pages: dict[str, Page] = {}
        self.under_way: list[Effect] = []
        self.calls: list[str] = []
        self.at_each: Callable[[str], None] = lambda _: None
        """Called with ``before call`` and ``after call`` at every call."""
        self._now = now
        self._in_place = in_place
        self._knows_keys = knows_keys
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
            found = [page for page in self.pages.values() if page.key == key]
            newest = max(found, key=lambda page: int(page.remote_id), default=None)
            return None if newest is None else self._published(newest)

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
            name = delivery.item_id if self._in_place else number
            self.pages[f"{SITE}/{name}"] = page
            self.pages[f"{SITE}/{number}-small"] = page
        for one in earlier:
            if one.key != delivery.key:
                self._hide(one, spare=page.remote_id)
        return self._published(page)

    def _hide(self, published: Published, *, spare: str = "") -> None:
        for url, page in list(self.pages.items()):
            named = url in published.urls or page.remote_id == published.remote_id
            if (named or (self._knows_keys and page.key == published.key)) and (
                page.remote_id != spare
            ):
                del self.pages[url]
                until = self._now() + timedelta(seconds=self._lifetime)
                self._caches[url] = (until, page)

    def _published(self, page: Page) -> Published:
        urls = tuple(url for url, one in self.pages.items() if one.remote_id == page.remote_id)
        return Published(page.key, page.item_id, page.remote_id, urls, page.sha256)

    def _look(self, url: str, successor: str | None) -> Look:
        page = self.pages.get(url)
        until, _ = self._caches.get(url, (self._now(), None))
        if page is None and until > self._now():
            return Look(url, False, "200", (until - self._now()).total_seconds())
        if page is None:
            return Look(url, True, "404")
        return Look(url, page.sha256 == successor, "200")


# -- made-up pictures -----------------------------------------------------------------------------


def photo(path: Path, *people: str, seed: int | str = 0) -> Path:
    """A photo of these people; ``S-1~S-2`` is somebody taken for S-1 who looks like S-2 too."""
    path.write_bytes(b"photo %s %s" % (str(seed).encode(), ",".join(people).encode()))
    return path


def people_in(content: bytes) -> set[str]:
    return set(filter(None, content.rsplit(b" ", 1)[-1].decode().split(",")))


class _Opened:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def assess(self) -> Assessment:
        faces = []
        for number, name in enumerate(sorted(people_in(self._content))):
            who, _, like = name.partition("~")
            likes = (Candidate(like, 0.5),) if like else ()
            detection = Detection(Box(100.0 * number, 10, 80, 80), 0.95)
            faces.append(Face(detection, match=Match(who, 0.2, 0.3, (Candidate(who, 0.2), *likes))))
        return Assessment(1000, 400, 1, faces)

    def render(self, decision: Decision) -> Rendition:
        seed = self._content.split(b" ")[1]
        content = b"rendition %s %s" % (seed, ",".join(sorted(decision.kept_subjects)).encode())
        digest = hashlib.sha256(content).hexdigest()
        return Rendition(lambda: io.BytesIO(content), ".jpg", digest, verified=True, findings=())


class _MadeUp(Pipeline):
    """The real steps, without a pixel."""

    __slots__ = ()

    @contextmanager
    def _opened(self, item, key, progress) -> Iterator[_Opened]:
        yield _Opened(item.read())


# -- a home ---------------------------------------------------------------------------------------


class Moments:
    """Counts the moments at which something can happen, and lets it happen at one of them.

    They are called ``before write``, ``after write`` (it is committed, only the caller does not
    get to know), ``before call`` and ``after call`` (of the channel).
    """

    def __init__(self) -> None:
        self.recover()

    def recover(self) -> None:
        self._places: frozenset[str] = frozenset()
        self.struck = False

    def strike(
        self, number: int, error: Callable[[], BaseException], places: str, *, once: bool = False
    ) -> None:
        """Raise at the moment with this number of those places, and at all later ones.

        Args:
            number: from 1.
            error: makes what is raised.
            places: which moments, with commas between them.
            once: not at the later ones.
        """
        self.recover()
        self._places = frozenset(places.split(", "))
        self._left, self._error, self._once = number, error, once

    def pass_by(self, place: str) -> None:
        if place not in self._places:
            return
        self._left -= 1
        if self._left == 0 or (self._left < 0 and not self._once):
            self.struck = True
            raise self._error()


class FragileDatabase(Database):
    """Every write is a moment at which something can happen."""

    def __init__(self, url: str, moments: Moments) -> None:
        super().__init__(url)
        self._moments = moments

    @contextmanager
    def write(self):
        self._moments.pass_by("before write")
        with super().write() as session:
            yield session
        self._moments.pass_by("after write")


class FragileWorld(World):
    """A home with one misbehaving channel, and a clock that moves only when it is told to."""

    def __init__(self, home: Path, start: datetime | None = None, **channel: object) -> None:
        super().__init__(home)
        self.clock = start or datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
        self.moments = Moments()
        self.site = MisbehavingChannel(self.now, **channel)
        self.site.at_each = self.moments.pass_by
        self.secret_trouble: Exception | None = None
        self.told: list[str] = []

    def now(self) -> datetime:
        return self.clock

    def advance(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    @cached_property
    def database(self) -> FragileDatabase:
        url = self.config.database or f"sqlite:///{self.home / 'mediaguard.db'}"
        return FragileDatabase(url, self.moments)

    @cached_property
    def desk(self) -> Desk:
        rules = [self.rules(channel) for channel in self.config.channels]
        return Desk(
            self.database,
            self.keyring,
            rules,
            zone=self.config.zone,
            now=self.now,
            actor=self.actor,
            sleep=self.advance,
        )

    def channel(self, name: str) -> MisbehavingChannel:
        self.config.channel(name)
        if self.secret_trouble is not None:
            raise self.secret_trouble
        return self.site

    def pipeline(self, channel, groups=(), book=None) -> Pipeline:
        settings = self.config.channel(channel)
        policy = ChannelPolicy(channel, without_consent=settings.without_consent)
        looking = SimpleNamespace(policy=policy)
        return _MadeUp(
            looking=looking,
            looking_at_clips=looking,
            style=Style.FILL,
            limits=self.limits,
            clip_limits=None,
            max_bytes=self.max_bytes,
            max_clip_bytes=self.max_bytes,
            encoding=Encoding(),
            audio=Audio.KEEP,
            work=self.work,
            book=book or self.book(channel),
        )

    def replacing(self, how: str = "replace") -> None:
        """What a withdrawal asks for from now on."""
        channel = self.config.channels[CHANNEL]
        channels = self.config.channels | {CHANNEL: channel.model_copy(update={"takedown": how})}
        self.__dict__["config"] = self.config.model_copy(update={"channels": channels})
        self.__dict__.pop("desk", None)

    # -- acts

    def process(self, path: Path):
        return self.pipeline(CHANNEL).process(path, vault=self.vault, channel=self.channel(CHANNEL))

    def worker(self) -> Worker:
        return Worker(self, tell=self.told.append)

    def finish(self, minutes: float = 60) -> None:
        """Let a new worker go on until there is nothing left to do; for an hour at most."""
        worker, end = self.worker(), self.clock + timedelta(minutes=minutes)
        worker.drain()
        while self.left_to_do() and self.clock < end:
            self.clock = max(self._next_moment(), self.clock + timedelta(seconds=1))
            worker.drain()

    def _next_moment(self) -> datetime:
        """When something is due, or is not in anybody's hands any more."""
        columns = (
            ItemRow.next_attempt_at,
            ItemRow.lease_until,
            ItemRow.hinted_at,
            TakedownRow.next_attempt_at,
        )
        with self.database.read() as session:
            moments = [moment for column in columns for moment in session.scalars(select(column))]
        later = [moment for moment in moments if moment is not None and moment > self.clock]
        return min([*later, self.clock + LOST_AFTER])

    # -- what is known

    def left_to_do(self) -> list[str]:
        with self.database.read() as session:
            items = session.scalars(select(ItemRow.id).where(ItemRow.next_attempt_at.is_not(None)))
            takedowns = session.scalars(select(TakedownRow.id).where(TakedownRow.state.in_(OPEN)))
            return [*items, *takedowns]

    def takedowns(self) -> list[TakedownRow]:
        with self.database.read() as session:
            query = select(TakedownRow).order_by(TakedownRow.requested_at, TakedownRow.id)
            return [*session.scalars(query)]

    def visible(self) -> set[str]:
        """Everybody who can be seen somewhere."""
        return {name for page in self.site.pages.values() for name in page.people}

    def check(self) -> None:
        """The promise, when there is nothing left to do."""
        assert self.left_to_do() == []
        rulings = self.desk.rulings()
        with self.database.read() as session:
            rows = [*session.scalars(select(PublicationRow))]
        live = {row.id: row for row in rows if row.state == "live"}
        for url, page in self.site.pages.items():
            for name in page.people:
                assert rulings[name][CHANNEL].allowed, f"{url} shows {name}, who may not be shown"
            assert any(url in row.urls for row in live.values()), f"{url} is on no record"
        for row in live.values():
            for url in row.urls:
                assert url in self.site.pages, f"{row.id} is recorded as live, but {url} is gone"
                assert self.site.pages[url].sha256 == row.rendition_sha256
        copies = defaultdict(set)
        for page in self.site.pages.values():
            copies[page.item_id].add(page.remote_id)
        assert all(len(ids) == 1 for ids in copies.values()), "an item is published twice"
        assert len({row.item_id for row in live.values()}) == len(live)


# -- many homes, quickly --------------------------------------------------------------------------


class Homes:
    """Copies of one prepared home: three subjects who agreed to the public website.

    Args:
        folder: for the one that is copied.
        url: of an empty PostgreSQL database, which all copies use, one at a time.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        prepared = make_world(folder, url)
        self._home, self._rows = prepared.home, None
        if url is not None:
            with prepared.database.read() as session:
                self._rows = [
                    (table, [dict(row) for row in session.execute(select(table)).mappings()])
                    for table in Base.metadata.sorted_tables
                ]
        prepared.database.close()

    @contextmanager
    def new(self, folder: Path, **channel: object) -> Iterator[FragileWorld]:
        world = FragileWorld(Path(shutil.copytree(self._home, folder / "home")), **channel)
        if self._rows is not None:
            self._restore(world.database)
        yield world
        world.database.close()

    def _restore(self, database: Database) -> None:
        with database.write() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
            for table, _ in reversed(self._rows):
                session.execute(table.delete())
            for table, content in self._rows:
                if content:
                    session.execute(table.insert(), content)
