"""How an item is made and what is said about it, for the command line, the API, the archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mediaguard.core.decision import Action, Decision, FaceDecision, Outcome
from mediaguard.core.faces import Assessment, Face, Track

MAX_SIGHTINGS = 6
"""So many places of a track are told: enough for a strip of small pictures."""


class Audio(StrEnum):
    """What a channel does with a clip's sound, in which names can be spoken."""

    KEEP = "keep"
    MUTE = "mute"
    HOLD = "hold"


class Codec(StrEnum):
    """How a clip's picture is encoded."""

    H264 = "h264"
    VP9 = "vp9"
    AV1 = "av1"


class Quality(StrEnum):
    """How large a clip may get for the sake of its picture."""

    HIGH = "high"
    NORMAL = "normal"
    SMALL = "small"


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a clip is encoded with."""

    codec: Codec = Codec.H264
    quality: Quality = Quality.NORMAL


@dataclass(frozen=True, slots=True)
class ItemReport:
    """The result for one file.

    Attributes:
        path: as the user gave it.
        sha256: of its content; None if it could not be read.
        outcome: what happens to it.
        reason: code, worded in `mediaguard.texts`.
        params: values for the reason's placeholders.
        faces: the ruling on each face; empty if the file could not be looked at.
        rendition: path of the verified file that came out, None if there is none.
        verified: True only if the encoded rendition passed verification.
        size: width and height of the upright picture; None if it could not be looked at.
        frames: how many there are; 1 for a still photo.
        item_id: the item's code; None where nothing is recorded.
        kept_safe: the original is in the vault, so its inbox copy may be deleted.
    """

    path: str
    sha256: str | None
    outcome: Outcome
    reason: str
    params: Mapping[str, object] = field(default_factory=dict)
    faces: Sequence[FaceDecision] = ()
    rendition: str | None = None
    verified: bool = False
    size: tuple[int, int] | None = None
    frames: int = 1
    item_id: str | None = None
    kept_safe: bool = False

    def as_json(self) -> dict[str, Any]:
        """The item as the documented JSON."""
        return {
            "path": self.path,
            "sha256": self.sha256,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "faces": [face_as_json(face, self.frames) for face in self.faces],
            "rendition": self.rendition,
            "verified": self.verified,
            "size": None if self.size is None else list(self.size),
        }


def face_as_json(
    decision: FaceDecision, frames: int, sightings: int = MAX_SIGHTINGS
) -> dict[str, Any]:
    """One face of an item that has `frames` frames; of a track at most so many `sightings`."""
    face, match = decision.face, decision.face.match
    return {
        "box": list(face.detection.box.rounded()),
        "frames": _frames(face, frames),
        "subject": match.subject_id if match else None,
        "distance": _round(match.distance if match else None),
        "margin": _round(match.margin if match else None),
        "action": decision.action.value,
        "rule": decision.rule,
        "consent_event": decision.consent_event,
        "score": _round(face.detection.score),
        "candidates": [
            {"subject": candidate.subject_id, "distance": _round(candidate.distance)}
            for candidate in (match.candidates if match else ())
        ],
        **(_track_as_json(face, face.track, sightings) if face.track else {}),
    }


def _frames(face: Face, frames: int) -> list[int] | None:
    if face.track:
        return [face.track.first, face.track.last]
    return [face.frame, face.frame] if frames > 1 else None


def _track_as_json(face: Face, track: Track, sightings: int) -> dict[str, Any]:
    """What is said of a face in a clip besides: `box` is where it is in frame `frame`."""
    return {
        "frame": face.frame,
        "times": [round(second, 3) for second in track.seconds],
        "sightings": [
            {"frame": frame, "box": list(box.rounded())}
            for frame, box in track.sightings(sightings)
        ],
    }


def summary(items: Sequence[ItemReport]) -> dict[str, int]:
    """How many items had which outcome, and what became of the faces in them."""
    actions = [face.action for item in items for face in item.faces]
    return {
        "items": len(items),
        **{outcome.value: sum(i.outcome is outcome for i in items) for outcome in Outcome},
        "faces": len(actions),
        "faces_kept": actions.count(Action.KEEP),
        "faces_redacted": actions.count(Action.REDACT),
    }


def from_decision(path: str, sha256: str, assessment: Assessment, decision: Decision) -> ItemReport:
    """The report of a decision that nothing was done about yet."""
    return ItemReport(
        path,
        sha256,
        decision.outcome,
        decision.reason,
        faces=decision.faces,
        size=(assessment.width, assessment.height),
        frames=assessment.frames,
    )


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
