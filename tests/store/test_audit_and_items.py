"""The audit chain, items and publications."""

import json
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from mediaguard.errors import InputError, StoreError
from mediaguard.store.audit import Audit
from mediaguard.store.items import Items, Publications
from mediaguard.store.keys import Keyring, new_key
from mediaguard.store.ledger import Ledger
from tests.store.conftest import NOW


def log(database, keyring, count=5):
    for number in range(count):
        with database.write() as session:
            Audit(session, keyring).append(
                "test",
                at=NOW,
                actor="a",
                subject_id="s1",
                item_id="i1",
                data={"n": number, "é": 1.5},
            )


def verify(database, keyring):
    with database.read() as session:
        return Audit(session, keyring).verify()


def test_an_untouched_log_is_whole(database, keyring):
    assert verify(database, keyring) == (0, [])
    log(database, keyring)
    assert verify(database, keyring) == (5, [])
    with database.read() as session:
        audit = Audit(session, keyring)
        assert [entry.data["n"] for entry in audit.entries(last=2)] == [3, 4]
        assert len(audit.entries(subject_id="s1")) == 5
        assert audit.entries(item_id="other") == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("UPDATE audit_log SET actor = 'b' WHERE sequence = 3", [(3, "audit-changed")]),
        ("UPDATE audit_log SET data = '{}' WHERE sequence = 3", [(3, "audit-changed")]),
        (
            "UPDATE audit_log SET at = '2020-01-01 00:00:00' WHERE sequence = 3",
            [(3, "audit-changed")],
        ),
        ("UPDATE audit_log SET item_id = NULL WHERE sequence = 1", [(1, "audit-changed")]),
        ("DELETE FROM audit_log WHERE sequence = 3", [(4, "audit-missing")]),
        ("DELETE FROM audit_log WHERE sequence = 1", [(2, "audit-missing")]),
        (
            "UPDATE audit_log SET digest = 'x' WHERE sequence = 3",
            [(3, "audit-changed"), (4, "audit-changed")],
        ),
    ],
)
def test_what_is_changed_behind_the_triggers_is_found(sqlite_database, keyring, change, found):
    log(sqlite_database, keyring)
    with sqlite_database.write() as session:
        for name in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER audit_log_no_{name}"))
        session.execute(text(change))
    _, problems = verify(sqlite_database, keyring)
    assert [(p.sequence, p.code) for p in problems] == found


def test_without_the_key_nobody_can_write_the_chain_anew(sqlite_database, keyring):
    log(sqlite_database, Keyring(new_key()))
    assert len(verify(sqlite_database, keyring)[1]) == 5


def test_an_entry_stands_only_with_what_it_tells_of(database, keyring):
    def fail():
        with database.write() as session:
            Audit(session, keyring).append("test", at=NOW, actor="a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert verify(database, keyring) == (0, [])


def test_many_writers_make_one_chain(database, keyring):
    failures = []

    def run():
        try:
            log(database, keyring, 5)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert verify(database, keyring) == (25, [])


# -- items and publications -----------------------------------------------------------------


def admit(session, item_id="i1", channel="website", digest="d1"):
    return Items(session).admit(item_id, channel=channel, source_digest=digest, at=NOW)


def test_the_same_content_is_one_item_on_a_channel(database):
    for item_id in ("i1", "i2"):
        with database.write() as session:
            assert admit(session, item_id).id == "i1"
    with database.write() as session:
        assert admit(session, "i3", channel="facebook").id == "i3"
        assert [item.id for item in Items(session).list(channel="website", state="received")] == [
            "i1"
        ]
    with pytest.raises(StoreError) as caught, database.write() as session:
        admit(session, "i1", digest="d2")
    assert caught.value.code == "item-conflict"


def test_items_admitted_at_once_are_one(database):
    found, failures = [], []

    def run(name):
        try:
            with database.write() as session:
                found.append(admit(session, name).id)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(f"i{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(found)) == 1


def test_no_file_name_is_stored(sqlite_database, tmp_path):
    name = "Jan-Jansen-groep4.jpg"
    with sqlite_database.write() as session:
        admit(session)
        item = Items(session).record_outcome(
            "i1",
            state="held",
            at=NOW,
            outcome="hold",
            reason="photo-truncated",
            reason_params={"name": name, "limit": "5"},
            report={"path": f"/in/{name}", "rendition": f"/out/{name}", "reason": "x"},
        )
        assert item.reason_params == {"limit": "5"}
        assert item.report == {"reason": "x"}
    sqlite_database.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("mediaguard.db*"))
    assert b"Jansen" not in stored


@pytest.mark.parametrize("wrong", [{"state": "gone"}, {"outcome": "publish"}])
def test_only_known_states_are_recorded(database, wrong):
    fields = {"state": "held", "outcome": "hold"} | wrong
    with database.write() as session:
        admit(session)
    with pytest.raises(StoreError), database.write() as session:
        Items(session).record_outcome("i1", at=NOW, reason=None, **fields)


def test_what_is_not_there_is_named(database):
    with database.read() as session:
        for call, code in (
            (lambda: Items(session).get("i9"), "no-item"),
            (lambda: Publications(session).get("p9"), "no-publication"),
        ):
            with pytest.raises(InputError) as caught:
                call()
            assert caught.value.code == code


def test_the_life_of_a_publication(database):
    with database.write() as session:
        for subject_id in ("s1", "s2"):
            Ledger(session).add_subject(subject_id, at=NOW)
        admit(session)
        publications = Publications(session)
        publications.intend(
            "p1",
            item_id="i1",
            channel="website",
            rendition_sha256="00",
            subjects=["s2", "s1", "s1"],
            consent_events=[2, 1, 2],
            at=NOW,
        )
    with database.write() as session:
        publications = Publications(session)
        assert [p.id for p in publications.list(states=["intended"])] == ["p1"]
        assert publications.of_subject("s1")[0].state == "intended"  # may be public already
        publications.confirm("p1", at=NOW + timedelta(seconds=1), urls=["https://x/1"])
    with database.write() as session:
        publications = Publications(session)
        publication = publications.get("p1")
        assert (publication.state, publication.urls, publication.consent_events) == (
            "live",
            ["https://x/1"],
            [1, 2],
        )
        assert publications.subjects("p1") == ("s1", "s2")
        assert publications.list(states=["intended"]) == []
        assert publications.of_subject("s1", "facebook") == []
        assert [p.id for p in publications.of_subject("s2", "website")] == ["p1"]
        publications.mark_removed("p1", at=NOW + timedelta(days=1))
        assert publications.of_subject("s1") == []
        assert [p.id for p in publications.of_subject("s1", states=None)] == ["p1"]
        assert json.dumps(publications.subjects("p1")) == '["s1", "s2"]'


def test_a_publication_id_is_used_once(database):
    with database.write() as session:
        admit(session)
        fields = {"item_id": "i1", "channel": "website", "rendition_sha256": "0", "at": NOW}
        Publications(session).intend("p1", subjects=[], consent_events=[], **fields)
        with pytest.raises(StoreError):
            Publications(session).intend("p1", subjects=[], consent_events=[], **fields)


def test_nobody_unknown_appears(database):
    with database.write() as session:
        admit(session)
    with pytest.raises(StoreError), database.write() as session:
        Publications(session).intend(
            "p1",
            item_id="i1",
            channel="website",
            rendition_sha256="0",
            subjects=["ghost"],
            consent_events=[],
            at=NOW,
        )
