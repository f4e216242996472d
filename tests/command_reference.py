"""Writes docs/commands.md from the program's own help: `python -m tests.command_reference`."""

import inspect
from collections.abc import Iterator

import click

from mediaguard.cli.main import cli

HEADER = """# Commands

Generated from the program's help. Exit codes: 0 all clear, 1 something may not go out, 2 an error.
"""


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            assert command is not None
            yield from _contexts(click.Context(command, parent=context, info_name=name))


def reference() -> str:
    """All commands with their help, as Markdown."""
    parts = [HEADER]
    settings = {**cli.context_settings, "max_content_width": 90, "terminal_width": 90}
    for context in _contexts(click.Context(cli, info_name="mediaguard", **settings)):
        text = inspect.cleandoc(context.get_help())
        parts.append(f"## {context.command_path}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(reference(), end="")
