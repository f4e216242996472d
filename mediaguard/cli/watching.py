"""`mediaguard watch`."""

import logging
import signal
import threading

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.texts import say


@click.command()
@options.pass_app
def watch(app: App) -> None:
    """Watch every channel's inbox folder and handle what is dropped, until stopped.

    Drop pictures in inbox/CHANNEL. What may be published appears in ready/CHANNEL; for
    what may not, a short note appears there that says why. Stop with Ctrl+C: nothing is
    lost, also when the machine is switched off.

    \b
    Examples:
      mediaguard watch
      mediaguard --home /srv/mediaguard watch
    """
    from mediaguard.watch import Watcher

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    watcher = Watcher(app, tell=click.echo)
    params = {"count": len(app.config.channels), "path": app.home / "inbox"}
    click.echo(say("watch-started", params, app.language))
    watcher.run(stop)
    click.echo(say("watch-stopped", {}, app.language))
