"""A home in which every moment can be the last, and whose promises can be compared with the truth.

Photos are made up: their bytes name who is in them, and so do those of a rendition. All else is
real: records, vault, decisions, every step between them.
"""

import hashlib
import io
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text

from mediaguard.core.decision import ChannelPolicy, Decision
from mediaguard.core.faces import Assessment, Box, Candidate, Detection, Face, Match
from mediaguard.core.media import Audio, Encoding
from mediaguard.media.redaction import Style
from mediaguard.pipeline.process import Pipeline
from mediaguard.pipeline.render import Rendition
from mediaguard.store.database import Database
from mediaguard.store.desk import Desk
from mediaguard.store.schedule import LOST_AFTER
from mediaguard.store.tables import Base, ItemRow, PublicationRow, TakedownRow
from mediaguard.store.takedowns import OPEN, Takedowns
from mediaguard.work import Worker
from tests.faults.misbehaving import MisbehavingChannel, people_in
from tests.pipeline.world import CHANNEL, World, make_world


class PowerCut(BaseException):
    """Nothing that the process would still do happens."""


# -- made-up pictures -----------------------------------------------------------------------------


def photo(path: Path, *people: str, seed: int | str = 0) -> Path:
    """A photo of these people; ``S-1~S-2`` is somebody taken for S-1 who looks like S-2 too."""
    path.write_bytes(b"photo %s %s" % (str(seed).encode(), ",".join(people).encode()))
    return path


class Opened:
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
    def _opened(self, item, key, progress) -> Iterator[Opened]:
        yield Opened(item.read())


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
    """Every write is one of the `moments`."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.moments = Moments()

    @contextmanager
    def write(self):
        self.moments.pass_by("before write")
        with super().write() as session:
            yield session
        self.moments.pass_by("after write")


class FragileWorld(World):
    """A home with one misbehaving channel, and a clock that moves only when it is told to."""

    def __init__(self, home: Path, start: datetime | None = None, **channel: object) -> None:
        super().__init__(home)
        self.clock = start or datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=5)
        self.site = MisbehavingChannel(self.now, **channel)
        self.site.at_each = lambda place: self.moments.pass_by(place)
        self.secret_trouble: Exception | None = None
        self.told: list[str] = []

    def now(self) -> datetime:
        return self.clock

    def advance(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)

    @property
    def moments(self) -> Moments:
        return self.database.moments

    @cached_property
    def database(self) -> FragileDatabase:
        url = self.config.database or f"sqlite:///{self.home / 'mediaguard.db'}"
        return FragileDatabase(url)

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
            written=self.wordings.written,
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

    def configure(self, **settings: object) -> None:
        """Change settings of the channel."""
        channel = self.config.channels[CHANNEL].model_copy(update=settings)
        channels = self.config.channels | {CHANNEL: channel}
        self.__dict__["config"] = self.config.model_copy(update={"channels": channels})
        self.__dict__.pop("desk", None)

    def replacing(self, how: str = "replace") -> None:
        """What a withdrawal asks for from now on."""
        self.configure(takedown=how)

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

    def items_left_to_do(self) -> set[str]:
        """Items that are due, or of which something is to be taken down."""
        with self.database.read() as session:
            due = session.scalars(select(ItemRow.id).where(ItemRow.next_attempt_at.is_not(None)))
            asked = select(TakedownRow.item_id).where(TakedownRow.state.in_(OPEN))
            return {*due, *session.scalars(asked)}

    def item_of(self, path: Path) -> str:
        return self.book(CHANNEL).item_id(hashlib.sha256(path.read_bytes()).hexdigest())

    def state(self, item_id: str) -> str | None:
        with self.database.read() as session:
            item = session.get(ItemRow, item_id)
            return None if item is None else item.state

    def takedowns(self, *states: str) -> Sequence[TakedownRow]:
        """The longest waiting first; all, or those in some states."""
        with self.database.read() as session:
            return Takedowns(session).list(states=states or None)

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
            assert len(row.urls) >= 2, f"{row.id} has lost an address"
            for number, url in enumerate(row.urls):
                if number >= 2 and url not in self.site.pages:
                    continue  # where it was before
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

    All of them use the same database, one after the other, which is brought back to what it was.

    Args:
        folder: for the one that is copied.
        url: of an empty PostgreSQL database; None for SQLite.
    """

    def __init__(self, folder: Path, url: str | None = None) -> None:
        prepared = make_world(folder / "prepared", url)
        prepared.database.close()
        self._home = prepared.home
        self._file = None if url else folder / "shared.db"
        if self._file is not None:
            shutil.copy(self._home / "mediaguard.db", self._file)
        self.database = FragileDatabase(url or f"sqlite:///{self._file}")
        with self.database.read() as session:
            self._rows = [
                (table, [dict(row) for row in session.execute(select(table)).mappings()])
                for table in Base.metadata.sorted_tables
            ]

    @contextmanager
    def new(self, folder: Path, **channel: object) -> Iterator[FragileWorld]:
        world = FragileWorld(Path(shutil.copytree(self._home, folder / "home")), **channel)
        self._restore()
        world.__dict__["database"] = self.database
        yield world
        self.database.moments.recover()

    def _restore(self) -> None:
        if self._file is not None:
            self.database.close()
            for old in self._file.parent.glob(f"{self._file.name}-*"):
                old.unlink()
            shutil.copy(self._home / "mediaguard.db", self._file)
            return
        with self.database.write() as session:
            session.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers
            for table, _ in reversed(self._rows):
                session.execute(table.delete())
            for table, content in self._rows:
                if content:
                    session.execute(table.insert(), content)


@contextmanager
def homes_on(request: pytest.FixtureRequest, folder: Path) -> Iterator[Homes]:
    """On the kind of database that is the fixture's parameter."""
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            server = request.getfixturevalue("postgresql_server")
            url = stack.enter_context(server())
        homes = Homes(folder, url)
        yield homes
        homes.database.close()
