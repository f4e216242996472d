"""The second factor: codes of an app (TOTP), and codes on paper for when it is lost."""

import base64
import hmac
import io
import secrets
from collections.abc import Sequence
from datetime import datetime

import pyotp
import segno

from mediaguard.store.keys import Keyring

SECONDS = 30
_WINDOW = (0, -1, 1)
"""Clocks may differ by one step."""

RECOVERY_CODES = 10
_PURPOSE, _RECOVERY = "totp", "recovery-code"


def new_secret(keyring: Keyring, user_id: str) -> bytes:
    """A secret, encrypted so that it opens only for this user."""
    return keyring.wrap(_PURPOSE, user_id, secrets.token_bytes(20))


def secret_text(keyring: Keyring, user_id: str, wrapped: bytes) -> str:
    """The secret as it is typed into an app."""
    return base64.b32encode(keyring.unwrap(_PURPOSE, user_id, wrapped)).decode()


def step_of(secret: str, code: str, at: datetime, newest: int | None) -> int | None:
    """The step of time that a code belongs to.

    Args:
        secret: as `secret_text` gives it.
        code: as typed.
        at: now.
        newest: the newest step for which a code was used.

    Returns:
        None if it is not a code of now, or was used.
    """
    totp, now = pyotp.TOTP(secret), int(at.timestamp()) // SECONDS
    typed = "".join(code.split())
    for step in (now + offset for offset in _WINDOW):
        right = hmac.compare_digest(totp.generate_otp(step).encode(), typed.encode())
        if right and (newest is None or step > newest):
            return step
    return None


def qr_code(secret: str, user_id: str) -> bytes:
    """The secret as an SVG picture that an app reads."""
    address = pyotp.TOTP(secret).provisioning_uri(name=user_id, issuer_name="mediaguard")
    file = io.BytesIO()
    segno.make(address, error="m").save(file, kind="svg", scale=5, border=3, light="#fff")
    return file.getvalue()


def new_recovery_codes(keyring: Keyring) -> tuple[Sequence[str], list[str]]:
    """Codes to be shown once, and what is stored of them."""
    codes = []
    for _ in range(RECOVERY_CODES):
        text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
        codes.append("-".join(text[at : at + 4] for at in range(0, len(text), 4)))
    return codes, [_digest(keyring, code) for code in codes]


def without_code(keyring: Keyring, stored: Sequence[str], code: str) -> list[str] | None:
    """The recovery codes that are left when this one is used; None if it is none of them."""
    digest = _digest(keyring, code)
    if not any(hmac.compare_digest(digest, one) for one in stored):
        return None
    return [one for one in stored if one != digest]


def _digest(keyring: Keyring, code: str) -> str:
    return keyring.digest(_RECOVERY, "".join(c for c in code.lower() if c.isalnum()))
