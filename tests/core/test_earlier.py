"""Two looks at one item: where they disagree about a face nobody is sure of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.core.earlier import doubt
from mediaguard.core.faces import Assessment, Box, Detection, Face, Match, Track
from mediaguard.core.reported import earlier_faces, with_earlier


def face(who, box=(0, 0, 40, 40), *, moves=None, frames=(0,)):
    """`moves`: pixels to the right in each frame of a clip."""
    detection = Detection(Box(*map(float, box)), 0.9)
    track = None
    if moves is not None:
        x, y, w, h = box
        places = tuple(Detection(Box(x + moves * f, y, w, h), 0.9) for f in frames)
        track = Track(tuple(frames), places)
    return Face(detection, frames[0], match=Match(who, 0.2 if who else None), track=track)


def names(found, *before):
    assessment = Assessment(1000, 400, 100, list(found))
    return [one.match and one.match.subject_id for one in doubt(assessment, before).faces]


def test_the_same_name_stays_and_another_is_doubted():
    assert names([face("s1"), face("s2", (200, 0, 40, 40))], face("s1")) == ["s1", "s2"]
    assert names([face("s2"), face("s1", (200, 0, 40, 40))], face("s1")) == [None, "s1"]
    assert names([face(None)], face("s1")) == [None]
    assert names([face("s2", (10, 5, 40, 40))], face("s1")) == [None]


@pytest.mark.parametrize(
    ("frames", "moves", "expected"),
    [
        (range(30, 50), 5, None),  # a piece of the same walk, between two places that are told
        (range(95, 120), 5, None),
        (range(30, 50), -5, "s2"),
        (range(120, 150), 5, "s2"),  # later, where nobody was named before
    ],
)
def test_in_a_clip_at_the_same_moment(frames, moves, expected):
    before = face("s1", moves=5, frames=(0, 25, 60, 100))
    now = face("s2", moves=moves, frames=frames)
    assert names([now], before) == [expected]


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
