"""The master key, and everything derived from it. See docs/decisions/0007."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mediaguard.errors import StoreError

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


def new_key() -> bytes:
    """A random key of 32 bytes."""
    return secrets.token_bytes(KEY_BYTES)


class Keyring:
    """Derives one key per purpose from the master key, wraps data keys, computes digests."""

    def __init__(self, master: bytes) -> None:
        if len(master) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self._derive = lru_cache(maxsize=None)(lambda purpose: _derive(master, purpose))

    def __repr__(self) -> str:
        return "Keyring(…)"

    @classmethod
    def create(cls, path: Path) -> "Keyring":
        """Make a new master key in a file that only its owner may read.

        Raises:
            StoreError: there is a file already (a key is never overwritten: everything
                encrypted with it would be lost), or it cannot be written.
        """
        master = new_key()
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(base64.b64encode(master) + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                # A link, unlike a rename, fails if the name is taken: no key is ever replaced,
                # and none is ever seen half-written.
                os.link(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except FileExistsError:
            raise StoreError("key-exists", path=path) from None
        except OSError as error:
            raise StoreError("key-unwritable", path=path, detail=error.strerror or "?") from error
        return cls(master)

    @classmethod
    def load(cls, path: Path) -> "Keyring":
        """Read the master key.

        Raises:
            StoreError: it is missing, unreadable, not a key, or readable by other users.
        """
        try:
            with path.open("rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                content = file.read(1024)
        except FileNotFoundError:
            raise StoreError("key-missing", path=path) from None
        except OSError as error:
            raise StoreError("key-unreadable", path=path, detail=error.strerror or "?") from error
        if os.name == "posix" and mode & 0o077:
            raise StoreError("key-exposed", path=path, mode=f"{mode:03o}")
        try:
            return cls(base64.b64decode(content.strip(), validate=True))
        except (binascii.Error, ValueError):
            raise StoreError("key-damaged", path=path) from None

    def wrap(self, purpose: str, identity: str, data_key: bytes) -> bytes:
        """Encrypt a data key so that it opens only for this purpose and identity.

        Returns:
            version (1 byte), nonce (12), ciphertext and tag (16).
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self._derive(f"wrap:{purpose}")).encrypt(
            nonce, data_key, _label(purpose, identity)
        )
        return _VERSION + nonce + sealed

    def unwrap(self, purpose: str, identity: str, wrapped: bytes) -> bytes:
        """Undo `wrap`.

        Raises:
            StoreError: wrapped by another master key, for something else, or changed since.
        """
        if wrapped[:1] != _VERSION:
            raise StoreError("key-mismatch")
        nonce, sealed = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        try:
            return AESGCM(self._derive(f"wrap:{purpose}")).decrypt(
                nonce, sealed, _label(purpose, identity)
            )
        except (InvalidTag, ValueError):
            raise StoreError("key-mismatch") from None

    def digest(self, purpose: str, data: bytes | str) -> str:
        """HMAC-SHA256 in hexadecimal: equal for equal data, and meaningless without the key."""
        if isinstance(data, str):
            data = data.encode()
        return hmac.new(self._derive(f"digest:{purpose}"), data, hashlib.sha256).hexdigest()


def seal(data_key: bytes, data: bytes, label: bytes) -> bytes:
    """Encrypt a short record with AES-256-GCM: nonce (12 bytes), ciphertext and tag."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(data_key).encrypt(nonce, data, label)


def unseal(data_key: bytes, sealed: bytes, label: bytes) -> bytes:
    """Undo `seal`.

    Raises:
        StoreError: another key or label, or changed since.
    """
    try:
        return AESGCM(data_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], label)
    except (InvalidTag, ValueError):
        raise StoreError("record-tampered") from None


def _derive(master: bytes, purpose: str) -> bytes:
    # RFC 5869; no salt is needed because the master key is already uniformly random.
    return HKDF(
        algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"mediaguard/1/{purpose}".encode()
    ).derive(master)


def _label(purpose: str, identity: str) -> bytes:
    return f"{purpose}\0{identity}".encode()
