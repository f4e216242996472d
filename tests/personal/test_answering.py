"""Giving and withdrawing by a link."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mediaguard.core.consent import MATCHING, Answer, Kind, Signatory
from mediaguard.store.ledger import Given, Ledger
from tests.personal.holder import TEXTS, Holding, words
from tests.pipeline.world import CHANNEL, grant
from tests.takedown_world import confirmed, entries, published, removed

OTHER = "website-protected"


def events(world, subject="S-1", channel=CHANNEL):
    with world.database.read() as session:
        return Ledger(session).events([subject], channel)


def test_a_yes_counts_and_says_what_was_agreed_to(world, guardian):
    guardian.say_no()
    assert not guardian.allowed()
    page = guardian.follow(guardian.say_yes())
    assert "Your yes is recorded and in force" in words(page)
    assert guardian.allowed()
    event = events(world)[-1]
    assert (event.signatory, event.wording) == ("guardian", "w-1")
    assert event.evidence.startswith(f"LINK-{guardian.link.row.id}-")
    assert event.evidence.endswith("-en")
    entry = entries(world, "consent-granted")[-1]
    assert entry.actor == f"link:{guardian.link.row.id}"
    assert entry.data["wording_en"] == world.wordings.get("w-1").digest("en")
    assert entry.data["wording_nl"] == world.wordings.get("w-1").digest("nl")
    assert "We show what happens at school." in words(page)


def test_a_no_counts_at_once_and_is_one_click(world, guardian):
    page = guardian.follow(guardian.say_no())
    assert "Your no is recorded and in force" in words(page)
    assert "You said no." in words(page)
    assert not guardian.allowed()
    assert events(world)[-1].answer == "withdrawn"
    assert entries(world, "consent-withdrawn")[-1].actor == f"link:{guardian.link.row.id}"


def test_a_first_no_is_a_refusal(world, guardian):
    guardian.follow(guardian.say_no(OTHER))
    assert [event.answer for event in events(world, channel=OTHER)] == ["refused"]


def test_nothing_is_ticked_beforehand_and_nothing_counts_without_it(world, guardian):
    guardian.say_no()
    asked = guardian.get("/agree", channel=CHANNEL)
    assert "checked" not in asked.text
    answer = guardian.say_yes(agreed="")
    assert answer.status_code == 422
    assert "Please tick" in words(answer)
    assert not guardian.allowed()


def test_yes_and_no_weigh_the_same(world):
    page = Holding(world, "S-1").get("/agree", channel=CHANNEL).text
    assert '<button class="second" form="yes">' in page
    assert '<button class="second" form="no">' in page


def test_one_cannot_agree_to_nothing(world, guardian):
    page = guardian.get("/agree", channel=OTHER)
    assert "has not given the text" in words(page)
    assert 'id="yes"' not in page.text
    answer = guardian.post("/yes", channel=OTHER, wording="w-1", read="en", agreed="yes")
    assert answer.status_code == 422
    assert not guardian.allowed(OTHER)
    assert guardian.say_no(OTHER).status_code == 303


def test_a_missing_text_stops_a_yes_and_never_a_no(world, guardian):
    for path in (world.home / "wordings").iterdir():
        path.write_bytes(b"\xff\xfe not a text")
    guardian.language = "nl"
    assert guardian.get().status_code == 200
    assert "heeft de tekst waarmee u zou instemmen niet gegeven" in words(
        guardian.get("/agree", channel=CHANNEL)
    )
    assert guardian.follow(guardian.say_no()).status_code == 200
    assert not guardian.allowed()


def test_a_text_that_changed_meanwhile_is_read_again(world, guardian):
    guardian.say_no()
    old = world.wordings.get("w-1").digest("en")
    (world.home / "wordings" / "w-1.en.txt").write_text("Something else.")
    answer = guardian.say_yes(digest=old)
    assert answer.status_code == 409
    assert "Something else." in answer.text
    assert not guardian.allowed()
    assert guardian.follow(guardian.say_yes())
    assert guardian.allowed()


def test_what_was_agreed_to_stays_whatever_becomes_of_the_file(world, guardian):
    guardian.say_no()
    guardian.say_yes()
    (world.home / "wordings" / "w-1.en.txt").write_text("Something else.")
    (world.home / "wordings" / "w-1.nl.txt").unlink()
    page = guardian.get()
    assert "Something else." not in page.text
    assert "We show what happens at school." in page.text
    wording = world.wordings.get("w-1")
    assert wording.changed
    assert dict(wording.texts) == TEXTS
    guardian.language = "nl"
    assert "Wij laten zien wat er op school gebeurt." in guardian.get().text


def test_a_text_is_never_taken_for_a_page(world, guardian):
    guardian.say_no()
    guardian.say_yes()
    for path in ("", "/agree"):
        page = guardian.get(path, channel=CHANNEL)
        assert "&lt;script&gt;" in page.text
        assert "<script" not in page.text


def test_what_comes_from_elsewhere_is_refused(world, guardian):
    other = Holding(world, "S-2")
    for fields, headers in (
        ({"token": ""}, {}),
        ({"token": other.form_token}, {}),
        ({}, {"sec-fetch-site": "cross-site"}),
        ({}, {"origin": "https://evil.test"}),
        ({}, {"origin": "null", "sec-fetch-site": "cross-site"}),
    ):
        for path in ("/no", "/no-everywhere", "/yes"):
            answer = guardian.post(path, headers, channel=CHANNEL, **fields)
            assert answer.status_code == 403, (path, fields, headers)
    assert guardian.allowed()
    # This is what browsers send from a page that sends no referrer.
    assert guardian.post("/no", {"origin": "null"}, channel=CHANNEL).status_code == 303


def test_an_unknown_channel_or_an_endless_form_changes_nothing(world, guardian):
    assert guardian.say_no("<script>").status_code == 404
    assert guardian.get("/agree", channel="nowhere").status_code == 404
    assert guardian.post("/no", channel="x" * 300_000).status_code == 413
    assert guardian.allowed()


def test_a_withdrawal_is_taken_down_and_shown_until_it_is_gone(world, guardian):
    key = published(world, "S-1", "S-2", urls=["https://x.test/1"])
    assert "One publication there shows your child now" in words(guardian.get())
    page = words(guardian.follow(guardian.say_no()))
    assert "is being taken down" in page
    assert "To be removed" in page
    assert "https://x.test/1" in page
    removed(world, key)
    assert "Removed; being checked" in words(guardian.get())
    confirmed(world, key)
    page = words(guardian.get())
    assert "Gone, and checked" in page
    assert "1 of 1" in page
    certificate = guardian.get("/certificate")
    assert "S-1" in certificate.text
    assert "unsafe-inline" in certificate.headers["content-security-policy"]
    assert "script-src" not in certificate.headers["content-security-policy"]
    guardian.language = "nl"
    assert "Weg, en gecontroleerd" in words(guardian.get())


def test_without_takedowns_there_is_no_certificate(guardian):
    assert guardian.get("/certificate").status_code == 404


def test_everything_is_withdrawn_at_once(world, guardian):
    grant(world, "S-1", "facebook")
    key = published(world, "S-1", channel="facebook")
    page = words(guardian.follow(guardian.post("/no-everywhere")))
    assert "Everything is withdrawn" in page
    assert not any(ruling.allowed for ruling in world.desk.rulings(["S-1"])["S-1"].values())
    with world.database.read() as session:
        assert world.gallery(session).count("S-1") == 0
    assert key
    assert all(event.signatory == "guardian" for event in events(world)[1:])


def test_everything_is_withdrawn_only_after_a_question(world, guardian):
    first = guardian.get().text
    assert 'method="post" action="' + guardian.base + "/no-everywhere" not in first
    assert f'method="get" action="{guardian.base}/no-everywhere"' in first
    asked = guardian.get("/no-everywhere")
    assert "Withdraw everything?" in words(asked)
    assert "cannot be brought back" in words(asked)
    assert guardian.allowed()
    assert f'method="post" action="{guardian.base}/no-everywhere' in asked.text
    guardian.follow(guardian.post("/no-everywhere"))
    assert not guardian.allowed()


def test_what_was_done_is_said_once_and_not_in_the_address(world, guardian):
    answer = guardian.post("/no-everywhere")
    address = answer.headers["location"]
    assert address == f"{guardian.base}?language=en#done"
    cookie = answer.headers["set-cookie"]
    assert f"Path={guardian.base};" in cookie
    assert "HttpOnly" in cookie
    assert "Everything is withdrawn" in words(guardian.client.get(address))
    assert "Everything is withdrawn" not in words(guardian.client.get(address))


def test_nobody_else_can_make_the_page_say_something(world, guardian):
    other = Holding(world, "S-2")
    said = "notice-personal-all|"
    world.desk.withdraw("S-1")  # so that it would be true
    theirs = other.post("/no-everywhere").cookies["mediaguard-said"].strip('"')
    for value in (said, f"{said}|", f"{said}|{'0' * 64}", theirs):
        guardian.client.cookies.set("mediaguard-said", value, domain="127.0.0.1")
        page = guardian.get(notice="notice-personal-all", done="")
        assert page.status_code == 200
        assert "Everything is withdrawn" not in words(page)


def test_what_is_not_true_any_more_is_not_said(world, guardian):
    address = guardian.post("/no-everywhere").headers["location"]
    other = Holding(world, "S-1")
    other.say_yes()
    assert guardian.allowed()
    assert "Everything is withdrawn" not in words(guardian.client.get(address))
    address = guardian.say_no().headers["location"]
    other.say_yes()
    assert "Your no is recorded" not in words(guardian.client.get(address))
    address = guardian.say_yes().headers["location"]
    other.say_no()
    assert "Your yes is recorded" not in words(guardian.client.get(address))


def test_a_pupil_is_addressed_as_such(world):
    with world.database.write() as session:
        Ledger(session).correct("S-1", kind=Kind.STUDENT, born=dt.date(2000, 1, 1))
    said = {}
    for language in ("en", "nl"):
        pupil = Holding(world, "S-1", Signatory.SUBJECT, language=language)
        published(world, "S-1")
        pages = (pupil.get(), pupil.get("/agree", channel=MATCHING), pupil.get("/no-everywhere"))
        said[language] = " ".join(words(page) for page in pages)
    for wrong in ("that you is", "you is made", "your child", "parent or guardian of"):
        assert wrong not in said["en"], wrong
    for wrong in ("zodat u te zien is", "u is ", "uw kind", "gezicht van u"):
        assert wrong not in said["nl"]
    assert "so that you are shown" in said["en"]
    assert "zodat u te zien bent" in said["nl"]
    assert "Uw gezicht herkennen" in said["nl"]


def test_a_no_by_the_school_in_dutch(world):
    world.desk.withdraw("S-1", CHANNEL)
    page = words(Holding(world, "S-1", language="nl").get())
    assert "De school heeft een nee vastgelegd. Dat geldt tot" in page


def test_a_guardian_is_addressed_as_such(world):
    said = words(Holding(world, "S-1").get("/agree", channel=MATCHING))
    assert "I am a parent or guardian of S-1." in said  # not of their own child's parent
    assert "Without it, your child is made unrecognisable" in said
    dutch = words(Holding(world, "S-1", language="nl").get("/agree", channel=MATCHING))
    assert "zodat uw kind te zien is" in dutch


def test_matching_is_a_choice_of_its_own(world, guardian):
    page = guardian.get()
    assert "biometric data" in words(page)
    page = words(guardian.follow(guardian.say_no(MATCHING)))
    assert "Face templates of your child are deleted" in page
    assert guardian.allowed()
    with world.database.read() as session:
        assert world.gallery(session).count("S-1") == 0
    guardian.follow(guardian.say_yes(MATCHING))
    assert guardian.allowed(MATCHING)


def test_two_guardians_answer_for_themselves(world):
    first = Holding(world, "S-1", signatory_id="G1")
    second = Holding(world, "S-1", signatory_id="G2")
    first.say_no()
    page = words(second.get())
    assert "Somebody else who may decide said no" in page
    assert "another parent or guardian" in page
    assert "G1" not in page
    page = words(second.follow(second.say_yes()))
    assert "still a no as a whole" in page
    assert not second.allowed()
    first.say_yes()
    assert second.allowed()
    assert [event.signatory_id for event in events(world)][-3:] == ["G1", "G2", "G1"]


def test_a_pupil_of_sixteen_decides(world):
    with world.database.write() as session:
        Ledger(session).correct("S-1", kind=Kind.STUDENT, born=dt.date(2000, 1, 1))
    pupil = Holding(world, "S-1", Signatory.SUBJECT, language="nl")
    assert "niet gegeven door iemand die hier nu over gaat" in words(pupil.get())
    page = words(pupil.follow(pupil.say_yes()))
    assert "Uw ja is vastgelegd en geldt" in page
    assert pupil.allowed()
    assert events(world)[-1].evidence.endswith("-nl")


def test_a_channel_that_is_not_used_any_more_can_still_be_withdrawn(world, guardian):
    with world.database.write() as session:
        given = Given("S-1", "old-site", "fun", Answer.GRANTED, "guardian", "form")
        Ledger(session).append(given, at=world.now())
    page = guardian.get()
    assert "does not publish there any more" in words(page)
    assert guardian.get("/agree", channel="old-site").status_code == 404
    guardian.follow(guardian.say_no("old-site"))
    assert events(world, channel="old-site")[-1].answer == "withdrawn"


def test_a_wording_without_a_text_says_so(world, guardian):
    world.desk.grant(
        "S-1", CHANNEL, signatory="guardian", evidence="form", wording="../../etc/passwd"
    )
    world.desk.grant("S-1", "facebook", signatory="guardian", evidence="form", wording="2019")
    page = words(guardian.get())
    assert "has the number 2019" in page
    assert "root:" not in page


def test_a_no_wins_over_a_yes_at_the_same_time(world, guardian):
    """Both at once, again and again: what the ledger says last is what holds."""
    other = Holding(world, "S-1")
    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            both = [pool.submit(guardian.say_yes), pool.submit(other.say_no)]
        answers = [one.result().status_code for one in both]
        assert answers == [303, 303]
        said = events(world)
        last = max(event.recorded_at.replace(microsecond=0) for event in said)
        latest = [e.answer for e in said if e.recorded_at.replace(microsecond=0) == last]
        assert guardian.allowed() is ("withdrawn" not in latest)
        assert {"granted", "withdrawn"} <= {event.answer for event in said[-2:]}
    other.say_no()
    assert not guardian.allowed()


def test_a_revoked_link_cannot_answer(world, guardian):
    from mediaguard.personal import PersonalLinks

    PersonalLinks(world).revoke(guardian.link.row.id)
    assert guardian.say_no().status_code == 404
    assert guardian.allowed()


def test_the_page_is_quick_with_a_long_history(world, guardian):
    for number in range(60):
        published(world, "S-1", urls=[f"https://x.test/{number}"])
    world.desk.withdraw("S-1", CHANNEL)
    guardian.get()
    began = time.perf_counter()
    page = guardian.get()
    assert page.text.count("https://x.test/") == 2 * 50
    assert "Only the newest 50" in words(page)
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("language", ["en", "nl"])
def test_no_page_says_a_bare_code(world, guardian, language):
    guardian.language = language
    published(world, "S-1")
    guardian.say_no()
    for page in (guardian.get(), guardian.get("/agree", channel=MATCHING), guardian.get("/x")):
        assert "personal-" not in words(page)
