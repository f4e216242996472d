"""Marks: they name a place, the later wins, and nobody becomes visible by one without consent."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from mediaguard.core.consent import Ruling
from mediaguard.core.decision import (
    Action,
    ChannelPolicy,
    Decision,
    Outcome,
    WithoutConsent,
    approved,
    decide,
)
from mediaguard.core.faces import Assessment, Box, Detection, Face, Match, Track
from mediaguard.core.review import Mark, Verdict, apply_marks

YES = Ruling(allowed=True, rule="consent-granted", event_id=7)
NO = Ruling(allowed=False, rule="consent-withdrawn", event_id=8)
SUBJECTS = ("S-1", "S-2", "S-3")


def face(x: float, subject: str | None = None, **changes: object) -> Face:
    match = Match(subject, 0.3, 0.2) if subject else None
    return replace(Face(Detection(Box(x, 50, 80, 100), 0.9), match=match), **changes)


def moving(*frames: int, start: float = 0.0, pace: float = 10.0) -> Face:
    """A face that goes to the right, seen in `frames`."""
    detections = [Detection(Box(start + pace * f, 50, 80, 100), 0.9) for f in frames]
    return Face(detections[0], frames[0], track=Track(frames, tuple(detections)))


def no_face(face: Face, frame: int | None = None) -> Mark:
    return Mark(face.frame if frame is None else frame, face.detection.box, Verdict.NO_FACE)


def is_subject(face: Face, subject: str) -> Mark:
    return Mark(face.frame, face.detection.box, Verdict.SUBJECT, subject)


def assessment(*faces: Face, frames: int = 1) -> Assessment:
    return Assessment(2000, 400, frames, faces)


def decided(found: Assessment, marks: list[Mark], **rulings: Ruling) -> Decision:
    named = {subject.replace("_", "-"): ruling for subject, ruling in rulings.items()}
    return decide(apply_marks(found, marks), named, ChannelPolicy("website-public"))


def test_without_marks_nothing_changes():
    found = assessment(face(0, "S-1"), face(200))
    assert apply_marks(found, []) is found


def test_only_the_meant_face_is_marked():
    faces = [face(0, "S-1"), face(200), face(400, "S-2")]
    marked = apply_marks(assessment(*faces), [no_face(faces[1])])
    assert [f.marked for f in marked.faces] == [None, "no-face", None]
    assert [f.match for f in marked.faces] == [faces[0].match, None, faces[2].match]


def test_a_mark_near_by_or_in_another_frame_means_nobody():
    there = face(200, frame=3)
    moved = Mark(3, Box(260, 50, 80, 100), Verdict.NO_FACE)
    for mark in (moved, no_face(there, frame=2), no_face(there, frame=4)):
        assert apply_marks(assessment(there), [mark]).faces == [there]


def test_a_face_found_a_little_differently_is_still_meant():
    mark = no_face(face(200))
    again = face(206)
    assert apply_marks(assessment(again), [mark]).faces[0].marked == "no-face"


def test_a_track_is_meant_where_it_is_in_the_marked_frame_and_only_there():
    track = moving(10, 14, 18)
    on_the_way = Mark(16, Box(160, 50, 80, 100), Verdict.NO_FACE)
    elsewhere = Mark(16, Box(100, 50, 80, 100), Verdict.NO_FACE)
    before = Mark(9, track.detection.box, Verdict.NO_FACE)
    after = Mark(19, Box(180, 50, 80, 100), Verdict.NO_FACE)
    for mark, meant in ((on_the_way, "no-face"), (elsewhere, None), (before, None), (after, None)):
        assert apply_marks(assessment(track, frames=30), [mark]).faces[0].marked == meant


def test_the_later_mark_counts():
    there = face(200)
    marks = [no_face(there), is_subject(there, "S-1"), is_subject(there, "S-2")]
    (kept,) = decided(assessment(there), marks, S_1=YES, S_2=NO).faces
    assert (kept.action, kept.rule) == (Action.REDACT, "consent-withdrawn")
    (kept,) = decided(assessment(there), marks[:2], S_1=YES, S_2=NO).faces
    assert (kept.action, kept.rule) == (Action.KEEP, "consent-granted")
    (kept,) = decided(assessment(there), [*marks, marks[0]], S_1=YES, S_2=NO).faces
    assert (kept.action, kept.rule) == (Action.KEEP, "marked-no-face")


def test_who_was_named_is_asked_for_consent_and_stands_in_the_decision():
    there = face(200)
    marks = [is_subject(there, "S-1")]
    assert apply_marks(assessment(there), marks).subjects == {"S-1"}
    allowed = decided(assessment(there), marks, S_1=YES)
    assert (allowed.outcome, allowed.kept_subjects) == (Outcome.RELEASE, {"S-1"})
    assert allowed.consent_events == (7,)
    for refused in ({"S_1": NO}, {}):
        decision = decided(assessment(there), marks, **refused)
        assert (decision.outcome, decision.kept_subjects) == (Outcome.REDACT, frozenset())


def test_a_person_may_know_a_face_that_is_too_small_for_a_program():
    small = face(200, detection=Detection(Box(200, 50, 16, 20), 0.4))
    (decision,) = decided(assessment(small), [is_subject(small, "S-1")], S_1=YES).faces
    assert decision.action is Action.KEEP
    assert decided(assessment(small), []).faces[0].rule == "face-small"


faces_anywhere = st.builds(
    face, st.sampled_from([0.0, 60.0, 200.0, 400.0]), st.none() | st.sampled_from(SUBJECTS)
)
marks_anywhere = st.builds(
    lambda x, subject: Mark(
        0, Box(x, 50, 80, 100), Verdict.SUBJECT if subject else Verdict.NO_FACE, subject
    ),
    st.sampled_from([0.0, 10.0, 60.0, 200.0, 250.0]),
    st.none() | st.sampled_from(SUBJECTS),
)
rulings = st.dictionaries(st.sampled_from(SUBJECTS), st.sampled_from([YES, NO]))


@given(
    st.lists(faces_anywhere, max_size=6),
    st.lists(marks_anywhere, max_size=4),
    rulings,
    st.sampled_from(WithoutConsent),
)
def test_no_mark_makes_anybody_visible_without_their_consent(faces, marks, rulings, without):
    policy = ChannelPolicy("website-public", without_consent=without)
    found = assessment(*faces)
    decision = approved(decide(apply_marks(found, marks), rulings, policy))
    for before, after in zip(found.faces, decision.faces, strict=True):
        assert after.face.detection == before.detection
        if after.action is Action.REDACT:
            continue
        if after.rule == "marked-no-face":
            (*_, meant) = [m for m in marks if m.box.iou(before.detection.box) >= 0.5]
            assert meant.verdict is Verdict.NO_FACE
        else:
            assert rulings[after.face.match.subject_id].allowed
    assert all(rulings[subject].allowed for subject in decision.kept_subjects)


@given(
    st.lists(faces_anywhere, max_size=6),
    st.lists(marks_anywhere.filter(lambda mark: mark.subject_id is not None), max_size=4),
    rulings,
)
def test_naming_people_never_shows_more_than_their_consent_does(faces, marks, rulings):
    decision = decide(apply_marks(assessment(*faces), marks), rulings, ChannelPolicy("c"))
    shown = [f for f in decision.faces if f.action is Action.KEEP]
    assert {f.face.match.subject_id for f in shown} <= {s for s, r in rulings.items() if r.allowed}


# -- approval -------------------------------------------------------------------------------


def test_a_hold_of_the_channels_rules_ends_when_somebody_has_looked():
    found = assessment(face(0, "S-1"), face(200))
    for policy, reason in (
        (ChannelPolicy("c", without_consent=WithoutConsent.HOLD), "channel-holds"),
        (ChannelPolicy("c", max_redacted_share=0.2), "too-many-redacted"),
    ):
        decision = decide(found, {"S-1": YES}, policy)
        assert (decision.outcome, decision.reason) == (Outcome.HOLD, reason)
        after = approved(decision)
        assert (after.outcome, after.reason) == (Outcome.REDACT, "some-redacted")
        assert after.faces == decision.faces


def test_every_other_outcome_stays_as_it_is():
    for outcome in Outcome:
        for reason in ("verification-failed", "internal-error", "consent-moved", "channel-blocks"):
            decision = Decision("c", outcome, reason, ())
            assert approved(decision) is decision
    for outcome in (Outcome.BLOCK, Outcome.RELEASE, Outcome.REDACT):
        decision = Decision("c", outcome, "channel-holds", ())
        assert approved(decision) is decision


def test_a_vetoed_poster_does_not_lend_its_mark_to_a_child_that_passes_it():
    """The child's way between two sightings leads right over the poster in the marked frame."""
    poster = moving(0, 5, 10, 15, 20, start=300, pace=0)
    child = moving(0, 20, start=105, pace=20)  # at 305 in frame 10, unseen there
    assessment = Assessment(1000, 400, 21, [child, poster])
    marked = apply_marks(assessment, [no_face(poster, 10)])
    assert [face.marked for face in marked.faces] == [None, Verdict.NO_FACE]


# -- not this person, and redact ------------------------------------------------------------


def denied(face: Face, subject: str) -> Mark:
    return Mark(face.frame, face.detection.box, Verdict.NOT_SUBJECT, subject)


def redact(face: Face) -> Mark:
    return Mark(face.frame, face.detection.box, Verdict.REDACT)


def test_who_is_not_who_they_were_taken_for_is_nobody_and_redacted():
    there = face(200, "S-1")
    decision = decided(assessment(there), [denied(there, "S-1")], S_1=YES)
    (ruled,) = decision.faces
    assert (ruled.action, ruled.rule) == (Action.REDACT, "marked-not-subject")
    assert (decision.outcome, decision.kept_subjects) == (Outcome.REDACT, frozenset())
    again = [denied(there, "S-1"), is_subject(there, "S-2")]
    assert decided(assessment(there), again, S_1=NO, S_2=YES).kept_subjects == {"S-2"}


def test_redact_counts_more_than_all_else_whenever_it_was_said():
    there = face(200, "S-1")
    others = [is_subject(there, "S-1"), no_face(there), is_subject(there, "S-1")]
    for at in range(len(others) + 1):
        marks = [*others[:at], redact(there), *others[at:]]
        (ruled,) = decided(assessment(there), marks, S_1=YES).faces
        assert (ruled.action, ruled.rule) == (Action.REDACT, "reviewer-redacted")
    assert decided(assessment(there), others, S_1=YES).faces[0].action is Action.KEEP


def test_a_place_without_a_face_becomes_one_that_is_redacted():
    there = face(0, "S-1")
    added = Mark(0, Box(700, 50, 60, 70), Verdict.REDACT)
    decision = decided(assessment(there), [added], S_1=YES)
    kept, place = decision.faces
    assert kept.action is Action.KEEP
    assert (place.action, place.rule) == (Action.REDACT, "reviewer-redacted")
    assert (place.face.detection.box, place.face.match) == (added.box, None)
    assert decision.outcome is Outcome.REDACT


def test_a_place_counts_like_a_face_for_the_channels_rules():
    added = Mark(0, Box(700, 50, 60, 70), Verdict.REDACT)
    policy = ChannelPolicy("c", without_consent=WithoutConsent.BLOCK)
    found = apply_marks(assessment(face(0, "S-1")), [added])
    assert decide(found, {"S-1": YES}, policy).outcome is Outcome.BLOCK


def test_a_box_around_a_face_redacts_the_face_and_the_whole_box():
    there = face(200, "S-1")  # 80 by 100 at 200, 50
    wide = Mark(0, Box(150, 20, 180, 300), Verdict.REDACT)
    decision = decided(assessment(there), [wide], S_1=YES)
    assert [f.action for f in decision.faces] == [Action.REDACT, Action.REDACT]
    assert decision.faces[1].face.detection.box == wide.box
    assert decision.kept_subjects == frozenset()


def test_a_place_is_cut_at_the_edge_of_the_picture_and_outside_of_it_there_is_none():
    over = Mark(0, Box(1950, -20, 100, 60), Verdict.REDACT)
    (place,) = apply_marks(assessment(), [over]).faces
    assert place.detection.box == Box(1950, 0, 50, 40)
    outside = Mark(0, Box(2100, 0, 50, 50), Verdict.REDACT)
    assert apply_marks(assessment(), [outside]).faces == []


def test_in_an_animation_what_is_redacted_once_is_redacted_in_every_frame():
    shown = [face(200, "S-1", frame=frame) for frame in range(3)]
    marked = apply_marks(assessment(*shown, frames=3), [redact(shown[1])])
    assert [f.marked for f in marked.faces] == ["redact"] * 3


def test_in_a_clip_a_place_is_redacted_all_the_time_or_as_long_as_was_said():
    marks = [
        Mark(12, Box(700, 50, 60, 70), Verdict.REDACT),
        Mark(12, Box(900, 50, 60, 70), Verdict.REDACT, span=(10, 20)),
        Mark(12, Box(1100, 50, 60, 70), Verdict.REDACT, span=(80, 90)),  # there is no such frame
    ]
    clip = replace(assessment(frames=30), moments=[frame / 10 for frame in range(30)])
    tracks = [found.track for found in apply_marks(clip, marks).faces]
    assert [(track.first, track.last) for track in tracks] == [(0, 29), (10, 20), (0, 29)]
    assert tracks[1].seconds == (1.0, 2.0)


def test_a_track_is_redacted_by_its_place_and_not_all_that_passes_it():
    poster = moving(0, 5, 10, 15, 20, start=300, pace=0)
    child = moving(0, 20, start=105, pace=20)
    mark = Mark(10, poster.detection.box, Verdict.REDACT, span=(0, 20))
    marked = apply_marks(Assessment(1000, 400, 21, [child, poster]), [mark])
    assert [face.marked for face in marked.faces] == [None, "redact"]


every_mark = st.builds(
    lambda x, w, verdict, subject: Mark(
        0,
        Box(x, 50, w, 100),
        verdict,
        subject if verdict in (Verdict.SUBJECT, Verdict.NOT_SUBJECT) else None,
    ),
    st.sampled_from([0.0, 10.0, 60.0, 200.0, 250.0]),
    st.sampled_from([40.0, 80.0, 160.0]),
    st.sampled_from(Verdict),
    st.sampled_from(SUBJECTS),
)


@given(st.lists(faces_anywhere, max_size=6), st.lists(every_mark, max_size=6), rulings)
def test_nothing_that_was_said_shows_what_somebody_wants_redacted(faces, marks, rulings):
    decision = decide(apply_marks(assessment(*faces), marks), rulings, ChannelPolicy("c"))
    hidden = [f.face.detection.box for f in decision.faces if f.action is Action.REDACT]
    for mark in (mark for mark in marks if mark.verdict is Verdict.REDACT):
        assert any(box.intersection(mark.box) >= 0.9 * mark.box.area for box in hidden)
        for ruled in decision.faces:
            box = ruled.face.detection.box
            if box.intersection(mark.box) >= 0.5 * box.area:
                assert ruled.action is Action.REDACT
    assert all(rulings[subject].allowed for subject in decision.kept_subjects)
