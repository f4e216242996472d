"""Texts that go with pictures, for `check` and `process`: whose names stand in them?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from mediaguard.app import App
from mediaguard.core.names import Text
from mediaguard.errors import ConfigError
from mediaguard.pipeline.process import Pipeline
from mediaguard.texts import say

_OPTIONS = (
    click.option("--caption", default="", metavar="TEXT", help="What stands below it."),
    click.option("--alt-text", default="", metavar="TEXT", help="What is read to blind people."),
    click.option("--title", default="", metavar="TEXT", help="Its title."),
    click.option("--file-name", default="", metavar="NAME", help="The name it is published under."),
)


def texts(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options for texts that are published with the picture."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_texts(pipeline: Pipeline, app: App, channel: str, text: Text) -> Pipeline:
    """The pipeline for pictures with these texts; says which words in them are in the way.

    Raises:
        ConfigError: there is a text, and no list of names to compare it with.
    """
    if text == Text():
        return pipeline
    if app.config.names is None:
        raise ConfigError("names-none")
    found = app.named_in(text)
    rulings = app.book(channel).rulings({named.subject_id for named in found})
    words: dict[tuple[str, str], list[str]] = {}
    for named in found:
        if not rulings[named.subject_id].allowed:
            words.setdefault((named.field, named.word), []).append(named.subject_id)
    for (field, word), subjects in words.items():
        params = {
            "word": word,
            "field": say(f"field-{field}", {}, app.language),
            "subjects": ", ".join(subjects),
        }
        click.echo(say("named-word", params, app.language), err=True)
    return replace(pipeline, named=[named.subject_id for named in found])
