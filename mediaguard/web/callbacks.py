"""Telling systems what became of what they sent.

A thread looks for news in the records (`store.deliveries.Outbox`), and each system with a callback
has a thread that tells it, so that one that hangs keeps nobody else waiting.
"""

import json
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from mediaguard.app import App
from mediaguard.channels.signing import sign
from mediaguard.channels.web import Web
from mediaguard.errors import ChannelError, StoreError
from mediaguard.store.deliveries import Callback, Deliveries, News, Outbox
from mediaguard.web.items import links_of, reason_of, web_addresses
from mediaguard.web.senders import Sender

LOOK = 1.0
"""Seconds between two looks for news, and for what is due."""

SWEEP = 3600.0
"""Seconds between two looks at everything, and for requests that are kept no longer."""

_TIMEOUT, _DEADLINE = 10.0, 30.0

log = logging.getLogger(__name__)


class Callbacks:
    """Tells systems, until stopped.

    Args:
        app: the home.
        senders: all systems; those without a callback are not told.
    """

    def __init__(self, app: App, senders: Sequence[Sender]) -> None:
        self._app = app
        self._deliveries = Deliveries(app.database, app.now)
        self._outbox = Outbox(app.database, app.now)
        self._senders = {s.name: s for s in senders if s.settings.callback is not None}

    def threads(self, stop: threading.Event) -> list[threading.Thread]:
        """Everything that has to run; nothing is started yet."""
        looking = threading.Thread(target=self._look, args=(stop,), name="callbacks", daemon=True)
        telling = [
            threading.Thread(
                target=self._tell, args=(sender, stop), name=f"callbacks-{name}", daemon=True
            )
            for name, sender in self._senders.items()
        ]
        return [looking, *telling]

    def collect(self, *, everything: bool = False) -> int:
        """Put down what there is to tell; returns how much. See `Outbox.collect`."""
        if not self._senders:
            return 0
        return self._outbox.collect([*self._senders], self._word, everything=everything)

    def send(self, name: str) -> bool:
        """Tell a system one thing; whether there was one.

        Raises:
            StoreError: the records cannot be used; it is told again later.
        """
        callback = self._outbox.take(name)
        if callback is None:
            return False
        try:
            self._post(self._senders[name], callback)
        except ChannelError as error:
            # Gone for good, as Standard Webhooks has it; anything else may pass.
            later = error.params.get("status") != 410
            self._outbox.failed(callback.id, error.code, error.retry_after, later=later)
        else:
            self._outbox.told(callback.id)
        return True

    # -- inside -----------------------------------------------------------------------------

    def _look(self, stop: threading.Event) -> None:
        swept = float("-inf")
        while not stop.is_set():
            try:
                sweeps = time.monotonic() - swept > SWEEP
                if sweeps:
                    self._deliveries.sweep()
                self.collect(everything=sweeps)
                if sweeps:
                    swept = time.monotonic()
            except StoreError as error:
                log.warning("callbacks wait: %s", error.code)
            except Exception:
                log.exception("callbacks met with an unexpected error")
            stop.wait(LOOK)

    def _tell(self, sender: Sender, stop: threading.Event) -> None:
        while not stop.is_set():
            more = False
            try:
                more = self.send(sender.name)
            except StoreError as error:
                log.warning("callbacks wait: %s", error.code)
            except Exception:
                log.exception("a callback met with an unexpected error")
            if not more:
                stop.wait(LOOK)

    def _post(self, sender: Sender, callback: Callback) -> None:
        body = json.dumps(callback.payload, ensure_ascii=False).encode()
        headers = sign(sender.secrets, callback.id, int(time.time()), [body])
        assert sender.settings.callback is not None
        with closing(Web(timeout=_TIMEOUT, deadline=_DEADLINE)) as web:
            web.call(
                "POST",
                sender.settings.callback,
                content=body,
                headers={"Content-Type": "application/json", **headers},
            )

    def _word(self, news: News) -> Mapping[str, Any]:
        item, publication = news.item, news.publication
        data: dict[str, Any] = {"id": item.id, "channel": item.channel}
        if publication is None:
            data |= {
                "state": item.state,
                "outcome": item.outcome,
                "reason": reason_of(item, self._app.language),
            }
        else:
            urls = web_addresses(publication.urls)
            data |= {"publication": {"id": publication.id, "urls": urls}}
        data["links"] = {"self": links_of(item.id)["self"]}
        return {"type": news.type, "timestamp": self._app.now().isoformat(), "data": data}
