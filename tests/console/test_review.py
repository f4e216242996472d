"""Review: what is held is looked at, said something about, and let out or not."""

import io
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mediaguard.config import FILE_NAME
from mediaguard.core.access import Role
from mediaguard.core.review import Verdict
from mediaguard.store.audit import Audit
from mediaguard.store.items import Items
from mediaguard.store.ledger import Ledger
from mediaguard.store.marks import Marks
from mediaguard.work import Worker
from tests.console.school import Visiting, words
from tests.pipeline.clip_world import during, film, standing
from tests.pipeline.world import CHANNEL, people_in, picture, run

LIST = "/console/review"


def configure(world, old: str, new: str) -> None:
    path = world.home / FILE_NAME
    path.write_text(path.read_text().replace(old, new, 1))
    world.__dict__.pop("config", None)


@pytest.fixture
def world(world):
    configure(world, 'without_consent = "redact"', 'without_consent = "hold"')
    return world


@pytest.fixture
def held(world, tmp_path) -> str:
    """A photo of S-1 and somebody unknown: 110, 160, 80 by 100 pixels; and 300 further right."""
    return str(run(world, picture(tmp_path / "Jan-Jansen.jpg", "S-1", "X")).item_id)


def field(page, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found
    return found[1]


def act(who: Visiting, item: str, path: str, **fields: str):
    """Do something as the page would, seen as it is now."""
    page = who.get(f"{LIST}/{item}")
    fields = {"seen": field(page, "seen"), "view": field(page, "view"), **fields}
    return who.post(f"{LIST}/{item}/{path}", **fields)


def marks(world, item: str) -> list[tuple[str, str | None]]:
    with world.database.read() as session:
        return [(row.verdict, row.subject_id) for row in Marks(session).list(item)]


def entries(world, item: str) -> list[tuple[str, str]]:
    with world.database.read() as session:
        found = Audit(session, world.keyring).entries(item_id=item)
    return [(entry.action, entry.actor) for entry in found]


def work(world) -> None:
    Worker(world, tell=lambda _: None).drain()


def state(world, item: str) -> str:
    with world.database.read() as session:
        return Items(session).get(item).state


def shown(world) -> set[str]:
    (path,) = [p for p in world.ready(CHANNEL).iterdir() if p.suffix != ".txt"]
    return people_in(path)


def in_groups(world, item: str, *groups: str) -> None:
    with world.database.write() as session:
        Items(session).get(item).groups = list(groups)


# -- looking --------------------------------------------------------------------------------


def test_the_list_has_what_is_held_and_says_why(staff, held):
    page = staff.get(LIST)
    assert f"{LIST}/{held}" in page.text
    assert "held" in words(page)
    assert "has not agreed to this channel" in words(page)
    assert "Jansen" not in page.text


def test_the_list_can_have_everything_of_a_channel(world, staff, held, tmp_path):
    run(world, picture(tmp_path / "b.jpg", "S-2"), "website-protected")
    everything = f"{LIST}?state=all"
    assert len(re.findall(r'class="item"', staff.get(everything).text)) == 2
    assert len(re.findall(r'class="item"', staff.get(everything + f"&channel={CHANNEL}").text)) == 1
    assert "Nothing waits" in words(staff.get(f"{LIST}?channel=newsletter"))
    assert staff.get(f"{LIST}?page=99999999999999").status_code == 200
    assert "<script>" not in staff.get(f"{LIST}?channel=<script>").text


def test_an_item_shows_its_faces_and_who_they_may_be(staff, held):
    page = staff.get(f"{LIST}/{held}")
    assert page.text.count('<rect class="frame"') == 2
    assert 'viewBox="0 0 600 400"' in page.text
    assert "may be shown has agreed" in words(page)
    assert "not known to have agreed" in words(page)
    assert "keeps no reference photos" in words(page)


def test_the_pictures_come_to_whoever_opened_the_page_and_to_nobody_else(world, staff, held):
    assert staff.get(f"{LIST}/{held}/picture").status_code == 404
    assert entries(world, held)[-1][0] != "review-seen"
    page = staff.get(f"{LIST}/{held}")
    assert entries(world, held)[-1] == ("review-seen", "user:u-1")
    view = field(page, "view")
    for what in ("picture", "faces/1", "faces/2"):
        answer = staff.get(f"{LIST}/{held}/{what}?view={view}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["cache-control"] == "no-store"
        assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    assert staff.get(f"{LIST}/{held}/faces/3?view={view}").status_code == 404
    other = Visiting(staff.world, staff.roles, groups=frozenset({"2b"}))
    assert other.get(f"{LIST}/{held}/picture?view={view}").status_code == 404
    looks = [action for action, _ in entries(world, held)].count("review-seen")
    assert looks == 1  # once, however many pictures there are


def test_an_act_is_not_another_look(world, staff, held):
    answer = act(staff, held, "faces/2", act="redact")
    assert answer.status_code == 303
    staff.get(answer.headers["location"])
    assert [action for action, _ in entries(world, held)].count("review-seen") == 1


def test_a_clip_is_shown_with_its_tracks(world, staff, tmp_path):
    clip = film(tmp_path / "a.mp4", {"S-1": standing(30), "X": during(20, 39, standing(200))})
    item = str(run(world, clip).item_id)
    page = staff.get(f"{LIST}/{item}")
    assert page.text.count('<rect class="frame"') == 2
    assert "seen from 0.0 to 1.6 seconds" in words(page)
    view = field(page, "view")
    assert staff.get(f"{LIST}/{item}/picture?view={view}").status_code == 200
    assert staff.get(f"{LIST}/{item}/faces/2?view={view}").status_code == 200
    frame = field(page, "frame")
    assert 20 <= int(frame) < 40
    act(staff, item, "place", x="120", y="10", w="40", h="40", frame=frame)
    act(staff, item, "approve")
    work(world)
    with world.database.read() as session:
        faces = Items(session).get(item).report["faces"]
    assert [face["action"] for face in faces] == ["keep", "redact", "redact"]
    assert (faces[2]["frames"], faces[2]["times"]) == ([0, 39], [0.0, 1.56])


def test_what_is_not_there_is_not_found(staff, held):
    for wrong in ("nothing", held[:8], "%2e%2e", held + "0"):
        assert staff.get(f"{LIST}/{wrong}").status_code == 404
    assert staff.post(f"{LIST}/nothing/approve").status_code == 404


def test_without_the_original_it_can_be_rejected_only(world, staff, held):
    world.vault.delete(held)
    page = staff.get(f"{LIST}/{held}")
    assert "not kept any more" in words(page)
    assert f"{LIST}/{held}/approve" not in page.text
    assert act(staff, held, "approve").status_code == 422
    assert act(staff, held, "reject").status_code == 303


def test_of_what_cannot_be_opened_it_is_said_what_to_do(world, staff, tmp_path):
    torn = picture(tmp_path / "a.jpg", "S-1")
    torn.write_bytes(torn.read_bytes()[:2000])
    item = str(run(world, torn).item_id)
    page = staff.get(f"{LIST}/{item}")
    assert "Bring in a new copy, or reject this one." in words(page)
    assert "No faces were found" not in words(page)
    assert f"{LIST}/{item}/approve" not in page.text
    assert f"{LIST}/{item}/reject" in page.text


def test_who_brought_and_said_something_is_told_in_words(world, staff, held):
    act(staff, held, "faces/2", act="redact")
    page = staff.get(f"{LIST}/{held}")
    assert "user:u-1" not in page.text
    assert re.search(r"<small>[^<]*, u-1</small>", page.text)
    for actor, told in (
        ("uid:0", "on the server (user 0)"),
        ("sender:website", "the system website"),
    ):
        with world.database.write() as session:
            Items(session).get(held).brought_by = actor
        assert f"who brought it: {told}" in words(staff.get(f"{LIST}/{held}"))


# -- saying something -----------------------------------------------------------------------


def test_every_verdict_is_recorded_with_who_said_it_and_can_be_taken_back(world, staff, held):
    said = [
        ("faces/2", {"act": "confirm", "subject": "S-2"}, ("subject", "S-2")),
        ("faces/2", {"act": "no-face"}, ("no-face", None)),
        ("faces/1", {"act": "not"}, ("not-subject", "S-1")),
        ("faces/2", {"act": "redact"}, ("redact", None)),
        ("place", {"x": "10", "y": "20", "w": "30,5", "h": "40"}, ("redact", None)),
    ]
    for path, fields, mark in said:
        answer = act(staff, held, path, **fields)
        assert answer.status_code == 303, words(answer)
        assert 'role="status"' in staff.get(answer.headers["location"]).text
        assert marks(world, held)[-1] == mark
    assert ("review-marked", "user:u-1") in entries(world, held)
    for left in range(len(said) - 1, -1, -1):
        act(staff, held, "undo")
        assert len(marks(world, held)) == left
    answer = act(staff, held, "undo")
    assert answer.status_code == 422
    assert "no mark" in words(answer)


def test_one_mark_of_several_can_be_taken_back(world, staff, held):
    act(staff, held, "faces/2", act="redact")
    act(staff, held, "faces/1", act="redact")
    page = staff.get(f"{LIST}/{held}")
    first = min(map(int, re.findall(r'name="mark" value="(\d+)"', page.text)))
    act(staff, held, "undo", mark=str(first))
    with world.database.read() as session:
        assert [row.x for row in Marks(session).list(held)] == [pytest.approx(110, abs=2)]


def test_what_will_become_of_a_face_is_shown_before_it_is_handled(staff, held):
    act(staff, held, "faces/1", act="redact")
    act(staff, held, "faces/2", act="confirm", subject="S-2")
    act(staff, held, "place", x="10", y="20", w="30", h="40")
    page = staff.get(f"{LIST}/{held}")
    text = words(page)
    assert "will be redacted" in text
    assert "will be shown" in text
    assert "Added place" in text
    assert page.text.count('<rect class="frame"') == 3


def test_a_recognised_face_is_a_face(staff, held):
    answer = act(staff, held, "faces/1", act="no-face")
    assert answer.status_code == 422
    assert "recognised as S-1" in words(answer)
    assert "mediaguard review" not in words(answer)


@pytest.mark.parametrize(
    "fields",
    [
        {"x": "a", "y": "1", "w": "1", "h": "1"},
        {"x": "1", "y": "1", "w": "0", "h": "9"},
        {"x": "nan", "y": "1", "w": "9", "h": "9"},
        {"x": "1", "y": "1", "w": "inf", "h": "9"},
        {"x": "9000", "y": "1", "w": "9", "h": "9"},
        {"x": "1"},
    ],
)
def test_a_box_that_is_none_is_refused(world, staff, held, fields):
    answer = act(staff, held, "place", **fields)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert marks(world, held) == []


def test_somebody_is_named_by_pseudonym_or_by_a_name_that_one_has(world, staff, held):
    names = "subject_id,first_name,last_name\nS-2,Zoë,de Vries\nS-3,Tim,<script>alert(1)</script>\n"
    (world.home / "names.csv").write_text(names)
    configure(world, "[detection]", 'names = "names.csv"\n[detection]')
    text = (world.home / FILE_NAME).read_text()
    if not text.startswith("names"):
        (world.home / FILE_NAME).write_text(
            'names = "names.csv"\n' + text.replace('names = "names.csv"\n', "", 1)
        )
        world.__dict__.pop("config", None)
    visitor = Visiting(world, staff.roles)
    act(visitor, held, "faces/2", act="confirm", subject="zoë de vries")
    assert marks(world, held) == [("subject", "S-2")]
    act(visitor, held, "faces/2", act="confirm", subject="S-3")
    page = visitor.get(f"{LIST}/{held}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    answer = act(visitor, held, "faces/2", act="confirm", subject="<b>nobody")
    assert answer.status_code == 422
    assert "<b>nobody" not in answer.text


# -- letting out ----------------------------------------------------------------------------


def test_what_is_approved_is_handled_by_the_worker_and_the_page_tells(world, staff, held):
    answer = act(staff, held, "approve")
    assert answer.status_code == 303
    assert state(world, held) == "held"  # it was only put in the queue
    page = staff.get(f"{LIST}/{held}")
    assert "being handled" in words(page)
    assert "data-poll" in page.text
    assert staff.get(f"{LIST}/{held}/state").json() == {"done": False, "state": "held"}
    work(world)
    assert staff.get(f"{LIST}/{held}/state").json() == {"done": True, "state": "released"}
    page = staff.get(f"{LIST}/{held}")
    assert "It is published" in words(page)
    (publication,) = world.publications()
    assert f"/console/published/{publication['id']}" in page.text
    assert shown(world) == {"S-1"}
    assert ("review-approved", "user:u-1") in entries(world, held)
    assert "Nothing waits" in words(staff.get(LIST))


def test_to_publish_is_asked_first(world, held):
    for language, question in (
        ("en", f"Publish on {CHANNEL} what may be shown?"),
        ("nl", f"Op {CHANNEL} publiceren wat mag worden getoond?"),
    ):
        who = Visiting(world, frozenset({Role.STAFF}), language=language)
        page = who.get(f"{LIST}/{held}").text
        assert re.search(
            rf'action="{LIST}/{held}/approve"[^>]*data-ask="{re.escape(question)}"', page
        )


def test_an_approval_outlives_the_process(world, staff, held):
    act(staff, held, "approve")
    again = type(world)(world.home)
    again.__dict__ |= {name: world.__dict__[name] for name in ("detector", "verifier", "embedder")}
    work(again)
    assert state(world, held) == "released"


def test_a_box_that_was_added_is_redacted_in_what_comes_out(world, staff, tmp_path):
    configure(world, 'without_consent = "hold"', 'without_consent = "redact"')
    source = picture(tmp_path / "a.jpg", "S-1", "S-2")
    item = str(run(world, source).item_id)
    before = np.asarray(Image.open(source)).astype(int)
    act(staff, item, "place", x="210", y="20", w="60", h="60")
    act(staff, item, "faces/2", act="redact")
    act(staff, item, "approve")
    work(world)
    assert shown(world) == {"S-1"}
    (path,) = [p for p in world.ready(CHANNEL).iterdir() if p.suffix != ".txt"]
    after = np.asarray(Image.open(path)).astype(int)
    changed = np.abs(after - before).max(axis=2) > 8
    assert changed[20:80, 210:270].mean() > 0.9  # grey was it before, with a little noise
    with world.database.read() as session:
        faces = Items(session).get(item).report["faces"]
    assert [face["rule"] for face in faces] == [
        "consent-granted",
        "reviewer-redacted",
        "reviewer-redacted",
    ]
    assert faces[2]["box"] == [210, 20, 60, 60]
    assert faces[2]["subject"] is None
    # It counts each time the item is handled, until it is taken back.
    act(staff, item, "undo")
    act(staff, item, "undo")
    act(staff, item, "approve")
    work(world)
    assert shown(world) == {"S-1", "S-2"}


def test_what_is_rejected_is_taken_down(world, staff, tmp_path):
    configure(world, 'without_consent = "hold"', 'without_consent = "redact"')
    item = str(run(world, picture(tmp_path / "a.jpg", "S-1")).item_id)
    assert world.publications()
    answer = act(staff, item, "reject")
    assert "taken down" in words(staff.get(answer.headers["location"]))
    assert state(world, item) == "rejected"
    assert not [p for p in world.ready(CHANNEL).iterdir() if p.suffix != ".txt"]


# -- two people at once ---------------------------------------------------------------------


def test_who_acts_on_what_somebody_else_changed_is_told_and_nothing_is_done(world, staff, held):
    seen = field(staff.get(f"{LIST}/{held}"), "seen")
    other = Visiting(world, staff.roles, user_id="u-2")
    act(other, held, "faces/2", act="redact")
    for path, fields in (
        ("faces/1", {"act": "redact"}),
        ("place", {"x": "1", "y": "1", "w": "9", "h": "9"}),
        ("undo", {}),
        ("approve", {}),
    ):
        answer = staff.post(f"{LIST}/{held}/{path}", seen=seen, **fields)
        assert answer.status_code == 422
        assert "changed since you looked" in words(answer)
    assert len(marks(world, held)) == 1
    assert staff.post(f"{LIST}/{held}/undo").status_code == 422  # a form that says nothing of it


def test_two_at_the_same_moment_do_not_both_win(world, staff, held):
    seen = field(staff.get(f"{LIST}/{held}"), "seen")
    visitors = [Visiting(world, staff.roles, user_id=f"u-{n}") for n in range(4)]
    start, answers = threading.Barrier(4), []

    def say(who: Visiting) -> None:
        start.wait()
        answers.append(who.post(f"{LIST}/{held}/faces/2", act="redact", seen=seen).status_code)

    threads = [threading.Thread(target=say, args=(who,)) for who in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 422, 422, 422]
    assert marks(world, held) == [("redact", None)]


def test_an_item_in_hand_says_so(world, staff, held):
    book = world.book(CHANNEL)
    with book.held(held):
        page = staff.get(f"{LIST}/{held}")
        assert "being handled" in words(page)
        seen = field(page, "seen")
        answer = staff.post(f"{LIST}/{held}/faces/2", act="redact", seen=seen)
        assert answer.status_code == 422
        assert "being handled at this moment" in words(answer)
    assert marks(world, held) == []


# -- who may --------------------------------------------------------------------------------


def test_staff_see_items_of_their_groups_and_their_own_only(world, staff, held, tmp_path):
    with world.database.write() as session:
        Ledger(session).set_groups("S-1", ["2b"])
    mine = Visiting(world, staff.roles, groups=frozenset({"2b"}))
    other = Visiting(world, staff.roles, groups=frozenset({"3c"}), user_id="u-2")
    assert mine.get(f"{LIST}/{held}").status_code == 404
    in_groups(world, held, "2b")
    assert f"{LIST}/{held}" in mine.get(LIST).text
    assert "Nothing waits" in words(other.get(LIST))
    for path in ("", "/state", "/picture"):
        assert other.get(f"{LIST}/{held}{path}").status_code == 404
    seen = field(mine.get(f"{LIST}/{held}"), "seen")
    for path in ("faces/1", "place", "undo", "approve", "reject"):
        assert other.post(f"{LIST}/{held}/{path}", seen=seen, act="redact").status_code == 404
    assert "S-1" in mine.get(f"{LIST}/{held}").text
    in_groups(world, held, "2b", "3c")
    page = other.get(f"{LIST}/{held}")  # of a joint trip: who is of another group stays unnamed
    assert "Somebody of another group" in words(page)
    assert "S-1" not in page.text
    assert act(other, held, "faces/2", act="confirm", subject="S-1").status_code == 422


def test_an_administrator_sees_nobodys_face(world, held):
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    for path in (LIST, f"{LIST}/{held}", f"{LIST}/{held}/picture"):
        assert administrator.get(path).status_code == 403
    assert administrator.post(f"{LIST}/{held}/approve").status_code == 403


def test_nothing_is_done_without_the_sessions_token(world, staff, held):
    seen = field(staff.get(f"{LIST}/{held}"), "seen")
    for path in ("faces/2", "place", "undo", "approve", "reject"):
        answer = staff.post(f"{LIST}/{held}/{path}", token="forged", seen=seen, act="redact")
        assert answer.status_code == 403
    assert state(world, held) == "held"
    assert marks(world, held) == []


def test_it_is_all_said_in_dutch_too(world, held):
    staff = Visiting(world, frozenset({Role.STAFF}), language="nl")
    assert "vastgehouden" in words(staff.get(LIST))
    page = staff.get(f"{LIST}/{held}")
    assert '<html lang="nl">' in page.text
    assert "Goedkeuren" in words(page)
    answer = act(staff, held, "faces/1", act=Verdict.NO_FACE.value)
    assert "herkend als S-1" in words(answer)


def test_no_page_has_a_style_or_a_script_of_its_own(staff, held):
    for path in (LIST, f"{LIST}/{held}"):
        page = staff.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", page)


def test_static_files_are_there():
    static = Path(__file__).parent.parent.parent / "mediaguard/web/static"
    assert (static / "review.js").exists()
    assert (static / "review.css").exists()
