"""The decision: no way from "unsure" to "visible"."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import (
    Action,
    ChannelPolicy,
    Outcome,
    WithoutConsent,
    decide,
)
from mediaguard.core.faces import Assessment, Box, Candidate, Detection, Face, Match, Quality

YES = Ruling(allowed=True, rule="consent-granted", event_id=7)
NO = Ruling(allowed=False, rule="consent-withdrawn", event_id=8)


def face(
    subject: str | None = None, *, height: float = 100, score: float = 0.9, near: str | None = None
) -> Face:
    """A face taken for `subject`; with `near`, unsure between it and others."""
    match = None
    if subject or near:
        candidates = (Candidate(subject or near or "", 0.3),)
        match = Match(subject, 0.3, 0.2, candidates)
    return Face(Detection(Box(10, 10, 80, height), score), match=match)


def assessment(*faces: Face) -> Assessment:
    return Assessment(width=640, height=480, frames=1, faces=faces)


def policy(**changes: object) -> ChannelPolicy:
    return ChannelPolicy("website-public", **changes)  # type: ignore[arg-type]


def test_a_picture_without_faces_goes_out():
    decision = decide(assessment(), {}, policy())
    assert (decision.outcome, decision.reason) == (Outcome.RELEASE, "no-faces")


def test_everyone_consented_goes_out_and_names_the_events_relied_upon():
    decision = decide(assessment(face("S-1")), {"S-1": YES}, policy())
    assert (decision.outcome, decision.reason) == (Outcome.RELEASE, "all-consented")
    assert decision.consent_events == (7,)
    assert decision.kept_subjects == {"S-1"}


def test_each_no_names_its_rule():
    faces = [
        face("S-1"),
        face("S-2"),
        face(near="S-1"),
        face(),
        face("S-1", height=20),
        face("S-1", score=0.4),
    ]
    decision = decide(assessment(*faces), {"S-1": NO}, policy())
    assert [ruling.rule for ruling in decision.faces] == [
        "consent-withdrawn",
        "subject-unknown",
        "face-uncertain",
        "face-unknown",
        "face-small",
        "face-unclear",
    ]
    assert {ruling.action for ruling in decision.faces} == {Action.REDACT}
    assert decision.kept_subjects == frozenset()


def test_numbers_that_are_none_redact():
    for broken in (face("S-1", height=math.nan), face("S-1", score=math.nan)):
        decision = decide(assessment(broken), {"S-1": YES}, policy())
        assert decision.faces[0].action is Action.REDACT


def test_a_blurred_or_averted_face_is_never_kept():
    points = ((30.0, 30.0),) * 5
    for sharpness, frontality, landmarks, action in (
        (500.0, 0.9, points, Action.KEEP),
        (500.0, 0.0, (), Action.KEEP),  # the detector cannot tell the pose
        (5.0, 0.9, points, Action.REDACT),
        (500.0, 0.02, points, Action.REDACT),
        (math.nan, 0.9, points, Action.REDACT),
        (500.0, math.nan, points, Action.REDACT),
    ):
        known = face("S-1")
        seen = Face(
            Detection(known.detection.box, 0.9, landmarks),
            quality=Quality(100, sharpness, frontality),
            match=known.match,
        )
        (ruling,) = decide(assessment(seen), {"S-1": YES}, policy()).faces
        assert ruling.action is action
        assert ruling.rule == ("consent-granted" if action is Action.KEEP else "face-unclear")


def test_channels_that_block_or_hold():
    faces = assessment(face("S-1"), face())
    for mode, outcome in (
        (WithoutConsent.BLOCK, Outcome.BLOCK),
        (WithoutConsent.HOLD, Outcome.HOLD),
        (WithoutConsent.REDACT, Outcome.REDACT),
    ):
        assert decide(faces, {"S-1": YES}, policy(without_consent=mode)).outcome is outcome


def test_a_small_face_in_the_background_is_redacted_but_does_not_block():
    faces = assessment(face("S-1"), face(height=12))
    decision = decide(faces, {"S-1": YES}, policy(without_consent=WithoutConsent.BLOCK))
    assert decision.outcome is Outcome.REDACT
    assert decision.faces[1].action is Action.REDACT


def test_too_many_redacted_is_held():
    faces = assessment(face("S-1"), face(), face(), face())
    rulings = {"S-1": YES}
    assert decide(faces, rulings, policy(max_redacted_share=0.75)).outcome is Outcome.REDACT
    held = decide(faces, rulings, policy(max_redacted_share=0.7))
    assert (held.outcome, held.reason) == (Outcome.HOLD, "too-many-redacted")


subjects = st.sampled_from(["S-1", "S-2", "S-3"])
faces_strategy = st.builds(
    lambda subject, height, score, near: face(subject, height=height, score=score, near=near),
    st.none() | subjects,
    st.floats(0, 400) | st.just(math.nan),
    st.floats(0, 1) | st.just(math.nan),
    st.none() | subjects,
)
rulings_strategy = st.dictionaries(
    subjects, st.builds(Ruling, st.booleans(), st.just("some-rule"), st.none() | st.integers(1, 9))
)
policies = st.builds(
    ChannelPolicy,
    st.just("c"),
    st.sampled_from(WithoutConsent),
    st.floats(0, 1),
)


@given(st.lists(faces_strategy, max_size=6), rulings_strategy, policies)
def test_a_visible_face_always_has_a_sure_match_and_a_clear_yes(faces, rulings, rules):
    decision = decide(assessment(*faces), rulings, rules)
    assert len(decision.faces) == len(faces)
    for ruling in decision.faces:
        if ruling.action is Action.KEEP:
            match = ruling.face.match
            assert match is not None
            assert match.subject_id is not None
            assert rulings[match.subject_id].allowed
            assert ruling.face.detection.box.h >= rules.min_height
            assert ruling.face.detection.score >= rules.identify_score
    if decision.outcome is Outcome.RELEASE:
        assert all(ruling.action is Action.KEEP for ruling in decision.faces)


@given(st.lists(faces_strategy, max_size=6), rulings_strategy, policies, subjects)
def test_a_withdrawal_never_shows_more(faces, rulings, rules, subject):
    before = decide(assessment(*faces), rulings, rules)
    after = decide(assessment(*faces), {**rulings, subject: NO}, rules)
    for was, is_now in zip(before.faces, after.faces, strict=True):
        assert not (was.action is Action.REDACT and is_now.action is Action.KEEP)
    assert subject not in after.kept_subjects
