"""The `mediaguard` command: options that all commands share, and how errors are shown."""

import difflib
import logging
import sys
from importlib import import_module
from pathlib import Path

import click

from mediaguard import __version__
from mediaguard.app import App
from mediaguard.errors import MediaguardError
from mediaguard.texts import explain, say

COMMANDS = {
    "init": "setup",
    "demo": "demo",
    "subject": "subject",
    "consent": "consent",
    "wording": "wording",
    "link": "link",
    "check": "check",
    "process": "process",
    "watch": "watching",
    "work": "working",
    "serve": "serving",
    "user": "user",
    "review": "review",
    "publication": "publication",
    "takedown": "takedown",
    "audit": "audit",
    "models": "models",
}
"""Command → module in this package; imported only when used, so that `--help` is quick."""


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"mediaguard.cli.{COMMANDS[cmd_name]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if near and args[0] not in COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"No such command '{args[0]}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MediaguardError as error:
            app = ctx.find_object(App)
            language = app.language if app else "en"
            click.echo(f"mediaguard: {explain(error, language)}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:  # click would end with 1, which means "may not go out"
            app = ctx.find_object(App)
            language = app.language if app else "en"
            click.echo(f"\nmediaguard: {say('interrupted', {}, language)}", err=True)
            ctx.exit(2)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="MEDIAGUARD_HOME",
    default=Path("mediaguard-home"),
    show_default=True,
    help="The folder with configuration, records and inboxes (or MEDIAGUARD_HOME).",
)
@click.version_option(__version__, prog_name="mediaguard")
@click.pass_context
def cli(ctx: click.Context, home: Path) -> None:
    """Publish photos and videos only of pupils who agreed to it.

    Every face is found; whoever is not known to have consented to the channel is made
    unrecognisable, or the photo or video is held. Unknown means no.

    \b
    Start here:
      mediaguard demo                                  see it work on a made-up school
      mediaguard init                                  make a home for your school
      mediaguard check PHOTO --channel newsletter      what would happen, and why
    """
    ctx.obj = App(home)


def main() -> None:
    """Run the command line; exit codes: 0 all clear, 1 something may not go out, 2 an error."""
    for stream in (sys.stdout, sys.stderr):
        # A file name with broken bytes must never break the report.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        cli()
    except Exception as error:  # 1 means "may not go out", so a crash must not end with it
        logging.getLogger("mediaguard").exception("unexpected error")
        text = say("unexpected", {"detail": type(error).__name__})
        click.echo(f"mediaguard: {text}", err=True)
        sys.exit(2)
