"""An item's report read back from the records, for whoever looks at the item later."""

from collections.abc import Mapping, Sequence
from typing import Any

from mediaguard.core.decision import Action, FaceDecision
from mediaguard.core.faces import Assessment, Box, Candidate, Detection, Face, Match, Track
from mediaguard.core.media import MAX_SIGHTINGS
from mediaguard.core.review import Mark, Verdict, apply_marks

Place = tuple[int, Box]
"""A frame, and where in it."""


def faces_of(report: Mapping[str, Any] | None) -> tuple[FaceDecision, ...]:
    """What `core.media.face_as_json` wrote; of a track only the places that were told."""
    return tuple(_decision(entry) for entry in (report or {}).get("faces", ()))


def with_earlier(
    report: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """A report that also says whom faces were taken for by the reports that it takes the place of.

    Only what a search answered: what a person said is kept for itself.
    """
    names = [*(before or {}).get("earlier", ())]
    for entry in (before or {}).get("faces", ()):
        if entry["subject"] and entry["distance"] is not None and entry not in names:
            names.append(entry)
    return {**(report or {}), "earlier": names} if names else report


def earlier_faces(report: Mapping[str, Any] | None) -> list[Face]:
    """The faces that this report or one before it gave a name."""
    return [_face(entry) for entry in (with_earlier(None, report) or {}).get("earlier", ())]


def mark_on(face: Face, verdict: Verdict, subject_id: str | None = None) -> Mark:
    """A verdict on a face of a report."""
    redacts = verdict is Verdict.REDACT and face.track is not None
    span = (face.track.first, face.track.last) if redacts and face.track else None
    return Mark(face.frame, face.detection.box, verdict, subject_id, span)


def places_of(face: Face) -> list[Place]:
    """Where the face was seen, at most `MAX_SIGHTINGS` times, among them where it is seen best."""
    if face.track is None:
        return [(face.frame, face.detection.box)]
    places = list(zip(face.track.frames, (d.box for d in face.track.detections), strict=True))
    if len(places) > MAX_SIGHTINGS:
        others = [place for place in places if place[0] != face.frame]
        places.remove(min(others, key=lambda place: abs(place[0] - face.frame)))
    return places


def meant_by(mark: Mark, faces: Sequence[FaceDecision]) -> list[int]:
    """The numbers, from 1, of the faces that a mark concerns."""
    found = apply_marks(Assessment(0, 0, 0, [face.face for face in faces]), [mark])
    known = found.faces[: len(faces)]  # a place where nothing was found is none of them yet
    return [number for number, face in enumerate(known, 1) if face.marked is not None]


def _decision(entry: Mapping[str, Any]) -> FaceDecision:
    face = _face(entry)
    return FaceDecision(face, Action(entry["action"]), entry["rule"], entry["consent_event"])


def _face(entry: Mapping[str, Any]) -> Face:
    score = entry["score"]
    best = Detection(Box(*map(float, entry["box"])), score)
    match = Match(
        entry["subject"],
        entry["distance"],
        entry["margin"],
        tuple(Candidate(c["subject"], c["distance"]) for c in entry["candidates"]),
    )
    if "sightings" not in entry:
        return Face(best, entry["frames"][0] if entry["frames"] else 0, match=match)
    seen = {s["frame"]: Detection(Box(*map(float, s["box"])), score) for s in entry["sightings"]}
    seen = dict(sorted({**seen, entry["frame"]: best}.items()))
    track = Track(tuple(seen), tuple(seen.values()), tuple(entry["times"]))
    return Face(best, entry["frame"], match=match, track=track)
