"""`mediaguard watch`."""

import threading

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.cli.working import end_process, stopped_by_signal
from mediaguard.texts import say


@click.command()
@options.pass_app
def watch(app: App) -> None:
    """Watch every channel's inbox folder and handle what is dropped, until stopped.

    Drop pictures in inbox/CHANNEL. What may be published appears in ready/CHANNEL; for
    what may not, a short note appears there that says why. It also takes down what may not
    be public any more, as `mediaguard work` does. Stop with Ctrl+C: nothing is lost, also
    when the machine is switched off.

    \b
    Examples:
      mediaguard watch
      mediaguard --home /srv/mediaguard watch
    """
    from mediaguard.watch import Watcher
    from mediaguard.work import Worker

    stop = stopped_by_signal()
    idle: list[bool] = []
    worker = threading.Thread(
        target=lambda: idle.append(Worker(app, tell=click.echo).run(stop)), daemon=True
    )
    watcher = Watcher(app, tell=click.echo)
    params = {"count": len(app.config.channels), "path": app.home / "inbox"}
    click.echo(say("watch-started", params, app.language))
    worker.start()
    try:
        watcher.run(stop)
    finally:
        stop.set()
        worker.join()
    click.echo(say("watch-stopped", {}, app.language))
    if idle != [True]:
        end_process()
