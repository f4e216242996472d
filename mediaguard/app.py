"""Builds everything from the configuration: the only file that knows every adapter."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from mediaguard import config as configuration
from mediaguard.channels.folder import FolderChannel
from mediaguard.config import FILE_NAME, Config
from mediaguard.core.decision import ChannelPolicy
from mediaguard.core.matching import GalleryIndex, MatchPolicy
from mediaguard.core.ports import Detector, Embedder
from mediaguard.errors import ConfigError
from mediaguard.media.photo import Limits
from mediaguard.media.redaction import Style
from mediaguard.pipeline.process import Pipeline
from mediaguard.resources import resource
from mediaguard.store.book import ChannelBook, ChannelRules
from mediaguard.store.database import Database
from mediaguard.store.keys import Keyring
from mediaguard.store.vault import Vault


class App:
    """A home folder and what stands in it; parts are built when they are first needed."""

    def __init__(self, home: Path) -> None:
        self.home = home

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
                template = resource("config", FILE_NAME).read_text(encoding="utf-8")
                path.write_text(
                    template.replace('language = "en"', f'language = "{language}"'),
                    encoding="utf-8",
                )
            if not self._key_path.exists():
                Keyring.create(self._key_path)
            self._make_folders()
        except OSError as error:
            raise ConfigError(
                "home-unwritable", home=self.home, detail=error.strerror or "?"
            ) from error
        self.database.migrate()
        return created

    def _make_folders(self) -> None:
        for channel in self.config.channels:
            self.inbox(channel).mkdir(parents=True, exist_ok=True)
            self.ready(channel).mkdir(parents=True, exist_ok=True)
        (self.home / "models").mkdir(exist_ok=True)

    @cached_property
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
    def _key_path(self) -> Path:
        return self.home / "keys" / "master.key"

    def inbox(self, channel: str) -> Path:
        """Where staff drop pictures for `channel`."""
        return self.home / "inbox" / channel

    def ready(self, channel: str) -> Path:
        """Where the folder connector publishes for `channel`."""
        return self.home / "ready" / channel

    # -- what remembers ---------------------------------------------------------------------

    @staticmethod
    def now() -> datetime:
        """The present moment, with its zone."""
        return datetime.now(UTC)

    @property
    def actor(self) -> str:
        """Who acts, for the audit log: a user of the machine, not a name."""
        return f"uid:{os.getuid()}" if hasattr(os, "getuid") else "local"

    @cached_property
    def keyring(self) -> Keyring:
        """The master key and what is derived from it."""
        return Keyring.load(self._key_path)

    @cached_property
    def database(self) -> Database:
        """The records."""
        return Database(self.config.database or f"sqlite:///{self.home / 'mediaguard.db'}")

    @cached_property
    def vault(self) -> Vault:
        """The encrypted originals."""
        return Vault(self.home / "vault", self.keyring)

    def book(self, channel: str) -> ChannelBook:
        """The records of one channel."""
        rules = self.config.channel(channel)
        return ChannelBook(
            self.database,
            self.keyring,
            ChannelRules(
                channel=channel,
                purpose=rules.purpose,
                zone=self.config.zone,
                accepted_wordings=frozenset(rules.wordings) if rules.wordings is not None else None,
            ),
            now=self.now,
            actor=self.actor,
        )

    def channel(self, name: str) -> FolderChannel:
        """The connector of a channel."""
        self.config.channel(name)
        return FolderChannel(self.ready(name))
