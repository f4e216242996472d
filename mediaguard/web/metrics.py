"""Numbers for Prometheus: no names, no ids."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from mediaguard.app import App
from mediaguard.store.tables import CallbackRow, ItemRow, TakedownRow
from mediaguard.store.takedowns import OPEN

SweptAt = Callable[[], datetime | None]


class Metrics:
    """Counts requests, and reads the rest from the records when somebody asks.

    Args:
        app: the home.
        swept_at: when the worker last looked at what is due.
    """

    def __init__(self, app: App, swept_at: SweptAt) -> None:
        self.registry = CollectorRegistry()
        self._requests = Histogram(
            "mediaguard_request_seconds",
            "Requests and how long they took.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.registry.register(_Records(app, swept_at))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method, route, str(status)).observe(seconds)


class _Records(Collector):
    def __init__(self, app: App, swept_at: SweptAt) -> None:
        self._app = app
        self._swept_at = swept_at

    def describe(self) -> Iterable[Metric]:  # or registering would read the database
        return []

    def collect(self) -> Iterable[Metric]:
        now = self._app.now()
        due_since = now - timedelta(minutes=self._app.config.takedown.overdue_minutes)
        with self._app.database.read() as session:
            items = GaugeMetricFamily("mediaguard_items", "Items by state.", labels=["state"])
            by_state = select(ItemRow.state, func.count()).group_by(ItemRow.state)
            for state, count in session.execute(by_state):
                items.add_metric([state], count)
            is_open = TakedownRow.state.in_(OPEN)
            overdue = is_open & (TakedownRow.requested_at < due_since)
            due = ItemRow.next_attempt_at <= now
            waiting = CallbackRow.next_attempt_at.is_not(None)
            numbers = {
                "takedowns_open": session.scalar(select(func.count()).where(is_open)),
                "takedowns_overdue": session.scalar(select(func.count()).where(overdue)),
                "queue_items": session.scalar(select(func.count()).where(due)),
                "callbacks_waiting": session.scalar(select(func.count()).where(waiting)),
            }
            oldest = session.scalar(select(func.min(ItemRow.next_attempt_at)).where(due))
        yield items
        for name, number in numbers.items():
            yield GaugeMetricFamily(f"mediaguard_{name}", _HELP[name], value=number or 0)
        age = (now - oldest).total_seconds() if oldest else 0.0
        yield GaugeMetricFamily(
            "mediaguard_queue_age_seconds", "How long the oldest item waits.", value=age
        )
        swept = self._swept_at()
        if swept is not None:
            yield GaugeMetricFamily(
                "mediaguard_last_sweep_timestamp_seconds",
                "When the worker last looked at what is due.",
                value=swept.timestamp(),
            )


_HELP = {
    "takedowns_open": "What has to come down and is not confirmed gone.",
    "takedowns_overdue": "What should have been gone.",
    "queue_items": "Items that are due.",
    "callbacks_waiting": "What systems are still to be told.",
}
