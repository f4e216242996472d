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
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mediaguard.atomic import sync_folder
from mediaguard.errors import StoreError
from mediaguard.store.keys import Keyring, new_key

CHUNK_BYTES = 1 << 20
_MAGIC = b"mgvault1"
_BUFFER_BYTES = 1 << 16
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
            raise _unreadable(item_id, error) from error

    def open(self, item_id: str) -> BinaryIO:
        """The file, to be read anywhere in it without having it all in memory.

        Each piece is proven when it is read, and the end when it is opened.

        Raises:
            StoreError: it is not there, or it is not what was stored; reading raises it too.
        """
        try:
            file = self._path(item_id).open("rb")
        except FileNotFoundError:
            raise StoreError("vault-missing", item=item_id) from None
        except OSError as error:
            raise _unreadable(item_id, error) from error
        try:
            cipher, label = self._unlock(item_id, file)
            return io.BufferedReader(_Unsealed(file, cipher, label, item_id), _BUFFER_BYTES)
        except BaseException:
            file.close()
            raise

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
        cipher, label = self._unlock(item_id, file)
        number, chunk = 0, _read_exactly(file, CHUNK_BYTES + _TAG_BYTES)
        while True:
            following = _read_exactly(file, CHUNK_BYTES + _TAG_BYTES)
            yield _decrypted(cipher, number, chunk, label, item_id, last=not following)
            if not following:
                return
            number, chunk = number + 1, following

    def _unlock(self, item_id: str, file: BinaryIO) -> tuple[AESGCM, bytes]:
        """Read the header: the file's cipher, and what is bound to each chunk."""
        header = file.read(len(_MAGIC) + _LENGTH.size)
        if len(header) != len(_MAGIC) + _LENGTH.size or not header.startswith(_MAGIC):
            raise StoreError("vault-tampered", item=item_id)
        wrapped = file.read(_LENGTH.unpack(header[len(_MAGIC) :])[0])
        try:
            cipher = AESGCM(self._keyring.unwrap(_PURPOSE, item_id, wrapped))
        except StoreError:
            raise StoreError("vault-tampered", item=item_id) from None
        return cipher, header + wrapped + item_id.encode()


class _Unsealed(io.RawIOBase):
    """An encrypted file as its content, readable anywhere; one chunk is in memory at a time."""

    def __init__(self, file: BinaryIO, cipher: AESGCM, label: bytes, item_id: str) -> None:
        self._file = file
        self._cipher = cipher
        self._label = label
        self._item_id = item_id
        self._start = file.tell()
        sealed = file.seek(0, os.SEEK_END) - self._start
        self._chunks = max(-(-sealed // (CHUNK_BYTES + _TAG_BYTES)), 1)
        self._size = sealed - self._chunks * _TAG_BYTES
        self._position = 0
        self._number = -1
        self._chunk = b""
        self._load(self._chunks - 1)  # proves at once that nothing was cut off the end

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        if self._position >= self._size:
            return 0
        number, offset = divmod(self._position, CHUNK_BYTES)
        if number != self._number:
            self._load(number)
        part = self._chunk[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _load(self, number: int) -> None:
        try:
            self._file.seek(self._start + number * (CHUNK_BYTES + _TAG_BYTES))
            sealed = _read_exactly(self._file, CHUNK_BYTES + _TAG_BYTES)
        except OSError as error:
            raise _unreadable(self._item_id, error) from error
        last = number == self._chunks - 1
        self._chunk = _decrypted(
            self._cipher, number, sealed, self._label, self._item_id, last=last
        )
        self._number = number


def _decrypted(
    cipher: AESGCM, number: int, sealed: bytes, label: bytes, item_id: str, *, last: bool
) -> bytes:
    try:
        return cipher.decrypt(_nonce(number, last=last), sealed, label)
    except (InvalidTag, ValueError):
        raise StoreError("vault-tampered", item=item_id) from None


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


def _unreadable(item_id: str, error: OSError) -> StoreError:
    return StoreError("vault-unreadable", item=item_id, detail=error.strerror or "?")


def _unwritable(error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError("vault-full")
    return StoreError("vault-unwritable", detail=error.strerror or "?")
