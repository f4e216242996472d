"""How channels, answers and takedowns are told to parents and pupils."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from mediaguard.app import App
from mediaguard.certificate import Removal
from mediaguard.channels.web import is_web_address
from mediaguard.core.consent import MATCHING, Rule, Signatory
from mediaguard.phrases import channel_title, day, moment
from mediaguard.texts import personal, printable, say
from mediaguard.web.personal.standing import Answered, Holder, Standing

_NOES = (Rule.REFUSED, Rule.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a page.

    Attributes:
        app: the home.
        language: of the words.
        holder: who reads them.
        name: a first name, if the school's list has one.
    """

    app: App
    language: str
    holder: Holder
    name: str | None

    def say(self, code: str, **params: object) -> str:
        """A sentence, for this kind of reader where one is written; `{who}` is the subject."""
        own = f"{code}-{self.holder.link.signatory}"
        code = own if own in personal.EN else code
        return say(code, {"who": self.who, **params}, self.language)

    @property
    def pupil(self) -> str:
        """The subject where "your child" would be wrong: a first name, or the pseudonym."""
        return self.name or self.holder.subject.subject_id

    @property
    def who(self) -> str:
        """The subject within a sentence: you, a first name, or your child."""
        role = self.holder.link.signatory
        if role == Signatory.GUARDIAN and self.name:
            return self.name
        return say(f"personal-who-{role}", {}, self.language)

    def day(self, value: date) -> str:
        """A date; of a moment, the one at the school."""
        if isinstance(value, datetime):
            value = value.astimezone(self.app.config.zone).date()
        return day(value, self.language)

    def moment(self, value: datetime | None) -> str:
        """A moment in the school's time zone."""
        return "-" if value is None else moment(value, self.app.config.zone, self.language)

    # -- channels ---------------------------------------------------------------------------

    def channel(self, channel: str) -> str:
        """What a channel is called."""
        if channel == MATCHING:
            return self.say("personal-recognising")
        return channel_title(channel, self.language)

    def about(self, standing: Standing) -> str:
        """Where what is published there appears."""
        if standing.ruling is None:
            return self.say("personal-about-former")
        known = self._said(f"personal-about-{standing.channel}")
        if known:
            return known
        configured = self.app.config.channel(standing.channel)
        site = configured.wordpress or configured.http
        return self.say(f"personal-at-{configured.connector}", site=site.url if site else "")

    def purpose(self, purpose: str) -> str:
        """What for."""
        return self._said(f"personal-purpose-{purpose}") or printable(purpose)

    def status(self, standing: Standing) -> str:
        """Whether the subject may be shown, and why."""
        ruling = standing.ruling
        if ruling is None:
            return self.say("personal-now-former")
        if ruling.allowed and standing.channel == MATCHING:
            return self.say("personal-now-matching")
        if ruling.rule not in _NOES:
            return self.say(f"personal-now-{ruling.rule}")
        decided = standing.decided
        if decided is not None and decided.mine:
            return self.say(f"personal-now-no-{'mine' if decided.certain else 'guardian'}")
        if decided is not None and decided.event.signatory in tuple(Signatory):
            return self.say("personal-now-no-other")
        return self.say("personal-now-no-school")

    # -- answers ----------------------------------------------------------------------------

    def by(self, answered: Answered) -> str:
        """Who answered, seen from the holder."""
        if answered.certain:
            return self.say("personal-by-you")
        signatory = answered.event.signatory
        if signatory == self.holder.link.signatory and not answered.mine:
            return self.say("personal-by-other")
        return self._said(f"personal-by-{signatory}") or self.say("personal-by-nobody")

    def answer(self, answered: Answered) -> str:
        """What was answered."""
        return self._said(f"personal-answer-{answered.event.answer}") or self.say(
            "personal-answer-unclear"
        )

    def period(self, answered: Answered) -> str:
        """From when until when it holds; nothing if no dates were given."""
        first, last = answered.event.valid_from, answered.event.valid_until
        said = []
        if first:
            said.append(self.say("personal-from", day=self.day(first)))
        if last:
            said.append(self.say("personal-until", day=self.day(last)))
        return ", ".join(said)

    # -- takedowns --------------------------------------------------------------------------

    def progress(self, removal: Removal) -> tuple[str, str]:
        """How far a takedown is: the kind of its badge, and words."""
        if removal.is_open:
            step = "checking" if removal.state == "removed" else "asked"
            return "wait", self.say(f"personal-step-{step}")
        kind = "bad" if removal.is_unrecallable else "good"
        return kind, self.say(f"personal-step-{removal.outcome}")

    @staticmethod
    def addresses(removal: Removal) -> Sequence[str]:
        """Where it was on the web."""
        return [place.url for place in removal.places if is_web_address(place.url)]

    def _said(self, code: str) -> str | None:
        """A sentence; None if nobody wrote one."""
        return self.say(code) if code in personal.EN else None
