"""The ruling on an item: which faces may be seen, and whether the item may go out.

There is no way from "unsure" to "visible": a face is kept only if it was matched to one
subject and that subject's consent for the channel is a clear yes; all else is redacted.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from mediaguard.core.consent import Ruling
from mediaguard.core.faces import Assessment, Detection, Face, Quality
from mediaguard.core.matching import LOOKS_LIKE
from mediaguard.core.review import Verdict

NAMED = "named-without-consent"
"""The reason to hold an item in whose texts somebody is named that did not agree."""

REJECTED = "rejected"
"""The reason to block an item of which a person said that it may not go out."""

REMEMBERED = "face-remembered"
"""The rule on a face that only an earlier look gave a name (`core.earlier`)."""

_FOR_A_PERSON = frozenset({"channel-holds", "too-many-redacted"})
"""Why the channel's rules alone hold an item until a person has looked at it."""


class WithoutConsent(StrEnum):
    """What a channel does with an item that shows somebody without consent."""

    REDACT = "redact"
    BLOCK = "block"
    HOLD = "hold"


class Outcome(StrEnum):
    """What happens to an item."""

    RELEASE = "release"
    REDACT = "redact"
    BLOCK = "block"
    HOLD = "hold"

    @property
    def goes_out(self) -> bool:
        """Whether something is published, redacted or not."""
        return self in (Outcome.RELEASE, Outcome.REDACT)


class Action(StrEnum):
    """What happens to a face."""

    KEEP = "keep"
    REDACT = "redact"


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """The rules of a channel that a decision needs.

    Attributes:
        channel: its name.
        without_consent: what to do when a recognisable face has to be redacted.
        max_redacted_share: above this share of redacted recognisable faces the picture is
            not worth publishing, and is held.
        min_height: from this face height on (pixels) a face counts as recognisable. Smaller
            ones are redacted too, but neither block the item nor count in the share.
        identify_score: below this detection score nobody is identified.
        min_sharpness, min_frontality: below these (see `core.faces.Quality`) nobody is
            identified either: a third of such faces is mistaken (docs/decisions/0003).
    """

    channel: str
    without_consent: WithoutConsent = WithoutConsent.REDACT
    max_redacted_share: float = 1.0
    min_height: float = 40.0
    identify_score: float = 0.6
    min_sharpness: float = 20.0
    min_frontality: float = 0.1

    def is_large(self, detection: Detection) -> bool:
        """Whether a face is large enough to be recognised."""
        # "a >= b" and its negation rather than "a < b": a NaN must fall on the side of redaction.
        return detection.box.h >= self.min_height

    def is_sure(self, detection: Detection) -> bool:
        """Whether the detector is sure enough of a face to ask who it is."""
        return detection.score >= self.identify_score

    def is_clear(self, detection: Detection, quality: Quality) -> bool:
        """Whether a face is sharp and frontal enough to ask who it is.

        Detectors without landmarks cannot tell the pose, and find frontal faces mostly.
        """
        return quality.sharpness >= self.min_sharpness and (
            not detection.landmarks or quality.frontality >= self.min_frontality
        )


@dataclass(frozen=True, slots=True)
class FaceDecision:
    """The ruling on one face.

    Attributes:
        face: as assessed.
        action: keep or redact.
        rule: code of the rule that decided, worded in `mediaguard.texts`.
        consent_event: id of the consent event relied upon, None if there is none.
    """

    face: Face
    action: Action
    rule: str
    consent_event: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The ruling on an item for a channel; `reason` is a code worded in `mediaguard.texts`."""

    channel: str
    outcome: Outcome
    reason: str
    faces: tuple[FaceDecision, ...]

    @property
    def kept_subjects(self) -> frozenset[str]:
        """The subjects that stay visible."""
        return frozenset(
            face.face.match.subject_id
            for face in self.faces
            if face.action is Action.KEEP and face.face.match and face.face.match.subject_id
        )

    @property
    def likenesses(self) -> dict[str, tuple[str, float]]:
        """Subjects whom a visible face resembles that was taken for somebody else.

        Each with whom it was taken for, and the distance; if several do, the nearest.
        """
        near: dict[str, tuple[str, float]] = {}
        for face in self.faces:
            match = face.face.match
            if face.action is not Action.KEEP or match is None or match.subject_id is None:
                continue
            for candidate in match.candidates:
                other = near.get(candidate.subject_id)
                if (
                    candidate.subject_id not in self.kept_subjects
                    and candidate.distance <= LOOKS_LIKE
                    and (other is None or candidate.distance < other[1])
                ):
                    near[candidate.subject_id] = (match.subject_id, candidate.distance)
        return near

    @property
    def consent_events(self) -> tuple[int, ...]:
        """Ids of the consents that the visible faces rely on, ascending."""
        return tuple(
            sorted(
                {
                    face.consent_event
                    for face in self.faces
                    if face.action is Action.KEEP and face.consent_event is not None
                }
            )
        )


def decide(
    assessment: Assessment, rulings: Mapping[str, Ruling], policy: ChannelPolicy
) -> Decision:
    """Rule on every face and on the item.

    Args:
        assessment: what was found.
        rulings: "allowed now?" per subject on this channel; a missing subject is a no.
        policy: the channel's rules.
    """
    faces = tuple(_decide_face(face, rulings, policy) for face in assessment.faces)
    redacted = [face for face in faces if face.action is Action.REDACT]
    if not redacted:
        reason = "all-consented" if faces else "no-faces"
        return Decision(policy.channel, Outcome.RELEASE, reason, faces)

    recognisable = [face for face in faces if policy.is_large(face.face.detection)]
    shown_without = [face for face in recognisable if face.action is Action.REDACT]
    if shown_without and policy.without_consent is WithoutConsent.BLOCK:
        return Decision(policy.channel, Outcome.BLOCK, "channel-blocks", faces)
    if shown_without and policy.without_consent is WithoutConsent.HOLD:
        return Decision(policy.channel, Outcome.HOLD, "channel-holds", faces)
    if recognisable and len(shown_without) / len(recognisable) > policy.max_redacted_share:
        return Decision(policy.channel, Outcome.HOLD, "too-many-redacted", faces)
    return Decision(policy.channel, Outcome.REDACT, "some-redacted", faces)


def without_naming(
    decision: Decision, named: Collection[str], rulings: Mapping[str, Ruling]
) -> Decision:
    """The decision on an item in whose texts names stand: it waits if one of them did not agree.

    A name tells who somebody is, also beside a face that nobody can recognise.

    Args:
        decision: on what can be seen.
        named: whose names stand there.
        rulings: "allowed now?" per subject; a missing subject is a no.
    """
    refused = [s for s in named if s not in rulings or rulings[s].allowed is not True]
    if decision.outcome.goes_out and refused:
        return replace(decision, outcome=Outcome.HOLD, reason=NAMED)
    return decision


def approved(decision: Decision) -> Decision:
    """The decision after a person looked at the item and wants it to go out.

    Only what the channel's rules held for that look goes out, with the same faces redacted.
    """
    if decision.outcome is Outcome.HOLD and decision.reason in _FOR_A_PERSON:
        return replace(decision, outcome=Outcome.REDACT, reason="some-redacted")
    return decision


def rejected(decision: Decision) -> Decision:
    """The decision on an item of which a person said that it may not go out."""
    return replace(decision, outcome=Outcome.BLOCK, reason=REJECTED)


def _decide_face(face: Face, rulings: Mapping[str, Ruling], policy: ChannelPolicy) -> FaceDecision:
    if face.marked == Verdict.REDACT:
        return FaceDecision(face, Action.REDACT, "reviewer-redacted")
    if face.marked == Verdict.NOT_SUBJECT:
        return FaceDecision(face, Action.REDACT, "marked-not-subject")
    if face.marked == Verdict.NO_FACE:
        return FaceDecision(face, Action.KEEP, "marked-no-face")
    reason = None if face.marked == Verdict.SUBJECT else _unfit(face, policy)
    if reason is not None:
        return FaceDecision(face, Action.REDACT, reason)
    if face.remembered and face.marked != Verdict.SUBJECT:
        return FaceDecision(face, Action.REDACT, REMEMBERED)
    match = face.match
    if match is None or (match.subject_id is None and not match.candidates):
        return FaceDecision(face, Action.REDACT, "face-unknown")
    if match.subject_id is None:
        return FaceDecision(face, Action.REDACT, "face-uncertain")
    ruling = rulings.get(match.subject_id)
    if ruling is None:
        return FaceDecision(face, Action.REDACT, "subject-unknown")
    action = Action.KEEP if ruling.allowed is True else Action.REDACT
    return FaceDecision(face, action, ruling.rule, ruling.event_id)


def _unfit(face: Face, policy: ChannelPolicy) -> str | None:
    """Why a program should not say who this is; a person may."""
    if not policy.is_large(face.detection):
        return "face-small"
    if not policy.is_sure(face.detection):
        return "face-unclear"
    if face.quality is not None and not policy.is_clear(face.detection, face.quality):
        return "face-unclear"
    return None
