"""The connectors by their names in the configuration."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from mediaguard import config
from mediaguard.channels.facebook import FacebookChannel
from mediaguard.channels.folder import FolderChannel
from mediaguard.channels.http import HttpChannel
from mediaguard.channels.newsletter import NewsletterChannel
from mediaguard.channels.purge import Cloudflare, Purged
from mediaguard.channels.wordpress import WordPressChannel
from mediaguard.core.publication import Abilities
from mediaguard.secrets import read_secret

AnyConnector: TypeAlias = (
    FolderChannel | WordPressChannel | HttpChannel | FacebookChannel | NewsletterChannel
)
AnyChannel: TypeAlias = AnyConnector | Purged


def connect(settings: config.Channel, folder: Path, home: Path) -> AnyChannel:
    """The connector of a channel.

    Args:
        settings: of the channel, checked.
        folder: where the channel's renditions lie if it is one of files.
        home: where the files with secrets are looked for.

    Raises:
        ConfigError: a secret cannot be read.
    """
    channel = CONNECTORS[settings.connector](settings, folder, home)
    if settings.cloudflare is None:
        return channel
    zone = settings.cloudflare
    return Purged(channel, Cloudflare(zone.zone, read_secret(zone.token, home), api=zone.api))


def abilities(settings: config.Channel) -> Abilities:
    """What a channel can do; known without its secrets."""
    return _CLASSES[settings.connector].abilities


def _folder(_settings: config.Channel, folder: Path, _home: Path) -> AnyChannel:
    return FolderChannel(folder)


def _wordpress(settings: config.Channel, _folder: Path, home: Path) -> AnyChannel:
    site = settings.wordpress
    assert site is not None
    return WordPressChannel(site.url, site.user, read_secret(site.password, home))


def _http(settings: config.Channel, _folder: Path, home: Path) -> AnyChannel:
    cms = settings.http
    assert cms is not None
    return HttpChannel(cms.url, [read_secret(secret, home) for secret in cms.secrets])


def _facebook(settings: config.Channel, _folder: Path, home: Path) -> AnyChannel:
    page = settings.facebook
    assert page is not None
    return FacebookChannel(page.page, read_secret(page.token, home), api=page.api)


def _newsletter(_settings: config.Channel, folder: Path, _home: Path) -> AnyChannel:
    return NewsletterChannel(folder)


CONNECTORS: dict[str, Callable[[config.Channel, Path, Path], AnyChannel]] = {
    "folder": _folder,
    "wordpress": _wordpress,
    "http": _http,
    "facebook": _facebook,
    "newsletter": _newsletter,
}

_CLASSES: dict[str, type[AnyConnector]] = {
    "folder": FolderChannel,
    "wordpress": WordPressChannel,
    "http": HttpChannel,
    "facebook": FacebookChannel,
    "newsletter": NewsletterChannel,
}
