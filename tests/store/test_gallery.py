"""The gallery holds nobody who did not opt in, and gives up everybody who opted out."""

import sqlite3
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import select, text, update

from mediaguard.core.consent import MATCHING, Answer
from mediaguard.core.faces import Quality
from mediaguard.errors import InputError, StoreError
from mediaguard.store.gallery import Gallery
from mediaguard.store.keys import Keyring, new_key
from mediaguard.store.ledger import Given, Ledger
from mediaguard.store.tables import SubjectKeyRow, TemplateRow
from tests.store.conftest import NOW, ZONE

VECTOR = np.linspace(-1, 1, 128, dtype=np.float32)
QUALITY = Quality(120.0, 300.0, 0.9)
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def school(database):
    with database.write() as session:
        ledger = Ledger(session)
        for subject_id, groups in (("s1", ["4B"]), ("s2", ["5B"]), ("s3", [])):
            ledger.add_subject(subject_id, at=NOW, groups=groups)
        for subject_id in ("s1", "s2"):
            opt(ledger, subject_id, Answer.GRANTED)
    return database


def opt(ledger, subject_id, answer, at=NOW, **fields):
    defaults = {"channel": MATCHING, "purpose": MATCHING, "signatory": "guardian", "evidence": "f"}
    ledger.append(Given(subject_id, answer=answer, **(defaults | fields)), at=at)


def enrol(session, keyring, subject_id="s1", *, vector=VECTOR, digest="d1", at=LATER):
    return Gallery(session, keyring, zone=ZONE).enrol(
        subject_id,
        model="dlib",
        embedding=vector,
        quality=QUALITY,
        source_digest=digest,
        at=at,
    )


def references(session, keyring, now=LATER, **options):
    found = Gallery(session, keyring, zone=ZONE).references("dlib", now=now, **options)
    return [subject_id for subject_id, _ in found]


def test_a_reference_comes_back_as_it_was(school, keyring):
    with school.write() as session:
        assert enrol(session, keyring)
    with school.read() as session:
        ((subject_id, vector),) = Gallery(session, keyring, zone=ZONE).references("dlib", now=LATER)
        assert subject_id == "s1"
        assert vector.dtype == np.float32
        assert np.array_equal(vector, VECTOR)
        assert Gallery(session, keyring, zone=ZONE).references("other", now=LATER) == []


def test_the_same_photo_is_one_reference(school, keyring):
    with school.write() as session:
        assert [enrol(session, keyring, digest=d) for d in ("d1", "d1", "d2")] == [
            True,
            False,
            True,
        ]
        assert Gallery(session, keyring, zone=ZONE).count("s1") == 2


@pytest.mark.parametrize(("subject_id", "code"), [("s3", "no-opt-in"), ("ghost", "no-subject")])
def test_nobody_is_enrolled_without_opt_in(school, keyring, subject_id, code):
    with pytest.raises(InputError) as caught, school.write() as session:
        enrol(session, keyring, subject_id)
    assert caught.value.code == code
    with school.read() as session:
        assert session.scalars(select(TemplateRow)).all() == []
        assert session.scalars(select(SubjectKeyRow)).all() == []


def test_consent_for_a_channel_is_no_opt_in(school, keyring):
    with school.write() as session:
        opt(Ledger(session), "s3", Answer.GRANTED, channel="website", purpose=MATCHING)
        opt(Ledger(session), "s3", Answer.GRANTED, purpose="publicity")
        with pytest.raises(InputError):
            enrol(session, keyring, "s3")


@pytest.mark.parametrize("vector", [np.full(128, np.nan), np.zeros((2, 128)), np.zeros(0)])
def test_a_vector_that_is_none_is_refused(school, keyring, vector):
    with school.write() as session, pytest.raises(ValueError, match="finite"):
        enrol(session, keyring, vector=vector)


def test_a_withdrawn_opt_in_hides_the_references_at_once(school, keyring):
    with school.write() as session:
        enrol(session, keyring)
        enrol(session, keyring, "s2")
        opt(Ledger(session), "s1", Answer.WITHDRAWN, at=LATER, evidence="")
        assert references(session, keyring) == ["s2"]


def test_an_expired_opt_in_hides_them_too_and_they_can_be_cleared(school, keyring):
    day = NOW.astimezone(ZONE).date()
    with school.write() as session:
        opt(Ledger(session), "s1", Answer.GRANTED, at=LATER, valid_until=day)
        enrol(session, keyring)
        enrol(session, keyring, "s2")
        tomorrow = NOW + timedelta(days=1)
        assert references(session, keyring, tomorrow) == ["s2"]
        gallery = Gallery(session, keyring, zone=ZONE)
        assert gallery.forget_ended(LATER) == {}
        assert gallery.forget_ended(tomorrow) == {"s1": 1}
        assert gallery.count("s1") == 0
        assert gallery.forget_ended(tomorrow) == {}


def test_only_the_groups_that_are_present_are_searched(school, keyring):
    with school.write() as session:
        enrol(session, keyring)
        enrol(session, keyring, "s2")
        assert references(session, keyring, groups=["4B"]) == ["s1"]
        assert references(session, keyring, groups=["9Z"]) == []
        assert references(session, keyring, groups=[]) == []
        assert references(session, keyring) == ["s1", "s2"]


def test_forgetting_destroys_the_key(school, keyring):
    with school.write() as session:
        enrol(session, keyring)
        copy = session.scalar(select(TemplateRow.embedding))
        gallery = Gallery(session, keyring, zone=ZONE)
        assert gallery.forget("s1") == 1
        assert gallery.forget("s1") == 0
        # A copy of the template put back without its key is never read, not even after a
        # new enrolment under a new key.
        enrol(session, keyring, digest="d2")
        session.execute(update(TemplateRow).values(embedding=copy))
        with pytest.raises(StoreError):
            references(session, keyring)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE templates SET subject_id = 's2'",
        "UPDATE templates SET source_digest = 'other'",
        "UPDATE subject_keys SET wrapped_key = (SELECT k.wrapped_key FROM subject_keys k "
        "WHERE k.subject_id = 's2') WHERE subject_id = 's1'",
    ],
)
def test_a_reference_moved_to_somebody_else_is_never_used(school, keyring, change):
    with school.write() as session:
        enrol(session, keyring)
        if "wrapped" in change or "s2'" in change:
            enrol(session, keyring, "s2", digest="d9")
        session.execute(text(change))
        with pytest.raises(StoreError):
            references(session, keyring)


def test_another_master_key_reads_nothing(school, keyring):
    with school.write() as session:
        enrol(session, keyring)
        with pytest.raises(StoreError) as caught:
            references(session, Keyring(new_key()))
        assert caught.value.code == "key-mismatch"


def test_no_vector_is_stored_in_clear(sqlite_url, keyring, tmp_path):
    from mediaguard.store.database import Database

    database = Database(sqlite_url)
    database.migrate()
    with database.write() as session:
        Ledger(session).add_subject("s1", at=NOW)
        opt(Ledger(session), "s1", Answer.GRANTED)
        enrol(session, keyring)
        sealed = session.scalar(select(TemplateRow.embedding))
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("mediaguard.db*"))
    assert VECTOR.tobytes()[:16] not in stored
    assert sealed in stored
    # Deleted means overwritten, in the file and in what is written ahead of it, also while
    # another process has the database open.
    other = sqlite3.connect(tmp_path / "mediaguard.db")
    other.execute("SELECT * FROM templates").fetchall()
    with database.write() as session:
        Gallery(session, keyring, zone=ZONE).forget("s1")
    database.scrub()
    left = b"".join(path.read_bytes() for path in tmp_path.glob("mediaguard.db*"))
    assert sealed not in left
    other.close()
    database.close()
