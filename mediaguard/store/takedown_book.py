"""The records of a channel as a takedown sees them; every method is one transaction."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy.orm import Session

from mediaguard.core.publication import ELSEWHERE, Look, Order
from mediaguard.errors import MediaguardError
from mediaguard.store.backoff import next_attempt
from mediaguard.store.book import ChannelBook, as_published
from mediaguard.store.items import Items, Publications
from mediaguard.store.leases import holds
from mediaguard.store.tables import PublicationRow, TakedownRow
from mediaguard.store.takedowns import OPEN, Takedowns

QUIET = timedelta(minutes=10)
"""So long after it was begun a publication that nobody finds may still appear: the upload of a
process that was killed can lie in a server's queue."""

PATIENCE = timedelta(minutes=2)
"""So long a picture that is to be replaced waits for its turn to be looked at: all of a class's
photos are through by then; behind an hour of video it is better gone first and back later."""


class TakedownBook(ChannelBook):
    """What `ChannelBook` does, and the takedowns of the channel's items.

    An item's takedowns are carried out by whoever has the item in hand (`held`), so that taking
    away and publishing anew never cross.
    """

    def orders(self, item_id: str) -> Sequence[Order]:
        """What is to be taken down of the item now, the longest waiting first.

        Nothing for whoever lost the item: it is the other one's to do.
        """
        with self._database.read() as session:
            if not holds(session, item_id, self._tokens.get(item_id)):
                return []
            rows = Takedowns(session).list(item_id=item_id, states=OPEN, due=self._now())
            return [self._order(session, row) for row in rows]

    def _order(self, session: Session, row: TakedownRow) -> Order:
        publications = Publications(session)
        publication = publications.get(row.publication_id)
        live = [
            other
            for other in publications.list(item_id=row.item_id, states=["live"])
            if other.id != publication.id
            and not Takedowns(session).list(publication_id=other.id, states=(*OPEN, "unrecallable"))
        ]
        return Order(
            takedown_id=row.id,
            published=as_published(publication),
            known=publication.confirmed_at is not None,
            # Nothing takes the place of what somebody rejected.
            replace=row.action == "replace" and Items(session).get(row.item_id).state != "rejected",
            removed=row.state == "removed",
            others=frozenset(url for other in live for url in other.urls),
            successor=live[-1].rendition_sha256 if live else None,
            doubtful=publication.intended_at + QUIET > self._now(),
            failures=row.failures,
        )

    def removed(self, order: Order) -> None:
        """Record that the channel says that it took it away.

        Until that is confirmed it counts as public: whoever else is in it and withdraws has a
        takedown of their own.
        """
        with self._held(order.published.item_id) as session:
            row, _ = self._rows(session, order)
            row.state, row.removed_at = "removed", self._now()
            row.problem = row.problem_params = None
            self._tell(session, row, "takedown-removed")

    def confirmed(self, order: Order, looks: Sequence[Look]) -> None:
        """Record that it is gone from every place where it was, with the evidence."""
        with self._held(order.published.item_id) as session:
            row, publication = self._rows(session, order)
            row.state, row.confirmed_at, row.next_attempt_at = "confirmed", self._now(), None
            row.removed_at = row.removed_at or self._now()
            row.looks, row.problem, row.problem_params = _evidence(looks), None, None
            publication.state = "removed"
            publication.removed_at = publication.removed_at or self._now()
            self._tell(session, row, "takedown-confirmed")

    def lingers(self, order: Order, looks: Sequence[Look]) -> None:
        """Record that it can still be seen somewhere; it is taken away again a little later."""
        waits = [look.again_after for look in looks if not look.gone]
        cached = [wait for wait in waits if wait is not None]
        with self._held(order.published.item_id) as session:
            row, _ = self._rows(session, order)
            row.state, row.looks = "requested", _evidence(looks)
            patience = min(cached) if cached and cached == waits else None
            beyond = any(look.answer == ELSEWHERE for look in looks)
            code = "takedown-elsewhere" if beyond else "takedown-lingers"
            self._retry(row, code, {}, patience)

    def displaced(self, order: Order) -> None:
        """Record that it stood where another rendition should be, which is to be published again.

        An upload that came late can overwrite what was put in its place.
        """
        with self._held(order.published.item_id) as session:
            for row in Publications(session).list(item_id=order.published.item_id, states=["live"]):
                if row.id != order.published.key and order.others & set(row.urls):
                    row.state, row.intended_at = "intended", self._now()
            Items(session).get(order.published.item_id).next_attempt_at = self._now()

    def unrecallable(self, order: Order) -> None:
        """Record that the channel cannot take back what it gave out.

        The publication stays what it is: whoever else is in it has to be told the same.
        """
        with self._held(order.published.item_id) as session:
            row, _ = self._rows(session, order)
            row.state, row.next_attempt_at = "unrecallable", None
            self._tell(session, row, "takedown-unrecallable")

    def doubted(self, order: Order) -> None:
        """Record that it was not found, and is looked for again until it cannot appear any more."""
        with self._held(order.published.item_id) as session:
            row, _ = self._rows(session, order)
            self._retry(row, "takedown-doubtful", {}, None)

    def failed(self, order: Order, error: MediaguardError, retry_after: float | None) -> None:
        """Record why it did not succeed, and when it is tried again."""
        params = {key: str(value) for key, value in error.params.items()}
        with self._held(order.published.item_id) as session:
            row, _ = self._rows(session, order)
            self._retry(row, error.code, params, retry_after)

    def await_turn(self, order: Order) -> None:
        """Record that nobody had time to make what takes its place, which is no failure.

        After `PATIENCE` it does not wait any more, and is taken away first.
        """
        with self._held(order.published.item_id) as session:
            row, _ = self._rows(session, order)
            now = self._now()
            if row.state in OPEN and row.requested_at <= now < row.requested_at + PATIENCE:
                row.next_attempt_at = next_attempt(now, 1)

    # -- inside -----------------------------------------------------------------------------

    def _rows(self, session: Session, order: Order) -> tuple[TakedownRow, PublicationRow]:
        return (
            Takedowns(session).get(order.takedown_id),
            Publications(session).get(order.published.key),
        )

    def _retry(
        self, row: TakedownRow, code: str, params: dict[str, str], retry_after: float | None
    ) -> None:
        if row.state not in OPEN:  # it was done meanwhile, in the course of handling the item
            return
        row.failures += 1
        row.problem, row.problem_params = code, params
        row.next_attempt_at = next_attempt(self._now(), row.failures, retry_after)

    def _tell(self, session: Session, row: TakedownRow, action: str) -> None:
        data = {"takedown": row.id, "publication": row.publication_id, "reason": row.reason}
        session.flush()
        self._audit(session, action, row.item_id, data, row.subject_id)


def _evidence(looks: Sequence[Look]) -> list[dict[str, object]]:
    return [asdict(look) for look in looks]
