"""Messages that are done with go away; DBOS itself keeps them for ever."""

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbos import DBOSClient

log = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0
KEEP = timedelta(days=1)
KEEP_ABANDONED = timedelta(days=7)
"""For what a killed process had in hand: it looks the same as what a living one has."""
BATCH = 500  # at a time, so that other writers have to wait only shortly


def clean(client: "DBOSClient", queue: str, now: datetime) -> int:
    """Delete the messages of a queue that are done or abandoned since long.

    Returns:
        How many were deleted.
    """
    done = {
        "status": ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
        "completed_before": (now - KEEP).isoformat(),
    }
    abandoned = {"status": ["PENDING"], "dequeued_before": (now - KEEP_ABANDONED).isoformat()}
    deleted = 0
    for which in (done, abandoned):
        while True:
            found = client.list_workflows(
                queue_name=queue,
                limit=BATCH,
                load_input=False,
                load_output=False,
                **which,  # type: ignore[arg-type]
            )
            if found:
                client.delete_workflows([message.workflow_id for message in found])
            deleted += len(found)
            if len(found) < BATCH:
                break
    return deleted


class Cleaner:
    """Cleans a queue when it is started and every hour, in a thread of its own."""

    def __init__(self, client: "DBOSClient", queue: str) -> None:
        self._client = client
        self._queue = queue
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs-cleaner", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after the batch in hand."""
        self._stopping.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                clean(self._client, self._queue, datetime.now(UTC))
            except Exception as error:
                log.warning("finished messages could not be deleted: %s", type(error).__name__)
            self._stopping.wait(EVERY_SECONDS)
