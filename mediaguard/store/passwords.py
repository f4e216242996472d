"""Passwords: which are good enough, and how they are kept."""

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mediaguard.errors import InputError

SHORTEST, LONGEST = 12, 256
"""Length is what makes a password hard to guess (NIST SP 800-63B): no rules about characters."""

_LEFT = 8
"""So many characters there must be beside what everybody would try first."""

_TRIED_FIRST = (
    *("mediaguard", "password", "passwort", "wachtwoord", "welcome", "welkom", "school"),
    *("qwertyuiop", "asdfghjkl", "qwerty", "azerty", "abcdefgh", "admin", "letmein", "geheim"),
    *("1234567890", "123456789", "12345678", "123456", "12345", "1234", "0987654321", "654321"),
)

_hasher = PasswordHasher()
# Each takes 64 MB of memory for a moment: strangers must not fill it.
_at_once = BoundedSemaphore(2)


def require_good(password: str, user_id: str) -> None:
    """Refuse a password that is guessed soon.

    Raises:
        InputError: it is too short or long, or little more than what everybody tries first.
    """
    password = _normal(password)
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError("password-length", shortest=SHORTEST, longest=LONGEST)
    rest = password.casefold()
    for word in (user_id.casefold(), *_TRIED_FIRST):
        rest = rest.replace(word, "")
    if len(rest) < _LEFT or len(set(rest)) < _LEFT // 2:
        raise InputError("password-easy")


def require_same(password: str, again: str) -> None:
    """Refuse what was not typed twice.

    Raises:
        InputError: so it is.
    """
    if password != again:
        raise InputError("password-differs")


def hash_password(password: str) -> str:
    """As it is stored (argon2id)."""
    with _at_once:
        return _hasher.hash(_normal(password))


def is_password(password: str, stored: str | None) -> bool:
    """Whether it is the one; without a stored one the answer takes as long."""
    if len(password) > LONGEST:
        password = ""
    with _at_once:
        try:
            _hasher.verify(stored or _nobodys(), _normal(password))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether it was stored with less effort than is usual now."""
    return _hasher.check_needs_rehash(stored)


@cache
def _nobodys() -> str:
    return _hasher.hash("the password of nobody")


def _normal(password: str) -> str:
    # The same letters are typed in different ways on different keyboards.
    return unicodedata.normalize("NFKC", password)
