"""The configuration: one TOML file in the home folder, checked before anything runs.

Every setting has a default; a setting that does not exist is an error, so that a typing
mistake in a rule never goes unnoticed.
"""

import tomllib
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from mediaguard.core.consent import MATCHING
from mediaguard.core.decision import ChannelPolicy, WithoutConsent
from mediaguard.core.matching import MatchPolicy
from mediaguard.core.media import Audio, Codec, Encoding, Quality
from mediaguard.errors import ConfigError
from mediaguard.mistakes import mistakes
from mediaguard.resources import resource

FILE_NAME = "mediaguard.toml"
_RECORDS = ("keys/master.key", "mediaguard.db", "vault")
ChannelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+[^\s?#/]$")]
PublicAddress = Annotated[str, StringConstraints(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?$")]
"""Where a server is found from elsewhere: only ever over TLS, and without a path."""
SecretReference = Annotated[str, StringConstraints(pattern=r"^(env|file):\S+$")]
"""Where a secret is found, never the secret: ``env:NAME`` or ``file:PATH`` (see `secrets.py`)."""


_MATCH, _POLICY, _ENCODING = MatchPolicy(), ChannelPolicy(channel=""), Encoding()
"""The measured defaults stand where the rules are; the configuration only repeats them."""


class Language(StrEnum):
    """The languages in which mediaguard speaks to staff."""

    EN = "en"
    NL = "nl"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Detection(_Section):
    """How faces are looked for."""

    detector: Literal["centerface", "face_recognition_hog", "face_recognition_cnn", "yunet"] = (
        "centerface"
    )
    identify_score: Share = _POLICY.identify_score


class Matching(_Section):
    """When a face is taken for a subject. The defaults are measured: see docs/decisions."""

    embedder: Literal["dlib"] = "dlib"
    threshold: Annotated[float, Field(gt=0.0, le=0.6)] = _MATCH.threshold
    margin: Annotated[float, Field(ge=0.0, le=0.5)] = _MATCH.margin
    min_height: Annotated[int, Field(ge=20)] = int(_POLICY.min_height)
    wording: str | None = None
    """By which the opt-in is asked now, on personal links."""


class Redaction(_Section):
    """How a face is made unrecognisable."""

    style: Literal["fill", "mosaic", "blur"] = "fill"


class Limits(_Section):
    """What is refused because of its size."""

    max_megapixels: Annotated[int, Field(ge=1, le=300)] = 150
    max_file_mb: Annotated[int, Field(ge=1, le=2000)] = 200
    max_video_mb: Annotated[int, Field(ge=1, le=100_000)] = 8000
    max_video_minutes: Annotated[int, Field(ge=1, le=600)] = 60


class Video(_Section):
    """How finished videos are written."""

    codec: Codec = _ENCODING.codec
    quality: Quality = _ENCODING.quality


class Watch(_Section):
    """How the inbox folders are watched."""

    polling: bool = False
    settle_seconds: Annotated[float, Field(ge=0.1, le=600)] = 2.0


class WordPress(_Section):
    """A WordPress site whose media library is published to."""

    url: WebAddress
    user: str
    password: SecretReference


class Http(_Section):
    """A website's own system that follows docs/guides/cms-builder.md."""

    url: WebAddress
    secrets: Annotated[tuple[SecretReference, ...], Field(min_length=1)]


class Facebook(_Section):
    """A Facebook page."""

    page: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,32}$")]
    token: SecretReference
    api: WebAddress = "https://graph.facebook.com/v25.0"


class Newsletter(_Section):
    """A newsletter: what was sent cannot be recalled, only told."""

    recipients: Annotated[tuple[str, ...], Field(min_length=1)]


class Cloudflare(_Section):
    """A zone of Cloudflare's cache in front of a website."""

    zone: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    token: SecretReference
    api: WebAddress = "https://api.cloudflare.com/client/v4"


class Channel(_Section):
    """One place where pictures are published, and its rules."""

    connector: Literal["folder", "wordpress", "http", "facebook", "newsletter"] = "folder"
    wordpress: WordPress | None = None
    http: Http | None = None
    facebook: Facebook | None = None
    newsletter: Newsletter | None = None
    cloudflare: Cloudflare | None = None
    takedown: Literal["remove", "replace"] = "remove"
    purpose: str = "publicity"
    without_consent: WithoutConsent = _POLICY.without_consent
    max_redacted_share: Share = _POLICY.max_redacted_share
    audio: Audio = Audio.KEEP
    wordings: tuple[str, ...] | None = None
    wording: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.connector != "folder" and getattr(self, self.connector) is None:
            raise ValueError(f"connector {self.connector!r} needs a section of that name")
        if self.takedown == "replace" and self.connector in ("facebook", "newsletter"):
            raise ValueError(f"connector {self.connector!r} cannot replace what was published")
        if None not in (self.wording, self.wordings) and self.wording not in (self.wordings or ()):
            raise ValueError(f"the wording {self.wording!r} is not one of those that count")
        return self

    @property
    def asked(self) -> str | None:
        """The wording by which consent is asked now."""
        return self.wording or (self.wordings[-1] if self.wordings else None)


class Takedown(_Section):
    """When somebody is told that something should have been gone."""

    overdue_minutes: Annotated[int, Field(ge=1)] = 60
    repeat_hours: Annotated[int, Field(ge=1)] = 24


class Mail(_Section):
    """The mail server through which staff is told what is overdue."""

    server: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    encryption: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretReference | None = None
    sender: str
    recipients: Annotated[tuple[str, ...], Field(min_length=1)]


class Sender(_Section):
    """A system that may call the API, such as the website or the parents' app.

    `secrets` sign what it sends and what is sent back; two while they are exchanged.
    """

    secrets: Annotated[tuple[SecretReference, ...], Field(min_length=1)]
    channels: tuple[ChannelName, ...] = ()
    consents: bool = False
    callback: WebAddress | None = None
    fetch_hosts: tuple[str, ...] = ()
    per_minute: Annotated[int, Field(ge=1, le=100_000)] = 120


class Oidc(_Section):
    """The school's own accounts (OpenID Connect), to sign in with.

    `claim` is what users are recognised by; the values of `mfa` in the claim `amr` say that the
    provider asked for a second factor.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=40)] = "OpenID Connect"
    issuer: WebAddress
    client_id: str
    client_secret: SecretReference
    claim: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")] = "sub"
    scopes: tuple[str, ...] = ("openid",)
    mfa: tuple[str, ...] = ("mfa",)

    @field_validator("issuer")
    @classmethod
    def _private(cls, value: str) -> str:
        if not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError("only over https://")
        return value

    @field_validator("scopes")
    @classmethod
    def _with_openid(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in value:
            raise ValueError('"openid" is needed')
        return value


LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""What this machine is called where nobody else can reach it."""


class Web(_Section):
    """The server that staff and other systems use.

    `address` is where it is found from elsewhere, through a web server with TLS before it or by
    its own certificate; `trusted_proxies` may say for whom they ask. Without them it is whatever is
    on this machine, where nobody else can reach it: one visitor is not to count for all others.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8321
    address: PublicAddress | None = None
    tls_certificate: str | None = None
    tls_key: str | None = None
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    session_hours: Annotated[int, Field(ge=1, le=24 * 7)] = 12
    oidc: Oidc | None = None
    personal_link_days: Annotated[int, Field(ge=1, le=4000)] = 400
    senders: dict[ChannelName, Sender] = {}

    @property
    def site(self) -> str:
        """Where the pages are found, as far as the configuration tells."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "http" if self.tls_certificate is None else "https"
        return self.address or f"{scheme}://{host}:{self.port}"

    @property
    def proxies(self) -> tuple[IPvAnyNetwork, ...]:
        """Who may say for whom they ask."""
        behind = self.address is not None and self.tls_certificate is None
        if self.trusted_proxies or not behind or self.host not in LOOPBACK:
            return self.trusted_proxies
        return tuple(ip_network(one) for one in ("127.0.0.0/8", "::1/128"))

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        return self


class Config(_Section):
    """Everything that can be set."""

    language: Language = Language.EN
    time_zone: str = "Europe/Amsterdam"
    database: str | None = None
    names: str | None = None
    detection: Detection = Detection()
    matching: Matching = Matching()
    redaction: Redaction = Redaction()
    limits: Limits = Limits()
    video: Video = Video()
    watch: Watch = Watch()
    takedown: Takedown = Takedown()
    mail: Mail | None = None
    web: Web = Web()
    channels: dict[ChannelName, Channel]

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is not a time zone such as Europe/Amsterdam") from error
        return value

    @field_validator("channels")
    @classmethod
    def _usable_channels(cls, value: dict[str, Channel]) -> dict[str, Channel]:
        if not value:
            raise ValueError("at least one channel is needed")
        if MATCHING in value:
            raise ValueError(f"{MATCHING!r} is reserved for the opt-in to face matching")
        return value

    @model_validator(mode="after")
    def _known_channels(self) -> Self:
        for name, sender in self.web.senders.items():
            for channel in sender.channels:
                if channel not in self.channels:
                    raise ValueError(f"sender {name!r} names the unknown channel {channel!r}")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The school's time zone, in which dates on consents count."""
        return ZoneInfo(self.time_zone)

    def channel(self, name: str) -> Channel:
        """The channel called `name`.

        Raises:
            ConfigError: there is no such channel.
        """
        try:
            return self.channels[name]
        except KeyError:
            raise ConfigError(
                "channel-unknown", channel=name, known=", ".join(self.channels)
            ) from None


def load(home: Path) -> Config:
    """Read and check the configuration of `home`.

    Raises:
        ConfigError: there is no home here, or a setting is wrong; names file and setting.
    """
    path = home / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        # Records without a configuration are no new home: a fresh one would know another database.
        if any((home / name).exists() for name in _RECORDS):
            template = resource("config", FILE_NAME)
            raise ConfigError("config-missing", path=path, template=template) from None
        raise ConfigError("home-missing", home=home) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("config-unreadable", path=path, detail=_brief(error)) from error
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("config-invalid", path=path, detail=str(error)) from error
    except ValidationError as error:
        # Only place and reason: the value itself may be a secret (a database URL).
        detail = mistakes(error, Config)
        raise ConfigError("config-invalid", path=path, detail=detail) from None


def _brief(error: Exception) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
