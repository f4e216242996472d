"""Marks: what people said about faces, kept for good, and read by the pipeline in order."""

from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, insert, select, text

import mediaguard.store
from mediaguard.core.decision import Action, FaceDecision
from mediaguard.core.faces import Box, Candidate, Detection, Face, Match, Track
from mediaguard.core.media import MAX_SIGHTINGS, face_as_json
from mediaguard.core.reported import faces_of, mark_on, meant_by, places_of
from mediaguard.core.review import Mark, Verdict
from mediaguard.errors import InputError, StoreError
from mediaguard.store.audit import Audit
from mediaguard.store.book import ChannelBook, ChannelRules
from mediaguard.store.database import Database
from mediaguard.store.items import Items
from mediaguard.store.ledger import Ledger
from mediaguard.store.marks import Marks, as_mark
from mediaguard.store.review_desk import ReviewDesk, version_of
from mediaguard.store.scope import Scope
from mediaguard.store.tables import ReviewMarkRow
from tests.store.conftest import NOW, ZONE

NO_FACE = Mark(0, Box(1.5, 2.0, 30.0, 40.25), Verdict.NO_FACE)
IS_S1 = Mark(12, Box(5, 6, 70, 80), Verdict.SUBJECT, "s1")
UNKNOWN = Face(Detection(Box(1, 2, 30, 40), 0.9))
KNOWN = Face(Detection(Box(101, 2, 30, 40), 0.9), match=Match("s1", 0.3, 0.2))


@pytest.fixture
def filled(database):
    """With a subject and two items, of which one was looked at."""
    faces = [FaceDecision(face, Action.REDACT, "face-unknown") for face in (UNKNOWN, KNOWN)]
    report = {"faces": [face_as_json(face, 1) for face in faces]}
    with database.write() as session:
        Ledger(session).add_subject("s1", at=NOW)
        items = Items(session)
        for number, item_id in enumerate(("aaaa1111", "aaaa2222")):
            items.admit(item_id, channel="website", source_digest=str(number), at=NOW)
        items.record_outcome(
            "aaaa1111", state="held", at=NOW, outcome="hold", reason="channel-holds", report=report
        )
    return database


@pytest.fixture
def desk(filled, keyring):
    return ReviewDesk(filled, keyring, now=lambda: NOW, actor="uid:7")


def add(database, mark, item_id="aaaa1111"):
    with database.write() as session:
        Marks(session).add(item_id, mark, actor="uid:7", at=NOW)


def code_of(act):
    with pytest.raises(InputError) as caught:
        act()
    return caught.value.code


def test_the_pipeline_reads_an_items_marks_in_order(filled, keyring):
    for mark in (NO_FACE, IS_S1, NO_FACE):
        add(filled, mark)
    rules = ChannelRules("website", "publicity", ZONE, None)
    book = ChannelBook(filled, keyring, rules, now=lambda: NOW, actor="a")
    assert book.marks("aaaa1111") == [NO_FACE, IS_S1, NO_FACE]
    assert book.marks("aaaa2222") == []


def test_the_latest_mark_is_taken_back_first_and_none_is_deleted(filled):
    for mark in (NO_FACE, IS_S1):
        add(filled, mark)
    add(filled, NO_FACE, "aaaa2222")
    undone = []
    for _ in range(3):
        with filled.write() as session:
            row = Marks(session).undo("aaaa1111", at=NOW + timedelta(hours=1))
            undone.append(None if row is None else as_mark(row))
    assert undone == [IS_S1, NO_FACE, None]
    with filled.read() as session:
        assert Marks(session).list("aaaa1111") == []
        assert len(Marks(session).list("aaaa2222")) == 1
        assert len(session.scalars(select(ReviewMarkRow)).all()) == 3


def test_a_mark_names_an_item_and_a_subject_that_exist(filled):
    assert code_of(lambda: add(filled, NO_FACE, "none")) == "no-item"
    ghost = Mark(0, NO_FACE.box, Verdict.SUBJECT, "ghost")
    assert code_of(lambda: add(filled, ghost)) == "no-subject"
    with filled.read() as session:
        assert session.scalars(select(ReviewMarkRow)).all() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "perhaps"},
        {"verdict": "subject", "subject_id": None},
        {"verdict": "no-face", "subject_id": "s1"},
    ],
)
def test_a_verdict_that_says_nothing_clear_cannot_be_stored(filled, wrong):
    row = {"item_id": "aaaa1111", "frame": 0, "x": 1.0, "y": 1.0, "w": 1.0, "h": 1.0}
    row |= {"actor": "a", "at": NOW, "subject_id": None}
    with pytest.raises(StoreError), filled.write() as session:
        session.execute(insert(ReviewMarkRow).values(row | wrong))


def test_records_of_the_first_version_are_brought_up_to_date(empty_url):
    url = empty_url.replace("postgresql:", "postgresql+psycopg:")
    settings = Config()
    settings.set_main_option("script_location", f"{mediaguard.store.__path__[0]}/migrations")
    engine = create_engine(url)
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        connection.execute(
            text("INSERT INTO subjects VALUES ('s1', 'student', NULL, '2026-01-01 00:00:00')")
        )
    engine.dispose()
    database = Database(empty_url)
    with pytest.raises(StoreError, match="database-older"), database.read():
        pass
    database.migrate()
    with database.write() as session:
        assert Ledger(session).subject("s1") is not None
        Items(session).admit("aaaa1111", channel="website", source_digest="1", at=NOW)
        Marks(session).add("aaaa1111", IS_S1, actor="a", at=NOW)
    database.close()


# -- the desk -------------------------------------------------------------------------------


def test_what_was_said_is_recorded_with_the_place_and_in_the_audit_log(desk, filled, keyring):
    desk.mark("aaaa1111", 1, Verdict.NO_FACE)
    desk.mark("aaaa1111", 2, Verdict.SUBJECT, "s1")
    desk.undo("aaaa1111")
    desk.seen("aaaa1111")
    desk.reject("aaaa1111")
    row, (mark,) = desk.find("aaaa1111")
    assert as_mark(mark) == mark_on(UNKNOWN, Verdict.NO_FACE)
    assert (row.state, row.outcome, row.reason) == ("rejected", "block", "rejected")
    assert len(row.report["faces"]) == 2
    with filled.read() as session:
        entries = Audit(session, keyring).entries(item_id="aaaa1111")
    assert [(entry.action, entry.subject_id) for entry in entries] == [
        ("review-marked", None),
        ("review-marked", "s1"),
        ("review-undone", "s1"),
        ("review-seen", None),
        ("review-rejected", None),
    ]
    assert entries[0].data == {"mark": 1, "verdict": "no-face", "frame": 0, "box": [1, 2, 30, 40]}
    assert {entry.actor for entry in entries} == {"uid:7"}


def test_an_item_is_found_by_the_beginning_of_its_id(desk):
    assert desk.find("aaaa1")[0].id == "aaaa1111"
    assert desk.find("aaaa2222")[0].id == "aaaa2222"
    assert [row.id for row in desk.items(channel=None, everything=False)] == ["aaaa1111"]
    assert len(desk.items(channel="website", everything=True)) == 2
    assert desk.items(channel="facebook", everything=True) == []


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("aaaa", "item-ambiguous"),
        ("aaa", "item-short"),
        ("", "item-short"),
        ("bbbb", "no-item"),
        ("aaaa1111x", "no-item"),
        ("%%%%", "no-item"),
        ("____", "no-item"),
        ("aaaé", "no-item"),
        ("aaa\udcff", "no-item"),
    ],
)
def test_an_item_that_is_not_meant_clearly_is_not_found(desk, item, code):
    assert code_of(lambda: desk.find(item)) == code


def test_what_cannot_be_said_is_not_recorded(desk, filled, keyring):
    no_face = Verdict.NO_FACE
    for number in (0, -1, 3):
        assert code_of(lambda n=number: desk.mark("aaaa1111", n, no_face)) == "review-number"
    assert code_of(lambda: desk.mark("aaaa2222", 1, no_face)) == "review-no-report"
    assert code_of(lambda: desk.mark("aaaa1111", 2, no_face)) == "review-somebody"
    assert code_of(lambda: desk.mark("aaaa1111", 1, Verdict.SUBJECT, "ghost")) == "no-subject"
    assert code_of(lambda: desk.undo("aaaa1111")) == "review-no-marks"
    with filled.read() as session:
        assert Audit(session, keyring).entries() == []


# -- a report read back ---------------------------------------------------------------------

numbers = st.integers(0, 4000).map(float)
boxes = st.builds(Box, numbers, numbers, numbers, numbers)
shares = st.floats(0, 1).map(lambda value: round(value, 4))
matches = st.builds(
    Match,
    st.none() | st.just("s1"),
    st.none() | shares,
    st.none() | shares,
    st.lists(st.builds(Candidate, st.just("s2"), shares), max_size=3).map(tuple),
)


@st.composite
def faces(draw):
    frames = sorted(draw(st.sets(st.integers(0, 500), min_size=MAX_SIGHTINGS, max_size=30)))
    detections = [Detection(draw(boxes), 0.5) for _ in frames]
    best = draw(st.integers(0, len(frames) - 1))
    track = Track(tuple(frames), tuple(detections), (0.5, 2.25))
    return Face(
        detections[best],
        frames[best],
        match=draw(matches),
        track=draw(st.sampled_from([track, None])),
    )


@given(faces(), st.sampled_from(Action), st.none() | st.integers(1, 9))
def test_a_face_of_a_report_is_read_back_as_it_was_written(face, action, event):
    written = face_as_json(FaceDecision(face, action, "face-unknown", event), 600)
    (read,) = faces_of({"faces": [written]})
    again = face_as_json(read, 600)
    if face.track:
        assert again.pop("sightings")
        written.pop("sightings")
    assert again == written


@given(faces())
def test_the_places_of_a_face_are_few_and_the_mark_on_it_finds_it(face):
    written = face_as_json(FaceDecision(face, Action.REDACT, "face-unknown"), 600)
    (read,) = faces_of({"faces": [written]})
    places = places_of(read.face)
    assert 1 <= len(places) <= MAX_SIGHTINGS
    assert (face.frame, face.detection.box) in places
    assert [frame for frame, _ in places] == sorted(frame for frame, _ in places)
    if face.detection.box.area:
        assert meant_by(mark_on(read.face, Verdict.NO_FACE), [read]) == [1]


def test_there_may_be_no_report():
    assert faces_of(None) == faces_of({}) == ()


# -- not this person, redact, and two people at once ----------------------------------------

PLACE = Mark(0, Box(400, 2, 30, 40), Verdict.REDACT, span=(3, 9))


def test_every_verdict_is_read_back_as_it_was_said(filled):
    denied = Mark(0, KNOWN.detection.box, Verdict.NOT_SUBJECT, "s1")
    for mark in (PLACE, denied):
        add(filled, mark)
    with filled.read() as session:
        assert [as_mark(row) for row in Marks(session).list("aaaa1111")] == [PLACE, denied]


def test_not_this_person_names_the_person_and_needs_one(desk):
    desk.mark("aaaa1111", 2, Verdict.NOT_SUBJECT)
    (mark,) = desk.find("aaaa1111")[1]
    assert as_mark(mark) == mark_on(KNOWN, Verdict.NOT_SUBJECT, "s1")
    assert code_of(lambda: desk.mark("aaaa1111", 1, Verdict.NOT_SUBJECT)) == "review-nobody"


def test_whoever_is_not_that_person_is_somebody_still(desk, filled):
    desk.mark("aaaa1111", 2, Verdict.NOT_SUBJECT)
    with filled.write() as session:  # handled anew: nobody is recognised in it any more
        item = Items(session).get("aaaa1111")
        faces = [dict(face, subject=None) for face in item.report["faces"]]
        item.report = {"faces": faces}
    assert code_of(lambda: desk.mark("aaaa1111", 2, Verdict.NO_FACE)) == "review-somebody"
    desk.undo("aaaa1111")
    desk.mark("aaaa1111", 2, Verdict.NO_FACE)


def test_nothing_is_said_of_a_face_that_is_to_be_redacted_until_that_is_taken_back(desk):
    desk.mark("aaaa1111", 1, Verdict.REDACT)
    for verdict, subject in ((Verdict.NO_FACE, None), (Verdict.SUBJECT, "s1")):
        refused = code_of(lambda v=verdict, s=subject: desk.mark("aaaa1111", 1, v, s))
        assert refused == "review-redacted"
    desk.mark("aaaa1111", 2, Verdict.SUBJECT, "s1")
    first, _ = desk.find("aaaa1111")[1]
    desk.undo("aaaa1111", first.mark_id)
    desk.mark("aaaa1111", 1, Verdict.NO_FACE)


def test_who_acts_on_what_they_did_not_see_is_told_so(desk, filled):
    seen = version_of(*desk.find("aaaa1111"))
    desk.mark("aaaa1111", 1, Verdict.REDACT, seen=seen)
    for act in (
        lambda: desk.mark("aaaa1111", 2, Verdict.REDACT, seen=seen),
        lambda: desk.mark_place("aaaa1111", PLACE, seen=seen),
        lambda: desk.undo("aaaa1111", seen=seen),
        lambda: desk.approve("aaaa1111", seen=seen),
    ):
        assert code_of(act) == "review-changed"
    assert len(desk.find("aaaa1111")[1]) == 1
    with filled.write() as session:
        Items(session).get("aaaa1111").lease_until = NOW + timedelta(seconds=9)
    seen = version_of(*desk.find("aaaa1111"))
    assert code_of(lambda: desk.approve("aaaa1111", seen=seen)) == "review-busy"


def test_a_page_has_what_waits_or_everything_and_only_what_may_be_seen(desk, filled):
    with filled.write() as session:
        for number in range(5):
            item = Items(session).admit(
                f"bbbb{number}", channel="website", source_digest=f"b{number}", at=NOW
            )
            item.state, item.groups = "held", [f"{number}a", "it's"]
            item.brought_by = "user:me" if number == 4 else "user:you"

    def page(scope=None, everything=False, channel=None, offset=0, limit=10):
        how = {"channel": channel, "everything": everything, "scope": scope}
        rows, count = desk.page(**how, offset=offset, limit=limit)
        return [row.id for row in rows], count

    assert page() == (["aaaa1111", *(f"bbbb{n}" for n in range(5))], 6)
    assert page(offset=4, limit=1) == (["bbbb3"], 6)
    assert page(everything=True)[1] == 7
    assert page(channel="other") == ([], 0)
    assert page(Scope(["0a", "3a"], "user:me")) == (["bbbb0", "bbbb3", "bbbb4"], 3)
    assert page(Scope(["it's"], "user:me"))[1] == 5
    assert page(Scope([], "user:nobody")) == ([], 0)
