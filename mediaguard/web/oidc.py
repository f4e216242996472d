"""OpenID Connect: what the school's own accounts say about whoever signs in.

Authorization code flow with PKCE, state and nonce. Nothing is believed but the claims of an ID
token that is signed with a key of the provider and meant for us, now, in answer to this request.
"""

import hashlib
import logging
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from mediaguard.config import Oidc
from mediaguard.errors import InputError

log = logging.getLogger(__name__)

TIMEOUT = 5.0
PAUSE = 15.0
"""Seconds in which a provider that does not answer is not asked again: nobody waits for it then."""

LEEWAY = 60
"""Seconds by which clocks may differ."""

_FRESH = 3600.0
_KEYS_AGAIN = 60.0
"""Keys that do not fit are asked for anew, but not more often."""

_ALGORITHMS = [f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)]
"""Signatures only: with "none" or a shared secret anybody could make tokens."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was begun; it has to fit what comes back.

    Attributes:
        address: where the browser goes.
        state, nonce, verifier: to be remembered in the browser.
    """

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for.

    Attributes:
        value: of the claim by which users are recognised.
        mfa: they were asked for a second factor.
    """

    value: str
    mfa: bool


class Provider:
    """The school's accounts.

    Args:
        settings: where they are.
        secret: by which they know us.
        transport: for tests.
    """

    def __init__(
        self, settings: Oidc, secret: str, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._transport = transport
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._described: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def ask(self, back: str) -> Asked:
        """Begin.

        Args:
            back: where the browser comes back to.

        Raises:
            InputError: the provider does not answer.
        """
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": back,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        where = str(self._description()["authorization_endpoint"])
        address = f"{where}{'&' if '?' in where else '?'}{urlencode(query)}"
        return Asked(address, state, nonce, verifier)

    def vouched(self, code: str, *, back: str, nonce: str, verifier: str) -> Vouched:
        """Whom a code stands for.

        Args:
            code: as it came back.
            back: as in `ask`.
            nonce: of what was begun.
            verifier: of what was begun.

        Raises:
            InputError: the provider does not answer, or what it says cannot be believed.
        """
        token = self._exchange(code, back, verifier)
        try:
            claims = self._claims(token, nonce)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            # The kind of error only: its text may quote the token.
            log.warning("an ID token was refused: %s", type(error).__name__)
            raise InputError("oidc-refused") from None
        value = claims.get(self._settings.claim)
        if self._settings.claim == "email" and claims.get("email_verified") is not True:
            value = None  # anybody can claim to have an address
        if not isinstance(value, str) or not value:
            raise InputError("oidc-no-claim", claim=self._settings.claim)
        methods = claims.get("amr")
        mfa = isinstance(methods, list) and not set(self._settings.mfa).isdisjoint(
            map(str, methods)
        )
        return Vouched(value, mfa)

    # -- inside -----------------------------------------------------------------------------

    def _exchange(self, code: str, back: str, verifier: str) -> str:
        description = self._description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        known = description.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        basic: httpx.BasicAuth | None = None
        if "client_secret_basic" in known:
            basic = httpx.BasicAuth(self._settings.client_id, self._secret)
        else:
            form |= {"client_id": self._settings.client_id, "client_secret": self._secret}
        answer = self._fetch("POST", str(description["token_endpoint"]), data=form, auth=basic)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise InputError("oidc-refused")
        return token

    def _claims(self, token: str, nonce: str) -> Mapping[str, Any]:
        registry = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        try:
            decoded = jwt.decode(token, self._key_set(), registry=registry)
        except (JoseError, ValueError):
            if not self._may_ask_again():
                raise
            decoded = jwt.decode(token, self._key_set(), registry=registry)
        claims: Mapping[str, Any] = decoded.claims
        us = self._settings.client_id
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": us},
            nonce={"essential": True, "value": nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        ).validate(decoded.claims)
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", None if several else us) != us:
            raise ValueError("azp")
        return claims

    def _description(self) -> Mapping[str, Any]:
        with self._lock:
            if self._described and time.monotonic() - self._described[0] < _FRESH:
                return self._described[1]
            issuer = self._settings.issuer
            found = self._fetch("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if found.get("issuer") != issuer or any(name not in found for name in needed):
                log.error("the description of the OpenID provider is not that of %s", issuer)
                raise InputError("oidc-unreachable")
            self._described = (time.monotonic(), found)
            return found

    def _key_set(self) -> KeySet:
        address = str(self._description()["jwks_uri"])
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys[0] > _FRESH:
                keys: Any = self._fetch("GET", address)
                self._keys = (time.monotonic(), KeySet.import_key_set(keys))
            return self._keys[1]

    def _may_ask_again(self) -> bool:
        with self._lock:
            if self._keys is None or time.monotonic() - self._keys[0] < _KEYS_AGAIN:
                return False
            self._keys = None
            return True

    def _fetch(self, method: str, address: str, **how: Any) -> Mapping[str, Any]:
        if time.monotonic() < self._not_before:
            raise InputError("oidc-unreachable")
        try:
            with httpx.Client(timeout=TIMEOUT, transport=self._transport) as client:
                answer = client.request(method, address, **how)
                answer.raise_for_status()
                found = answer.json()
        except httpx.HTTPStatusError as error:
            log.warning("the OpenID provider answered with %d", error.response.status_code)
            if error.response.is_client_error:
                raise InputError("oidc-refused") from None
            self._not_before = time.monotonic() + PAUSE
            raise InputError("oidc-unreachable") from None
        except (httpx.HTTPError, ValueError) as error:
            log.warning("the OpenID provider does not answer: %s", type(error).__name__)
            self._not_before = time.monotonic() + PAUSE
            raise InputError("oidc-unreachable") from None
        if not isinstance(found, dict):
            raise InputError("oidc-unreachable")
        return found
