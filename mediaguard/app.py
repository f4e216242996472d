"""Builds everything from the configuration: the only file that knows every adapter."""

import copy
import logging
import os
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, overload

from sqlalchemy.orm import Session

from mediaguard import config as configuration
from mediaguard.channels.registry import connect
from mediaguard.config import FILE_NAME, Config
from mediaguard.core.consent import Subject
from mediaguard.core.decision import ChannelPolicy
from mediaguard.core.faces import Candidate, Embedding
from mediaguard.core.matching import GalleryIndex, MatchPolicy, near_duplicates, own_distance
from mediaguard.core.media import Encoding
from mediaguard.core.names import Named, NameIndex, Text
from mediaguard.core.ports import Detector, Embedder
from mediaguard.errors import ConfigError, InputError, MediaguardError, StoreError
from mediaguard.media.clip import ClipLimits
from mediaguard.media.photo import Limits
from mediaguard.media.redaction import Style
from mediaguard.namelist import read_names
from mediaguard.pipeline.admit import Admitted, admit, admit_sent
from mediaguard.pipeline.enrol import ReferencePolicy, make_reference
from mediaguard.pipeline.ports import Channel, Looking
from mediaguard.pipeline.process import Pipeline
from mediaguard.pipeline.release import settle
from mediaguard.pipeline.takedown import fail, take_down
from mediaguard.resources import resource
from mediaguard.sent import Sent
from mediaguard.store.book import ChannelRules
from mediaguard.store.database import Database
from mediaguard.store.desk import Desk
from mediaguard.store.entrance import Entrance
from mediaguard.store.gallery import Gallery
from mediaguard.store.keys import Keyring
from mediaguard.store.ledger import Ledger
from mediaguard.store.sessions import Limits as SessionLimits
from mediaguard.store.sessions import Sessions
from mediaguard.store.takedown_book import TakedownBook
from mediaguard.store.user_desk import UserDesk
from mediaguard.store.vault import Vault
from mediaguard.vision.quality import measure
from mediaguard.vision.registry import (
    CLIP_DETECTORS,
    CLIP_VERIFIERS,
    DETECTORS,
    EMBEDDERS,
    VERIFIERS,
)
from mediaguard.wordings import Wordings

log = logging.getLogger(__name__)

T = TypeVar("T")

NEAR = 0.45
"""A new reference this near to another subject is reported: siblings, twins, or a mix-up."""

ODD = 0.5
"""A new reference this far from the mean of the subject's others may be somebody else's."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What became of a photo offered as a reference.

    Attributes:
        photo: the file.
        refused: why nothing was stored; None if it was.
        count: how many references the subject has now.
        near: other subjects that it resembles, nearest first.
        own_distance: to the mean of the subject's other references; None for the first.
    """

    photo: Path
    refused: MediaguardError | None = None
    count: int = 0
    near: Sequence[Candidate] = ()
    own_distance: float | None = None


def _doubt(
    photo: Path, subject_id: str, face: Embedding, gallery: GalleryIndex, own: float | None
) -> InputError | None:
    """Why a photo does not seem to be of the subject; None if nothing speaks against it."""
    if own is None or own <= ODD:
        return None
    nearer = near_duplicates(face, gallery, subject_id, own)
    if not nearer:
        return None
    return InputError(
        "enrol-doubtful",
        photo=photo.name,
        subject=subject_id,
        own=own,
        other=nearer[0].subject_id,
        distance=nearer[0].distance,
    )


class _shared(cached_property[T]):  # noqa: N801 - a decorator
    """Built once for a home, whoever acts in it."""

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> "_shared[T]": ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """The part; of the home itself, not of a view on it."""
        return self if instance is None else super().__get__(instance._root, owner)


class App:
    """A home folder and what stands in it; parts are built when they are first needed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.eyes = threading.Lock()
        """Held by whoever looks at pixels: several threads take turns, for the sake of memory."""
        self.served_at: str | None = None
        """Where this process serves the home, which may be another port than is configured."""
        self._actor: str | None = None
        self._root = self

    def acting_as(self, actor: str) -> "App":
        """The same home in the hands of somebody who is signed in: the audit log names them."""
        other = copy.copy(self)
        other.__dict__.pop("desk", None)
        other._actor = actor
        return other

    # -- the home ---------------------------------------------------------------------------

    def create(self, language: str = "en") -> bool:
        """Make the home; False if there is one already (then only what is missing is made).

        Raises:
            ConfigError: the folder cannot be made, or its configuration is not usable.
        """
        path = self.home / FILE_NAME
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            created = not path.exists()
            if created:
                # Never for a home that is in use: what it holds is encrypted with its own key.
                if not self._key_path.exists():
                    Keyring.create(self._key_path)
                template = resource("config", FILE_NAME).read_text(encoding="utf-8")
                path.write_text(
                    template.replace('language = "en"', f'language = "{language}"'),
                    encoding="utf-8",
                )
            self._make_folders()
        except OSError as error:
            raise ConfigError(
                "home-unwritable", home=self.home, detail=error.strerror or "?"
            ) from error
        _ = self.keyring  # a home that lost its key says so now, not when a photo comes
        self.database.migrate()
        return created

    def _make_folders(self) -> None:
        for channel in self.config.channels:
            self.inbox(channel).mkdir(parents=True, exist_ok=True)
            self.ready(channel).mkdir(parents=True, exist_ok=True)
        for folder in ("models", "wordings", "mappings"):
            (self.home / folder).mkdir(exist_ok=True)

    @_shared
    def config(self) -> Config:
        """The checked configuration."""
        return configuration.load(self.home)

    @property
    def language(self) -> str:
        """The configured language; English where there is no usable configuration."""
        try:
            return self.config.language.value
        except ConfigError:
            return "en"

    @property
    def origin(self) -> str:
        """Where people find the pages of the home; links begin with it."""
        web = self.config.web
        return web.address or self._root.served_at or web.site

    @property
    def _key_path(self) -> Path:
        return self.home / "keys" / "master.key"

    def inbox(self, channel: str) -> Path:
        """Where staff drop pictures for `channel`."""
        return self.home / "inbox" / channel

    def ready(self, channel: str) -> Path:
        """Where the folder connector publishes for `channel`."""
        return self.home / "ready" / channel

    @property
    def work(self) -> Path:
        """Where long work is done; for its owner only."""
        return self.home / "work"

    # -- what remembers ---------------------------------------------------------------------

    @staticmethod
    def now() -> datetime:
        """The present moment, with its zone."""
        return datetime.now(UTC)

    @property
    def actor(self) -> str:
        """Who acts, for the audit log: a user of the machine, not a name."""
        if self._actor is not None:
            return self._actor
        return f"uid:{os.getuid()}" if hasattr(os, "getuid") else "local"

    @_shared
    def keyring(self) -> Keyring:
        """The master key and what is derived from it."""
        return Keyring.load(self._key_path)

    @_shared
    def database(self) -> Database:
        """The records."""
        return Database(self.config.database or f"sqlite:///{self.home / 'mediaguard.db'}")

    @_shared
    def vault(self) -> Vault:
        """The encrypted originals."""
        return Vault(self.home / "vault", self.keyring)

    @_shared
    def wordings(self) -> Wordings:
        """The texts by which consent is asked."""
        return Wordings(self.home / "wordings", self.database)

    def rules(self, channel: str) -> ChannelRules:
        """Which consent counts on a channel."""
        configured = self.config.channel(channel)
        return ChannelRules(
            takedown=configured.takedown,
            channel=channel,
            purpose=configured.purpose,
            zone=self.config.zone,
            accepted_wordings=None
            if configured.wordings is None
            else frozenset(configured.wordings),
        )

    def book(self, channel: str) -> TakedownBook:
        """The records of one channel.

        Of a channel that is not configured any more it still knows what was published there.
        """
        if channel in self.config.channels:
            rules = self.rules(channel)
        else:
            rules = ChannelRules(channel, "", self.config.zone, frozenset())
        return TakedownBook(self.database, self.keyring, rules, now=self.now, actor=self.actor)

    @cached_property
    def desk(self) -> Desk:
        """Where staff records subjects and consent."""
        return Desk(
            self.database,
            self.keyring,
            [self.rules(channel) for channel in self.config.channels],
            zone=self.config.zone,
            now=self.now,
            actor=self.actor,
            written=self.wordings.written,
        )

    @property
    def users(self) -> UserDesk:
        """Where accounts are kept."""
        return UserDesk(self.database, self.keyring, now=lambda: self._root.now(), actor=self.actor)

    @_shared
    def sessions(self) -> Sessions:
        """Who is signed in."""
        web = self.config.web
        limits = SessionLimits(
            idle=timedelta(minutes=web.idle_minutes), longest=timedelta(hours=web.session_hours)
        )
        return Sessions(self.database, self.keyring, lambda: self._root.now(), limits)

    @_shared
    def entrance(self) -> Entrance:
        """Where people sign in."""
        return Entrance(self.database, self.keyring, lambda: self._root.now(), self.sessions)

    def channel(self, name: str) -> Channel:
        """The connector of a channel.

        Raises:
            ConfigError: there is no such channel, or a secret of it cannot be read.
        """
        return connect(self.config.channel(name), self.ready(name), self.home)

    def gallery(self, session: Session) -> Gallery:
        """The stored references, within a transaction."""
        return Gallery(session, self.keyring, zone=self.config.zone)

    def require_groups(self, groups: Collection[str]) -> None:
        """Refuse a group that nobody is in.

        Raises:
            InputError: there is one: a typing mistake, most likely.
        """
        with self.database.read() as session:
            for group in groups:
                if not Ledger(session).subjects(group):
                    raise InputError("group-unknown", group=group)

    def gallery_index(self, groups: Collection[str] = ()) -> GalleryIndex:
        """Everybody who can be recognised now; only those in one of `groups`, if any."""
        with self.database.read() as session:
            references = self.gallery(session).references(
                self.embedder.name, now=self.now(), groups=groups or None
            )
        return GalleryIndex.build(references)

    def named_in(self, text: Text) -> Sequence[Named]:
        """Whose names stand in a text; nobody's if the school gave no list of names.

        Raises:
            ConfigError: there should be a list, and it cannot be used.
        """
        if self.config.names is None:
            return ()
        return NameIndex.build(read_names(self.home / self.config.names)).find(text)

    # -- what looks -------------------------------------------------------------------------

    @_shared
    def detector(self) -> Detector:
        """The configured face detector."""
        return DETECTORS[self.config.detection.detector](self.home / "models")

    @_shared
    def verifier(self) -> Detector:
        """The detector that searches what came out."""
        return VERIFIERS[self.config.detection.detector](self.home / "models")

    @_shared
    def clip_detector(self) -> Detector:
        """The configured face detector, for the frames of clips."""
        return CLIP_DETECTORS[self.config.detection.detector](self.home / "models")

    @_shared
    def clip_verifier(self) -> Detector:
        """The detector that searches the clip that came out."""
        return CLIP_VERIFIERS[self.config.detection.detector](self.home / "models")

    @_shared
    def embedder(self) -> Embedder:
        """The configured face recogniser."""
        return EMBEDDERS[self.config.matching.embedder]()

    @property
    def limits(self) -> Limits:
        """Which pictures are too large."""
        return Limits(max_pixels=self.config.limits.max_megapixels * 1_000_000)

    @property
    def max_bytes(self) -> int:
        """Which files are too large."""
        return self.config.limits.max_file_mb * 1_000_000

    def pipeline(
        self, channel: str, groups: Collection[str] = (), book: TakedownBook | None = None
    ) -> Pipeline:
        """The steps for a channel, with the gallery as it is now.

        Args:
            channel: where pictures are to go.
            groups: search only subjects of these groups; empty for all.
            book: the channel's records, if an item is in hand there already.
        """
        rules, matching = self.config.channel(channel), self.config.matching
        looking = Looking(
            detector=self.detector,
            verifier=self.verifier,
            embedder=self.embedder,
            measure=measure,
            gallery=self.gallery_index(groups),
            matching=MatchPolicy(threshold=matching.threshold, margin=matching.margin),
            policy=ChannelPolicy(
                channel=channel,
                without_consent=rules.without_consent,
                max_redacted_share=rules.max_redacted_share,
                min_height=matching.min_height,
                identify_score=self.config.detection.identify_score,
            ),
        )
        limits, video = self.config.limits, self.config.video
        return Pipeline(
            looking=looking,
            looking_at_clips=replace(
                looking, detector=self.clip_detector, verifier=self.clip_verifier
            ),
            style=Style(self.config.redaction.style),
            limits=self.limits,
            clip_limits=ClipLimits(max_minutes=limits.max_video_minutes),
            max_bytes=self.max_bytes,
            max_clip_bytes=limits.max_video_mb * 1_000_000,
            encoding=Encoding(video.codec, video.quality),
            audio=rules.audio,
            work=self.work,
            book=book or self.book(channel),
            groups=groups,
        )

    # -- people -----------------------------------------------------------------------------

    def subjects(self) -> list[Subject]:
        """Everybody on record."""
        with self.database.read() as session:
            return Ledger(session).subjects()

    def enrol(
        self, subject_id: str, photos: Iterable[Path | Sent], *, sure: bool = False
    ) -> list[Enrolment]:
        """Make references of `photos`, each by itself; a photo that is no good is reported.

        So is one that is unlike the subject's others and nearer to somebody else: it would make
        mediaguard take that person for the subject.

        Whoever has other threads beside holds `eyes`.

        Args:
            subject_id: whose.
            photos: of one face each.
            sure: a person looked, and these photos do show the subject.

        Raises:
            InputError: the subject is not known or did not opt in; nothing was stored.
        """
        policy = ReferencePolicy(identify_score=self.config.detection.identify_score)
        policy = replace(policy, min_height=max(policy.min_height, self.config.matching.min_height))
        with self.database.read() as session:
            self.gallery(session).require_opt_in(subject_id, self.now())
        made = []
        for offered in photos:
            photo = offered if isinstance(offered, Path) else Path(offered.name)
            try:
                reference = make_reference(
                    self._admitted(offered),
                    detector=self.detector,
                    embedder=self.embedder,
                    measure=measure,
                    policy=policy,
                    limits=self.limits,
                )
            except MediaguardError as error:
                made.append(Enrolment(photo, refused=error))
                continue
            gallery = self.gallery_index()  # as it is before this reference joins it
            own = own_distance(reference.embedding, gallery, subject_id)
            doubt = None if sure else _doubt(photo, subject_id, reference.embedding, gallery, own)
            if doubt is not None:
                made.append(Enrolment(photo, refused=doubt))
                continue
            count = self.desk.add_reference(
                subject_id,
                model=self.embedder.name,
                embedding=reference.embedding,
                quality=reference.quality,
                sha256=reference.sha256,
            )
            made.append(
                Enrolment(
                    photo,
                    count=count,
                    near=near_duplicates(reference.embedding, gallery, subject_id, NEAR),
                    own_distance=own,
                )
            )
        return made

    def _admitted(self, photo: Path | Sent) -> Admitted:
        if isinstance(photo, Sent):
            return admit_sent(photo, max_bytes=self.max_bytes)
        return admit(photo, max_bytes=self.max_bytes, max_clip_bytes=self.max_bytes)

    # -- what was published -----------------------------------------------------------------

    def take_down(self, item_id: str, book: TakedownBook) -> None:
        """One attempt at everything of an item that is to be taken down now.

        Args:
            item_id: the item, which is in hand.
            book: where it is in hand.
        """
        orders = book.orders(item_id)
        if not orders:
            return
        try:
            channel = self.channel(book.channel)
        except ConfigError as error:
            for order in orders:
                fail(order, error, book=book)
            return
        try:  # what was begun may stand where something has to go
            settle(item_id, book=book, channel=channel)
            orders = book.orders(item_id)
        except StoreError:
            raise
        except Exception:  # each order meets with it again, and puts it on record
            log.exception("what became of a publication could not be found out")
        for order in orders:
            take_down(order, book=book, channel=channel)
