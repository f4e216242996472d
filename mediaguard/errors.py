"""Errors that a person has to act on.

An error carries a *code* and its parameters, not a sentence: the words, with the
remedy, stand in `mediaguard.texts` in English and Dutch, so that a log, a note in a
folder and a page can each say it in the reader's language.
"""

from typing import ClassVar


class MediaguardError(Exception):
    """Base of all errors raised on purpose.

    Args:
        code: key of the sentence in `mediaguard.texts`, for example ``"photo-truncated"``.
        **params: values for the sentence's placeholders; never a secret, never a name.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        details = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
        return f"{self.code} ({details})" if details else self.code


class ConfigError(MediaguardError):
    """The configuration or the home folder is not usable."""


class InputError(MediaguardError):
    """The user named something that does not exist or may not be done."""


class MediaError(MediaguardError):
    """A media file cannot be handled safely; the item is held."""


class ModelError(MediaguardError):
    """A model file is missing or is not the one that was measured."""


class StoreError(MediaguardError):
    """The database, the vault or the key cannot be used."""


class ChannelError(MediaguardError):
    """A channel did not do what it was asked to, or nobody knows whether it did.

    Args:
        code: as in `MediaguardError`.
        later: whether trying again can help; False if the channel refuses this very thing.
        retry_after: seconds to wait before, if the channel said so.
        **params: as in `MediaguardError`.
    """

    def __init__(
        self, code: str, *, later: bool = True, retry_after: float | None = None, **params: object
    ) -> None:
        super().__init__(code, **params)
        self.later = later
        self.retry_after = retry_after


class Cancelled(MediaguardError):  # noqa: N818 - a wish, not an error
    """Somebody asked to stop; the work can be taken up again later."""
