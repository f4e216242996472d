"""Files that wait for somebody's word: encrypted, for a short while, for whoever brought them."""

import contextlib
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from mediaguard.errors import InputError, StoreError
from mediaguard.sent import Sent
from mediaguard.store.keys import Keyring, new_key, seal, unseal

MINUTES = 30
"""How long one may think about it."""

_KEY = re.compile(r"[0-9a-f]{32}")
_PURPOSE = "parked"
_WRAPPED = 61
"""Bytes of a wrapped data key."""


class Parked:
    """A protected folder of such files; what is too old is removed.

    Args:
        folder: made when it is first needed, for its owner only.
        keyring: wraps the files' keys, bound to who brought them.
    """

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self._keyring = keyring

    def put(self, actor: str, file: Sent, about: Mapping[str, str]) -> str:
        """Keep a file for a while; returns by what it is found again.

        Args:
            actor: who brought it; nobody else gets it.
            file: the file.
            about: what is to be remembered with it.
        """
        self.sweep()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key, data_key = secrets.token_hex(16), new_key()
        head = json.dumps({"name": file.name, "about": dict(about)}).encode()
        wrapped = self._keyring.wrap(_PURPOSE, f"{actor}\0{key}", data_key)
        sealed = seal(data_key, head + b"\n" + file.data, _PURPOSE.encode())
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        path = self._folder / key
        try:
            with os.fdopen(os.open(path, flags, 0o600), "wb") as target:
                target.write(wrapped + sealed)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        timer = threading.Timer(MINUTES * 60 + 1, self.sweep)
        timer.daemon = True  # after a restart the next look at the folder does it
        timer.start()
        return key

    def get(self, actor: str, key: str) -> tuple[Sent, Mapping[str, str]]:
        """The file, and what was to be remembered with it.

        Raises:
            InputError: it is not there any more, or somebody else brought it.
        """
        self.sweep()
        try:
            if not _KEY.fullmatch(key):
                raise InputError("parked-gone", minutes=MINUTES)
            content = (self._folder / key).read_bytes()
            data_key = self._keyring.unwrap(_PURPOSE, f"{actor}\0{key}", content[:_WRAPPED])
            head, _, data = unseal(data_key, content[_WRAPPED:], _PURPOSE.encode()).partition(b"\n")
        except (FileNotFoundError, StoreError):
            raise InputError("parked-gone", minutes=MINUTES) from None
        told = json.loads(head)
        return Sent(told["name"], data), told["about"]

    def drop(self, actor: str, key: str) -> None:
        """Remove a file, if it is there and theirs."""
        with contextlib.suppress(InputError):
            self.get(actor, key)
            (self._folder / key).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what nobody came back for."""
        sweep(self._folder)


def sweep(folder: Path) -> None:
    """Remove what is too old in a folder of such files."""
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < time.time() - MINUTES * 60:
                path.unlink()
