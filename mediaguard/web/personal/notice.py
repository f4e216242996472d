"""What was just done, said once on the first page: in a cookie for a minute, never in an address.

Somebody may keep an address or pass it on, and what it says would not be true any more.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from mediaguard.store.keys import Keyring
from mediaguard.web.personal.standing import Standing

_NAME = "mediaguard-said"
_SECONDS = 60
_EVERYWHERE = ("notice-personal-all", "notice-personal-nothing")
_YES = "notice-personal-yes"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to be said.

    Attributes:
        code: of `mediaguard.texts`.
        channel: about which; empty for all.
    """

    code: str
    channel: str = ""

    def is_true(self, standings: Sequence[Standing]) -> bool:
        """Whether it still holds: somebody else may have answered meanwhile."""
        about = [one for one in standings if self.channel in ("", one.channel)]
        if not self.channel:
            return self.code in _EVERYWHERE and not any(one.allowed for one in about)
        return bool(about) and all(one.allowed is (self.code == _YES) for one in about)


class Notices:
    """Of one link.

    Args:
        keyring: of the home; nobody else can make a notice.
        base: where the pages of the link are; the browser tells nobody else.
        secure: they are sent over TLS only.
    """

    def __init__(self, keyring: Keyring, base: str, *, secure: bool) -> None:
        self._keyring = keyring
        self._base = base
        self._secure = secure
        self._name = f"__Secure-{_NAME}" if secure else _NAME

    def read(self, request: Request) -> Notice | None:
        """What is to be said; None if that was nothing, or not by us."""
        text, _, digest = request.cookies.get(self._name, "").rpartition("|")
        right = self._digest(text)
        if not text or not hmac.compare_digest(digest.encode(), right.encode()):
            return None
        return Notice(*text.split("|", 1))

    def leave(self, response: Response, notice: Notice) -> None:
        """Say it on the next page."""
        text = f"{notice.code}|{notice.channel}"
        response.set_cookie(
            self._name,
            f"{text}|{self._digest(text)}",
            max_age=_SECONDS,
            path=self._base,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def end(self, response: Response) -> None:
        """It was said."""
        response.delete_cookie(
            self._name, path=self._base, secure=self._secure, httponly=True, samesite="lax"
        )

    def _digest(self, text: str) -> str:
        return self._keyring.digest("personal-notice", f"{self._base}|{text}")
