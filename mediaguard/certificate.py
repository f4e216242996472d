"""What a parent gets: what was taken down, where, when, why, and what was found there afterwards.

It is about one subject. Who else can be seen in a picture does not stand in it, nor in which
folder of a server a file was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import PurePath
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.orm import Session

from mediaguard.app import App
from mediaguard.core.consent import Rule
from mediaguard.errors import InputError
from mediaguard.phrases import answer, channel_title, day, moment, received_by
from mediaguard.store.audit import Audit, AuditEntry
from mediaguard.store.items import Items, Publications
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import ConsentEventRow, PublicationRow, TakedownRow
from mediaguard.store.takedowns import OPEN, Takedowns
from mediaguard.texts import printable, say

_PROOF = {"confirmed": "takedown-confirmed", "unrecallable": "takedown-unrecallable"}
"""Which entry of the audit log proves a state."""

_DIGEST = 16  # so many characters of an entry's digest are enough to compare
_REPLACED = "new file"  # what a channel answers where another rendition stands now


@dataclass(frozen=True, slots=True)
class Place:
    """Where a publication was, and what was found there when somebody last looked.

    Attributes:
        url: its address; of a file only the name.
        gone: it was not there any more; None if nobody looked yet.
        answer: what answered, as in `core.publication.Look`.
    """

    url: str
    gone: bool | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """The entry of the audit log that says so; `digest` is the beginning of its digest."""

    sequence: int
    digest: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Removal:
    """One takedown.

    Attributes:
        takedown, publication, item: ids.
        kind: ``"photo"`` or ``"video"``.
        channel: where it was.
        state: as in `TakedownRow`.
        replaced: a version without the subject took its place.
        reason: code of the rule that asked for it.
        consent_event: number of the answer that decided.
        answered_at: when it was recorded that there is no consent (any more).
        valid_until: the last day of the consent, if it expired.
        requested_at, removed_at, confirmed_at: when.
        places: every place where it was.
        receivers: who is to be told, if it cannot be recalled and the configuration says who.
        proof: None while it is open.
    """

    takedown: str
    publication: str
    item: str
    kind: str
    channel: str
    state: str
    replaced: bool
    reason: str
    consent_event: int | None
    answered_at: datetime | None
    valid_until: date | None
    requested_at: datetime
    removed_at: datetime | None
    confirmed_at: datetime | None
    places: tuple[Place, ...]
    receivers: tuple[str, ...]
    proof: Proof | None

    @property
    def is_open(self) -> bool:
        """Whether there is something left to do."""
        return self.state in OPEN

    @property
    def is_unrecallable(self) -> bool:
        """Whether it was given out for good."""
        return self.state == "unrecallable"

    @property
    def outcome(self) -> str:
        """``"open"``, ``"removed"``, ``"replaced"`` or ``"unrecallable"``."""
        if self.is_open:
            return "open"
        if self.is_unrecallable:
            return "unrecallable"
        return "replaced" if self.replaced else "removed"


@dataclass(frozen=True, slots=True)
class Certificate:
    """All takedowns of a subject, by channel, the longest waiting first.

    Attributes:
        subject: whose.
        channel: the only one that it is about; None for all.
        made_at: when.
        zone: the school's, in which moments are told.
        removals: the takedowns; there is at least one.
    """

    subject: str
    channel: str | None
    made_at: datetime
    zone: ZoneInfo
    removals: tuple[Removal, ...]

    @property
    def open(self) -> int:
        """How many are not confirmed gone."""
        return sum(removal.is_open for removal in self.removals)

    @property
    def unrecallable(self) -> int:
        """How many cannot be recalled."""
        return sum(removal.is_unrecallable for removal in self.removals)

    @property
    def title(self) -> str:
        """``"certificate"``; ``"statement"`` while anything is open, or if all was given out."""
        is_done = not self.open and self.unrecallable < len(self.removals)
        return "certificate" if is_done else "statement"

    def as_json(self) -> dict[str, Any]:
        """As the documented JSON."""
        return {
            "title": self.title,
            "subject": self.subject,
            "channel": self.channel,
            "made_at": self._iso(self.made_at),
            "open": self.open,
            "unrecallable": self.unrecallable,
            "removals": [
                {
                    "takedown": one.takedown,
                    "publication": one.publication,
                    "item": one.item,
                    "kind": one.kind,
                    "channel": one.channel,
                    "state": one.state,
                    "outcome": one.outcome,
                    "reason": one.reason,
                    "consent_event": one.consent_event,
                    "answered_at": self._iso(one.answered_at),
                    "valid_until": one.valid_until.isoformat() if one.valid_until else None,
                    "requested_at": self._iso(one.requested_at),
                    "removed_at": self._iso(one.removed_at),
                    "confirmed_at": self._iso(one.confirmed_at),
                    "places": [
                        {"url": place.url, "gone": place.gone, "answer": place.answer}
                        for place in one.places
                    ],
                    "receivers": list(one.receivers),
                    "proof": {
                        "sequence": one.proof.sequence,
                        "digest": one.proof.digest,
                        "at": self._iso(one.proof.at),
                    }
                    if one.proof
                    else None,
                }
                for one in self.removals
            ],
        }

    def as_text(self, language: str) -> str:
        """As plain text, for a mail or a letter."""
        words = _Words(self, language)
        lines = [words.title.upper(), "", *words.summary, "", words.say("certificate-intro"), ""]
        lines += [f"{label}: {value}" for label, value in words.heading]
        for one in self.removals:
            lines += ["", words.name(one), f"  {words.outcome(one)}"]
            if one.is_unrecallable:
                lines.append(f"  {words.sent(one)}")
            lines += [f"  {label}: {value}" for label, value in words.facts(one)]
            if not one.is_unrecallable:
                lines.append(f"  {words.say('certificate-places')}:")
                lines += [f"    {url}  {found}" for url, found, _ in words.places(one)]
                if not one.places:
                    lines.append(f"    {words.nowhere(one)}")
        lines += ["", words.say("certificate-scope")]
        if any(one.proof for one in self.removals):
            lines += ["", words.say("certificate-audit")]
        return "\n".join([*lines, ""])

    def as_html(self, language: str) -> str:
        """As one page to be printed: no file beside it, no request, no script."""
        environment = Environment(
            loader=PackageLoader("mediaguard"), autoescape=True, undefined=StrictUndefined
        )
        return environment.get_template("certificate.html").render(
            certificate=self, language=language, words=_Words(self, language)
        )

    def _iso(self, value: datetime | None) -> str | None:
        return value.astimezone(self.zone).isoformat() if value else None


def certificate(app: App, subject_id: str, channel: str | None = None) -> Certificate:
    """What was taken down of a subject, and what was found afterwards.

    Args:
        app: the home.
        subject_id: whose.
        channel: the only one that matters; it need not be configured any more.

    Raises:
        InputError: the subject is not known, or nothing was to be taken down.
    """
    with app.database.read() as session:
        Ledger(session).known_subject(subject_id)
        rows = Takedowns(session).list(subject_id=subject_id, channel=channel)
        if not rows:
            params = {"subject": subject_id} | ({"channel": channel} if channel else {})
            raise InputError("no-takedown-of", **params)
        removals = [_removal(app, session, row) for row in rows]
    return Certificate(
        subject=subject_id,
        channel=channel,
        made_at=app.now(),
        zone=app.config.zone,
        removals=tuple(sorted(removals, key=lambda one: (one.channel, one.requested_at))),
    )


def _removal(app: App, session: Session, row: TakedownRow) -> Removal:
    publication = Publications(session).get(row.publication_id)
    lost = row.state == "unrecallable"
    event = session.get(ConsentEventRow, row.consent_event) if row.consent_event else None
    # A consent that was given and then ended otherwise was answered long before it ended.
    is_no = row.reason in (Rule.WITHDRAWN, Rule.REFUSED)
    return Removal(
        takedown=row.id,
        publication=row.publication_id,
        item=row.item_id,
        kind=Items(session).get(row.item_id).kind,
        channel=row.channel,
        state=row.state,
        replaced=_is_replaced(session, row),
        reason=row.reason,
        consent_event=row.consent_event,
        answered_at=event.recorded_at if event and is_no else None,
        valid_until=event.valid_until if event and row.reason == Rule.EXPIRED else None,
        requested_at=row.requested_at,
        removed_at=row.removed_at,
        confirmed_at=row.confirmed_at,
        places=_places(publication, row),
        receivers=received_by(app.config, row.channel) if lost else (),
        proof=_proof(Audit(session, app.keyring).entries(item_id=row.item_id), row),
    )


def _places(publication: PublicationRow, row: TakedownRow) -> tuple[Place, ...]:
    """Its addresses, and whatever else somebody looked at."""
    places = {url: Place(_without_folder(url)) for url in publication.urls}
    for look in row.looks:
        url = look["url"]
        places[url] = Place(_without_folder(url), look["gone"], look["answer"])
    return tuple(places.values())


def _without_folder(url: str) -> str:
    return url if url.startswith(("https://", "http://")) else PurePath(url).name


def _is_replaced(session: Session, row: TakedownRow) -> bool:
    if any(look["gone"] and look["answer"] == _REPLACED for look in row.looks):
        return True
    # On some channels the new version stands at an address of its own.
    publications = Publications(session)
    return row.action == "replace" and any(
        other.confirmed_at is not None
        and other.intended_at >= row.requested_at
        and row.subject_id not in publications.subjects(other.id)
        for other in publications.list(item_id=row.item_id)
        if other.id != row.publication_id
    )


def _proof(entries: Sequence[AuditEntry], row: TakedownRow) -> Proof | None:
    """The latest entry that says what the record says; an open takedown has none (any more)."""
    for entry in reversed(entries):
        if entry.action == _PROOF.get(row.state) and entry.data.get("takedown") == row.id:
            return Proof(entry.sequence, entry.digest[:_DIGEST], entry.at)
    return None


class _Words:
    """A certificate's words in one language, the same for text and page."""

    def __init__(self, of: Certificate, language: str) -> None:
        self._of = of
        self._language = language

    def say(self, code: str, params: Mapping[str, object] | None = None) -> str:
        return say(code, params, self._language)

    @property
    def title(self) -> str:
        return self.say(self._of.title)

    @property
    def summary(self) -> list[str]:
        """What matters most, in one or two sentences."""
        of = self._of
        counts = {"count": len(of.removals), "open": of.open, "lost": of.unrecallable}
        lines = []
        if of.open:
            lines.append(self.say("certificate-open", counts))
        elif of.unrecallable < len(of.removals):
            lines.append(
                self.say("certificate-none-left" if of.unrecallable else "certificate-done")
            )
        if of.unrecallable:
            lines.append(self.say("certificate-lost", counts))
        return lines

    @property
    def heading(self) -> list[tuple[str, str]]:
        of = self._of
        return [
            (self.say("certificate-pseudonym"), of.subject),
            (
                self.say("certificate-channel"),
                self._title(of.channel) if of.channel else self.say("certificate-every-channel"),
            ),
            (self.say("certificate-made"), self._moment(of.made_at)),
            (self.say("certificate-zone"), of.zone.key),
        ]

    def name(self, one: Removal) -> str:
        return f"{self.say(f'certificate-{one.kind}')}, {self._title(one.channel)}"

    def outcome(self, one: Removal) -> str:
        return self.say(f"certificate-state-{one.outcome}")

    def sent(self, one: Removal) -> str:
        code = "certificate-sent" if one.receivers else "certificate-sent-unknown"
        return self.say(code, {"receivers": one.receivers})

    def nowhere(self, one: Removal) -> str:
        return self.say("certificate-nowhere-open" if one.is_open else "certificate-nowhere")

    def facts(self, one: Removal) -> list[tuple[str, str]]:
        """Labels and values."""
        facts = {
            "certificate-code": one.item,
            "certificate-why": self._why(one),
            "certificate-requested": self._moment(one.requested_at),
        }
        if not one.is_unrecallable:
            facts["certificate-removed"] = self._moment(one.removed_at, "certificate-removed-not")
            facts["certificate-confirmed"] = self._moment(
                one.confirmed_at, "certificate-confirmed-not"
            )
        if one.proof:
            proof = {"sequence": one.proof.sequence, "digest": one.proof.digest}
            facts["certificate-proof"] = self.say("certificate-proof-entry", proof)
        return [(self.say(code), value) for code, value in facts.items()]

    def places(self, one: Removal) -> list[tuple[str, str, str]]:
        """For each place its address, what was found there in words, and a class for its colour."""
        return [(printable(place.url), *self._found(place)) for place in one.places]

    def _found(self, place: Place) -> tuple[str, str]:
        if place.gone is None or place.answer is None:
            return self.say("place-unseen"), "unseen"
        if place.gone:
            code, colour = ("replaced" if place.answer == _REPLACED else "gone"), "gone"
        else:
            # Only these show it; a server in trouble, or one that asks for a login, shows nothing.
            there = place.answer.startswith("200") or place.answer in ("file", "object")
            code, colour = ("there" if there else "unknown"), "there"
        return f"{self.say(f'place-{code}')} ({answer(place.answer, self._language)})", colour

    def _why(self, one: Removal) -> str:
        reason, event = self.say(one.reason), one.consent_event
        if event is None:
            return reason
        params: dict[str, object] = {"reason": reason, "event": event}
        if one.valid_until is not None:
            params["until"] = day(one.valid_until, self._language)
            return self.say("certificate-why-until", params)
        if one.answered_at is not None:
            params["at"] = self._moment(one.answered_at)
            return self.say("certificate-why-event", params)
        return self.say("certificate-why-event-only", params)

    def _title(self, channel: str) -> str:
        return channel_title(channel, self._language)

    def _moment(self, value: datetime | None, otherwise: str = "") -> str:
        if value is None:
            return self.say(otherwise)
        return moment(value, self._of.zone, self._language)
