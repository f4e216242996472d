"""`mediaguard models`."""

import json

import click

from mediaguard.app import App
from mediaguard.cli import options


@click.group()
def models() -> None:
    """The model files: where they come from, and whether they are the measured ones."""


@models.command("list")
@options.output_format()
@options.pass_app
def list_models(app: App, output: str) -> None:
    """List the model files with source, version, SHA-256 and licence.

    \b
    Example:
      mediaguard models list
    """
    _show(app, output, verified=False)


@models.command()
@options.output_format()
@options.pass_app
def verify(app: App, output: str) -> None:
    """Compare each file with its recorded hash; exits with 2 if one is not the measured file.

    \b
    Example:
      mediaguard models verify
    """
    _show(app, output, verified=True)
