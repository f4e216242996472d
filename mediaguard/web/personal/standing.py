"""What somebody agreed to, where, and in which words: the facts of a personal page."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from mediaguard.app import App
from mediaguard.config import Config
from mediaguard.core.consent import (
    MATCHING,
    Answer,
    ConsentEvent,
    Ruling,
    Signatory,
    Subject,
    rightful_signatory,
    sixteenth_birthday,
)
from mediaguard.store.items import Publications
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import PersonalLinkRow
from mediaguard.wordings import Wording


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, as the holder of a link sees it.

    Attributes:
        event: as it was recorded.
        mine: it stands in the holder's place: a later answer by the link takes it over.
        certain: the holder gave it. Guardians whom nobody told apart share one place.
        wording: what was agreed to, if its version is on record.
    """

    event: ConsentEvent
    mine: bool
    certain: bool
    wording: Wording | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands on one channel.

    Attributes:
        channel: its name.
        purpose: what for.
        ruling: whether they may be shown there now; None on a channel that is not used any more.
        history: all answers, the newest first.
        asked: the wording by which consent is asked now; None if there is no text.
        shown: so many publications show them there.
    """

    channel: str
    purpose: str
    ruling: Ruling | None
    history: Sequence[Answered]
    asked: Wording | None
    shown: int

    @property
    def allowed(self) -> bool:
        """Whether they may be shown."""
        return self.ruling is not None and self.ruling.allowed

    @property
    def decided(self) -> Answered | None:
        """The answer that decided."""
        event_id = self.ruling.event_id if self.ruling else None
        return next((a for a in self.history if a.event.event_id == event_id), None)

    @property
    def mine(self) -> Answered | None:
        """The holder's latest answer for what is asked now."""
        return next((a for a in self.history if a.mine and a.event.purpose == self.purpose), None)

    @property
    def is_yes(self) -> bool:
        """Whether the holder said yes last."""
        return self.mine is not None and self.mine.event.answer == Answer.GRANTED

    @property
    def offers_yes(self) -> bool:
        """Whether a yes would change something: not if only somebody else's no is in the way."""
        if self.ruling is None or not self.is_yes:
            return self.ruling is not None
        decided = self.decided
        return not self.allowed and (
            decided is None or decided.mine or decided.event.signatory not in tuple(Signatory)
        )

    @property
    def offers_no(self) -> bool:
        """Whether a no would change something, or is still to be said."""
        return self.allowed or self.mine is None or self.is_yes


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a link.

    Attributes:
        link: its record.
        subject: whose answers it shows.
        decides: it is for the holder to answer, today.
        since: from when the subject decides, if that is known.
    """

    link: PersonalLinkRow
    subject: Subject
    decides: bool
    since: date | None


def holder_of(app: App, link: PersonalLinkRow) -> Holder:
    """Who holds a link, and whether it is theirs to answer."""
    with app.database.read() as session:
        subject = Ledger(session).known_subject(link.subject_id)
    today = app.now().astimezone(app.config.zone).date()
    decides = rightful_signatory(subject, today) == link.signatory
    return Holder(
        link, subject, decides, sixteenth_birthday(subject.born) if subject.born else None
    )


def standings(app: App, link: PersonalLinkRow) -> list[Standing]:
    """Where they stand on every channel: those of the school, matching, then former ones."""
    with app.database.read() as session:
        events = Ledger(session).events([link.subject_id])
        rows = Publications(session).of_subject(link.subject_id)
    shown = Counter(row.channel for row in rows)
    rulings = app.desk.rulings([link.subject_id])[link.subject_id]
    asked = {channel: asked_version(app.config, channel) for channel in rulings}
    versions = {event.wording for event in events} | {*asked.values()}
    wordings = app.wordings.of([version for version in versions if version])
    answers: dict[str, list[Answered]] = defaultdict(list)
    for event in reversed(events):
        wording = wordings[event.wording] if event.wording else None
        mine = _is_from(event, link)
        certain = mine and (
            event.signatory == Signatory.SUBJECT
            or event.signatory_id is not None
            or event.evidence.startswith(f"LINK-{link.id}-")
        )
        answers[event.channel].append(Answered(event, mine, certain, wording))
    found = []
    for channel in dict.fromkeys([*rulings, *answers]):
        wording = wordings.get(asked.get(channel) or "")
        rules = app.desk.rules.get(channel)
        found.append(
            Standing(
                channel,
                rules.purpose if rules else answers[channel][0].event.purpose,
                rulings.get(channel),
                tuple(answers[channel]),
                wording if wording and wording.texts else None,
                shown[channel],
            )
        )
    return found


def asked_version(config: Config, channel: str) -> str | None:
    """The wording by which consent to a channel is asked now."""
    return config.matching.wording if channel == MATCHING else config.channels[channel].asked


def _is_from(event: ConsentEvent, link: PersonalLinkRow) -> bool:
    if event.signatory != link.signatory:
        return False
    return event.signatory == Signatory.SUBJECT or event.signatory_id == link.signatory_id
