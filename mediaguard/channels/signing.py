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


def verify(secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The id of a message that came in just now and is genuine.

    The id tells whether the message came before: within the tolerance it can be sent again by
    whoever saw it.

    Args:
        secrets: any of them may have signed it.
        headers: with names in small letters, or found in any case.
        body: as it came, byte for byte.
        now: in Unix seconds.

    Raises:
        SignatureError: it is not.
    """
    message_id = headers.get("webhook-id", "")
    moment = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split()[:_MOST_SIGNATURES]
    if not message_id or not given or not re.fullmatch(r"[0-9]{1,12}", moment):
        raise SignatureError("missing")
    if abs(now - int(moment)) > TOLERANCE:
        raise SignatureError("stale")
    keys = [signing_key(one) for one in secrets]
    # The timestamp is signed as it was written.
    expected = _signatures(keys, message_id, moment, [body])
    matches = [
        hmac.compare_digest(one.encode(), other.encode("utf-8", "replace"))
        for one in expected
        for other in given
    ]
    if not any(matches):
        raise SignatureError("forged")
    return message_id


def _signatures(
    keys: Sequence[bytes], message_id: str, timestamp: int | str, body: Iterable[bytes]
) -> list[str]:
    begin = f"{message_id}.{timestamp}.".encode("utf-8", "replace")
    digests = [hmac.new(key, begin, hashlib.sha256) for key in keys]
    for piece in body:
        for digest in digests:
            digest.update(piece)
    return [f"v1,{base64.b64encode(digest.digest()).decode()}" for digest in digests]
