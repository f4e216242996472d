"""Media come in, are decided by the worker, and what became of them is told."""

import hashlib
import io
from pathlib import Path

import pytest
from sqlalchemy import delete

from mediaguard.core.names import Named
from mediaguard.store.audit import Audit
from mediaguard.store.database import Database
from mediaguard.store.tables import ItemRow, SubjectGroupRow
from mediaguard.web import intake, spool
from tests.pipeline.world import CHANNEL, people_in
from tests.web.school import Caller, form, make_school


def test_a_photo_is_taken_in_decided_and_given_back(caller, photo, tmp_path):
    answer = caller.upload(photo("S-1", "X"), caption="Sports day")
    assert answer.status_code == 202
    taken = answer.json()
    assert taken["state"] == "received"
    assert taken["named"] == []
    early = caller.get(taken["links"]["self"]).json()
    assert (early["state"], early["outcome"], early["faces"]) == ("received", None, [])
    assert caller.get(f"{taken['links']['self']}/rendition").json()["code"] == "web-rendition-later"

    caller.work()

    item = caller.get(taken["links"]["self"]).json()
    assert (item["state"], item["outcome"], item["verified"]) == ("released", "redact", True)
    assert item["reason"]["code"] == "some-redacted"
    assert sorted(face["action"] for face in item["faces"]) == ["keep", "redact"]
    assert [p["state"] for p in item["publications"]] == ["live"]
    assert item["publications"][0]["urls"] == []  # a path is of no use to anybody outside
    rendition = caller.get(item["links"]["rendition"])
    assert rendition.headers["content-type"] == "image/jpeg"
    assert rendition.headers["etag"] == f'"{hashlib.sha256(rendition.content).hexdigest()}"'
    assert rendition.headers["cache-control"] == "no-store"
    (tmp_path / "out.jpg").write_bytes(rendition.content)
    assert people_in(tmp_path / "out.jpg") == {"S-1"}
    same = caller.get(
        item["links"]["rendition"], headers={"If-None-Match": rendition.headers["etag"]}
    )
    assert same.status_code == 304


def test_reasons_are_told_in_dutch(caller, photo):
    taken = caller.upload(photo("X")).json()
    caller.work()
    item = caller.get(taken["links"]["self"], headers={"Accept-Language": "nl-NL,en;q=0.5"}).json()
    english = caller.get(taken["links"]["self"], headers={"Accept-Language": "fr, en;q=0.5"}).json()
    assert item["reason"]["code"] == english["reason"]["code"]
    assert item["reason"]["text"] != english["reason"]["text"]


def test_what_is_withdrawn_is_not_given_any_more_even_before_it_is_taken_down(caller, photo):
    taken = caller.upload(photo("S-1")).json()
    caller.work()
    place = caller.get(taken["links"]["self"]).json()["links"]["rendition"]
    assert caller.get(place).status_code == 200
    caller.world.desk.withdraw("S-1", CHANNEL)
    gone = caller.get(place)
    assert (gone.status_code, gone.json()["code"]) == (404, "web-no-rendition")
    item = caller.get(taken["links"]["self"]).json()
    assert item["links"]["rendition"] is None
    assert [t["state"] for t in item["publications"][0]["takedowns"]] == ["requested"]
    caller.work()
    item = caller.get(taken["links"]["self"]).json()
    assert [t["state"] for t in item["publications"][0]["takedowns"]] == ["confirmed"]
    assert item["publications"][0]["state"] == "removed"


def test_only_the_bytes_that_were_verified_are_given(caller, photo):
    taken = caller.upload(photo("S-1")).json()
    caller.work()
    (file,) = caller.world.ready(CHANNEL).glob("*.jpg")
    file.write_bytes(photo("X"))
    found = caller.get(f"{taken['links']['self']}/rendition")
    assert (found.status_code, found.json()["code"]) == (409, "web-rendition-changed")


def test_the_same_content_is_the_same_item(caller, photo):
    first, second = caller.upload(photo("S-1")).json(), caller.upload(photo("S-1")).json()
    assert first["id"] == second["id"]
    other = caller.upload(photo("S-1"), sender="parents", channel="website-protected").json()
    assert other["id"] != first["id"]


def test_what_a_person_rejected_stays_rejected(caller, photo):
    from mediaguard.review import Review

    taken = caller.upload(photo("S-1")).json()
    caller.work()
    Review(caller.world).reject(taken["id"])
    assert caller.upload(photo("S-1")).json()["state"] == "rejected"
    caller.work()
    assert caller.get(taken["links"]["self"]).json()["state"] == "rejected"


def test_what_cannot_be_opened_is_admitted_and_held(caller):
    taken = caller.upload(b"%PDF-1.4 nothing", name="newsletter.jpg")
    assert taken.status_code == 202
    caller.work()
    item = caller.get(taken.json()["links"]["self"]).json()
    assert (item["state"], item["reason"]["code"]) == ("held", "photo-unsupported")


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd",
        "/etc/passwd",
        "..\\..\\x.jpg",
        "a\x00b.jpg",
        "\x1b[31m.jpg",
        "CON",
        "é" * 300 + ".jpg",
        "x\r\nX-Evil: 1.jpg",
    ],
)
def test_a_file_name_leads_nowhere(caller, photo, name):
    before = {path for path in Path(caller.world.home).rglob("*") if "vault" not in path.parts}
    answer = caller.upload(photo("S-1"), name=name)
    assert answer.status_code in (202, 400)
    after = {path for path in Path(caller.world.home).rglob("*") if "vault" not in path.parts}
    assert {p.name for p in after - before} <= {"mediaguard.db-wal", "mediaguard.db-shm"}


def put_in_group(world, subject: str, group: str) -> None:
    with world.database.write() as session:
        session.add(SubjectGroupRow(subject_id=subject, group_name=group))


def test_only_the_groups_that_are_named_are_looked_for(caller, photo):
    world = caller.world
    put_in_group(world, "S-1", "3A")
    put_in_group(world, "S-2", "4B")
    body, headers = form(photo("S-1", "S-2"), groups=["3A", "5C"])
    answer = caller.post("/v1/media", body, headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "group-unknown")
    body, headers = form(photo("S-1", "S-2"), groups=["3A"])
    taken = caller.post("/v1/media", body, headers).json()
    caller.work()
    faces = caller.get(taken["links"]["self"]).json()["faces"]
    assert [face["subject"] for face in faces] == ["S-1", None]
    # Whoever brings the same photo for another group takes it from nobody.
    body, headers = form(photo("S-1", "S-2"), groups=["4B"])
    caller.post("/v1/media", body, headers)
    caller.work()
    faces = caller.get(taken["links"]["self"]).json()["faces"]
    assert [face["subject"] for face in faces] == ["S-1", "S-2"]
    assert world.book(CHANNEL).groups(taken["id"]) == ["3A", "4B"]
    with world.database.read() as session:
        (entry,) = [e for e in Audit(session, world.keyring).entries() if e.action == "item-groups"]
        assert (entry.item_id, entry.data) == (taken["id"], {"groups": ["3A", "4B"]})
    # It is decided anew without those who leave the group, and for everybody if asked so.
    caller.post("/v1/media", *form(photo("S-1", "S-2"), groups=["3A", "4B"]))
    with world.database.write() as session:
        session.execute(delete(SubjectGroupRow).where(SubjectGroupRow.subject_id == "S-2"))
    caller.work()
    item = caller.get(taken["links"]["self"]).json()
    assert [face["rule"] for face in item["faces"]] == ["consent-granted", "face-remembered"]
    assert item["state"] == "released"
    caller.upload(photo("S-1", "S-2"))
    assert world.book(CHANNEL).groups(taken["id"]) == []


def test_it_is_on_record_who_brought_it(caller, photo):
    taken = caller.upload(photo("S-1")).json()
    caller.upload(photo("S-1"), sender="parents")
    with caller.world.database.read() as session:
        assert session.get_one(ItemRow, taken["id"]).brought_by == "sender:website"


def test_what_is_being_handled_is_not_asked_for_otherwise_in_silence(caller, photo, monkeypatch):
    monkeypatch.setattr(intake, "_BUSY_WAIT", 0.01)
    world = caller.world
    put_in_group(world, "S-1", "3A")
    body, headers = form(photo("S-1"), groups=["3A"])
    taken = caller.post("/v1/media", body, headers, webhook_id="msg_1")
    book = world.book(CHANNEL)
    with book.held(taken.json()["id"]):  # as a worker has it, for minutes if it is a video
        assert caller.post("/v1/media", body, headers, webhook_id="msg_2").status_code == 202
        for _ in range(2):
            answer = caller.upload(photo("S-1"))
            assert (answer.status_code, answer.json()["code"]) == (503, "web-not-now")
        assert book.groups(taken.json()["id"]) == ["3A"]
    assert caller.upload(photo("S-1")).status_code == 202
    assert book.groups(taken.json()["id"]) == []


def test_a_database_that_is_away_loses_nothing(tmp_path, photo, postgresql_server):
    with postgresql_server() as url:
        world = make_school(tmp_path, database=url)
        caller = Caller(world)
        body, headers = form(photo("S-1"))
        away = world.database.url.set(port=1)
        there, world.database = world.database, Database(away.render_as_string(False))
        gone = Caller(world)
        answer = gone.post("/v1/media", body, headers, sender="parents", webhook_id="msg_1")
        assert (answer.status_code, answer.json()["code"]) == (503, "web-not-now")
        assert int(answer.headers["retry-after"]) > 0
        assert "127.0.0.1" not in answer.text
        world.database.close()
        world.database = there
        answer = caller.post("/v1/media", body, headers, sender="parents", webhook_id="msg_1")
        assert answer.status_code == 202
        caller.work()
        assert caller.get(answer.json()["links"]["self"]).json()["state"] == "released"
        world.database.close()


def test_names_in_texts_hold_the_item_and_are_told_once(caller, photo, monkeypatch):
    caller.world.desk.withdraw("S-2", CHANNEL)
    seen = []

    def named_in(text):
        seen.append(text)
        return [Named("S-1", "caption", "Anna"), Named("S-2", "file_name", "Ben")]

    monkeypatch.setattr(caller.world, "named_in", named_in)
    how = {"caption": "Anna's day", "name": "ben.jpg", "webhook_id": "msg_1"}
    first = caller.upload(photo("S-1"), **how)
    assert first.json()["named"] == [{"field": "file_name", "word": "Ben"}]
    assert (seen[0].caption, seen[0].file_name) == ("Anna's day", "ben.jpg")
    with caller.world.database.read() as session:
        assert session.get_one(ItemRow, first.json()["id"]).named == ["S-1", "S-2"]
    again = caller.upload(photo("S-1"), **how)
    assert again.status_code in (202, 422)  # the form's boundary is another one each time
    stored = (caller.world.home / "mediaguard.db").read_bytes()
    assert b"Anna" not in stored
    assert b"ben.jpg" not in stored


def test_waiting_for_the_decision(caller, photo):
    import threading

    threading.Timer(0.3, caller.work).start()
    answer = caller.upload(photo("S-1"), query="?wait=20")
    assert answer.status_code == 200
    assert answer.json()["state"] == "released"


def test_whoever_waits_is_answered_when_time_is_up_or_the_process_ends(caller, photo):
    assert caller.upload(photo("S-1"), query="?wait=1").status_code == 202
    caller.running.stopping.set()
    assert caller.upload(photo("S-2"), query="?wait=60").status_code == 202
    assert caller.upload(photo("S-2"), query="?wait=61").status_code == 422


# -- forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda b: b[: len(b) // 2], 400, "web-form-broken"),
        (lambda b: b[:-4], 400, "web-form-broken"),
        (lambda b: b"x" + b, 400, "web-form-broken"),
        (lambda b: b"", 400, "web-form-broken"),
        (
            lambda b: b.replace(b"Content-Disposition: form-data", b"Hm: x"),
            422,
            "web-field-unknown",
        ),
        (lambda b: b.replace(b"form-data", b"attachment"), 400, "web-form-broken"),
        (lambda b: b.replace(b'name="channel"', b'name="x"'), 422, "web-field-unknown"),
        (lambda b: b.replace(b'name="channel"', b'name="title"'), 422, "web-field-missing"),
        (lambda b: b.replace(b'name="channel"', b'name="file"'), 422, "web-field-twice"),
        (lambda b: b.replace(b"website-public", b"\xff\xfe"), 422, "web-field-text"),
        (lambda b: b.replace(b"website-public", b"facebook"), 403, "web-channel"),
        (lambda b: b.replace(b"website-public", b"../x"), 403, "web-channel"),
    ],
)
def test_a_form_that_is_not_right_is_refused(caller, photo, change, status, code):
    body, headers = form(photo("S-1"))
    body = change(body)
    answer = caller.post("/v1/media", body, headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    with caller.world.database.read() as session:
        assert session.query(ItemRow).count() == 0


def test_a_form_without_a_file_and_one_of_another_kind(caller):
    answer = caller.post(
        "/v1/media",
        b'--b\r\nContent-Disposition: form-data; name="channel"\r\n\r\nwebsite-public\r\n--b--',
        {"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.json()["code"] == "web-field-missing"
    answer = caller.post("/v1/media", b"x=1", {"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "web-media-type")


def test_an_empty_file_is_held(caller):
    taken = caller.upload(b"")
    assert taken.status_code == 202
    caller.work()
    assert caller.get(taken.json()["links"]["self"]).json()["state"] == "held"


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path):
    more = "\n[limits]\nmax_file_mb = 1\nmax_video_mb = 2\n"
    caller = Caller(make_school(tmp_path, more=more))
    answer = caller.upload(b"\xff\xd8\xff" + bytes(1_500_000))
    assert (answer.status_code, answer.json()["code"]) == (413, "web-too-large")
    answer = caller.upload(bytes(4_000_000))
    assert answer.status_code == 413
    assert [*caller.world.work.glob("upload-*")] == []


def test_a_large_body_goes_to_a_file_of_which_nothing_is_left(caller, photo, monkeypatch):
    monkeypatch.setattr(spool, "IN_MEMORY", 10)
    made = []
    opened = spool.Spool._opened
    monkeypatch.setattr(spool.Spool, "_opened", lambda self: made.append(self) or opened(self))
    answer = caller.upload(photo("S-1"))
    assert answer.status_code == 202
    assert made
    assert [*caller.world.work.glob("upload-*")] == []
    caller.work()
    assert caller.get(answer.json()["links"]["self"]).json()["state"] == "released"


def test_a_full_disk_is_told_and_leaves_nothing(caller, photo, monkeypatch):
    monkeypatch.setattr(spool, "IN_MEMORY", 10)
    monkeypatch.setattr(spool, "RESERVE", 1 << 60)
    answer = caller.upload(photo("S-1"))
    assert (answer.status_code, answer.json()["code"]) == (507, "web-full")
    assert int(answer.headers["retry-after"]) > 0
    monkeypatch.setattr(spool, "RESERVE", 0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.Spool, "_opened", full)
    assert caller.upload(photo("S-1")).json()["code"] == "web-full"
    assert [*caller.world.work.glob("upload-*")] == []


def test_what_a_killed_process_left_is_swept(world):
    world.work.mkdir(exist_ok=True)
    (world.work / "upload-abc").write_bytes(b"x")
    (world.work / "something").write_bytes(b"x")
    Caller(world)
    assert [p.name for p in world.work.iterdir()] == ["something"]


def test_a_part_of_a_spool_reads_like_a_file(tmp_path):
    body = spool.Spool(tmp_path, 100)
    body.write(b"0123456789")
    part = body.part(2, 7)
    assert part.read() == b"23456"
    part.seek(1)
    assert part.read(2) == b"34"
    assert isinstance(part, io.BufferedIOBase)
    body.close()
