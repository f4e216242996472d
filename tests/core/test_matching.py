"""Nobody gets a name unless it is sure whose: the promises of `core.matching`."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mediaguard.core.matching import (
    MAX_CANDIDATES,
    GalleryIndex,
    MatchPolicy,
    identify,
    near_duplicates,
    own_distance,
    self_consistency,
)

DIMENSIONS = 6
POLICY = MatchPolicy()

coordinates = st.floats(-0.6875, 0.6875, width=32)
vectors = arrays(np.float32, (DIMENSIONS,), elements=coordinates)
anything = arrays(
    np.float32,
    (DIMENSIONS,),
    elements=st.one_of(
        coordinates, st.sampled_from([0.0, math.nan, math.inf, -math.inf, 3e38, -3e38, 1e-40])
    ),
)
close = arrays(np.float32, (DIMENSIONS,), elements=st.floats(-0.125, 0.125, width=32))


@st.composite
def galleries(draw, least=1, most=5):
    """Pairs of subject and reference, and references that lie about a centre of their own."""
    pairs = []
    for number in range(draw(st.integers(least, most))):
        centre = draw(vectors)
        count = draw(st.integers(1, 4))
        pairs += [(f"S-{number}", (centre + draw(close)).astype(np.float32)) for _ in range(count)]
    return pairs


@st.composite
def near_someone(draw, pairs):
    """A probe near a reference, so that names do come up."""
    _, reference = draw(st.sampled_from(pairs))
    return (reference + draw(close)).astype(np.float32)


policies = st.builds(
    MatchPolicy,
    threshold=st.floats(0.05, 0.6),
    margin=st.floats(0.0, 0.3),
    growth=st.floats(0.0, 0.1),
)


def one(probe, gallery, policy=POLICY):
    return identify(np.asarray(probe, np.float32)[None], gallery, policy)[0]


def point(*values):
    """A vector with the given first coordinates, away from the origin."""
    vector = np.full(DIMENSIONS, 0.3, np.float32)
    vector[: len(values)] += np.array(values, np.float32)
    return vector


# -- who gets a name -------------------------------------------------------------------------


def test_a_clear_face_gets_its_name():
    gallery = GalleryIndex.build([("A", point()), ("B", point(1.0))])
    match = one(point(0.05), gallery)
    assert match.subject_id == "A"
    assert match.distance == pytest.approx(0.05, abs=1e-4)
    assert match.margin == pytest.approx(0.90, abs=1e-4)


def test_an_empty_gallery_knows_nobody():
    gallery = GalleryIndex.build([])
    matches = identify(np.stack([point(), point(1)]), gallery, POLICY)
    assert [m.subject_id for m in matches] == [None, None]
    assert [m.candidates for m in matches] == [(), ()]
    assert gallery.distance(point()) == math.inf
    assert near_duplicates(point(), gallery, "A", 1.0) == []


def test_no_probes_no_matches():
    gallery = GalleryIndex.build([("A", point())])
    assert identify(np.empty((0, DIMENSIONS), np.float32), gallery, POLICY) == []


def test_twins_stay_unknown_and_are_suggested():
    gallery = GalleryIndex.build([("A", point(-0.01)), ("B", point(0.01)), ("C", point(2))])
    match = one(point(), gallery)
    assert match.subject_id is None
    assert [c.subject_id for c in match.candidates] == ["A", "B"]


def test_a_stranger_is_not_even_suggested():
    gallery = GalleryIndex.build([("A", point())])
    assert one(point(3.0), gallery).candidates == ()


def test_one_mixed_up_reference_names_nobody():
    """Two references of A and one of B's filed under A: B's face must not become A."""
    gallery = GalleryIndex.build([("A", point()), ("A", point(0.02)), ("A", point(0.62))])
    assert one(point(0.62), gallery).subject_id is None


def test_what_lies_between_two_mixed_up_halves_is_nobody():
    """The mean of two different people is near neither; who resembles the mean is no match."""
    gallery = GalleryIndex.build([("A", point(-0.6)), ("A", point(0.6))])
    assert one(point(), gallery).subject_id is None


@given(st.data())
@settings(max_examples=50)
def test_a_name_is_always_earned(data):
    """Whoever is named is the nearest, within the threshold, and ahead by the margin."""
    pairs = data.draw(galleries())
    gallery = GalleryIndex.build(pairs)
    policy = data.draw(policies)
    probe = data.draw(st.one_of(vectors, near_someone(pairs)))
    match = one(probe, gallery, policy)
    if match.subject_id is None:
        return
    distances = {
        subject: np.linalg.norm(np.mean([r for s, r in pairs if s == subject], axis=0) - probe)
        for subject in {s for s, _ in pairs}
    }
    own = distances.pop(match.subject_id)
    assert own <= policy.threshold + 1e-4
    assert all(other - own >= policy.margin - 1e-4 for other in distances.values())
    assert match.candidates[0].subject_id == match.subject_id


@given(st.data())
@settings(max_examples=50)
def test_stricter_settings_name_a_subset(data):
    """Lowering the threshold or raising margin or growth may only take names away."""
    pairs = data.draw(galleries())
    gallery = GalleryIndex.build(pairs)
    loose = data.draw(policies)
    strict = MatchPolicy(
        threshold=loose.threshold * data.draw(st.floats(0, 1)),
        margin=loose.margin + data.draw(st.floats(0, 0.2)),
        growth=loose.growth + data.draw(st.floats(0, 0.1)),
    )
    probe = data.draw(near_someone(pairs))
    named = one(probe, gallery, strict).subject_id
    assert named is None or named == one(probe, gallery, loose).subject_id


@given(st.data())
@settings(max_examples=50)
def test_another_subject_never_turns_a_face_into_a_third(data):
    """With one subject more a face keeps its answer, loses it, or becomes the new one's."""
    pairs = data.draw(galleries())
    probe = data.draw(near_someone(pairs))
    newcomer = [("S-new", data.draw(vectors))]
    before = one(probe, GalleryIndex.build(pairs)).subject_id
    after = one(probe, GalleryIndex.build(pairs + newcomer))
    assert after.subject_id in {before, None, "S-new"}
    if after.subject_id == "S-new":
        assert after.distance <= POLICY.threshold
        # Without a second subject (a vector that no face can have is left out) there is no margin.
        assert after.margin is None or after.margin >= POLICY.margin


@pytest.mark.parametrize("count", [1, 2, 10, 100, 1_000, 100_000])
def test_the_threshold_never_grows_with_the_gallery(count):
    assert POLICY.threshold_for(count + 1) <= POLICY.threshold_for(count) <= POLICY.threshold


# -- several faces in one picture ------------------------------------------------------------


@given(st.data())
@settings(max_examples=50)
def test_nobody_is_twice_in_a_picture(data):
    pairs = data.draw(galleries())
    gallery = GalleryIndex.build(pairs)
    probes = data.draw(st.lists(st.one_of(near_someone(pairs), anything), min_size=1, max_size=6))
    names = [
        match.subject_id
        for match in identify(np.stack(probes), gallery, data.draw(policies))
        if match.subject_id is not None
    ]
    assert len(names) == len(set(names))


def test_the_clearly_best_keeps_the_name():
    gallery = GalleryIndex.build([("A", point())])
    far, near = identify(np.stack([point(0.3), point(0.1)]), gallery, POLICY)
    assert near.subject_id == "A"
    assert far.subject_id is None
    assert [c.subject_id for c in far.candidates] == ["A"]


def test_two_equally_good_are_both_unknown():
    gallery = GalleryIndex.build([("A", point())])
    matches = identify(np.stack([point(0.11), point(-0.12), point(0.4)]), gallery, POLICY)
    assert [m.subject_id for m in matches] == [None, None, None]


@given(st.data())
@settings(max_examples=50)
def test_the_order_of_faces_does_not_matter(data):
    pairs = data.draw(galleries())
    gallery = GalleryIndex.build(pairs)
    probes = np.stack(data.draw(st.lists(near_someone(pairs), min_size=1, max_size=5)))
    order = data.draw(st.permutations(range(len(probes))))
    straight = identify(probes, gallery, POLICY)
    shuffled = identify(probes[list(order)], gallery, POLICY)
    assert shuffled == [straight[i] for i in order]


@given(st.data())
@settings(max_examples=50)
def test_the_order_of_enrolment_does_not_matter(data):
    pairs = data.draw(galleries())
    probes = np.stack(data.draw(st.lists(near_someone(pairs), min_size=1, max_size=3)))
    first = identify(probes, GalleryIndex.build(pairs), POLICY)
    second = identify(probes, GalleryIndex.build(data.draw(st.permutations(pairs))), POLICY)
    for one_way, other_way in zip(first, second, strict=True):
        # Means of the same numbers in another order differ in the last bit.
        assert one_way.distance == pytest.approx(other_way.distance, abs=1e-5)
        if one_way.subject_id != other_way.subject_id:
            assert _on_the_edge(one_way)


def _on_the_edge(match):
    """Whether a rounding error may decide: near the threshold, or near the margin."""
    edges = [match.distance - POLICY.threshold, (match.margin or 0) - POLICY.margin]
    return min(map(abs, edges)) < 1e-4


# -- vectors that are no faces ---------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@given(st.data())
@settings(max_examples=50)
def test_hostile_vectors_never_get_a_name(data):
    pairs = data.draw(galleries())
    bad = point()
    bad[data.draw(st.integers(0, DIMENSIONS - 1))] = data.draw(
        st.sampled_from([math.nan, math.inf, -math.inf, 3e38])
    )
    for policy in (POLICY, MatchPolicy(threshold=math.inf, margin=-math.inf, growth=0.0)):
        assert one(bad, GalleryIndex.build(pairs), policy).subject_id is None


@pytest.mark.filterwarnings("error")
@given(st.data())
@settings(max_examples=50)
def test_hostile_references_never_name_anybody(data):
    """A reference that is no face does not exist; one of the same kind does not match it."""
    bad = data.draw(
        st.sampled_from([math.nan, math.inf, -math.inf, 3e38, 0.0]).map(
            lambda value: np.full(DIMENSIONS, value, np.float32)
        )
    )
    gallery = GalleryIndex.build([("bad", bad), ("A", point())])
    assert gallery.subjects == ("A",)
    assert one(bad, gallery).subject_id is None
    assert one(point(0.01), gallery).subject_id == "A"


def test_a_zero_vector_is_nobody_even_where_it_is_near():
    gallery = GalleryIndex.build([("A", np.full(DIMENSIONS, 0.01, np.float32))])
    match = one(np.zeros(DIMENSIONS, np.float32), gallery)
    assert match.subject_id is None
    assert match.candidates == ()


@pytest.mark.parametrize(
    "policy",
    [
        MatchPolicy(threshold=math.nan),
        MatchPolicy(margin=math.nan),
        MatchPolicy(growth=math.nan),
    ],
)
def test_a_broken_policy_names_nobody(policy):
    gallery = GalleryIndex.build([("A", point()), ("B", point(2.0))])
    assert one(point(), gallery, policy).subject_id is None


def test_vectors_of_another_model_are_refused():
    gallery = GalleryIndex.build([("A", point())])
    with pytest.raises(ValueError, match="dimensions"):
        identify(np.zeros((2, 1), np.float32), gallery, POLICY)
    with pytest.raises(ValueError, match="dimensions"):
        GalleryIndex.build([("A", point()), ("B", np.ones(3, np.float32))])


@given(st.data())
@settings(max_examples=50)
def test_candidates_are_few_near_and_sorted(data):
    pairs = data.draw(galleries(most=8))
    match = one(data.draw(near_someone(pairs)), GalleryIndex.build(pairs))
    distances = [c.distance for c in match.candidates]
    assert len(distances) <= MAX_CANDIDATES
    assert distances == sorted(distances)


# -- enrolment -------------------------------------------------------------------------------


def test_siblings_are_reported():
    gallery = GalleryIndex.build([("A", point()), ("B", point(0.3)), ("C", point(2.0))])
    found = near_duplicates(point(0.05), gallery, "A", 0.5)
    assert [c.subject_id for c in found] == ["B"]


@pytest.mark.filterwarnings("error")
@given(bad=anything)
def test_enrolment_checks_survive_hostile_vectors(bad):
    gallery = GalleryIndex.build([("A", point()), ("B", point(0.3))])
    near_duplicates(bad, gallery, "A", 0.5)
    own_distance(bad, gallery, "A")
    assert len(self_consistency(np.stack([bad, point(), point(0.1)]))) == 3


def test_a_reference_of_somebody_else_stands_out():
    references = np.stack([point(), point(0.1), point(-0.1), point(0.9)])
    distances = self_consistency(references)
    assert int(np.argmax(distances)) == 3
    assert distances[3] > 0.8
    assert max(distances[:3]) < 0.5


def test_a_single_reference_has_nothing_to_differ_from():
    assert self_consistency(point()[None]).tolist() == [0.0]
    assert self_consistency(np.empty((0, DIMENSIONS), np.float32)).tolist() == []


def test_a_reference_that_is_no_face_stands_out_most():
    bad = np.full(DIMENSIONS, math.nan, np.float32)
    distances = self_consistency(np.stack([point(), point(0.1), bad]))
    assert distances[2] == math.inf
    assert max(distances[:2]) < 0.2


def test_the_distance_to_ones_own():
    gallery = GalleryIndex.build([("A", point()), ("B", point(1))])
    assert own_distance(point(0.2), gallery, "A") == pytest.approx(0.2, abs=1e-5)
    assert own_distance(point(), gallery, "Z") is None
