"""A worker: carries out takedowns, and finishes items that were left unfinished.

The rows say what is to do. The sweep looks for what is due and gives the job engine a hint for it
in the same transaction; whoever gets the hint takes the item in hand, or leaves it to the one who
has it. A hint that is lost is given again; one too many finds nothing to do.
"""

import logging
import threading
from collections.abc import Callable
from datetime import date, datetime

from mediaguard.app import App
from mediaguard.errors import Cancelled, ChannelError, MediaguardError, StoreError
from mediaguard.escalation import Escalation
from mediaguard.jobs.engine import Engine
from mediaguard.notes import update_note
from mediaguard.store.schedule import Schedule
from mediaguard.store.takedown_book import TakedownBook
from mediaguard.texts import explain, say

SWEEP = 1.0
"""Seconds between two looks at what is due."""

ESCALATE, LAST_ESCALATE = 30.0, 900.0
"""Seconds between two looks at what is overdue; and at most, when nobody can be told."""

PATIENCE = 30.0
"""Seconds that a worker which is stopped waits for what it has in hand."""

THREADS = 4
"""Takedowns wait for networks mostly. Pictures are handled one at a time, whatever this is."""

AT_ONCE = 4
"""So many more items a thread takes up before it looks again what is due."""

REPLACE_TRIES = 3
"""After so many failed tries to replace what was published it is only removed."""

TURN = 2.0
"""Seconds to wait for one's turn to look at a picture; meanwhile this thread removes nothing."""

FIRST_RETRY, LAST_RETRY = 2.0, 60.0
"""Seconds before the first and between the last retries when the database is in the way."""

log = logging.getLogger(__name__)


class Worker:
    """Does what is due, until stopped; any number of them may run.

    Args:
        app: the home.
        tell: prints a line for whoever watches.
    """

    def __init__(self, app: App, tell: Callable[[str], None]) -> None:
        self._app = app
        self._tell = tell
        self._schedule = Schedule(app.database, app.now)
        self._escalation = Escalation(app, tell)
        self._stop = threading.Event()
        self._day: date | None = None
        self.swept_at: datetime | None = None
        """When it last looked at what is due."""

    def run(self, stop: threading.Event) -> bool:
        """Work until `stop` is set; what is in hand then is finished, or taken up again later.

        Returns:
            Whether nothing is in hand any more. Otherwise a thread is still waiting, for a network
            perhaps, and only the end of the process ends it: nothing is lost by that.
        """
        self._stop = stop
        trouble = FIRST_RETRY
        engine: Engine | None = None
        threading.Thread(target=self._see_to_time, daemon=True).start()
        try:
            while not stop.is_set():
                try:
                    self._schedule.look()  # says plainly if the database is away
                    if engine is None:
                        engine = self._started_engine()
                    self._schedule.sweep(engine.hint)
                    self.swept_at = self._app.now()
                except Exception as error:
                    self._tell_trouble(error, trouble)
                    stop.wait(trouble)
                    trouble = min(trouble * 2, LAST_RETRY)
                else:
                    trouble = FIRST_RETRY
                    stop.wait(SWEEP)
        finally:
            idle = engine is None or engine.stop(PATIENCE)
        return idle

    def _started_engine(self) -> Engine:
        engine = Engine(self._app.database.url, self._follow, workers=THREADS)
        engine.start()
        return engine

    def drain(self) -> None:
        """Do everything that is due now, without the job engine, and return."""
        self._daily()
        while due := self._schedule.take(AT_ONCE):
            for item_id in due:
                self.handle(item_id)

    def _follow(self, item_id: str) -> None:
        """Follow a hint, and then see for oneself what else is due, until nothing is.

        A message of the engine costs a look at its queue: one for each of ten thousand takedowns
        would be the slowest part of them.
        """
        due = [item_id]
        while due and not self._stop.is_set():
            self.handle(due.pop())
            if not due:
                due += self._schedule.take(AT_ONCE)

    def handle(self, item_id: str) -> None:
        """Do what is due for an item, if nobody else does it."""
        channel = self._schedule.channel_of(item_id)
        book = self._app.book(channel)
        try:
            with book.held(item_id):
                self._handle(item_id, book)
        except StoreError as error:
            if error.code not in ("item-busy", "item-lost"):
                raise

    def _handle(self, item_id: str, book: TakedownBook) -> None:
        replacing = [
            order
            for order in book.orders(item_id)
            if order.replace and not order.removed and order.failures < REPLACE_TRIES
        ]
        if not replacing:  # what only has to go does not wait for pixels
            self._app.take_down(item_id, book)
        if not replacing and not self._schedule.is_due(item_id):
            return
        if not self._app.eyes.acquire(timeout=TURN if replacing else 0):
            book.wait(item_id)
            for order in replacing:
                book.await_turn(order)
        else:
            try:
                obstacle = self._process(item_id, book)
            finally:
                self._app.eyes.release()
            if obstacle is not None:
                for order in replacing:  # it is tried again; what is only to be removed goes now
                    wait = obstacle.retry_after if isinstance(obstacle, ChannelError) else None
                    book.failed(order, obstacle, wait)
        self._app.take_down(item_id, book)

    def _process(self, item_id: str, book: TakedownBook) -> MediaguardError | None:
        """Decide on the item anew, from its original, and publish what may go out.

        Returns:
            What was in the way, if it can be expected to pass.
        """
        try:
            app = self._app
            groups = book.groups(item_id)
            report = app.pipeline(book.channel, groups, book).process_again(
                item_id,
                vault=app.vault,
                channel=app.channel(book.channel),
                progress=self._progress,
            )
        except Cancelled as error:
            return error  # it stays due
        except MediaguardError as error:
            if isinstance(error, StoreError) and error.code == "item-lost":
                raise
            self._put_off(item_id, book, error)
            if error.code.startswith("database"):  # it comes back; an original does not
                return error
        except Exception as error:
            log.exception("an item could not be handled because of an unexpected error")
            detail = type(error).__name__
            self._put_off(item_id, book, MediaguardError("internal-error", detail=detail))
        else:
            if report.outcome.goes_out or (app.ready(book.channel) / f"{item_id}.txt").exists():
                update_note(app, book.channel, report)
            outcome = say(f"outcome-{report.outcome.value}", {}, app.language)
            self._tell(f"{book.channel}: {item_id}: {outcome}")
            problem = report.params.get("problem")
            return problem if isinstance(problem, ChannelError) else None
        return None

    def _put_off(self, item_id: str, book: TakedownBook, error: MediaguardError) -> None:
        """Try the item again later, if it is due for itself and not for a takedown only."""
        if self._schedule.is_due(item_id):
            book.put_off(item_id, error)

    def _progress(self, step: str, done: int, total: int) -> None:
        """Ends long work when the worker is to stop."""
        del step, done, total
        if self._stop.is_set():
            raise Cancelled("cancelled")

    def _daily(self) -> None:
        """What follows from the calendar alone; also once at the start, for a changed wording."""
        self._schedule.set_right()
        today = self._app.now().astimezone(self._app.config.zone).date()
        if self._day != today:
            self._app.desk.forget_ended()
            self._app.desk.take_down_ended()
            self._day = today

    def _see_to_time(self) -> None:
        """What follows from the clock: consents that end, and what is overdue.

        Beside the takedowns: neither a large archive nor a mail server that hangs keeps them
        waiting.
        """
        wait = ESCALATE
        while not self._stop.is_set():
            try:
                self._daily()
                self._escalation.run()
                wait = ESCALATE
            except Exception as error:
                wait = min(wait * 2, LAST_ESCALATE)
                self._tell_trouble(error, wait)
            self._stop.wait(wait)

    def _tell_trouble(self, error: Exception, seconds: float) -> None:
        language = self._app.language
        if not isinstance(error, MediaguardError):
            log.exception("a worker met with an unexpected error")
            error = MediaguardError("unexpected", detail=type(error).__name__)
        params = {"reason": explain(error, language), "seconds": round(seconds)}
        self._tell(say("work-trouble", params, language))
