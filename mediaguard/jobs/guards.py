"""What DBOS must not do here: flood the log, or run what stands in the database."""

import logging
import time

REPEAT_SECONDS = 60.0


class _Sparing(logging.Filter):
    """Of what is said from one place, lets one message a minute pass.

    A worker looks many times a second; while the database is away, DBOS says so every time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a message is passed on."""
        if record.levelno < logging.WARNING or "verify existence" in str(record.msg):
            return False  # that it may not look at the database "postgres": it need not
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._last.get(place, -REPEAT_SECONDS) < REPEAT_SECONDS:
            return False
        self._last[place] = now
        return True


def sparing_log() -> None:
    """Make DBOS log into the program's own log, and little."""
    logger = logging.getLogger("dbos")
    if not any(isinstance(each, _Sparing) for each in logger.filters):
        logger.addFilter(_Sparing())
        logger.addHandler(logging.NullHandler())  # with no handler it would bring one of its own
        logger.setLevel(logging.WARNING)


def no_pickles() -> None:
    """Refuse pickled messages; ours are JSON.

    DBOS unpickles what says that it is a pickle, so whoever may write to the database could run
    code where the master key is. It has no setting against that.
    """
    from dbos import _serialization

    def refuse(*_: object) -> object:
        raise ValueError("a pickled message is refused")

    _serialization.DefaultSerializer.deserialize = refuse  # type: ignore[assignment, method-assign]
