"""An item's report read back from the records, for whoever looks at the item later."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mediaguard.core.decision import REMEMBERED, Action, FaceDecision
from mediaguard.core.faces import Assessment, Box, Candidate, Detection, Face, Match, Track
from mediaguard.core.media import MAX_SIGHTINGS, ItemReport, face_as_json
from mediaguard.core.review import Mark, Verdict, apply_marks

Place = tuple[int, Box]
"""A frame, and where in it."""

_WHO_AND_WHERE = (
    "subject", "distance", "box", "frames", "frame", "times", "sightings",
)  # fmt: skip


def faces_of(report: Mapping[str, Any] | None) -> tuple[FaceDecision, ...]:
    """What `core.media.face_as_json` wrote; of a track only the places that were told."""
    return tuple(_decision(entry) for entry in (report or {}).get("faces", ()))


def stored(report: ItemReport) -> dict[str, Any]:
    """The report as it is kept: besides what it says, who was found where (`with_earlier`)."""
    faces = [
        face_as_json(face, report.frames, _sightings(face.face.track)) for face in report.faces
    ]
    return {**report.as_json(), "earlier": _named(faces)}


def with_earlier(
    report: Mapping[str, Any] | None, before: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """A report that also says whom faces were taken for by the reports that it takes the place of.

    Only what a search answered: what a person said is kept for itself.
    """
    names: dict[str, dict[str, Any]] = {}
    for entry in (*_names_in(before), *_names_in(report)):
        names.setdefault(json.dumps({**entry, "distance": None}, sort_keys=True), entry)
    return {**(report or {}), "earlier": [*names.values()]} if names else report


def earlier_faces(report: Mapping[str, Any] | None) -> list[Face]:
    """The faces that this report or one before it gave a name."""
    return [_face(entry) for entry in _names_in(report)]


def _names_in(report: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    report = report or {}
    return [*report["earlier"]] if "earlier" in report else _named(report.get("faces", ()))


def _named(faces: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of the faces that a search gave a name: who and where, and nobody else whom they resemble."""
    return [
        {key: face[key] for key in _WHO_AND_WHERE if key in face}
        for face in faces
        if face["subject"] and face["distance"] is not None
    ]


def _sightings(track: Track | None) -> int:
    """One a second: between two of them a face is taken to go straight on."""
    start, end = track.seconds if track else (0.0, 0.0)
    return MAX_SIGHTINGS + math.ceil(end - start)


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
    score = entry.get("score", 1.0)
    best = Detection(Box(*map(float, entry["box"])), score)
    match = Match(
        entry["subject"],
        entry["distance"],
        entry.get("margin"),
        tuple(Candidate(c["subject"], c["distance"]) for c in entry.get("candidates", ())),
    )
    remembered = entry.get("rule") == REMEMBERED
    if "sightings" not in entry:
        frame = entry["frames"][0] if entry["frames"] else 0
        return Face(best, frame, match=match, remembered=remembered)
    seen = {s["frame"]: Detection(Box(*map(float, s["box"])), score) for s in entry["sightings"]}
    seen = dict(sorted({**seen, entry["frame"]: best}.items()))
    track = Track(tuple(seen), tuple(seen.values()), tuple(entry["times"]))
    return Face(best, entry["frame"], match=match, track=track, remembered=remembered)
