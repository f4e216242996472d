"""The inbox: files come in, are handled, and everybody sees what became of their own."""

import json
import re
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from mediaguard.config import FILE_NAME
from mediaguard.core.access import Role
from mediaguard.store.items import Items
from mediaguard.store.ledger import Ledger
from mediaguard.web import spool
from mediaguard.work import Worker
from tests.console.school import Visiting, words
from tests.pipeline.clip_world import film, standing
from tests.pipeline.world import CHANNEL, picture

INBOX = "/console/inbox"


@pytest.fixture
def photo(tmp_path: Path):
    def make(*people: str, seed: int = 0) -> bytes:
        return picture(tmp_path / "made.jpg", *people, seed=seed).read_bytes()

    return make


def bring(who: Visiting, content: bytes, *, token: str | None = None, **about: object):
    about = {"channel": CHANNEL, **about}
    headers = {"x_about": quote(json.dumps(about))}
    if token is not None:
        headers["x_csrf_token"] = token
    return who.send("POST", f"{INBOX}/files", content, **headers)


def state(who: Visiting, *items: str) -> list[dict]:
    return who.get(f"{INBOX}/state?items={','.join(items)}").json()["items"]


def work(world) -> None:
    Worker(world, tell=lambda _: None).drain()


def item(world, item_id: str):
    with world.database.read() as session:
        return Items(session).get(item_id)


def with_names(world, rows: str) -> None:
    (world.home / "names.csv").write_text(f"subject_id,first_name,last_name\n{rows}\n")
    path = world.home / FILE_NAME
    path.write_text('names = "names.csv"\n' + path.read_text())
    world.__dict__.pop("config", None)


def test_what_is_brought_in_is_handled_and_its_outcome_told(world, staff, photo):
    answer = bring(staff, photo("S-1", "X"))
    assert answer.status_code == 202
    told = answer.json()
    assert (told["done"], told["state"], told["named"]) == (False, "in-hand", [])
    assert item(world, told["id"]).brought_by == "user:u-1"
    work(world)
    [after] = state(staff, told["id"])
    assert (after["done"], after["state"], after["label"]) == (True, "released", "published")
    assert "unrecognisable" in after["words"]
    (publication,) = world.publications()
    assert after["published"] == f"/console/published/{publication['id']}"
    assert staff.get(after["picture"]).headers["content-type"].startswith("image/")
    page = staff.get(INBOX)
    assert after["picture"] in page.text
    assert "published" in words(page)


def test_what_is_held_says_why_and_leads_to_review(world, staff, photo):
    path = world.home / FILE_NAME
    text = path.read_text().replace('without_consent = "redact"', 'without_consent = "hold"', 1)
    path.write_text(text)
    world.__dict__.pop("config", None)
    told = bring(staff, photo("X")).json()
    work(world)
    [after] = state(staff, told["id"])
    assert after["state"] == "held"
    assert "has not agreed" in after["words"]
    assert staff.get(after["review"]).status_code == 200


def test_what_was_taken_down_is_not_told_as_published(world, staff, photo):
    told = bring(staff, photo("S-1")).json()
    work(world)
    world.desk.withdraw("S-1", CHANNEL)
    work(world)
    [after] = state(staff, told["id"])
    assert (after["state"], after["label"], after["published"]) == ("gone", "taken down", None)
    assert "nothing of it is public" in words(staff.get(after["review"]))


def test_a_clip_comes_in_too(world, staff, tmp_path):
    clip = film(tmp_path / "a.mp4", {"S-1": standing(30)}).read_bytes()
    told = bring(staff, clip).json()
    assert item(world, told["id"]).kind == "video"
    work(world)
    assert state(staff, told["id"])[0]["state"] == "released"


def test_names_in_texts_hold_it_and_the_word_is_told_once(world, photo):
    with_names(world, "S-2,Zoë,de Vries")
    world.desk.withdraw("S-2", CHANNEL)
    staff = Visiting(world, frozenset({Role.STAFF}))
    told = bring(staff, photo("S-1"), caption="Met Zoë", file_name="zoe de vries.jpg").json()
    assert sorted(told["named"]) == [
        "The caption names somebody who did not agree: Zoë.",
        "The file name names somebody who did not agree: vries.",
        "The file name names somebody who did not agree: zoe.",
    ]
    work(world)
    [after] = state(staff, told["id"])
    assert after["state"] == "held"
    assert "named" not in after
    with world.database.read() as session:
        stored = json.dumps([str(row.__dict__) for row in Items(session).list()])
    assert "zoe" not in stored.casefold()
    assert "vries" not in stored.casefold()


def test_the_same_again_is_the_same_item(world, staff, photo):
    content = photo("S-1")
    first = bring(staff, content).json()
    work(world)
    again = bring(staff, content).json()
    assert again["id"] == first["id"]
    work(world)
    assert len(world.publications()) == 1
    assert staff.get(INBOX).text.count("data-item=") == 1


def test_who_brings_what_another_brought_before_is_told_so(world, staff, photo):
    bring(staff, photo("S-1"))
    other = Visiting(world, staff.roles, groups=frozenset({"3c"}), user_id="u-5")
    told = bring(other, photo("S-1")).json()
    assert (told["done"], told["words"], told["review"]) == (True, "", None)
    assert "Somebody else brought in this very file" in told["note"]


def test_who_sees_everything_is_told_so_too_and_what_becomes_of_it(world, staff, photo):
    assert bring(staff, photo("S-1")).json()["note"] == ""
    other = Visiting(world, staff.roles, user_id="u-5")
    told = bring(other, photo("S-1")).json()
    assert "Somebody else brought in this very file" in told["note"]
    assert (told["done"], told["mine"]) == (False, False)
    assert bring(staff, photo("S-1")).json()["note"] == ""


def test_the_page_says_that_it_publishes_and_where_to_is_chosen_first(world, staff):
    page = staff.get(INBOX)
    assert "What may be shown is published there at once" in words(page)
    choice = re.search(r"<select.*?</select>", page.text, re.DOTALL)[0]
    assert re.findall(r'<option value="" selected disabled hidden>', choice)
    (world.home / FILE_NAME).write_text(f'[channels.{CHANNEL}]\nconnector = "folder"\n')
    world.__dict__.pop("config", None)
    choice = re.search(
        r"<select.*?</select>", Visiting(world, staff.roles).get(INBOX).text, re.DOTALL
    )
    assert re.findall(r"<option[^>]*>([^<]*)", choice[0]) == [CHANNEL]


def test_of_what_cannot_be_opened_it_is_told_what_to_do(world, staff, photo):
    told = bring(staff, photo("S-1")[:2000]).json()
    work(world)
    [after] = state(staff, told["id"])
    assert after["state"] == "held"
    assert "Bring in the new file here, and remove this one" in after["words"]
    assert after["words"] in words(staff.get(INBOX))


def test_beside_what_was_brought_in_stands_when(world, staff, photo):
    assert "Names of files are not kept" not in words(staff.get(INBOX))
    bring(staff, photo("S-1"))
    text = words(staff.get(INBOX))
    assert re.search(rf"{CHANNEL}, brought in \d{{4}}-\d\d-\d\d \d\d:\d\d", text)
    assert "Names of files are not kept" in text


def test_own_items_can_be_removed_and_nobody_elses(world, staff, photo):
    told = bring(staff, photo("S-1")).json()
    work(world)
    other = Visiting(world, staff.roles, user_id="u-2")
    assert other.post(f"{INBOX}/{told['id']}/remove").status_code == 404
    assert staff.post(f"{INBOX}/{told['id']}/remove", token="forged").status_code == 403
    assert item(world, told["id"]).state == "released"
    answer = staff.post(f"{INBOX}/{told['id']}/remove")
    assert "Removed" in words(staff.get(answer.headers["location"]))
    assert item(world, told["id"]).state == "rejected"
    assert world.publications() == []
    # Brought in again, it stays so: a person said no.
    assert bring(staff, photo("S-1")).json()["state"] == "rejected"


def test_groups_are_looked_for_and_must_be_ones_own(world, photo):
    with world.database.write() as session:
        Ledger(session).set_groups("S-1", ["2b"])
        Ledger(session).set_groups("S-2", ["3c"])
    staff = Visiting(world, frozenset({Role.STAFF}), groups=frozenset({"2b"}))
    page = staff.get(INBOX)
    assert 'value="2b"' in page.text
    assert 'value="3c"' not in page.text
    told = bring(staff, photo("S-1", "S-2"), groups=["2b"]).json()
    assert item(world, told["id"]).groups == ["2b"]
    work(world)
    with world.database.read() as session:
        faces = Items(session).get(told["id"]).report["faces"]
    assert [face["subject"] for face in faces] == ["S-1", None]
    for wrong in (["3c"], ["2b", "nobody"]):
        assert bring(staff, photo("S-1"), groups=wrong).status_code == 422


def test_whose_item_it_is_nobody_of_another_group_is_told(world, staff, photo):
    told = bring(staff, photo("S-1")).json()
    other = Visiting(world, staff.roles, groups=frozenset({"3c"}), user_id="u-2")
    assert state(other, told["id"], "nothing", "") == []
    assert state(staff, told["id"], "nothing", "") != []
    assert "brought in nothing yet" in words(other.get(INBOX))


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 415),
        (b"%PDF-1.7 no picture", 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415),
        (b"MZ\x90\x00" + b"x" * 600, 415),
    ],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(world, staff, content, status):
    answer = bring(staff, content, file_name="holiday.jpg")
    assert answer.status_code == status
    assert answer.json()["detail"]
    with world.database.read() as session:
        assert Items(session).list() == []
    assert not [*world.work.glob("upload-*")] if world.work.exists() else True


@pytest.mark.parametrize(
    "about",
    [
        {"channel": "nowhere"},
        {"channel": "../../etc"},
        {"groups": ["nobody"]},
        {"caption": "x" * 5000},
        {"what": "else"},
        {"channel": 7},
    ],
)
def test_what_cannot_be_asked_is_refused(world, staff, photo, about):
    assert bring(staff, photo("S-1"), **about).status_code == 422
    with world.database.read() as session:
        assert Items(session).list() == []


@pytest.mark.parametrize("header", ["", "%", "%ff", "[]", "null", "{", "[" * 5000])
def test_a_header_that_says_nothing_is_refused(staff, photo, header):
    answer = staff.send("POST", f"{INBOX}/files", photo("S-1"), x_about=header)
    assert answer.status_code == 422


def test_what_is_too_large_is_refused(world, staff, photo, monkeypatch):
    path = world.home / FILE_NAME
    path.write_text(path.read_text() + "\n[limits]\nmax_file_mb = 1\nmax_video_mb = 1\n")
    world.__dict__.pop("config", None)
    large = photo("S-1") + b"\0" * 1_100_000
    assert bring(Visiting(world, staff.roles), large).status_code == 413
    monkeypatch.setattr(spool, "IN_MEMORY", 1000)
    assert bring(Visiting(world, staff.roles), photo("S-1")).status_code == 202


def test_nothing_is_read_of_whoever_may_not(world, staff, photo):
    assert bring(staff, photo("S-1"), token="forged").status_code == 403
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    assert bring(administrator, photo("S-1")).status_code == 403
    assert administrator.get(INBOX).status_code == 403
    with world.database.read() as session:
        assert Items(session).list() == []


def test_names_of_files_and_groups_are_shown_as_text(world, staff, photo):
    with world.database.write() as session:
        Ledger(session).set_groups("S-1", ['"><script>alert(1)</script>'])
    page = staff.get(INBOX).text
    assert "<script>alert" not in page
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", page)
    told = bring(staff, photo("S-1"), file_name="<img src=x onerror=alert(1)>.jpg").json()
    assert "onerror" not in json.dumps(told)


def test_many_at_once_lose_nothing(world, staff, photo):
    contents = [photo("S-1", seed=seed) for seed in range(12)]
    answers: list[int] = []

    def send(who: Visiting, content: bytes) -> None:
        answers.append(bring(who, content).status_code)

    pairs = [(Visiting(world, staff.roles), content) for content in contents]
    threads = [threading.Thread(target=send, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [202] * 12
    work(world)
    with world.database.read() as session:
        assert [row.state for row in Items(session).list()] == ["released"] * 12


def test_the_list_is_paged_newest_first(world, staff, photo):
    ids = [bring(staff, photo("S-1", seed=seed)).json()["id"] for seed in range(22)]
    first, second = (staff.get(f"{INBOX}?page={n}").text for n in (1, 2))
    shown = [re.findall(r'data-item="(\w+)"', page) for page in (first, second)]
    assert [len(part) for part in shown] == [20, 2]
    assert shown[0] + shown[1] == ids[::-1]
    assert staff.get(f"{INBOX}?page=99999999999").status_code == 200


def test_it_speaks_dutch(world, photo):
    staff = Visiting(world, frozenset({Role.STAFF}), language="nl")
    assert "Sleep foto" in words(staff.get(INBOX))
    told = bring(staff, photo("S-1")).json()
    work(world)
    assert state(staff, told["id"])[0]["label"] == "gepubliceerd"
