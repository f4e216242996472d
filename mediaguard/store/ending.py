"""When somebody may not be shown any more: asking for what shows them, whatever the reason."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from mediaguard.core.consent import MATCHING, Rule
from mediaguard.store.audit import Audit
from mediaguard.store.book import ChannelRules
from mediaguard.store.database import Database
from mediaguard.store.items import VISIBLE
from mediaguard.store.keys import Keyring
from mediaguard.store.ledger import Ledger
from mediaguard.store.people import ruling
from mediaguard.store.questions import Questions
from mediaguard.store.tables import ConsentEventRow, PublicationRow
from mediaguard.store.takedowns import Takedowns

_LAPSED = (Rule.EXPIRED, Rule.WORDING, Rule.SIGNATORY)
"""What a date or the settings bring about: no answer says so, only the daily look finds it."""


class Ended(NamedTuple):
    """How many publications have to go, and how many a person has to look at."""

    publications: int
    questions: int


class Ending:
    """Asks for takedowns within the caller's transaction.

    Also asks a person to look at faces that are shown under somebody else's name and resemble the
    subject: the name may be wrong.

    Args:
        rules: of every configured channel.
        zone: the school's.
        keyring: for the audit log.
        now: the clock.
        actor: who acts, for the audit log.
    """

    def __init__(
        self,
        rules: Mapping[str, ChannelRules],
        keyring: Keyring,
        *,
        zone: tzinfo,
        now: Callable[[], datetime],
        actor: str,
    ) -> None:
        self._rules = rules
        self._zone = zone
        self._keyring = keyring
        self._now = now
        self._actor = actor

    def ask(
        self, session: Session, subject_id: str, channel: str, reason: str, event: int | None
    ) -> Ended:
        """Ask for everything on a channel that shows a subject, or may show it."""
        rules = self._rules.get(channel)
        count = Takedowns(session).plan(
            subject_id,
            channel,
            reason=reason,
            consent_event=event,
            action=rules.takedown if rules else "remove",
            at=self._now(),
        )
        if count:
            Audit(session, self._keyring).append(
                "takedowns-requested",
                at=self._now(),
                actor=self._actor,
                subject_id=subject_id,
                data={"channel": channel, "publications": count},
            )
        return Ended(
            count, Questions(session).ask_about_likenesses(subject_id, channel, at=self._now())
        )

    def channels(self, session: Session) -> set[str]:
        """All that are configured, and those that were and have something public still."""
        public = select(PublicationRow.channel).distinct().where(PublicationRow.state.in_(VISIBLE))
        return {*self._rules, *session.scalars(public)}

    def rules_of(self, session: Session, channel: str) -> ChannelRules:
        """The rules of a channel; of one that is not configured any more, as the ledger tells.

        There the last answer says for what it was, and every wording counts: what is public goes
        when consent ends, and not because a name in the settings was mistyped.
        """
        if channel in self._rules:
            return self._rules[channel]
        purpose = session.scalar(
            select(ConsentEventRow.purpose)
            .where(ConsentEventRow.channel == channel)
            .order_by(ConsentEventRow.event_id.desc())
            .limit(1)
        )
        return ChannelRules(channel, purpose or "", self._zone, None)

    def ask_where_refused(self, session: Session, pairs: Collection[tuple[str, str]]) -> Ended:
        """The same for (subject, channel) pairs about which something changed, if it is a no."""
        publications = questions = 0
        for channel in sorted({channel for _, channel in pairs}):
            subjects = [subject_id for subject_id, name in pairs if name == channel]
            rulings = self.rules_of(session, channel).rulings(session, subjects, now=self._now())
            for subject_id, now in rulings.items():
                if not now.allowed:
                    asked = self.ask(session, subject_id, channel, now.rule, now.event_id)
                    publications += asked.publications
                    questions += asked.questions
        return Ended(publications, questions)

    @staticmethod
    def _doubtful(
        session: Session, lapsed: Collection[str], rules: ChannelRules
    ) -> Collection[str]:
        """Who of these might be shown under another name since a time when they still agreed.

        Whoever had not agreed by then was reckoned with when it was decided.
        """
        since = Questions(session).resembled(lapsed, rules.channel)
        events = Ledger(session).events(since, rules.channel)
        agreed = replace(rules, accepted_wordings=None)
        return [
            who.subject_id
            for who in Ledger(session).of(since)
            if ruling(
                agreed,
                who,
                [event for event in events if event.recorded_at <= since[who.subject_id]],
                since[who.subject_id],
            ).allowed
        ]

    def ask_all(self, database: Database) -> int:
        """The same for everybody, each in a transaction of their own.

        What a date brings (the end of a consent, a 16th birthday), a wording that counts no more,
        or whatever else nobody recorded: the ledger is asked anew.
        """
        total = 0
        with database.read() as session:
            channels = self.channels(session) - {MATCHING}  # nothing is published there
        for channel in sorted(channels):
            with database.read() as session:
                rules = self.rules_of(session, channel)
                rulings = rules.rulings(session, None, now=self._now())
                refused = [subject_id for subject_id, r in rulings.items() if not r.allowed]
                lapsed = [s for s in refused if rulings[s].rule in _LAPSED]
                concerned = {
                    *Takedowns(session).shown_without(refused, rules.channel),
                    *self._doubtful(session, lapsed, rules),
                }
            for subject_id in sorted(concerned):
                with database.write() as session:
                    Ledger(session).lock([subject_id])
                    asked = self.ask_where_refused(session, {(subject_id, rules.channel)})
                    total += asked.publications
        return total
