"""`mediaguard work`."""

import logging
import os
import signal
import sys
import threading

import click

from mediaguard.app import App
from mediaguard.cli import options
from mediaguard.texts import say


@click.command()
@options.pass_app
def work(app: App) -> None:
    """Carry out takedowns and finish interrupted items, until stopped.

    `mediaguard watch` does this too. Start more workers where there is more to do: on this
    machine, or on others if the records are kept in PostgreSQL and the home is shared. Stop
    with Ctrl+C: nothing is lost, also when the machine is switched off.

    \b
    Examples:
      mediaguard work
      mediaguard --home /srv/mediaguard work
    """
    from mediaguard.work import Worker

    stop = stopped_by_signal()
    click.echo(say("work-started", {"home": app.home}, app.language))
    idle = Worker(app, tell=click.echo).run(stop)
    click.echo(say("work-stopped", {}, app.language))
    if not idle:
        end_process()


def end_process() -> None:
    """End without waiting for threads that wait for a network; what they do is done again."""
    sys.stdout.flush()
    os._exit(0)


def stopped_by_signal() -> threading.Event:
    """Set when the process is asked to end; and warnings go to the standard error stream."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
