"""The vault: encrypted files, written whole or not at all.

A file is a header (magic, length of the wrapped data key, the wrapped data key) and chunks of
1 MiB, each sealed with AES-256-GCM under the file's own random key. The nonce is the chunk's
number and whether it is the last one (the STREAM construction of Hoang, Reyhanitabar, Rogaway and
Vizár 2015, as in the format "age"), so that a chunk that is changed, moved, left out or cut off is
noticed. Header and item id are bound to every chunk.
"""

import errno
import io
import os
import secrets
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mediaguard.atomic import sync_folder
from mediaguard.errors import StoreError
from mediaguard.store.keys import Keyring, new_key

CHUNK_BYTES = 1 << 20
_MAGIC = b"mgvault1"
_TAG_BYTES = 16
_LENGTH = struct.Struct(">H")
_PURPOSE = "vault"


class Vault:
    """A folder of encrypted files, each found by its item id.

    Args:
        root: the folder; made when it is first needed, for its owner only.
        keyring: wraps the files' keys and hides the item ids in the file names.
    """

    def __init__(self, root: Path, keyring: Keyring) -> None:
        self._root = root
        self._keyring = keyring

    def put(self, item_id: str, source: bytes | BinaryIO) -> None:
        """Store a file durably; if an intact one is there already, nothing changes.

        Raises:
            StoreError: it could not be written; nothing was left behind.
        """
        if self._is_intact(item_id):
            return
        path = self._path(item_id)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
        stream = io.BytesIO(source) if isinstance(source, bytes) else source
        try:
            self._make_folder(path.parent)
            try:
                descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as target:
                    self._seal(item_id, stream, target)
                    target.flush()
                    os.fsync(target.fileno())
                temporary.replace(path)
                sync_folder(path.parent)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(error) from error

    def get(self, item_id: str) -> bytes:
        """The whole file.

        Raises:
            StoreError: it is not there, or it is not what was stored.
        """
        return b"".join(self.chunks(item_id))

    def chunks(self, item_id: str) -> Iterator[bytes]:
        """The file piece by piece, for one that is too large for memory.

        Each piece is proven when it is given, but only the end proves that none is missing.

        Raises:
            StoreError: it is not there, or it is not what was stored.
        """
        try:
            with self._path(item_id).open("rb") as file:
                yield from self._unseal(item_id, file)
        except FileNotFoundError:
            raise StoreError("vault-missing", item=item_id) from None
        except OSError as error:
            raise StoreError(
                "vault-unreadable", item=item_id, detail=error.strerror or "?"
            ) from error

    def has(self, item_id: str) -> bool:
        """Whether there is a file (intact or not)."""
        return self._path(item_id).exists()

    def delete(self, item_id: str) -> None:
        """Remove the file, and what a killed process left of it; nothing happens without one.

        Raises:
            StoreError: it could not be removed.
        """
        path = self._path(item_id)
        try:
            for found in path.parent.glob(f"{path.name}*"):
                found.unlink(missing_ok=True)
            if path.parent.exists():
                sync_folder(path.parent)
        except OSError as error:
            raise _unwritable(error) from error

    # -- inside -----------------------------------------------------------------------------

    def _path(self, item_id: str) -> Path:
        # The id never becomes a path: it may hold anything.
        name = self._keyring.digest("vault-name", item_id)
        return self._root / name[:2] / name

    def _make_folder(self, folder: Path) -> None:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)

    def _is_intact(self, item_id: str) -> bool:
        try:
            for _ in self.chunks(item_id):
                pass
        except StoreError:
            return False
        return True

    def _seal(self, item_id: str, source: BinaryIO, target: BinaryIO) -> None:
        key = new_key()
        wrapped = self._keyring.wrap(_PURPOSE, item_id, key)
        header = _MAGIC + _LENGTH.pack(len(wrapped)) + wrapped
        label = header + item_id.encode()
        target.write(header)
        cipher = AESGCM(key)
        number, chunk = 0, _read_exactly(source, CHUNK_BYTES)
        while True:
            following = _read_exactly(source, CHUNK_BYTES) if len(chunk) == CHUNK_BYTES else b""
            target.write(cipher.encrypt(_nonce(number, last=not following), chunk, label))
            if not following:
                return
            number, chunk = number + 1, following

    def _unseal(self, item_id: str, file: BinaryIO) -> Iterator[bytes]:
        header = file.read(len(_MAGIC) + _LENGTH.size)
        if len(header) != len(_MAGIC) + _LENGTH.size or not header.startswith(_MAGIC):
            raise StoreError("vault-tampered", item=item_id)
        wrapped = file.read(_LENGTH.unpack(header[len(_MAGIC) :])[0])
        try:
            cipher = AESGCM(self._keyring.unwrap(_PURPOSE, item_id, wrapped))
        except StoreError:
            raise StoreError("vault-tampered", item=item_id) from None
        label = header + wrapped + item_id.encode()
        number, chunk = 0, _read_exactly(file, CHUNK_BYTES + _TAG_BYTES)
        while True:
            following = _read_exactly(file, CHUNK_BYTES + _TAG_BYTES)
            try:
                yield cipher.decrypt(_nonce(number, last=not following), chunk, label)
            except (InvalidTag, ValueError):
                raise StoreError("vault-tampered", item=item_id) from None
            if not following:
                return
            number, chunk = number + 1, following


def _nonce(number: int, *, last: bool) -> bytes:
    # Unique per file, which is enough: every file has a key of its own.
    return number.to_bytes(11, "big") + bytes([last])


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    """Read `size` bytes; fewer only at the end of the stream, however it hands them out."""
    parts: list[bytes] = []
    missing = size
    while missing and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _unwritable(error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError("vault-full")
    return StoreError("vault-unwritable", detail=error.strerror or "?")
