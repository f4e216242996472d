"""Checking the audit log as a whole, which takes as long as the log is: beside the pages."""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime

from mediaguard.app import App
from mediaguard.errors import MediaguardError
from mediaguard.store.audit import Audit, AuditProblem

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that whoever asks waits for the answer at once."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found.

    Attributes:
        at: when it ended.
        count: so many entries there are.
        problems: what is wrong with them, the first ones.
        more: so many further problems.
        failed: the check itself did not succeed.
    """

    at: datetime
    count: int = 0
    problems: tuple[AuditProblem, ...] = ()
    more: int = 0
    failed: bool = False


class Checker:
    """Runs one check at a time and keeps what the last one found, as long as the process lives."""

    MOST = 20

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._since: datetime | None = None
        self._last: Checked | None = None

    @property
    def since(self) -> datetime | None:
        """When the check began that is under way."""
        return self._since

    @property
    def last(self) -> Checked | None:
        """What the last one found."""
        return self._last

    def check(self) -> bool:
        """Begin a check, unless one is under way; returns whether it has ended."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._since = self._app.now()
                self._thread = threading.Thread(target=self._run, name="checker", daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(PATIENCE)
        return not thread.is_alive()

    def _run(self) -> None:
        try:
            with self._app.database.read() as session:
                count, problems = Audit(session, self._app.keyring).verify()
            first, more = tuple(problems[: self.MOST]), len(problems[self.MOST :])
            self._last = Checked(self._app.now(), count, first, more)
        except Exception as error:
            if not isinstance(error, MediaguardError):
                log.exception("the audit log could not be checked")
            self._last = Checked(self._app.now(), failed=True)
        finally:
            self._since = None
