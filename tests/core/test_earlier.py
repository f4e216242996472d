"""Two looks at one item: a face stays whose it was, unless the later look says the same."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import Action, ChannelPolicy, decide
from mediaguard.core.earlier import remember
from mediaguard.core.faces import Assessment, Box, Detection, Face, Match, Track
from mediaguard.core.media import MAX_SIGHTINGS, from_decision
from mediaguard.core.reported import earlier_faces, stored, with_earlier
from mediaguard.core.review import Mark, Verdict, apply_marks


def face(who, box=(0, 0, 40, 40), *, moves=None, frames=(0,)):
    """`moves`: pixels to the right in each frame of a clip."""
    detection = Detection(Box(*map(float, box)), 0.9)
    track = None
    if moves is not None:
        x, y, w, h = box
        places = tuple(Detection(Box(x + moves * f, y, w, h), 0.9) for f in frames)
        track = Track(tuple(frames), places)
    return Face(detection, frames[0], match=Match(who, 0.2 if who else None), track=track)


def looked(found, *before):
    return remember(Assessment(1000, 400, 100, list(found)), before)


def names(found, *before):
    """Who each is; in brackets whoever they are by an earlier look only."""
    return [
        [one.match.subject_id] if one.remembered else one.match and one.match.subject_id
        for one in looked(found, *before).faces
    ]


BESIDE = (200, 0, 40, 40)


def test_a_face_stays_whose_it_was_unless_it_is_recognised_again():
    assert names([face("s1"), face("s2", BESIDE)], face("s1")) == ["s1", "s2"]
    assert names([face("s2"), face("s1", BESIDE)], face("s1")) == [["s1"], "s1"]
    assert names([face(None), face(None, BESIDE)], face("s1")) == [["s1"], None]
    assert names([replace(face(None), match=None)], face("s1")) == [["s1"]]
    assert names([face("s2", (10, 5, 40, 40))], face("s1")) == [["s1"]]


def test_of_faces_that_overlap_the_nearest_counts():
    one, other = (0, 0, 40, 40), (18, 0, 40, 40)
    before = face("s1", one), face("s2", other)
    assert names([face("s1", one), face("s2", other)], *before) == ["s1", "s2"]
    assert names([face("s2", one), face(None, other)], *before) == [["s1"], ["s2"]]


@pytest.mark.parametrize("verdict", [None, *Verdict])
def test_a_face_that_is_remembered_is_redacted_unless_a_person_says_who_it_is(verdict):
    found = looked([face("s2")], face("s1"))
    if verdict is not None:
        subject = "s2" if verdict is Verdict.SUBJECT else None
        found = apply_marks(found, [Mark(0, Box(0, 0, 40, 40), verdict, subject)])
    yes = {name: Ruling(True, "consent-granted", 1) for name in ("s1", "s2")}
    (ruled,) = decide(found, yes, ChannelPolicy("c")).faces
    shown = verdict in (Verdict.SUBJECT, Verdict.NO_FACE)
    assert ruled.action is (Action.KEEP if shown else Action.REDACT)
    if verdict is None:
        assert ruled.rule == "face-remembered"


@pytest.mark.parametrize(
    ("frames", "moves", "expected"),
    [
        (range(30, 50), 5, ["s1"]),  # a piece of the same walk, between two places that are told
        (range(95, 120), 5, ["s1"]),
        (range(30, 50), -5, "s2"),
        (range(120, 150), 5, "s2"),  # later, where nobody was named before
    ],
)
def test_in_a_clip_at_the_same_moment(frames, moves, expected):
    before = face("s1", moves=5, frames=(0, 25, 60, 100))
    now = face("s2", moves=moves, frames=frames)
    assert names([now], before) == [expected]


def test_between_the_places_that_are_told_a_stored_report_knows_more():
    """Whoever walks to and fro is not where a straight line would have it."""
    frames = range(0, 1000, 2)
    places = tuple(Detection(Box(80.0 + 70 * math.sin(f / 60), 0, 40, 40), 0.9) for f in frames)
    whole = replace(face("s1"), track=Track(tuple(frames), places, (0.0, 40.0)))
    looked_at = Assessment(1000, 400, 1000, [whole])
    report = stored(from_decision("a", "b", looked_at, decide(looked_at, {}, ChannelPolicy("c"))))
    assert len(report["faces"][0]["sightings"]) == MAX_SIGHTINGS
    for start in range(0, 460, 20):
        piece = Track(tuple(frames)[start : start + 20], places[start : start + 20])
        now = replace(face("s2"), detection=piece.detections[0], track=piece)
        assert names([now], *earlier_faces(report)) == [["s1"]]


entries = st.builds(
    lambda who, x, distance: {
        "box": [x, 0, 40, 40], "frames": None, "subject": who, "distance": distance,
        "margin": None, "action": "keep", "rule": "r", "consent_event": None, "score": 0.9,
        "candidates": [],
    },
    st.sampled_from([None, "s1", "s2"]), st.sampled_from([0, 100]), st.sampled_from([None, 0.2]),
)  # fmt: skip


@given(st.lists(st.lists(entries, max_size=3), max_size=5))
def test_no_report_makes_a_name_forgotten(reports):
    report = None
    for faces in reports:
        report = with_earlier({"faces": faces}, report)
        report = with_earlier({"faces": []}, report)  # a look that failed
    wanted = {
        (entry["subject"], entry["box"][0])
        for faces in reports
        for entry in faces
        if entry["subject"] and entry["distance"] is not None
    }
    kept = [(one.match.subject_id, one.detection.box.x) for one in earlier_faces(report)]
    assert set(kept) == wanted
    assert len((report or {}).get("earlier", [])) <= len(wanted)
