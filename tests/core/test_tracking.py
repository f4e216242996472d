"""A face is followed as one person only, and redacted in every frame: `core.tracking`."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaguard.core.faces import Box, Detection, Track
from mediaguard.core.tracking import (
    BRIDGE_SECONDS,
    PAD_SECONDS,
    Coverage,
    Shots,
    Tracker,
    is_evident,
    joined,
)

FPS = 25.0
PAD = math.ceil(PAD_SECONDS * FPS)
BRIDGE = int(BRIDGE_SECONDS * FPS)
SIZE = 40.0
FAR = 10_000
"""Frames: a clip in which nothing ends."""

coordinates = st.floats(-1e6, 1e6)
sides = st.floats(-50, 1e5)
boxes = st.builds(Box, coordinates, coordinates, sides, sides)
detections = st.builds(Detection, boxes, st.floats(0, 1))


def face(x: float, y: float = 100.0, size: float = SIZE, score: float = 0.9) -> Detection:
    """A face by its middle."""
    return Detection(Box(x - 0.4 * size, y - size / 2, 0.8 * size, size), score)


def still(first: int, last: int, x: float = 0.0, y: float = 100.0, size: float = SIZE) -> Track:
    frames = tuple(range(first, last + 1))
    return Track(frames, (face(x, y, size),) * len(frames))


def moving(frames: Iterable[int], place: Callable[[int], tuple[float, float]]) -> Track:
    listed = tuple(frames)
    return Track(listed, tuple(face(*place(frame)) for frame in listed))


def coverage(redacted: Sequence[Track], kept: Sequence[Track] = (), **options) -> Coverage:
    shots = options.pop("shots", Shots(FAR))
    return Coverage(redacted, kept, shots, options.pop("fps", FPS))


def holds(outer: Box, inner: Box, tolerance: float = 1e-6) -> bool:
    return (
        outer.x <= inner.x + tolerance
        and outer.y <= inner.y + tolerance
        and outer.right >= inner.right - tolerance
        and outer.bottom >= inner.bottom - tolerance
    )


def covered(found: Coverage, frame: int, place: Box) -> bool:
    """Whether one region of the frame holds all of the place."""
    return any(holds(cover.detection.box, place) for cover in found.covers(frame, frame)[0])


def frames_of(found: Coverage, last: int = 300, track: int | None = None) -> list[int]:
    """The frames in which anything (of a track) is redacted."""
    return [
        frame
        for frame, covers in enumerate(found.covers(0, last))
        if any(track in (None, cover.track) for cover in covers)
    ]


def track(
    looks: Iterable[tuple[int, Sequence[Detection]]], cuts: Collection[int] = (), fps: float = FPS
) -> list[Track]:
    tracker = Tracker(fps)
    for frame, found in looks:
        if frame in cuts:
            tracker.cut()
        tracker.see(frame, found)
    return tracker.tracks()


# -- following one face ----------------------------------------------------------------------


def test_a_face_that_moves_is_one_track():
    looks = [(frame, [face(4 * frame, 100 + frame)]) for frame in range(0, 60, 2)]
    (found,) = track(looks)
    assert found.frames == tuple(range(0, 60, 2))
    assert found.detections == tuple(seen for _, (seen,) in looks)


def test_the_numbers_name_the_tracks():
    tracker = Tracker(FPS)
    numbers = [
        (frame, [face(0), face(300)], tracker.see(frame, [face(0), face(300)]))
        for frame in range(5)
    ]
    found = tracker.tracks()
    for frame, seen, given_numbers in numbers:
        for number, detection in zip(given_numbers, seen, strict=True):
            assert found[number].detections[found[number].frames.index(frame)] == detection


def test_a_face_that_is_missed_for_a_moment_is_the_same_track():
    frames = [*range(10), *range(15, 25)]
    (found,) = track((frame, [face(2 * frame)] if frame in frames else []) for frame in range(25))
    assert found.frames == tuple(frames)


def test_a_face_that_was_lost_for_longer_is_a_new_track():
    looks = [(frame, [face(0)]) for frame in [*range(10), *range(18, 30)]]
    assert [found.first for found in track(looks)] == [0, 18]


def test_nothing_is_followed_over_a_cut():
    looks = [(frame, [face(0)]) for frame in range(20)]
    found = track(looks, cuts={7, 13})
    assert [(one.first, one.last) for one in found] == [(0, 6), (7, 12), (13, 19)]


@pytest.mark.parametrize(
    "other",
    [face(SIZE), face(0, 100 + SIZE), face(0, size=SIZE * 2), face(0, size=SIZE / 2)],
    ids=["beside", "below", "larger", "smaller"],
)
def test_another_place_or_size_is_another_face(other):
    assert len(track([(0, [face(0)]), (1, [other])])) == 2


def test_detections_of_one_frame_are_never_one_track():
    found = track((frame, [face(0), face(3), face(6)]) for frame in range(10))
    for one in found:
        assert len(set(one.frames)) == len(one.frames)


@given(st.integers(0, 10_000))
@settings(max_examples=60)
def test_the_order_of_the_faces_in_a_frame_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 200, (4, 2))
    looks = []
    for frame in range(25):
        places += rng.normal(0, 6, places.shape)
        looks.append((frame, [face(x, y) for x, y in places if rng.random() > 0.15]))
    shuffled = [(frame, [found[i] for i in rng.permutation(len(found))]) for frame, found in looks]
    assert set(track(looks)) == set(track(shuffled))


@given(st.lists(st.lists(detections, max_size=4), max_size=8))
@settings(max_examples=80)
def test_every_detection_is_in_one_track_whatever_it_is(found):
    tracks = track(enumerate(found))
    seen = [
        (frame, detection)
        for one in tracks
        for frame, detection in zip(one.frames, one.detections, strict=True)
    ]
    wanted = [(frame, detection) for frame, many in enumerate(found) for detection in many]
    assert sorted(map(repr, seen)) == sorted(map(repr, wanted))


anywhere = st.floats(allow_nan=False)


@given(
    st.lists(
        st.lists(
            st.builds(
                Detection,
                st.builds(Box, anywhere, anywhere, anywhere, anywhere),
                st.floats(0, 1),
                st.just(()) | st.just(((0.0, 0.0), (1e300, -1e300))),
            ),
            max_size=3,
        ),
        max_size=10,
    ),
    st.floats(0.01, 300),
    st.integers(1, 6),
)
@settings(max_examples=150)
def test_no_box_is_too_strange(found, fps, step):
    tracks = track(((index * step, many) for index, many in enumerate(found)), cuts={6}, fps=fps)
    everything = Coverage(tracks[::2], tracks[1::2], Shots(80, (6, 40)), fps)
    everything.covers(0, 79)
    everything.edges()
    for frame in range(0, 80, 7):
        everything.visible(frame)
    for one in tracks:
        is_evident(one)


@given(st.lists(st.lists(detections, max_size=3), min_size=1, max_size=10))
@settings(max_examples=80)
def test_places_are_always_numbers(found):
    """`redaction.head_of` refuses anything else, and with it the whole clip."""
    tracks = track((2 * index, many) for index, many in enumerate(found))
    for covers in Coverage(tracks, [], Shots(30), FPS).covers(0, 29):
        for cover in covers:
            box = cover.detection.box
            assert all(math.isfinite(value) for value in (box.x, box.y, box.w, box.h))


# -- two faces that touch --------------------------------------------------------------------

Path = Callable[[int], float]
"""Where a face is in a frame, in face heights from the left."""


def acted(
    paths: dict[str, Path],
    frames: int,
    *,
    step: int = 1,
    behind: str = "",
    hidden: float = 0.0,
    score: float = 0.9,
) -> list[list[tuple[int, str]]]:
    """Who is in each track: the frames in which it was seen, and whose face it really was.

    Args:
        paths: of the people.
        frames, step: how many frames there are, and every which one is looked at.
        behind: who is not found when nearer than `hidden` face heights to somebody else.
        hidden: see there.
        score: of all detections.
    """
    tracker, people = Tracker(FPS), defaultdict(list)
    for frame in range(0, frames, step):
        places = {name: path(frame) for name, path in paths.items()}
        names = [
            name
            for name, x in places.items()
            if name != behind
            or all(abs(x - other) >= hidden for who, other in places.items() if who != name)
        ]
        numbers = tracker.see(frame, [face(SIZE * places[name], score=score) for name in names])
        for number, name in zip(numbers, names, strict=True):
            people[number].append((frame, name))
    return list(people.values())


def exchanged(
    tracks: list[list[tuple[int, str]]], paths: dict[str, Path]
) -> list[list[tuple[int, str]]]:
    """Tracks that hold two people who were well apart when each was seen."""
    apart = 1.01
    wrong = []
    for seen in tracks:
        alone = {
            name
            for frame, name in seen
            if all(
                abs(path(frame) - paths[name](frame)) > apart
                for other, path in paths.items()
                if other != name
            )
        }
        if len(alone) > 1:
            wrong.append(seen)
    return wrong


def before_and_after(
    tracks: list[list[tuple[int, str]]], paths: dict[str, Path]
) -> list[list[tuple[int, str]]]:
    """Tracks that go on from well before two people met to well after they parted."""

    def side(frame: int) -> float:
        return paths["A"](frame) - paths["B"](frame)

    wrong = []
    for seen in tracks:
        sides = [side(frame) for frame, _ in seen if abs(side(frame)) > 1.01]
        if sides and min(sides) < 0 < max(sides):
            wrong.append(seen)
    return wrong


SPEEDS = [-0.3, -0.1, 0.0, 0.03, 0.1, 0.2, 0.37, 0.5, 0.7]
"""Face heights per look."""


@pytest.mark.parametrize("step", [1, 2, 3])
def test_faces_that_cross_are_never_exchanged_and_get_new_numbers(step):
    for one in SPEEDS:
        for other in SPEEDS:
            if one + other <= 0.02:
                continue
            for start in (1.5, 2.0, 2.3, 3.1):
                paths = {
                    "A": lambda f, v=one, s=start: -s + v * f / step,
                    "B": lambda f, v=other, s=start: 0.9 * s - v * f / step,
                }
                frames = step * (math.ceil(2 * (start + 2) / (one + other)) + 1)
                found = acted(paths, frames, step=step)
                assert exchanged(found, paths) == [], (one, other, start)
                assert before_and_after(found, paths) == [], (one, other, start)


def test_faces_that_are_barely_found_are_not_exchanged_either():
    """Their scores are low in every frame, as those of blurred faces are."""
    for one, other in ((0.05, 0.05), (0.0, 0.1), (0.2, -0.05), (0.15, 0.15)):
        paths = {
            "A": lambda f, v=one: -3 + v * f,
            "B": lambda f, v=other: 3 - v * f,
        }
        frames = math.ceil(10 / (one + other))
        found = acted(paths, frames, score=0.2)
        assert exchanged(found, paths) == []
        assert before_and_after(found, paths) == []


@pytest.mark.parametrize("hidden", [0.3, 0.6, 0.7])
@pytest.mark.parametrize("step", [1, 2])
def test_who_passed_behind_somebody_gets_a_new_number(step, hidden):
    """While one face hides the other, only one is found."""
    wrong = []
    for one in (0.0, 0.05, 0.1, 0.2, 0.3):  # face heights per frame
        for other in (0.0, 0.05, 0.1, 0.2, 0.3):
            if not one + other:
                continue
            for start in (2.0, 2.3, 3.1):
                paths = {
                    "A": lambda f, v=one, s=start: -s + v * f,
                    "B": lambda f, v=other, s=start: 0.9 * s - v * f,
                }
                frames = math.ceil(2 * (start + 2) / (one + other)) + 2
                found = acted(paths, frames, step=step, behind="A", hidden=hidden)
                # Who is forgotten, and at a distance from where the other is, touches nobody.
                wrong += [(one, other, start) for _ in before_and_after(found, paths)]
    assert wrong == []


def test_who_turned_back_behind_somebody_does_not_get_the_other_ones_track():
    """They run towards each other, one is hidden for a moment, and both turn back."""

    def turning(speed: float, start: float, turn: int) -> Path:
        return lambda f: start + speed * (f if f <= turn else 2 * turn - f)

    paths = {"A": turning(0.3, -2.25, 6), "B": turning(-0.3, 2.25, 6)}
    assert abs(paths["A"](6) - paths["B"](6)) == pytest.approx(0.9)
    paths = {"A": turning(0.3, -1.95, 6), "B": turning(-0.3, 1.95, 6)}  # 0.3 at the nearest
    found = acted(paths, 20, step=2, behind="B", hidden=0.6)
    assert exchanged(found, paths) == []


@pytest.mark.parametrize(("step", "hidden"), [(1, 0.0), (1, 0.6), (2, 0.0), (2, 0.4), (2, 0.74)])
def test_people_who_walk_about_are_never_exchanged(step, hidden):
    """Chance walks, up to 0.3 face heights per frame: a quick walk, near the camera."""
    wrong = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        walks = {}
        for name, side in (("A", -1), ("B", 1)):
            x, speed = side * rng.uniform(1, 2.5), -side * rng.uniform(0, 0.3)
            aim, walk = speed, []
            for _ in range(50):
                aim = rng.uniform(-0.3, 0.3) if rng.random() < 0.12 else aim
                speed += min(max(aim - speed, -0.1), 0.1)
                x += speed
                walk.append(x)
            walks[name] = walk
        paths = {name: (lambda f, w=walk: w[f]) for name, walk in walks.items()}
        found = acted(paths, 50, step=step, behind="AB"[seed % 2], hidden=hidden)
        wrong += len(exchanged(found, paths))
    assert wrong == 0


def test_a_face_beside_another_at_a_distance_stays_one_track():
    found = track((frame, [face(0), face(1.2 * SIZE)]) for frame in range(50))
    assert [len(one.frames) for one in found] == [50, 50]


def test_faces_that_lean_together_and_part_are_new_both_times():
    """Apart until frame 20, together from 25 to 45, apart from 50 on."""
    between = np.interp(range(70), [20, 25, 45, 50], [1.5, 0.6, 0.6, 1.5])
    found = track((frame, [face(0), face(SIZE * gap)]) for frame, gap in enumerate(between))
    for one in found:
        assert not (one.first <= 20 and one.last >= 25), "from before until they touch"
        assert not (one.first <= 45 and one.last >= 50), "from when they touch until after"
    assert {frame for one in found for frame in one.frames} == set(range(70))


def test_which_track_went_on_from_which():
    tracker = Tracker(FPS)
    between = np.interp(range(70), [20, 25, 45, 50], [1.5, 0.6, 0.6, 1.5])
    for frame, gap in enumerate(between):
        tracker.see(frame, [face(0), face(SIZE * gap)])
    found = tracker.tracks()
    assert len(tracker.follows) == len(found) - 2
    for later, earlier in tracker.follows.items():
        assert earlier < later
        assert found[earlier].last < found[later].first <= found[earlier].last + 7
        whole = joined(found[earlier], found[later])
        assert (whole.first, whole.last) == (found[earlier].first, found[later].last)
        assert whole.frames == tuple(sorted(whole.frames))
    tracker.cut()
    tracker.see(70, [face(0), face(2 * SIZE)])
    assert not {len(found), len(found) + 1} & set(tracker.follows)


def test_a_distance_that_trembles_about_the_limit_does_not_cut_a_track_to_pieces():
    rng = np.random.default_rng(1)
    found = track((f, [face(0), face(SIZE * (0.85 + rng.uniform(-0.14, 0.14)))]) for f in range(80))
    assert len(found) <= 4


# -- what counts as a face -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "evident"),
    [
        ([0.29], False), ([0.31], True), ([0.2, 0.29], False), ([0.2, 0.31], True),
        ([0.2, 0.2, 0.2], True), ([0.0] * 3, True), ([1.0], True),
    ],
)  # fmt: skip
def test_a_face_seen_once_counts_if_it_was_seen_clearly(scores, evident):
    seen = tuple(face(0, score=score) for score in scores)
    assert is_evident(Track(tuple(range(len(seen))), seen)) is evident


# -- shots -----------------------------------------------------------------------------------


@given(st.integers(1, 60), st.sets(st.integers(1, 59), max_size=8))
def test_the_shot_around_a_frame(frames, cuts):
    borders = sorted(cut for cut in cuts if cut < frames)
    shots = Shots(frames, tuple(borders))
    starts, ends = [0, *borders], [*(cut - 1 for cut in borders), frames - 1]
    for frame in range(frames):
        ((first, last),) = [
            (start, end) for start, end in zip(starts, ends, strict=True) if start <= frame <= end
        ]
        assert shots.around(frame) == (first, last)


# -- every frame of a redacted face ----------------------------------------------------------


@st.composite
def sightings(draw, least=0, most=200):
    """A track with gaps, within bounds."""
    frames = tuple(sorted(draw(st.sets(st.integers(least, most), min_size=1, max_size=12))))
    found = draw(st.lists(detections, min_size=len(frames), max_size=len(frames)))
    return Track(frames, tuple(found))


@given(sightings(), st.sets(st.integers(1, 199), max_size=4), st.floats(1, 120))
@settings(max_examples=120)
def test_a_face_is_covered_from_before_its_first_to_after_its_last_sighting(found, cuts, fps):
    cuts = {cut for cut in cuts if not found.first < cut <= found.last}
    shots = Shots(201, tuple(sorted(cuts)))
    start, end = shots.around(found.first)[0], shots.around(found.last)[1]
    pad = math.ceil(PAD_SECONDS * fps)
    everything = coverage([found], shots=shots, fps=fps).covers(0, 200)
    for frame, covers in enumerate(everything):
        if max(start, found.first - pad) <= frame <= min(end, found.last + pad):
            place = found.box_at(frame)
            tolerance = 1e-6 * (1 + abs(place.x) + abs(place.y) + abs(place.w) + abs(place.h))
            assert any(holds(cover.detection.box, place, tolerance) for cover in covers), frame
        else:
            assert covers == []


@given(sightings())
@settings(max_examples=60)
def test_where_it_was_seen_it_is_covered_as_it_was_seen(found):
    everything = coverage([found]).covers(found.first, found.last)
    for frame, seen in zip(found.frames, found.detections, strict=True):
        assert [cover.detection for cover in everything[frame - found.first]] == [seen]


@pytest.mark.parametrize("fps", [0.5, 1, 4, 5, 10, 24, 29.97, 60, 240])
def test_there_is_a_frame_before_and_after_at_every_speed(fps):
    covered_frames = frames_of(coverage([still(150, 151)], fps=fps), last=400)
    assert covered_frames[0] <= 149
    assert covered_frames[-1] >= 152
    assert 151 + math.ceil(PAD_SECONDS * fps) == covered_frames[-1]


def test_a_face_that_comes_in_quickly_is_covered_where_it_came_from():
    """Ten pixels a frame: where it was first found is not where it was before."""
    found = moving(range(20, 60), lambda f: (10.0 * f, 100.0))
    everything = coverage([found])
    for frame in [*range(20 - PAD, 20), *range(60, 60 + PAD)]:
        assert covered(everything, frame, face(10.0 * frame).box), frame


def test_the_tilt_moves_with_the_face():
    eyes = ((-8.0, 95.0), (8.0, 105.0), (0.0, 110.0), (-5.0, 120.0), (5.0, 120.0))
    start = Detection(face(0).box, 0.9, eyes)
    end = Detection(face(100).box, 0.9, tuple((x + 100, y) for x, y in eyes))
    covers = coverage([Track((0, 10), (start, end))]).covers(0, 10)
    for frame, (cover,) in enumerate(covers):
        (x0, y0), (x1, y1) = cover.detection.landmarks[:2]
        assert (x1 - x0, y1 - y0) == pytest.approx((16, 10))
        assert (x0 + x1) / 2 == pytest.approx(10 * frame)


@pytest.mark.parametrize(("first", "last"), [(5, 7), (0, 0), (48, 49), (49, 50), (50, 99)])
def test_redaction_never_reaches_over_a_cut(first, last):
    shots = Shots(100, (5, 8, 49, 50))
    start, end = shots.around(first)[0], shots.around(last)[1]
    found = coverage([still(first, first), still(last, last)], shots=shots)
    for frame in frames_of(found, last=99):
        assert shots.around(frame) in (shots.around(first), shots.around(last))
    assert set(found.edges()) <= set(range(start, end + 1))


def test_a_gap_over_a_cut_is_not_bridged():
    tracks = [still(0, 20), still(30, 50)]
    found = coverage(tracks, shots=Shots(100, (25,)))
    assert frames_of(found, last=99) == [*range(25), *range(25, 50 + PAD + 1)]
    found = coverage([still(0, 18), still(32, 50)], shots=Shots(100, (25,)))
    assert frames_of(found, last=99) == [*range(18 + PAD + 1), *range(32 - PAD, 50 + PAD + 1)]


# -- gaps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fps", [10.0, 25.0, 29.97, 60.0])
@pytest.mark.parametrize("apart", [0.0, 0.9])
def test_a_gap_is_covered_up_to_its_longest(fps, apart):
    """The face moved meanwhile."""
    longest = math.floor(BRIDGE_SECONDS * fps)
    for gap in sorted({2, 3, longest // 2, longest - 1, longest}):
        before, after = still(0, 20), still(20 + gap, 100, x=apart * SIZE)
        found = coverage([before, after], fps=fps)
        whole = Track((20, 20 + gap), (before.detections[-1], after.detections[0]))
        for frame in range(20, 20 + gap + 1):
            assert covered(found, frame, whole.box_at(frame)), (gap, frame)


def test_a_gap_that_is_longer_is_not_covered():
    found = coverage([still(0, 20), still(21 + BRIDGE, 60)])
    assert set(range(21 + PAD, 21 + BRIDGE - PAD)).isdisjoint(frames_of(found))


@pytest.mark.parametrize("size", [0.5, 1.9])
def test_what_is_much_larger_or_elsewhere_is_not_the_face_that_was_lost(size):
    found = coverage([still(0, 20), still(40, 60, size=SIZE * size)])
    assert 30 not in frames_of(found)
    found = coverage([still(0, 20), still(40, 60, x=10 * SIZE)])
    assert 30 not in frames_of(found)


def test_a_gap_is_covered_though_the_face_was_taken_for_somebody_who_may_be_seen():
    """Before the gap, or after it: whoever it is, one of the two is wrong."""
    one, other = still(0, 20), still(40, 60)
    for found in (coverage([one], [other]), coverage([other], [one])):
        for frame in range(21, 40):
            assert covered(found, frame, face(0).box), frame


def test_between_two_who_may_be_seen_nothing_is_covered():
    assert frames_of(coverage([], [still(0, 20), still(40, 60)])) == []


def test_where_a_kept_face_hides_the_gap_nothing_is_covered():
    found = coverage([still(0, 20), still(45, 60)], [still(0, 100, x=3)])
    assert frames_of(found) == [*range(20 + PAD + 1), *range(45 - PAD, 60 + PAD + 1)]


@pytest.mark.parametrize("x", [-1.5 * SIZE, 0.7 * SIZE])
def test_a_kept_face_beside_the_gap_hides_nothing(x):
    found = coverage([still(0, 20), still(45, 60)], [still(0, 100, x=x)])
    for frame in range(60):
        assert covered(found, frame, face(0).box), frame


def test_a_small_kept_face_does_not_hide_a_large_one():
    """Somebody in the background, in the middle of a gap four times as large as the face."""
    found = coverage([still(0, 20), still(45, 60)], [still(0, 100, size=SIZE / 4)])
    for frame in range(60):
        assert covered(found, frame, face(0).box), frame


def test_a_kept_face_that_is_nowhere_hides_nothing():
    nothing = Track(tuple(range(100)), (Detection(Box(500, 500, 0, 0), 0.9),) * 100)
    found = coverage([still(0, 20), still(45, 60)], [nothing])
    assert frames_of(found) == list(range(60 + PAD + 1))


@pytest.mark.parametrize("apart", [1.2, 2.0, 3.0])
@pytest.mark.parametrize("others", ["redacted", "kept"])
def test_people_side_by_side_are_all_covered_in_a_gap(apart, others):
    """The camera swings by 0.8 face heights while all are lost for half a second."""
    way = 0.8 * SIZE

    def people(first: int, last: int, shift: float) -> list[Track]:
        return [still(first, last, x=shift + index * apart * SIZE) for index in range(3)]

    before, after = people(0, 20, 0.0), people(33, 60, way)
    if others == "redacted":
        found, index = coverage([*before, *after]), range(3)
    else:
        found = coverage([before[0], after[0]], [*before[1:], *after[1:]])
        index = range(1)
    missing = []
    for frame in range(21, 33):
        shift = way * (frame - 20) / 13
        missing += [
            (frame, one)
            for one in index
            if not covered(found, frame, face(shift + one * apart * SIZE).box)
        ]
    assert missing == []


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_who_is_missed_now_and_then_is_covered_all_the_time(seed):
    """Three faces that go straight on, well apart, each missed for up to a second."""
    rng = np.random.default_rng(seed)
    starts, speeds = [(0.0, 0.0), (400.0, 0.0), (0.0, 400.0)], rng.uniform(-1, 1, (3, 2))

    def place(one: int, frame: int) -> tuple[float, float]:
        return tuple(s + v * frame for s, v in zip(starts[one], speeds[one], strict=True))

    seen: dict[int, list[Detection]] = {frame: [] for frame in range(200)}
    for one in range(3):
        frame = 0
        while frame < 200:
            shown = frame + int(rng.integers(1, 40))
            for found in range(frame, min(shown, 200)):
                seen[found].append(face(*place(one, found)))
            frame = shown + int(rng.integers(0, BRIDGE))
        seen[199].append(face(*place(one, 199)))
    everything = coverage(track(seen.items()), shots=Shots(200)).covers(0, 199)
    for frame, covers in enumerate(everything):
        for one in range(3):
            true = face(*place(one, frame)).box
            assert any(holds(cover.detection.box, true, 1e-6) for cover in covers), (frame, one)


# -- the whole and its parts -----------------------------------------------------------------


@given(st.lists(sightings(most=60), max_size=3), st.lists(sightings(most=60), max_size=2),
       st.lists(st.integers(1, 79), max_size=4, unique=True))  # fmt: skip
@settings(max_examples=60)
def test_a_clip_is_covered_alike_whole_and_in_parts(redacted, kept, borders):
    found = coverage(redacted, kept, shots=Shots(80))
    whole = found.covers(0, 79)
    edges = [0, *sorted(borders), 80]
    parts = [covers for start, end in pairwise(edges) for covers in found.covers(start, end - 1)]
    assert len(whole) == 80
    assert parts == whole
    assert all(found.covers(frame, frame) == [whole[frame]] for frame in range(0, 80, 7))
    assert all(cover.track < len(redacted) for covers in whole for cover in covers)


def test_where_a_face_would_show_that_is_covered_too_late():
    """In the frames just outside, but for those that a cut or the clip's end cuts off."""
    tracks = [still(20, 30), still(100, 150, x=200), still(0, 3, x=400)]
    found = coverage(tracks, [still(0, 200, x=600)], shots=Shots(250, (152,)))
    assert found.edges() == {
        20 - PAD - 1: [face(0).box],
        30 + PAD + 1: [face(0).box],
        100 - PAD - 1: [face(200).box],
        3 + PAD + 1: [face(400).box],
    }
    at_one_time = coverage([still(20, 30), still(20, 30, x=200)])
    assert at_one_time.edges()[20 - PAD - 1] == [face(0).box, face(200).box]


def test_a_face_found_late_is_covered_alone():
    """It is redacted around its frame; no other track is taken for it."""
    late = still(50, 50)
    found = Coverage([still(0, 30)], [], Shots(200), FPS, [late])
    assert frames_of(found) == [*range(30 + PAD + 1), *range(50 - PAD, 50 + PAD + 1)]
    assert found.reach(late) == (50 - PAD, 50 + PAD)
    assert {cover.track for cover in found.covers(50, 50)[0]} == {1}


def test_who_may_be_seen_may_be_seen_a_little_longer():
    found = coverage([], [still(20, 30)], shots=Shots(200, (33,)))
    visible = {frame for frame in range(200) if found.visible(frame)}
    assert visible == set(range(20 - PAD, 33))
    assert found.visible(25) == [face(0).box]


@given(st.integers(0, 10_000))
@settings(max_examples=40)
def test_looking_at_every_second_frame_covers_the_same(seed):
    """People who walk and turn; the regions differ by less than their margins."""
    rng = np.random.default_rng(seed)
    sway, pace, phase = rng.uniform(0, 60, 2), rng.uniform(0.02, 0.12, 2), rng.uniform(0, 6, 2)

    def place(frame: int) -> tuple[float, float]:
        x, y = sway * np.sin(pace * frame + phase)
        return float(x), float(y)

    def found(step: int) -> list[list]:
        tracks = track((frame, [face(*place(frame))]) for frame in range(0, 101, step))
        return coverage(tracks, shots=Shots(110)).covers(0, 109)

    for frame, (one, two) in enumerate(zip(found(1), found(2), strict=True)):
        assert bool(one) == bool(two), frame
        for cover in one:
            assert max(cover.detection.box.iou(other.detection.box) for other in two) > 0.7
    for frame, covers in enumerate(found(2)[:101]):
        true = face(*place(frame)).box
        assert max(c.detection.box.intersection(true) for c in covers) > 0.95 * true.area


# -- how long it takes -----------------------------------------------------------------------


@pytest.mark.parametrize("missed", [0.0, 0.6])
def test_ten_minutes_with_five_faces_take_seconds(missed):
    rng = np.random.default_rng(2)
    frames = 10_000
    start = time.process_time()
    tracker = Tracker(FPS)
    for frame in range(frames):
        found = [
            face(100 + 150 * one + 30 * math.sin(frame / 50 + one), 100 + 20 * math.cos(frame / 30))
            for one in range(5)
            if rng.random() >= missed
        ]
        tracker.see(frame, found)
    tracks = tracker.tracks()
    found_places = coverage(
        tracks[::2], tracks[1::2], shots=Shots(frames, tuple(range(99, frames, 99)))
    )
    for first in range(0, frames, 48):
        found_places.covers(first, min(first + 47, frames - 1))
    for frame in range(frames):
        found_places.visible(frame)
    assert time.process_time() - start < 10  # a fifth of it on an idle machine
