"""Writes docs/commands.md from the program's own help: `python -m tests.command_reference`."""

import inspect
from collections.abc import Iterator

import click

from mediaguard.cli.main import cli

HEADER = """# Commands

Generated from the program's help. Exit codes: 0 all clear, 1 something may not go out, 2 an error.
"""


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from _commands(found, f"{name} {child}")


def reference() -> str:
    """All commands with their help, as Markdown."""
    parts = [HEADER]
    for name, command in _commands(cli, "mediaguard"):
        context = click.Context(command, info_name=name, max_content_width=90, terminal_width=90)
        parts.append(f"## {name}\n\n```text\n{inspect.cleandoc(command.get_help(context))}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    print(reference(), end="")
