"""The consent desk: what staff records about subjects and consent; each call one transaction."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from types import MappingProxyType

from sqlalchemy.orm import Session

from mediaguard.core.consent import (
    MATCHING,
    UNATTRIBUTED,
    Answer,
    ConsentEvent,
    Kind,
    Rule,
    Ruling,
    Subject,
)
from mediaguard.core.faces import Embedding, Quality
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from mediaguard.store.book import ChannelRules
from mediaguard.store.database import Database
from mediaguard.store.ending import Ending
from mediaguard.store.gallery import Gallery, Reference
from mediaguard.store.importing import Plan, What, apply_consents, plan_consents, read_consents
from mediaguard.store.kept_wordings import KeptWordings
from mediaguard.store.keys import Keyring
from mediaguard.store.ledger import Given, Ledger
from mediaguard.store.mapping import load_mapping
from mediaguard.store.roster import RosterPlan, apply_roster, plan_roster, read_roster
from mediaguard.store.tabular import Source
from mediaguard.store.takedowns import Asked, Takedowns

_NOTHING_KEPT: Mapping[str, Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did.

    Attributes:
        events: what was recorded; empty if there was nothing to withdraw.
        takedowns: what is not gone yet of all that shows the subject there.
        questions: so many pictures were found in which somebody may be the subject under another
            name; a person should look at them.
        forgotten: references that were deleted because the opt-in to matching ended.
    """

    events: Sequence[ConsentEvent]
    takedowns: Sequence[Asked]
    questions: int
    forgotten: int


class Desk:
    """Records answers and imports.

    Args:
        database: where.
        keyring: for the audit log and the references.
        channels: the rules of every configured channel; `MATCHING` is added.
        zone: the school's time zone.
        now: the clock.
        actor: who acts, for the audit log.
        written: the texts of a version of the wording as they are now, by language; they are
            kept with the first yes that names it.
        sleep: waits so many seconds; see `grant`.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        channels: Iterable[ChannelRules],
        *,
        zone: tzinfo,
        now: Callable[[], datetime],
        actor: str,
        written: Callable[[str], Mapping[str, str]],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._keyring = keyring
        matching = ChannelRules(MATCHING, MATCHING, zone, None)
        self.rules = {rules.channel: rules for rules in (*channels, matching)}
        self._zone = zone
        self._now = now
        self._actor = actor
        self._written = written
        self._sleep = sleep
        self._ending = Ending(self.rules, keyring, zone=zone, now=now, actor=actor)

    # -- subjects ---------------------------------------------------------------------------

    def add_subject(
        self, subject_id: str, *, kind: Kind, groups: Collection[str], born: date | None
    ) -> Subject:
        """Add a subject.

        Raises:
            InputError: the pseudonym or a group is not usable, or the subject exists.
        """
        with self._database.write() as session:
            subject = Ledger(session).add_subject(
                subject_id, at=self._now(), kind=kind, groups=groups, born=born
            )
            self._audit(session, "subject-added", subject_id, kind=kind.value)
        return subject

    def correct_subject(
        self, subject_id: str, *, kind: Kind, groups: Collection[str], born: date | None
    ) -> int:
        """Correct what is recorded about a subject; how many publications come down by that.

        Who may consent follows from kind and date of birth.

        Raises:
            InputError: the subject is not known, or a group is not usable.
        """
        with self._database.write() as session:
            ledger = Ledger(session)
            ledger.lock([subject_id])
            before = ledger.known_subject(subject_id)
            after = Subject(subject_id, kind, frozenset(groups), born)
            if after == before:
                return 0
            ledger.correct(subject_id, kind=kind, born=born)
            ledger.set_groups(subject_id, groups)
            ended = self._ending.ask_where_refused(
                session, {(subject_id, channel) for channel in self._ending.channels(session)}
            )
            self._audit(session, "subject-corrected", subject_id, source="desk")
        return ended.publications

    def import_roster(
        self, path: Source, *, dry_run: bool = False, expected: str | None = None
    ) -> RosterPlan:
        """Add and correct subjects from a CSV or EDEXML file, all of them or none.

        Args:
            path: the file.
            dry_run: only say what would change.
            expected: the fingerprint of the plan that somebody saw; nothing else is done.

        Raises:
            InputError: the file has mistakes (`ImportRefused`), cannot be read, or would change
                something else than what was expected.
        """
        subjects = read_roster(path)
        with self._database.read() if dry_run else self._database.write() as session:
            ledger = Ledger(session)
            if dry_run:
                return plan_roster(subjects, ledger)
            ledger.lock(None)
            plan = plan_roster(subjects, ledger)
            _require_expected(plan, expected)
            apply_roster(plan, ledger, at=self._now())
            # A corrected date of birth changes who may consent.
            ended = self._ending.ask_where_refused(
                session,
                {
                    (subject.subject_id, channel)
                    for channel in self._ending.channels(session)
                    for subject in plan.changed
                },
            )
            for action, changed in (("added", plan.added), ("corrected", plan.changed)):
                for subject in changed:
                    self._audit(session, f"subject-{action}", subject.subject_id, source="roster")
        return replace(plan, questions=ended.questions)

    # -- references -------------------------------------------------------------------------

    def add_reference(
        self, subject_id: str, *, model: str, embedding: Embedding, quality: Quality, sha256: str
    ) -> int:
        """Store a reference, once for each photo; returns how many the subject has now.

        Args:
            subject_id: whose face it is.
            model: name of the embedder.
            embedding: shape (dimensions,).
            quality: of the face.
            sha256: of the photo.

        Raises:
            InputError: the subject is not known, or has not opted in to matching.
        """
        with self._database.write() as session:
            gallery = self._gallery(session)
            added = gallery.enrol(
                subject_id,
                model=model,
                embedding=embedding,
                quality=quality,
                source_digest=self._keyring.digest("reference", sha256),
                at=self._now(),
            )
            count = gallery.count(subject_id, model)
            if added:
                self._audit(session, "reference-added", subject_id, references=count)
        return count

    def references(self, subject_id: str) -> list[Reference]:
        """A subject's references, the oldest first; none without the opt-in."""
        with self._database.read() as session:
            return self._gallery(session).of(subject_id, self._now())

    def remove_reference(self, subject_id: str, number: int) -> bool:
        """Remove one reference; False if the subject has none of this number."""
        with self._database.write() as session:
            removed = self._gallery(session).remove(subject_id, number)
            if removed:
                self._audit(session, "references-removed", subject_id, references=1)
        self._database.scrub()
        return removed

    def forget(self, subject_id: str) -> int:
        """Remove a subject's references and destroy their key; returns how many there were.

        Raises:
            InputError: the subject is not known.
        """
        with self._database.write() as session:
            Ledger(session).known_subject(subject_id)
            count = self._forget(session, subject_id)
            self._audit(session, "references-removed", subject_id, references=count)
        self._database.scrub()
        return count

    def forget_ended(self) -> None:
        """Remove the references of everybody whose opt-in to matching has ended."""
        with self._database.write() as session:
            ended = self._gallery(session).forget_ended(self._now())
            for subject_id, count in ended.items():
                self._audit(session, "references-removed", subject_id, references=count)
        if ended:
            self._database.scrub()

    # -- answers ----------------------------------------------------------------------------

    def grant(
        self,
        subject_id: str,
        channel: str,
        *,
        signatory: str,
        evidence: str,
        signatory_id: str | None = None,
        wording: str | None = None,
        valid_from: date | None = None,
        valid_until: date | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> tuple[ConsentEvent, Ruling]:
        """Record a yes, and say whether the subject may be shown now.

        Within one second a no wins (see docs/decisions/0006), be it a refusal or a yes that has
        expired, so that a yes right after another answer waits for the next second: otherwise
        it would be recorded and never count.

        The texts of the wording are kept as what was agreed to: `texts` (by language), if they
        were on a screen just now, or else what is written.

        Raises:
            InputError: the subject or channel is not known, such a yes could never count, or
                others agreed to other `texts` under this version.
        """
        rules = self._known(channel)
        self._wait_for_next_second(subject_id, rules)
        return self._record(
            subject_id,
            rules,
            Answer.GRANTED,
            signatory=signatory,
            evidence=evidence,
            signatory_id=signatory_id,
            wording=wording,
            valid_from=valid_from,
            valid_until=valid_until,
            texts=texts,
        )

    def refuse(
        self,
        subject_id: str,
        channel: str,
        *,
        signatory: str,
        evidence: str,
        signatory_id: str | None = None,
        wording: str | None = None,
    ) -> tuple[ConsentEvent, Ruling]:
        """Record a no; also on a channel that is not used any more but was.

        Raises:
            InputError: the subject or channel is not known.
        """
        return self._record(
            subject_id,
            self._known_once(channel),
            Answer.REFUSED,
            signatory=signatory,
            evidence=evidence,
            signatory_id=signatory_id,
            wording=wording,
        )

    def withdraw(
        self,
        subject_id: str,
        channel: str | None = None,
        *,
        signatory: str = UNATTRIBUTED,
        signatory_id: str | None = None,
        evidence: str = "",
    ) -> Withdrawal:
        """Record that consent is withdrawn; it is in force when this returns.

        As easy as giving it: whoever brings it, with or without a form. It holds for every
        purpose that the channel ever had, and ends with the references if it is `MATCHING`.

        Args:
            subject_id: whose consent.
            channel: None for every channel on which consent was ever given.
            signatory: who withdraws, if known.
            signatory_id: a guardian's pseudonym, if known.
            evidence: where the proof is, if there is any.

        Raises:
            InputError: the subject is not known, or the channel neither now nor ever was.
        """
        with self._database.write() as session:
            ledger = Ledger(session)
            ledger.lock([subject_id])
            ledger.known_subject(subject_id)
            given = {(e.channel, e.purpose) for e in ledger.events([subject_id])}
            if channel is not None:
                given = {pair for pair in given if pair[0] == channel}
                if channel in self.rules or not given:
                    given.add((channel, self._known(channel).purpose))
            answers = [
                Given(
                    subject_id,
                    channel=name,
                    purpose=purpose,
                    answer=Answer.WITHDRAWN,
                    signatory=signatory,
                    signatory_id=signatory_id,
                    evidence=evidence,
                )
                for name, purpose in sorted(given)
            ]
            events = ledger.append_all(answers, at=self._now())
            channels = {event.channel: event for event in events}
            forgotten = self._forget(session, subject_id) if MATCHING in channels else 0
            questions = 0
            for name, event in channels.items():
                reason, number = Rule.WITHDRAWN, event.event_id
                questions += self._ending.ask(session, subject_id, name, reason, number).questions
            asked = Takedowns(session).asked_for(subject_id, channels)
            for event in events:
                self._audit_answer(session, event)
        if forgotten:
            self._database.scrub()
        return Withdrawal(events, asked, questions, forgotten)

    def rulings(self, subject_ids: Collection[str] | None = None) -> dict[str, dict[str, Ruling]]:
        """Who may be shown where, now: by subject, then by channel."""
        with self._database.read() as session:
            by_channel = {
                channel: self._rulings(session, rules, subject_ids)
                for channel, rules in self.rules.items()
            }
        subjects = next(iter(by_channel.values()))
        return {
            subject_id: {channel: rulings[subject_id] for channel, rulings in by_channel.items()}
            for subject_id in subjects
        }

    # -- imports ----------------------------------------------------------------------------

    def import_consents(
        self,
        path: Source,
        mapping: Path,
        *,
        add_subjects: bool = False,
        dry_run: bool = False,
        expected: str | None = None,
    ) -> Plan:
        """Take over a parent app's export, all of it or nothing, and say what changed.

        Args:
            path: the CSV file.
            mapping: the TOML file that explains its columns.
            add_subjects: add unknown subjects instead of refusing the file.
            dry_run: only say what would change.
            expected: the fingerprint of the plan that somebody saw; nothing else is done.

        Raises:
            ConfigError: the mapping is not usable.
            InputError: the file has mistakes (`ImportRefused`), cannot be read, or would change
                something else than what was expected.
        """
        file = read_consents(path, load_mapping(mapping))
        purposes = {channel: rules.purpose for channel, rules in self.rules.items()}
        with self._database.read() if dry_run else self._database.write() as session:
            ledger = Ledger(session)
            if not dry_run:
                ledger.lock(None)
            plan = plan_consents(
                path,
                file,
                ledger,
                purposes=purposes,
                zone=self._zone,
                now=self._now(),
                add_subjects=add_subjects,
            )
            if dry_run:
                return plan
            _require_expected(plan, expected)
            events = apply_consents(plan, ledger, purposes=purposes, at=self._now())
            kept = self._keep(session, events, None)
            for event in events:
                if event.channel == MATCHING and event.answer != Answer.GRANTED:
                    self._forget(session, event.subject_id)
            ended = self._ending.ask_where_refused(
                session, {(e.subject_id, e.channel) for e in events}
            )
            for change in plan.changes:
                if change.what is What.ADD:
                    self._audit(session, "subject-added", change.subject_id, source="import")
            for event in events:
                self._audit_answer(session, event, kept)
        self._database.scrub()
        return replace(plan, questions=ended.questions)

    def take_down_ended(self) -> int:
        """Ask for all that shows somebody who may not be shown there any more; see `Ending`.

        To be done once a day. Returns how many publications are to be taken down.
        """
        return self._ending.ask_all(self._database)

    # -- inside -----------------------------------------------------------------------------

    def _known(self, channel: str) -> ChannelRules:
        if channel not in self.rules:
            raise InputError("channel-unknown", channel=channel, known=", ".join(self.rules))
        return self.rules[channel]

    def _known_once(self, channel: str) -> ChannelRules:
        with self._database.read() as session:
            known = self._ending.rules_of(session, channel)
        return known if known.purpose else self._known(channel)

    def _record(
        self,
        subject_id: str,
        rules: ChannelRules,
        answer: Answer,
        *,
        signatory: str,
        evidence: str,
        signatory_id: str | None,
        wording: str | None,
        valid_from: date | None = None,
        valid_until: date | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> tuple[ConsentEvent, Ruling]:
        with self._database.write() as session:
            given = Given(
                subject_id,
                channel=rules.channel,
                purpose=rules.purpose,
                answer=answer,
                signatory=signatory,
                signatory_id=signatory_id,
                evidence=evidence,
                wording=wording,
                valid_from=valid_from,
                valid_until=valid_until,
            )
            event = Ledger(session).append(given, at=self._now())
            if rules.channel == MATCHING and answer is not Answer.GRANTED:
                self._forget(session, subject_id)
            ruling = self._rulings(session, rules, [subject_id])[subject_id]
            if not ruling.allowed:
                self._ending.ask(session, subject_id, rules.channel, ruling.rule, event.event_id)
            self._audit_answer(session, event, self._keep(session, [event], texts))
        if rules.channel == MATCHING and answer is not Answer.GRANTED:
            self._database.scrub()
        return event, ruling

    def _wait_for_next_second(self, subject_id: str, rules: ChannelRules) -> None:
        with self._database.read() as session:
            events = Ledger(session).events([subject_id], rules.channel)
        now = self._now()
        last = max((event.recorded_at for event in events), default=None)
        if last is not None and last.replace(microsecond=0) == now.replace(microsecond=0):
            rest = now.replace(microsecond=0) + timedelta(seconds=1) - now
            self._sleep(rest.total_seconds())

    def _rulings(
        self, session: Session, rules: ChannelRules, subject_ids: Collection[str] | None
    ) -> dict[str, Ruling]:
        return rules.rulings(session, subject_ids, now=self._now())

    def _forget(self, session: Session, subject_id: str) -> int:
        return self._gallery(session).forget(subject_id)

    def _gallery(self, session: Session) -> Gallery:
        return Gallery(session, self._keyring, zone=self._zone)

    def _keep(
        self, session: Session, events: Sequence[ConsentEvent], shown: Mapping[str, str] | None
    ) -> Mapping[str, Mapping[str, str]]:
        """Keep the texts that these answers agree to; their digests by version and language."""
        agreed = {e.wording for e in events if e.wording and e.answer == Answer.GRANTED}
        kept, now = KeptWordings(session), self._now()
        if shown:
            return {version: kept.keep(version, shown, at=now) for version in agreed}
        return kept.keep_written(agreed, self._written, at=now)

    def _audit_answer(
        self,
        session: Session,
        event: ConsentEvent,
        kept: Mapping[str, Mapping[str, str]] = _NOTHING_KEPT,
    ) -> None:
        agreed = kept.get(event.wording or "", {}) if event.answer == Answer.GRANTED else {}
        digests = {f"wording_{language}": sha256 for language, sha256 in agreed.items()}
        self._audit(
            session,
            f"consent-{event.answer}",
            event.subject_id,
            channel=event.channel,
            purpose=event.purpose,
            event=event.event_id,
            **digests,
        )

    def _audit(self, session: Session, action: str, subject_id: str, **data: str | int) -> None:
        details: Mapping[str, object] = data
        Audit(session, self._keyring).append(
            action, at=self._now(), actor=self._actor, subject_id=subject_id, data=details
        )


def _require_expected(plan: Plan | RosterPlan, expected: str | None) -> None:
    if expected not in (None, plan.fingerprint):
        raise InputError("import-changed")
