"""The watched inbox folders: what is dropped is taken up once it is complete.

File system events only say "look now": the truth is what lies in the folders. A scan at
the start finds what was dropped before, or was under way when the process was killed; the
original leaves the inbox last, when its copy is in the vault and the result is in place.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from mediaguard.app import App
from mediaguard.core.media import ItemReport
from mediaguard.errors import Cancelled, MediaguardError, StoreError
from mediaguard.files import is_for_people, walk
from mediaguard.notes import update_note
from mediaguard.pipeline.ports import Progress
from mediaguard.texts import explain, say
from mediaguard.workspace import sweep

FIRST_RETRY, LAST_RETRY = 5.0, 300.0
"""Seconds before the first and between the last retries when something is in the way."""

BUSY_RETRY = 2.0
"""Seconds before a file is tried again that somebody else has in hand."""

RESCAN = 30.0
"""Seconds after which the folders are looked through even if no event came."""

TELL_EVERY = 20.0
"""Seconds after which it is told how far a long video is."""

Signature = tuple[int, int, int]
"""Inode, size and modification time: what changes while a file is being written."""


@dataclass(slots=True)
class _Seen:
    signature: Signature
    due: float
    retry: float = FIRST_RETRY


class Watcher:
    """Takes up the files of every channel's inbox.

    Args:
        app: the home.
        tell: prints a line for whoever watches.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        app: App,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._tell = tell
        self._clock = clock
        self._settle = app.config.watch.settle_seconds
        self._seen: dict[Path, _Seen] = {}
        self._trouble = FIRST_RETRY

    def run(self, stop: threading.Event) -> None:
        """Watch until `stop` is set; a photo that is being handled is finished first."""
        self._sweep()
        wake = threading.Event()
        folders = [self._app.inbox(channel) for channel in self._app.config.channels]
        with _observing(folders, wake, polling=self._app.config.watch.polling):
            while not stop.is_set():
                wake.clear()
                delay = self.step(stop)
                # Short naps, so that a stop signal is answered within half a second.
                deadline = self._clock() + delay
                while not stop.is_set() and (left := deadline - self._clock()) > 0:
                    if wake.wait(min(left, 0.5)):
                        break

    def _sweep(self) -> None:
        """Remove what killed processes left half-written, and work that nobody took up again."""
        sweep(self._app.work)
        for channel in self._app.config.channels:
            for path in self._app.ready(channel).glob(".*.part"):
                path.unlink(missing_ok=True)

    def step(self, stop: threading.Event | None = None) -> float:
        """Handle what is complete now; returns the seconds until the next look is due."""
        try:
            for channel in self._app.config.channels:
                for path in self._complete(channel):
                    if stop is not None and stop.is_set():
                        return 0.0
                    self._handle(channel, path, stop)
        except Cancelled:
            return 0.0  # it stays in the inbox, and the work goes on where it was next time
        except (MediaguardError, OSError) as error:
            return self._report_trouble(error)
        self._trouble = FIRST_RETRY
        now = self._clock()
        return min((max(seen.due - now, 0.0) for seen in self._seen.values()), default=RESCAN)

    def _report_trouble(self, error: MediaguardError | OSError) -> float:
        language = self._app.language
        if isinstance(error, MediaguardError):
            reason = explain(error, language)
        else:
            reason = say("home-unwritable", {"home": self._app.home, "detail": error.strerror})
        delay, self._trouble = self._trouble, min(self._trouble * 2, LAST_RETRY)
        self._tell(say("watch-trouble", {"reason": reason, "seconds": round(delay)}, language))
        return delay

    def _complete(self, channel: str) -> Iterator[Path]:
        """The files of an inbox that have not changed for the settling time and are due."""
        present = {path: _signature(path) for path in walk(self._app.inbox(channel))}
        for path in [p for p in self._seen if p.is_relative_to(self._app.inbox(channel))]:
            if path not in present:
                del self._seen[path]
        for path, signature in present.items():
            if signature is None:
                continue
            now = self._clock()
            seen = self._seen.get(path)
            if seen is None or seen.signature != signature:
                self._seen[path] = _Seen(signature, now + self._settle)
            elif now >= seen.due:
                yield path

    def _handle(self, channel: str, path: Path, stop: threading.Event | None) -> None:
        seen = self._seen[path]
        try:
            with self._app.eyes:
                report = self._app.pipeline(channel).process(
                    path,
                    vault=self._app.vault,
                    channel=self._app.channel(channel),
                    progress=self._progress(channel, stop),
                )
        except StoreError as error:
            if error.code != "item-busy":
                raise
            # Another process has the same picture in hand, or one that was killed had it.
            seen.due = self._clock() + BUSY_RETRY
            return
        self._tell_outcome(channel, report)
        update_note(self._app, channel, report)
        if report.kept_safe and _signature(path) == seen.signature:
            path.unlink(missing_ok=True)
            del self._seen[path]
        else:
            # Unreadable, no room for the original, or replaced under way: it stays, and is
            # tried again later.
            seen.due = self._clock() + seen.retry
            seen.retry = min(seen.retry * 2, LAST_RETRY)

    def _progress(self, channel: str, stop: threading.Event | None) -> Progress:
        """Tells now and then how far a video is, and ends the work when asked to."""
        pace: dict[str, float] = {}
        told = self._clock()

        def tell(step: str, done: int, total: int) -> None:
            nonlocal told
            if stop is not None and stop.is_set():
                raise Cancelled("cancelled")
            now = self._clock()
            started = pace.setdefault(step, now)
            if now - told < TELL_EVERY:
                return
            told = now
            left = (now - started) / done * (total - done)
            params = {
                "channel": channel,
                "step": say(f"progress-{step}", {}, self._app.language),
                "percent": 100 * done // total,
                "left": f"{int(left // 60)}:{int(left % 60):02}",
            }
            self._tell(say("watch-progress", params, self._app.language))

        return tell

    def _tell_outcome(self, channel: str, report: ItemReport) -> None:
        outcome = say(f"outcome-{report.outcome.value}", {}, self._app.language)
        # The item's code, not the file name: that often holds a pupil's name, and this line
        # may end up in a log.
        self._tell(f"{channel}: {report.item_id or '?'}: {outcome}")


class _Waker(FileSystemEventHandler):
    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in ("created", "modified", "moved", "closed") and is_for_people(
            Path(str(event.dest_path or event.src_path))
        ):
            self._wake.set()


@contextmanager
def _observing(folders: list[Path], wake: threading.Event, *, polling: bool) -> Iterator[None]:
    observer = PollingObserver() if polling else Observer()
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        observer.schedule(_Waker(wake), str(folder), recursive=True)
    observer.start()
    try:
        yield
    finally:
        observer.stop()
        observer.join()


def _signature(path: Path) -> Signature | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
