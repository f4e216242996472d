"""References from photos that are not kept."""

import re

import httpx
import pytest
from PIL import Image

from mediaguard.core.consent import MATCHING, Kind
from mediaguard.store.audit import Audit
from mediaguard.store.tables import SubjectKeyRow
from mediaguard.web.console import people_references
from tests.console.school import words
from tests.pipeline.world import grant, picture

PATH = "/console/people/S-1/references"


def send(who, *photos, path=PATH, **fields):
    files = [("photo", (photo.name, photo.read_bytes(), "image/jpeg")) for photo in photos]
    return who.client.post(path, data={"token": who.token, **fields}, files=files)


def count(world, subject="S-1") -> int:
    with world.database.read() as session:
        return world.gallery(session).count(subject)


def files_in(folder) -> set:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_references_are_made_and_the_photos_are_gone(world, officer, tmp_path):
    photos = [picture(tmp_path / f"{number}.jpg", "S-1", seed=number) for number in (1, 2)]
    before = files_in(world.home)
    page = send(officer, *photos)
    assert page.status_code == 200
    assert words(page).count("stored as a reference of S-1") == 2
    assert "3 references are stored" in words(page)
    assert count(world) == 3
    new = files_in(world.home) - before
    assert not [path for path in new if path.suffix not in {".db-wal", ".db-shm"}]
    with world.database.read() as session:
        entries = [*Audit(session, world.keyring).entries()][-2:]
    assert {(e.action, e.actor) for e in entries} == {("reference-added", "user:u-1")}


def test_each_photo_is_judged_in_words(world, officer, tmp_path):
    small = tmp_path / "small.jpg"
    with Image.open(picture(tmp_path / "big.jpg", "S-1")) as image:
        image.resize((image.width // 2, image.height // 2)).save(small)
    broken = tmp_path / "broken&.jpg"
    broken.write_bytes(b"\xff\xd8\xff no photo")
    page = send(
        officer,
        picture(tmp_path / "nobody.jpg"),
        picture(tmp_path / "two.jpg", "S-1", "S-2"),
        small,
        broken,
        picture(tmp_path / "good.jpg", "S-1", seed=5),
    )
    told = words(page)
    for word in ("nobody.jpg: no face", "two.jpg: 2 faces", "small.jpg: the face is only"):
        assert word in told
    assert told.count("not stored") == 4
    assert "broken&amp;.jpg" in page.text
    assert count(world) == 2


def test_a_likeness_of_somebody_else_is_pointed_out(world, officer, tmp_path):
    """Nothing of it is stored before a person says that they looked."""
    photo = picture(tmp_path / "other.jpg", "S-2", seed=3)
    assert 'name="sure" value="yes">' not in officer.get(PATH).text.partition("/forget")[0]
    page = send(officer, photo)
    assert "looks more like S-2" in words(page)
    assert "--sure" not in words(page)
    assert count(world) == 1
    assert 'name="sure" value="yes">' in page.text.partition("/forget")[0]
    told = words(send(officer, photo, sure="yes"))
    assert "looks much like S-2" in told
    assert "does not look like the other references" in told
    assert "mediaguard subject" not in told
    assert count(world) == 2


def test_one_reference_is_removed(world, officer, staff, tmp_path):
    send(officer, picture(tmp_path / "1.jpg", "S-1", seed=1))
    send(officer, picture(tmp_path / "2.jpg", "S-1", seed=2))
    page = send(officer, picture(tmp_path / "other.jpg", "S-2", seed=3), sure="yes")
    rows = [line for line in page.text.split("<tr>") if "/remove" in line]
    assert ["stands out" in line for line in rows] == [False, False, False, True]
    numbers = [re.search(r"references/(\d+)/remove", line)[1] for line in rows]
    assert staff.post(f"{PATH}/{numbers[3]}/remove").status_code == 403
    assert officer.post(f"/console/people/S-2/references/{numbers[3]}/remove").status_code == 404
    done = officer.do(f"{PATH}/{numbers[3]}/remove")
    assert "The reference was removed" in words(done)
    assert "stands out" not in words(done)
    assert officer.post(f"{PATH}/{numbers[3]}/remove").status_code == 404
    assert officer.post(f"{PATH}/x/remove").status_code == 404
    assert (count(world), count(world, "S-2")) == (3, 1)
    for number in numbers[:3]:
        officer.do(f"{PATH}/{number}/remove")
    with world.database.read() as session:
        assert session.get(SubjectKeyRow, "S-1") is None
        last = Audit(session, world.keyring).entries()[-1]
    assert (last.action, last.subject_id) == ("references-removed", "S-1")


def test_without_opt_in_nothing_is_looked_at(world, officer, tmp_path):
    world.desk.add_subject("S-4", kind=Kind.STUDENT, groups=(), born=None)
    path = "/console/people/S-4/references"
    page = officer.get(path)
    assert "did not agree to be recognised" in words(page)
    assert 'href="/console/people/S-4/answers?channel=matching"' in page.text
    assert 'type="file"' not in page.text
    looks = world.detector.looks
    refused = send(officer, picture(tmp_path / "a.jpg", "S-1"), path=path)
    assert refused.status_code == 422
    assert world.detector.looks == looks
    grant(world, "S-4", MATCHING)
    assert 'type="file"' in officer.get(path).text


def test_a_form_without_photos_says_so(officer):
    assert officer.post(PATH).status_code == 422
    empty = officer.client.post(PATH, data={"token": officer.token}, files={"photo": ("", b"")})
    assert empty.status_code == 422
    assert "at least one photo" in words(empty)


def test_whoever_looks_at_pixels_takes_turns(world, officer, tmp_path, monkeypatch):
    monkeypatch.setattr(people_references, "PATIENCE", 0.01)
    with world.eyes:
        page = send(officer, picture(tmp_path / "a.jpg", "S-1", seed=7))
    assert page.status_code == 422
    assert "busy" in words(page)
    assert count(world) == 1
    assert send(officer, picture(tmp_path / "a.jpg", "S-1", seed=7)).status_code == 200


def test_references_are_removed_by_whoever_is_sure(world, officer):
    assert officer.post(f"{PATH}/forget").status_code == 422
    assert count(world) == 1
    answer = officer.post(f"{PATH}/forget", sure="yes")
    assert "were deleted" in words(officer.get(answer.headers["location"]))
    assert count(world) == 0


@pytest.mark.parametrize("files", [{}, {"photo": ("a.jpg", b"a")}])
def test_enrolling_is_for_officers_who_mean_it(world, staff, officer, files):
    assert staff.client.post(PATH, data={"token": staff.token}, files=files).status_code == 403
    assert officer.client.post(PATH, data={"token": "no"}, files=files).status_code == 403
    assert count(world) == 1


def test_too_many_bytes_are_refused_before_they_are_read(officer, monkeypatch):
    answer = officer.client.post(
        PATH, data={"token": officer.token}, files={"photo": ("a.jpg", b"x" * 60_300_000)}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("path", [PATH, "/console/account/sign-out"])
def test_what_really_comes_is_counted(officer, path):
    files = {"photo": ("a.jpg", b"x" * 60_300_000)}
    form = httpx.Request("POST", "http://x", data={"token": officer.token}, files=files)
    kind = form.headers["content-type"]
    answer = officer.send("POST", path, form.read(), content_type=kind, content_length="10")
    assert answer.status_code == 413
