"""`mediaguard serve`."""

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.working import end_process, stopped_by_signal
from mediaguard.texts import say


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Another port than the configuration has; 0 for any that is free.",
)
@options.pass_app
def serve(app: App, port: int | None) -> None:
    """The console, personal links and the API for other systems, until stopped.

    Who may call it, and where it listens, stands in the configuration under [web]; how it is
    called, in docs/guides/cms-builder.md. It also does what `mediaguard work` does. Stop with
    Ctrl+C: nothing is lost, also when the machine is switched off.

    \b
    Examples:
      mediaguard serve
      mediaguard --home /srv/mediaguard serve --port 8400
    """
    from mediaguard.web.server import Server

    stop = stopped_by_signal()
    server = Server(app, port=port, tell=click.echo)
    params = {"address": server.address, "count": len(app.config.web.senders)}
    click.echo(say("serve-started", params, app.language))
    idle = server.run(stop)
    click.echo(say("serve-stopped", {}, app.language))
    if not idle:
        end_process()
