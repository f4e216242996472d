"""What the browser keeps: who is signed in, who was here before, what was begun or just done."""

import binascii
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from mediaguard.errors import StoreError
from mediaguard.store.entrance import Device
from mediaguard.store.keys import Keyring

_YEAR = 365 * 24 * 3600
_MINUTES = 15 * 60
_MOMENT = 60


class Cookies:
    """Sets and reads them; none can be read by a script, or is sent from elsewhere.

    Args:
        keyring: of the home.
        secure: they are sent over TLS only.
    """

    def __init__(self, keyring: Keyring, *, secure: bool) -> None:
        self._keyring = keyring
        self._secure = secure
        self._prefix = "__Secure-" if secure else ""

    # -- the session --------------------------------------------------------------------------

    def session(self, request: Request) -> str:
        """The token of the session; empty for none."""
        return self._get(request, "mediaguard")

    def set_session(self, response: Response, token: str) -> None:
        """Sign in; until the browser is closed, or the server ends it."""
        self._set(response, "mediaguard", token, "/console")

    def end_session(self, response: Response) -> None:
        """Sign out."""
        self._delete(response, "mediaguard", "/console")

    # -- what is said once ---------------------------------------------------------------------

    def notice(self, request: Request) -> str | None:
        """The code of what is to be said on the next page; ours, or nothing."""
        code, _, digest = self._get(request, "mediaguard-notice").partition("|")
        right = self._keyring.digest("notice", code)
        return code if code and hmac.compare_digest(digest.encode(), right.encode()) else None

    def set_notice(self, response: Response, code: str) -> None:
        """Say something on the next page; not in its address, which somebody may keep."""
        value = f"{code}|{self._keyring.digest('notice', code)}"
        self._set(response, "mediaguard-notice", value, "/console", _MOMENT)

    def end_notice(self, response: Response) -> None:
        """It was said."""
        self._delete(response, "mediaguard-notice", "/console")

    # -- before somebody is signed in ---------------------------------------------------------

    def form_token(self, request: Request, response: Response | None = None) -> str:
        """What the form to sign in carries, bound to this browser.

        Args:
            request: the request.
            response: gets the cookie, if there is none; without it the token is "" then.
        """
        value = self._get(request, "mediaguard-form")
        if not value:
            if response is None:
                return ""
            value = secrets.token_urlsafe(32)
            self._set(response, "mediaguard-form", value, "/console")
        return self._keyring.digest("sign-in-form", value)

    def device(self, request: Request) -> Device | None:
        """The device, if somebody signed in on it before, to the end."""
        user_id, _, rest = self._get(request, "mediaguard-device").partition("|")
        value, _, digest = rest.partition("|")
        right = self._keyring.digest("device", f"{user_id}|{value}")
        genuine = hmac.compare_digest(digest.encode(), right.encode())
        return Device(user_id, value) if value and genuine else None

    def set_known(self, response: Response, user_id: str) -> None:
        """Remember the device."""
        value = f"{user_id}|{secrets.token_urlsafe(16)}"
        value = f"{value}|{self._keyring.digest('device', value)}"
        self._set(response, "mediaguard-device", value, "/console", _YEAR)

    def begun(self, request: Request) -> Mapping[str, Any] | None:
        """What was begun with the school's own accounts, not too long ago."""
        try:
            sealed = urlsafe_b64decode(self._get(request, "mediaguard-begun"))
            begun = json.loads(self._keyring.unwrap("begun", "", sealed))
        except (StoreError, ValueError, binascii.Error):
            return None
        assert isinstance(begun, dict)
        return begun if begun["until"] > time.time() else None

    def set_begun(self, response: Response, **begun: str) -> None:
        """Remember what was begun."""
        data = json.dumps({**begun, "until": time.time() + _MINUTES}).encode()
        sealed = urlsafe_b64encode(self._keyring.wrap("begun", "", data)).decode()
        self._set(response, "mediaguard-begun", sealed, "/console/sign-in", _MINUTES)

    def end_begun(self, response: Response) -> None:
        """Forget it."""
        self._delete(response, "mediaguard-begun", "/console/sign-in")

    # -- inside -------------------------------------------------------------------------------

    def _get(self, request: Request, name: str) -> str:
        return request.cookies.get(self._prefix + name, "")

    def _set(
        self, response: Response, name: str, value: str, path: str, seconds: int | None = None
    ) -> None:
        response.set_cookie(
            self._prefix + name,
            value,
            max_age=seconds,
            path=path,
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def _delete(self, response: Response, name: str, path: str) -> None:
        response.delete_cookie(
            self._prefix + name, path=path, secure=self._secure, httponly=True, samesite="lax"
        )
