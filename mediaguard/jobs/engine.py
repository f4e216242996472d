"""The queue engine: DBOS behind a port of four verbs."""

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url
from sqlalchemy import Engine as Connections
from sqlalchemy.orm import Session

from mediaguard.errors import MediaguardError, StoreError
from mediaguard.jobs.cleaning import Cleaner
from mediaguard.jobs.connections import connections
from mediaguard.jobs.guards import no_pickles, sparing_log

if TYPE_CHECKING:  # importing it takes most of a second: only who queues does
    from dbos import DBOSClient

log = logging.getLogger(__name__)

APPLICATION = "mediaguard"
VERSION = "1"
"""Never changed: DBOS hands messages only to workers of the version that queued them."""
WORKFLOW = "mediaguard.handle"
POLL_SECONDS = 0.2
"""How often a worker looks for messages; each of its threads takes one at a look.

A look costs 2 to 5 ms: twice as often would burn 5 to 7 % of a core on waiting, not 3 to 4 %.
"""

_running = threading.Lock()  # DBOS keeps its state in globals: one at a time in a process


class Engine:
    """Carries hints from whoever writes rows to the workers that act on them.

    A process that only hints calls `prepare` and `hint`; a worker calls `start` and `stop`. One
    engine at a time can be started in a process.

    Args:
        url: our database, with our tables in it already.
        handle: called with an item's id, in one of `workers` threads. If it raises, that is
            logged and the message is done: another attempt is for our rows to ask for.
        workers: threads of this process. All processes on one database should have the same
            number: none runs more than its own, but how many messages each takes in hand is kept
            in the database, by the last one started.
        name: of the queue; each has messages and workers of its own.
    """

    def __init__(
        self,
        url: str | URL,
        handle: Callable[[str], None],
        *,
        workers: int = 1,
        name: str = "items",
    ) -> None:
        self._url = make_url(url)
        self._handle = handle
        self._workers = workers
        self._name = name
        self._prepared = False
        self._started = False
        self._cleaner: Cleaner | None = None
        self._slots = threading.BoundedSemaphore(workers)

    def prepare(self) -> None:
        """Make the queue's own tables, or bring them up to date.

        Raises:
            StoreError: there is no database yet.
        """
        if self._prepared:
            return
        if self._url.get_backend_name() == "sqlite":
            path = Path(str(self._url.database))
            if not path.exists():  # DBOS would make one that every user of the machine can read
                raise StoreError("database-missing", database=str(path))
        from dbos import DBOS

        sparing_log()
        DBOS.migrate(self._url.render_as_string(hide_password=False))
        self._prepared = True

    def hint(self, session: Session, item_id: str) -> None:
        """Have a worker look at an item, as soon as the transaction of `session` is committed.

        Args:
            session: on the same database.
            item_id: what `handle` will be called with.
        """
        if not self._prepared:
            raise RuntimeError("prepare() or start() comes before hint()")
        self._client.enqueue_in_transaction(
            session,
            {
                "workflow_name": WORKFLOW,
                "queue_name": self._name,
                "workflow_id": str(uuid.uuid4()),  # with one that was there before: no message
                "app_version": VERSION,
            },
            item_id,
        )

    def start(self) -> None:
        """Take messages until `stop`.

        Raises:
            StoreError: there is no database yet.
        """
        self.prepare()
        if not _running.acquire(blocking=False):
            raise RuntimeError("an engine is running in this process")
        self._started = True
        try:
            self._launch()
        except BaseException:
            self.stop(0)
            raise

    def stop(self, seconds: float) -> bool:
        """Take no more messages and wait for those in hand. Takes a second at least.

        Args:
            seconds: how long to wait at most; rounded up.

        Returns:
            Whether nothing is in hand any more. Otherwise its thread goes on, and Python waits
            for it when the process ends: `os._exit` does not.
        """
        if self._started:
            from dbos import DBOS

            if self._cleaner is not None:
                self._cleaner.stop()
            DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=math.ceil(seconds))
            self._connections.dispose()
            self._started = False
            _running.release()
        return _have_ended(1)

    # -- inside -----------------------------------------------------------------------------

    @cached_property
    def _connections(self) -> Connections:
        return connections(self._url, self._workers)

    @cached_property
    def _client(self) -> "DBOSClient":
        from dbos import DBOSClient, DBOSPortableJSONSerializer

        return DBOSClient(
            system_database_engine=self._connections,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
            retry_connection_errors=False,
        )

    def _launch(self) -> None:
        from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer

        no_pickles()
        # Before DBOS runs, because then it looks for queues only once a second.
        self._client.register_queue(
            self._name, worker_concurrency=self._workers, polling_interval_sec=POLL_SECONDS
        )
        config = DBOSConfig(
            name=APPLICATION,
            application_version=VERSION,
            # Never used again: what a killed process had in hand is not for DBOS to take up but
            # for our sweep, which knows what is still to do.
            executor_id=str(uuid.uuid4()),
            system_database_engine=self._connections,
            serializer=DBOSPortableJSONSerializer(),
            run_migrations=False,
            enable_otlp=False,
            log_level="WARNING",
            notification_listener_polling_interval_sec=0.2,  # `stop` waits that long for it
        )
        DBOS(config=config)
        DBOS.listen_queues([self._name])

        @DBOS.workflow(name=WORKFLOW)
        def message(item_id: str) -> None:
            self._message(item_id)

        DBOS.launch()
        self._cleaner = Cleaner(self._client, self._name)
        self._cleaner.start()

    def _message(self, item_id: str) -> None:
        try:
            with self._slots:
                self._handle(item_id)
        except BaseException as error:  # DBOS would store it, with what it may tell
            log.error("item %s: %s", item_id, _plainly(error))  # noqa: TRY400


def _have_ended(seconds: float) -> bool:
    """Wait for the threads that handled messages; DBOS has told them to end."""
    deadline = time.monotonic() + seconds
    threads = [each for each in threading.enumerate() if each.name.startswith("dbos-executor")]
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return not any(thread.is_alive() for thread in threads)


def _plainly(error: BaseException) -> str:
    """What happened and where, without the words of a foreign error, which may be secret."""
    what = str(error) if isinstance(error, MediaguardError) else type(error).__name__
    places = [f"{Path(f.filename).name}:{f.lineno}" for f in extract_tb(error.__traceback__)[1:]]
    return f"{what} at {' > '.join(places)}"
