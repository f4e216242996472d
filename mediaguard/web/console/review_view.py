"""An item as the review page shows it: each face with what was decided, and what may be said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from mediaguard.app import App
from mediaguard.core.access import Visitor
from mediaguard.core.consent import Ruling
from mediaguard.core.decision import Action, ChannelPolicy, FaceDecision, decide
from mediaguard.core.faces import Assessment, Box, Face
from mediaguard.core.media import MAX_SIGHTINGS
from mediaguard.core.reported import places_of
from mediaguard.core.review import Verdict, apply_marks
from mediaguard.review import Reviewed
from mediaguard.store.ledger import Ledger
from mediaguard.store.marks import as_mark
from mediaguard.store.tables import ItemRow, ReviewMarkRow


@dataclass(frozen=True, slots=True)
class CandidateView:
    """Somebody whom a face may be.

    Attributes:
        subject: their pseudonym; None if they are in other groups than the visitor's.
        distance: of the face to their references; None if a person said who it is.
        groups: theirs.
        allowed: whether they may be shown on the item's channel.
        rule: why.
    """

    subject: str | None
    distance: float | None
    groups: Sequence[str]
    allowed: bool
    rule: str


@dataclass(frozen=True, slots=True)
class FaceView:
    """A face, or a place that is to be redacted.

    Attributes:
        number: as people call it.
        kept, rule, consent_event: what was decided.
        will_keep, will_rule: what is decided when the item is handled anew; None: the same.
        box: in the picture that stands for the item; None if it is not in it.
        candidates: who it is taken for, then who else it may be; nearest first.
        recognised: somebody was recognised.
        marks: what people said about it.
        times: of a clip, from when to when it is seen, in seconds.
        is_place: it is nothing but a place yet: it was added since the item was handled.
        can_be_named, can_be_no_face: whether it makes sense to say so.
    """

    number: int
    kept: bool
    rule: str
    consent_event: int | None
    will_keep: bool | None
    will_rule: str | None
    box: Box | None
    candidates: Sequence[CandidateView]
    recognised: bool
    marks: Sequence[ReviewMarkRow]
    times: tuple[float, float] | None
    is_place: bool = False
    can_be_named: bool = True
    can_be_no_face: bool = True

    @property
    def shown_kept(self) -> bool:
        """What it will be, as far as that is known."""
        return self.kept if self.will_keep is None else self.will_keep


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item under review.

    Attributes:
        reviewed: its record.
        faces: all of them, and places that were added.
        loose: what people said about faces that are not found any more.
        size: of the upright picture; None if it cannot be shown.
        in_hand: somebody is handling it, or is about to.
        kept: the original is, so that it can be shown and handled again.
    """

    reviewed: Reviewed
    faces: Sequence[FaceView]
    loose: Sequence[ReviewMarkRow]
    size: tuple[int, int] | None
    in_hand: bool
    kept: bool

    @property
    def item(self) -> ItemRow:
        """Its record."""
        return self.reviewed.item

    @property
    def can_approve(self) -> bool:
        """Whether to handle it anew can lead to anything: what cannot be opened is held again."""
        return self.kept and self.can_mark and self.size is not None

    @property
    def can_mark(self) -> bool:
        """Whether something can be said about its faces now."""
        return not self.in_hand and self.item.report is not None

    @property
    def is_pending(self) -> bool:
        """Whether something was said that the item was not handled with yet."""
        return self.reviewed.is_pending


def view(
    app: App, visitor: Visitor, reviewed: Reviewed, size: tuple[int, int] | None, now: datetime
) -> ItemView:
    """What the page shows of an item to a visitor."""
    item = reviewed.item
    faces = [decision.face for decision in reviewed.faces]
    marks = [mark for mark, _ in reviewed.marks]
    width, height = size or (0, 0)
    # The frames of a clip do not matter here: a place that was added is shown where it is.
    found = apply_marks(Assessment(width, height, 1, faces), [as_mark(mark) for mark in marks])
    subjects = {c for face in found.faces for c in _candidates_of(face)}
    subjects |= {c for face in faces for c in _candidates_of(face)}
    rulings = app.book(item.channel).rulings(subjects)
    with app.database.read() as session:
        groups = Ledger(session).groups_of(subjects)
    will = decide(found, rulings, ChannelPolicy(item.channel)).faces
    in_hand = is_in_hand(item, now)
    seen = _Seen(visitor, rulings, groups)
    views = [
        _face_view(number, decision, will[number - 1], reviewed, seen)
        for number, decision in enumerate(reviewed.faces, 1)
    ]
    views += [
        _place_view(number, place, marks)
        for number, place in enumerate(will[len(faces) :], len(faces) + 1)
    ]
    shown = {mark.mark_id for one in views for mark in one.marks}
    loose = [mark for mark in marks if mark.mark_id not in shown]
    return ItemView(reviewed, views, loose, size, in_hand, app.vault.has(item.id))


def is_in_hand(item: ItemRow, now: datetime) -> bool:
    """Whether somebody is handling an item, or is about to."""
    held = item.lease_until is not None and item.lease_until > now
    return held or (item.next_attempt_at is not None and item.failures == 0)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What is known of the people, and who asks."""

    visitor: Visitor
    rulings: Mapping[str, Ruling]
    groups: Mapping[str, Sequence[str]]

    def candidate(self, subject: str, distance: float | None) -> CandidateView:
        """Somebody, as far as the visitor may know them."""
        groups = self.groups.get(subject, ())
        if not self.visitor.sees(groups):
            return CandidateView(None, distance, (), False, "console-other-group")
        ruling = self.rulings.get(subject)
        if ruling is None:
            return CandidateView(subject, distance, groups, False, "subject-unknown")
        return CandidateView(subject, distance, groups, ruling.allowed is True, ruling.rule)


def _candidates_of(face: Face) -> dict[str, float | None]:
    """Who a face is taken for, then whom it resembles."""
    if face.match is None:
        return {}
    found: dict[str, float | None] = {}
    if face.match.subject_id is not None:
        found[face.match.subject_id] = face.match.distance
    for candidate in face.match.candidates:
        found.setdefault(candidate.subject_id, candidate.distance)
    return found


def _face_view(
    number: int,
    decision: FaceDecision,
    will: FaceDecision,
    reviewed: Reviewed,
    seen: _Seen,
) -> FaceView:
    face, marks = decision.face, reviewed.marks_of(number)
    changes = will.face.marked is not None and (
        (will.action, will.rule) != (decision.action, decision.rule)
    )
    named = _candidates_of(will.face) | _candidates_of(face)
    verdicts = {mark.verdict for mark in marks}
    recognised = face.match is not None and face.match.subject_id is not None
    sure = face.match is not None and face.match.distance is not None and recognised
    redacted = Verdict.REDACT in verdicts
    return FaceView(
        number,
        decision.action is Action.KEEP,
        decision.rule,
        decision.consent_event,
        will.action is Action.KEEP if changes else None,
        will.rule if changes else None,
        dict(places_of(face)).get(reviewed.shown_frame),
        [seen.candidate(subject, distance) for subject, distance in named.items()][:MAX_SIGHTINGS],
        recognised,
        marks,
        face.track.seconds if face.track else None,
        can_be_named=not redacted,
        can_be_no_face=not (redacted or sure or Verdict.NOT_SUBJECT in verdicts),
    )


def _place_view(number: int, place: FaceDecision, marks: Sequence[ReviewMarkRow]) -> FaceView:
    box = place.face.detection.box
    its_own = [m for m in marks if box.intersection(Box(m.x, m.y, m.w, m.h)) >= box.area * 0.99]
    return FaceView(
        number,
        False,
        place.rule,
        None,
        None,
        None,
        box,
        (),
        False,
        [m for m in its_own if m.verdict == Verdict.REDACT][-1:],
        None,
        is_place=True,
        can_be_named=False,
        can_be_no_face=False,
    )
