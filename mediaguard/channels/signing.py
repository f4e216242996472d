"""Signed messages as Standard Webhooks has them: both ways, with several secrets for rotation."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence

from mediaguard.errors import ConfigError

TOLERANCE = 300
"""Seconds by which a message may be older or newer than the receiver's clock says."""

_PREFIX = "whsec_"
_MOST_SIGNATURES = 20


class SignatureError(Exception):
    """A message was not signed by one who knows a secret, or not just now.

    Args:
        reason: "missing", "stale" or "forged"; for the log, not for the sender.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def signing_key(secret: str) -> bytes:
    """The bytes of a secret such as ``whsec_MfKQ…``.

    Raises:
        ConfigError: it is not ``whsec_`` and the base64 of 24 to 64 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(_PREFIX) or not 24 <= len(key) <= 64:
        raise ConfigError("signing-secret")
    return key


def sign(
    secrets: Sequence[str], message_id: str, timestamp: int, body: Iterable[bytes]
) -> dict[str, str]:
    """The headers that go with a message.

    Args:
        secrets: the current one; while they are exchanged also the one before.
        message_id: the same when the message is sent again.
        timestamp: now, in Unix seconds.
        body: in pieces; it is read once and not kept.
    """
    signatures = _signatures([signing_key(one) for one in secrets], message_id, timestamp, body)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


class Incoming:
    """A message whose body is coming in piece by piece.

    Args:
        secrets: any of them may have signed it.
        headers: with names in small letters, or found in any case.
        now: in Unix seconds.

    Raises:
        SignatureError: its headers are not complete, or it was not signed just now.
    """

    def __init__(self, secrets: Sequence[str], headers: Mapping[str, str], now: float) -> None:
        self._id = headers.get("webhook-id", "")
        moment = headers.get("webhook-timestamp", "")
        self._given = headers.get("webhook-signature", "").split()[:_MOST_SIGNATURES]
        if not self._id or not self._given or not re.fullmatch(r"[0-9]{1,12}", moment):
            raise SignatureError("missing")
        if abs(now - int(moment)) > TOLERANCE:
            raise SignatureError("stale")
        # The timestamp is signed as it was written.
        self._digests = _digests([signing_key(one) for one in secrets], self._id, moment)

    def update(self, piece: bytes) -> None:
        """The next piece of the body, as it came, byte for byte."""
        for digest in self._digests:
            digest.update(piece)

    def require_genuine(self) -> str:
        """The id of the message, whose body is complete.

        It tells whether the message came before: within the tolerance it can be sent again by
        whoever saw it.

        Raises:
            SignatureError: nobody who knows a secret signed it.
        """
        matches = [
            hmac.compare_digest(_written(digest).encode(), other.encode("utf-8", "replace"))
            for digest in self._digests
            for other in self._given
        ]
        if not any(matches):
            raise SignatureError("forged")
        return self._id


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The id of a message that came in just now and is genuine; see `Incoming`.

    Raises:
        SignatureError: it is not.
    """
    incoming = Incoming(secrets, headers, now)
    incoming.update(body)
    return incoming.require_genuine()


def _signatures(
    keys: Sequence[bytes], message_id: str, timestamp: int | str, body: Iterable[bytes]
) -> list[str]:
    digests = _digests(keys, message_id, timestamp)
    for piece in body:
        for digest in digests:
            digest.update(piece)
    return [_written(digest) for digest in digests]


def _digests(keys: Sequence[bytes], message_id: str, timestamp: int | str) -> list[hmac.HMAC]:
    begin = f"{message_id}.{timestamp}.".encode("utf-8", "replace")
    return [hmac.new(key, begin, hashlib.sha256) for key in keys]


def _written(digest: hmac.HMAC) -> str:
    return f"v1,{base64.b64encode(digest.digest()).decode()}"
