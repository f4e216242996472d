"""What mediaguard says to people, in English and Dutch, by code.

Each module beside this one holds the sentences of one area as two dicts, `EN` and `NL`,
with the same keys and placeholders (a test keeps them equal).
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Protocol, runtime_checkable

from mediaguard.errors import MediaguardError
from mediaguard.texts import (
    access,
    app,
    channels,
    clip,
    console,
    console_audit,
    console_inbox,
    console_people,
    console_published,
    console_review,
    decision,
    media,
    personal,
    published,
    review,
    store,
    takedown,
    vision,
    web,
)

AREAS: tuple[ModuleType, ...] = (
    access,
    app,
    channels,
    clip,
    console,
    console_audit,
    console_inbox,
    console_people,
    console_published,
    console_review,
    decision,
    media,
    personal,
    published,
    review,
    store,
    takedown,
    vision,
    web,
)


@runtime_checkable
class Worded(Protocol):
    """Anything that says by code what it is: an error, a finding."""

    code: str
    params: Mapping[str, object]


_CATALOGUES: dict[str, dict[str, str]] = {
    language: {
        code: text for area in AREAS for code, text in getattr(area, language.upper()).items()
    }
    for language in ("en", "nl")
}


def say(code: str, params: Mapping[str, object] | None = None, language: str = "en") -> str:
    """The sentence for `code`; the code itself with its parameters if nobody wrote one.

    A parameter may itself be something worded here (with a `code` and `params`), or several.
    """
    template = _CATALOGUES[language].get(code)
    values = {key: _value(value, language) for key, value in (params or {}).items()}
    if template is None:
        return " ".join([code, *(f"{key}={value}" for key, value in values.items())])
    try:
        return template.format(**values)
    except (KeyError, IndexError):
        return f"{template} {values}"


def explain(error: MediaguardError, language: str = "en") -> str:
    """What went wrong and what to do next."""
    return say(error.code, error.params, language)


def printable(text: str) -> str:
    """File names may hold newlines, escapes and broken bytes; none may reach a terminal."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _value(value: object, language: str) -> object:
    if isinstance(value, int | float):
        return value
    if isinstance(value, tuple):
        return "; ".join(str(_value(part, language)) for part in value)
    if isinstance(value, Worded):
        return say(value.code, value.params, language)
    return printable(str(value))
