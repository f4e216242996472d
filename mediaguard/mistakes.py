"""Mistakes in the configuration, in words that a person can act on."""

import difflib
from typing import get_args, get_origin

from pydantic import BaseModel, ValidationError

from mediaguard.errors import ConfigError

Place = tuple[int | str, ...]


def mistakes(error: ValidationError, root: type[BaseModel]) -> tuple[ConfigError, ...]:
    """What is wrong in a file, one mistake after the other.

    Only place and reason: the value itself may be a secret (a database URL).

    Args:
        error: what pydantic found.
        root: the settings that it looked for.
    """
    found = error.errors(include_input=False, include_url=False)
    return tuple(
        _no_setting(one["loc"], root)
        if one["type"] == "extra_forbidden"
        else ConfigError("config-mistake", place=_named(one["loc"]) or "file", detail=one["msg"])
        for one in found
    )


def _no_setting(place: Place, root: type[BaseModel]) -> ConfigError:
    """A setting that does not exist, with the one that was meant, most likely."""
    where, setting = place[:-1], str(place[-1])
    known = _settings_at(where, root)
    near = difflib.get_close_matches(setting, known, n=1)
    return ConfigError(
        "config-no-setting" if near else "config-no-such",
        section=f"[{_named(where)}] " if where else "",
        setting=setting,
        known=near[0] if near else ", ".join(known),
    )


def _named(place: Place) -> str:
    return ".".join(map(str, place))


def _settings_at(place: Place, root: type[BaseModel]) -> list[str]:
    """The settings that there are in a section."""
    kind: object = root
    for name in place:
        section = _section_in(kind)
        if get_origin(kind) is dict:  # of channels or senders: any name, and the same inside
            kind = get_args(kind)[1]
        elif section is not None and name in section.model_fields:
            kind = section.model_fields[str(name)].annotation
    section = _section_in(kind)
    return [*section.model_fields] if section else []


def _section_in(kind: object) -> type[BaseModel] | None:
    """The section that something is, or may be."""
    kinds = (kind, *get_args(kind))
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
