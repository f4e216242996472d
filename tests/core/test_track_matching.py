"""Nobody in a clip gets a name unless several looks agree: `core.track_matching`."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaguard.core.faces import Box, Detection, Quality, Track
from mediaguard.core.matching import GalleryIndex, MatchPolicy
from mediaguard.core.track_matching import Probe, name_tracks, split

DIMENSIONS = 16
LENGTH = 0.6
"""Of the vectors; two people's are 0.85 apart, as far as dlib's are."""
POLICY = MatchPolicy()
PLACE = Detection(Box(0, 0, 50, 60), 0.9)
QUALITY = Quality(60, 100, 1)


def person(number: int) -> np.ndarray:
    vector = np.zeros(DIMENSIONS, np.float32)
    vector[number] = LENGTH
    return vector


A, B, C, STRANGER = (person(number) for number in range(4))


def between(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """A face that resembles two people; of the usual length."""
    vector = one * (1 - share) + other * share
    return (vector * (LENGTH / np.linalg.norm(vector))).astype(np.float32)


def gallery(*names: str) -> GalleryIndex:
    people = {"A": A, "B": B, "C": C}
    rng = np.random.default_rng(1)
    return GalleryIndex.build(
        (name, people[name] + rng.normal(0, 0.01, DIMENSIONS).astype(np.float32))
        for name in names
        for _ in range(3)
    )


SCHOOL = gallery("A", "B", "C")


def shaken(vector: np.ndarray, seed: int, noise: float = 0.04) -> np.ndarray:
    """As another look at the same face: about 0.16 away."""
    return vector + np.random.default_rng(seed).normal(0, noise, DIMENSIONS).astype(np.float32)


def probes(*vectors: np.ndarray, start: int = 0, step: int = 10) -> list[Probe]:
    return [
        Probe(start + index * step, PLACE, QUALITY, shaken(vector, start + index))
        for index, vector in enumerate(vectors)
    ]


def track(first: int, last: int, step: int = 1) -> Track:
    frames = tuple(range(first, last + 1, step))
    return Track(frames, (PLACE,) * len(frames))


def name(*vectors: np.ndarray, gallery: GalleryIndex = SCHOOL, policy: MatchPolicy = POLICY):
    looks = probes(*vectors)
    (match,) = name_tracks([(track(0, 10 * len(vectors)), looks)], gallery, policy)
    return match


def called(*vectors: np.ndarray, **options) -> str | None:
    match = name(*vectors, **options)
    return match.subject_id if match else None


def seen_as(vectors: list[np.ndarray], gallery: GalleryIndex = SCHOOL) -> dict[int, str]:
    """The name under which each of the looks is shown, after the track was split."""
    looks = probes(*vectors)
    pieces = split(track(0, 10 * len(vectors)), looks)
    shown = {}
    for (piece, own), match in zip(pieces, name_tracks(pieces, gallery, POLICY), strict=True):
        for look in looks:
            if match and match.subject_id and piece.first <= look.frame <= piece.last:
                shown[look.frame // 10] = match.subject_id
        assert all(piece.first <= look.frame <= piece.last for look in own)
    return shown


# -- who gets a name -------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [2, 3, 8])
def test_several_looks_at_a_subject_name_it(looks):
    match = name(*[A] * looks)
    assert match.subject_id == "A"
    assert match.distance < 0.2
    assert match.candidates[0].subject_id == "A"


def test_one_look_names_nobody():
    match = name(A)
    assert match.subject_id is None
    assert match.candidates[0].subject_id == "A"
    assert match.distance is not None


def test_two_looks_of_which_one_is_somebody_else_name_nobody():
    assert called(A, STRANGER) is None
    assert called(A, B) is None


def test_no_looks_and_no_gallery_give_no_answer():
    assert name() is None
    assert name(A, A, A, gallery=GalleryIndex.build([])) is None
    assert name_tracks([], SCHOOL, POLICY) == []


@pytest.mark.parametrize("looks", [1, 2, 5, 20])
def test_a_stranger_stays_unknown(looks):
    match = name(*[STRANGER] * looks)
    assert match.subject_id is None
    assert match.distance > POLICY.threshold
    assert match.candidates == ()


def test_a_look_that_is_surely_somebody_else_makes_it_unsure():
    assert called(A, A, A, A, A, A, A, STRANGER) == "A"  # one look at nobody: a bad picture
    match = name(A, A, A, A, A, A, A, B)
    assert match.subject_id is None
    assert match.candidates[0].subject_id == "A"


def test_most_looks_must_agree():
    assert called(A, A, A, A, STRANGER) == "A"
    assert called(A, A, A, STRANGER, STRANGER) is None  # the half that fits worse does not match
    assert called(A, A, STRANGER, STRANGER) is None
    assert called(A, A, STRANGER, STRANGER, STRANGER) is None


def test_looks_that_agree_only_on_average_name_nobody():
    """The mean of several strangers can lie near a subject whom none of them resembles."""
    vectors = []
    for number in range(4, 10):
        for sign in (1, -1):
            vector = A.copy()
            vector[number] += sign * 0.75
            vectors.append((vector * (LENGTH / np.linalg.norm(vector))).astype(np.float32))
    mean = np.mean(vectors, axis=0)
    assert np.linalg.norm(mean * LENGTH / np.linalg.norm(mean) - A) < 0.1
    assert called(*vectors) is None


def test_a_face_between_two_subjects_is_nobody():
    assert called(*[between(A, B, 0.5)] * 6) is None
    assert called(*[between(A, B, 0.15)] * 6) == "A"


def test_twins_are_not_told_apart():
    twins = GalleryIndex.build([("A", A), ("A2", shaken(A, 5, 0.005))])
    assert called(A, A, A, A, gallery=twins) is None


def test_vectors_of_another_model_are_refused():
    with pytest.raises(ValueError, match="dimensions"):
        name_tracks([(track(0, 9), [Probe(0, PLACE, QUALITY, np.ones(3, np.float32))] * 2)],
                    SCHOOL, POLICY)  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 3e38, 0.0])
@pytest.mark.parametrize("good", [0, 1])
def test_vectors_that_are_no_faces_name_nobody(value, good):
    bad = np.full(DIMENSIONS, value, np.float32)
    looks = [
        Probe(index, PLACE, QUALITY, vector)
        for index, vector in enumerate([*[A] * good, *[bad] * 3])
    ]
    pieces = split(track(0, 9), looks)
    for match in name_tracks(pieces, SCHOOL, POLICY):
        assert match is None or match.subject_id is None


# -- somebody else in the same track ---------------------------------------------------------


def test_a_track_of_one_person_stays_whole():
    whole = track(0, 100)
    looks = probes(*[A] * 10)
    assert split(whole, looks) == [(whole, looks)]
    assert split(whole, []) == [(whole, [])]
    assert split(whole, looks[:1]) == [(whole, looks[:1])]


def test_a_track_is_cut_where_the_person_changes():
    looks = probes(A, A, A, B, B, B)
    (first, ours), (second, theirs) = split(track(0, 59), looks)
    assert (first.first, first.last, second.first, second.last) == (0, 25, 26, 59)
    assert (ours, theirs) == (looks[:3], looks[3:])
    assert seen_as([A, A, A, B, B, B]) == dict(enumerate("AAABBB"))
    assert seen_as([A, A, A, STRANGER, STRANGER, STRANGER]) == dict(enumerate("AAA"))


def test_a_track_is_cut_before_a_last_look_at_somebody_else():
    assert seen_as([A, A, A, B]) == dict(enumerate("AAA"))
    assert seen_as([A, A, A, A, A, STRANGER]) == dict(enumerate("AAAAA"))
    assert seen_as([STRANGER, A, A, A]) == dict(zip((1, 2, 3), "AAA", strict=True))


def test_a_track_is_cut_at_every_change():
    order = [A] * 4 + [B] * 4 + [STRANGER] * 4 + [C] * 4 + [A] * 4
    names = seen_as(order)
    assert names == {
        **dict.fromkeys(range(4), "A"), **dict.fromkeys(range(4, 8), "B"),
        **dict.fromkeys(range(12, 16), "C"), **dict.fromkeys(range(16, 20), "A"),
    }  # fmt: skip


def test_one_blurred_look_cuts_nothing():
    whole = track(0, 79)
    assert len(split(whole, probes(A, A, A, STRANGER, A, A, A, A))) == 1


def test_a_track_that_goes_to_and_fro_names_nobody():
    assert set(seen_as([A, B] * 6).values()) == set()
    assert set(seen_as([A, STRANGER] * 6).values()) == set()


numbers = st.lists(st.integers(0, 4), min_size=0, max_size=14)


@given(numbers, st.integers(1, 12), st.integers(0, 2**20))
@settings(max_examples=150)
def test_every_sighting_and_every_look_is_in_one_piece(people, step, seed):
    rng = np.random.default_rng(seed)
    last = step * (len(people) + 1)
    kept = sorted({*rng.integers(0, last + 1, 20).tolist(), *range(0, last + 1, step)})
    whole = Track(tuple(kept), tuple(Detection(Box(f, 0, 9, 9), 0.9) for f in kept))
    looks = probes(*[person(number) for number in people], step=step)
    pieces = split(whole, looks)
    assert [frame for piece, _ in pieces for frame in piece.frames] == kept
    assert [one for piece, _ in pieces for one in piece.detections] == list(whole.detections)
    assert [look for _, own in pieces for look in own] == looks
    for piece, own in pieces:
        assert all(piece.first <= look.frame <= piece.last for look in own)


@given(st.lists(st.sampled_from("ABX"), min_size=1, max_size=14), st.integers(0, 2**20))
@settings(max_examples=200)
def test_a_name_is_given_only_where_most_looks_are_the_persons(letters, seed):
    """Also without `split`: X is a stranger, A and B are subjects."""
    people = {"A": A, "B": B, "X": STRANGER}
    looks = [
        Probe(10 * i, PLACE, QUALITY, shaken(people[one], seed + i))
        for i, one in enumerate(letters)
    ]
    (match,) = name_tracks([(track(0, 10 * len(letters)), looks)], SCHOOL, POLICY)
    if match.subject_id is not None:
        assert letters.count(match.subject_id) >= 2
        assert 2 * letters.count(match.subject_id) > len(letters)
        assert set(letters) <= {match.subject_id, "X"}


@given(st.integers(2, 6), st.integers(0, 6), st.sampled_from([B, STRANGER]), st.data())
@settings(max_examples=150)
def test_more_looks_at_somebody_else_never_give_a_name(own, others, other, data):
    """Whoever has no name, or another one, does not become A by looks that are not A's."""
    base = data.draw(st.permutations(["A"] * own + ["other"] * others))
    looks = [A if one == "A" else other for one in base]
    before, after = called(*looks), called(*looks, other)
    assert after in (before, None)
    if own <= others + 1:
        assert after != "A"


@pytest.mark.parametrize("others", [2, 3, 4, 6])
def test_more_looks_at_somebody_similar_are_not_outvoted(others):
    """Two looks at A, more at a stranger who resembles A: alone, nobody takes them for A."""
    similar = between(A, STRANGER, 0.55)
    assert np.linalg.norm(similar - A) == pytest.approx(0.51, abs=0.01)
    assert called(*[similar] * others) is None
    shown = seen_as([A, A, *[similar] * others])
    assert not any(index >= 2 for index in shown), shown


@given(st.permutations(["A"] * 3 + ["B"] * 3 + ["X"] * 2))
@settings(max_examples=100)
def test_nobody_is_shown_for_long_under_another_name(letters):
    """After the split: two looks in a row at somebody else are never under A's name."""
    people = {"A": A, "B": B, "X": STRANGER}
    shown = seen_as([people[one] for one in letters])
    for index in range(len(letters) - 1):
        wrong = [letters[i] for i in (index, index + 1) if i in shown and shown[i] != letters[i]]
        assert len(wrong) < 2, (letters, shown)


# -- several tracks --------------------------------------------------------------------------


def named(*tracks: tuple[Track, list[np.ndarray]], policy: MatchPolicy = POLICY) -> list:
    given_tracks = [
        (one, [Probe(one.first, PLACE, QUALITY, vector) for vector in vectors])
        for one, vectors in tracks
    ]
    matches = name_tracks(given_tracks, SCHOOL, policy)
    return [match.subject_id if match else None for match in matches]


def test_nobody_is_twice_in_a_frame():
    far, near = [between(A, C, 0.3)] * 3, [A] * 3
    assert named((track(0, 50), near), (track(50, 90), near)) == [None, None]
    assert named((track(0, 50), near), (track(51, 90), near)) == ["A", "A"]
    assert named((track(0, 50), far), (track(20, 90), near)) == [None, "A"]
    assert named((track(0, 50), near), (track(20, 90), [B] * 3)) == ["A", "B"]
    assert named((track(0, 99), near), (track(40, 41), near)) == [None, None]
    assert named((track(0, 98, 2), near), (track(41, 41), near)) == [None, None]


def test_who_was_seen_in_a_gap_of_the_other_is_a_rival_too():
    """A track's face is there in every frame from its first to its last sighting."""
    gap = Track((0, 100), (PLACE, PLACE))
    assert named((gap, [A] * 3), (track(40, 60), [A] * 3)) == [None, None]


def test_a_third_track_takes_no_name_away_from_who_it_never_met():
    near = [A] * 3
    assert named((track(0, 50), near), (track(40, 90), near), (track(91, 99), near)) == [
        None, None, "A",
    ]  # fmt: skip


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 0.5), st.integers(1, 3)),
        min_size=1,
        max_size=6,
    ),
    st.floats(0.001, 0.2),
)
@settings(max_examples=150)
def test_tracks_that_meet_never_share_a_subject(drawn, margin):
    tracks = [
        (track(first, first + length), [between(A, C, share)] * looks)
        for first, length, share, looks in drawn
    ]
    names = named(*tracks, policy=MatchPolicy(margin=margin))
    for i, (one, _) in enumerate(tracks):
        for j, (other, _) in enumerate(tracks[:i]):
            if names[i] is not None and names[i] == names[j]:
                assert one.last < other.first or other.last < one.first
    again = named(*reversed(tracks), policy=MatchPolicy(margin=margin))
    assert again == names[::-1]


def test_without_a_margin_equals_are_still_unknown():
    """A school may set the margin to 0; two equal tracks are still two people."""
    exact = [A] * 3
    assert named((track(0, 50), exact), (track(20, 70), exact), policy=MatchPolicy(margin=0.0)) == [
        None, None,
    ]  # fmt: skip
