"""The matrix, one person, answers, withdrawing, corrections, groups."""

import re
from datetime import date, timedelta

import pytest
from sqlalchemy import event, select

from mediaguard.config import FILE_NAME
from mediaguard.core.access import Role
from mediaguard.core.consent import MATCHING, Kind
from mediaguard.store.audit import Audit
from mediaguard.store.known_rulings import KnownRulings
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import LikenessRow, PublicationRow
from mediaguard.store.takedowns import Takedowns
from tests.console.school import Visiting, words
from tests.pipeline.world import CHANNEL, grant, picture, run
from tests.web.school import OTHER

EVIL = '<script>alert("x")</script>'


@pytest.fixture
def named(world):
    """The world with a list of names, one of them hostile."""
    (world.home / "names.csv").write_text(
        "subject_id,first_name,last_name\n"
        f'S-1,Anaïs,de Vries\nS-2,"{EVIL.replace(chr(34), chr(34) * 2)}",Jansen\nS-9,Kim,Nobody\n'
    )
    path = world.home / FILE_NAME
    path.write_text('names = "names.csv"\n' + path.read_text())
    world.__dict__.pop("config", None)
    return world


@pytest.fixture
def grouped(world):
    """S-1 is in 4B, S-2 in 5A, S-3 in both."""
    for subject, groups in (("S-1", {"4B"}), ("S-2", {"5A"}), ("S-3", {"4B", "5A"})):
        world.desk.correct_subject(subject, kind=Kind.STUDENT, groups=groups, born=None)
    return world


def events(world, subject="S-1"):
    with world.database.read() as session:
        return Ledger(session).events([subject])


def audited(world) -> list[tuple[str, str]]:
    with world.database.read() as session:
        return [(entry.action, entry.actor) for entry in Audit(session, world.keyring).entries()]


def publish(world, tmp_path, *people):
    report = run(world, picture(tmp_path / "photo.jpg", *people))
    assert report.outcome in ("release", "redact")


# -- the matrix ---------------------------------------------------------------------------------


def test_the_matrix_says_how_everybody_stands(world, staff):
    world.desk.withdraw("S-2", CHANNEL)
    page = staff.get("/console/people")
    assert page.status_code == 200
    told = words(page)
    assert "3 people" in told
    for word in ("agreed", "withdrawn", "no answer", CHANNEL, "recognised by face"):
        assert word in told


def test_people_are_found_by_how_they_stand(world, staff):
    world.desk.withdraw("S-2", CHANNEL)

    def found(state, channel=CHANNEL):
        told = words(staff.get(f"/console/people?channel={channel}&state={state}"))
        return {subject for subject in ("S-1", "S-2", "S-3") if f" {subject} " in told}

    assert found("consent-withdrawn") == {"S-2"}
    assert found("yes") == found("consent-granted") == {"S-1", "S-3"}
    assert found("no") == {"S-2"}
    assert found("consent-none", OTHER) == {"S-1", "S-2", "S-3"}
    grant(world, "S-3", OTHER)
    assert found("consent-none", OTHER) == {"S-1", "S-2"}
    assert found("nonsense") == {"S-1", "S-2", "S-3"}


def test_what_is_kept_in_memory_is_what_the_ledger_says(world):
    rulings, rules = KnownRulings(), world.desk.rules[CHANNEL]
    today = world.now().date()

    def same():
        with world.database.read() as session:
            said = {
                subject: ruling.rule
                for subject, ruling in rules.rulings(session, None, now=world.now()).items()
            }
            assert rulings.of(session, rules, now=world.now()) == said
        return said

    same()
    world.desk.withdraw("S-1", CHANNEL)
    assert same()["S-1"] == "consent-withdrawn"
    world.desk.add_subject("S-4", kind=Kind.STUDENT, groups=(), born=None)
    assert same()["S-4"] == "consent-none"
    born = today.replace(year=today.year - 17, day=1)
    world.desk.correct_subject("S-2", kind=Kind.STUDENT, groups=(), born=born)
    assert same()["S-2"] == "consent-signatory"
    until = today + timedelta(days=1)
    how = {"signatory": "guardian", "evidence": "F"}
    world.desk.grant("S-4", CHANNEL, valid_until=until, **how)
    assert same()["S-4"] == "consent-granted"
    later = world.now() + timedelta(days=3)
    with world.database.read() as session:
        assert rulings.of(session, rules, now=later)["S-4"] == "consent-expired"
    assert same()["S-4"] == "consent-granted"


def test_a_name_is_looked_for_and_never_stands_in_an_address(named, staff):
    answer = staff.post("/console/people/-find", who="anais")
    assert answer.headers["location"] == "/console/people/S-1"
    answer = staff.post("/console/people/-find", who="s-")
    assert answer.headers["location"] == "/console/people?who=S-1%2CS-2%2CS-3"
    assert "3 people" in words(staff.get(answer.headers["location"]))
    for nobody in ("Nobody", "Zzz"):
        answer = staff.post("/console/people/-find", who=nobody)
        assert nobody not in answer.headers["location"]
        assert "Nobody was found" in words(staff.get(answer.headers["location"]))


def test_names_are_only_text(named, staff):
    for path in ("/console/people", "/console/people/S-2"):
        page = staff.get(path)
        assert EVIL not in page.text
        assert "&lt;script&gt;" in page.text


def test_the_matrix_has_pages(world, staff):
    for number in range(120):
        world.desk.add_subject(f"P-{number:03}", kind=Kind.STUDENT, groups={"7"}, born=None)
    assert "Page 1 of 3" in words(staff.get("/console/people?group=7"))
    last = words(staff.get("/console/people?group=7&page=99"))
    assert "Page 3 of 3" in last
    assert "P-119" in last
    assert "P-099" not in last
    assert staff.get("/console/people?page=-1").status_code == 200


# -- groups -------------------------------------------------------------------------------------


def test_staff_see_their_groups_only(grouped):
    mine = Visiting(grouped, frozenset({Role.STAFF}), groups=frozenset({"4B"}))
    told = words(mine.get("/console/people"))
    assert "2 people" in told
    assert "S-2" not in told
    assert "5A (" not in told
    assert "2 people" not in words(mine.get("/console/people?group=5A&who=S-2"))
    assert "5A" not in words(mine.get("/console/people/-groups"))
    assert mine.get("/console/people/S-1").status_code == 200
    for path in ("", "/answers", "/withdraw"):
        assert mine.get(f"/console/people/S-2{path}").status_code == 404
    assert mine.post("/console/people/S-2/withdraw").status_code == 404
    assert mine.post("/console/people/S-2/answers", signatory="guardian").status_code == 404
    assert not any(event.answer == "withdrawn" for event in events(grouped, "S-2"))
    found = mine.post("/console/people/-find", who="S-2")
    assert "Nobody was found" in words(mine.get(found.headers["location"]))


def test_groups_are_listed_with_their_people(grouped, staff):
    assert "4B 2" in words(staff.get("/console/people/-groups"))
    assert "2 people" in words(staff.get("/console/people?group=4B"))


def test_who_has_not_answered_is_found_whichever_the_channel(grouped, staff):
    """S-1 answered everywhere, S-3 everywhere but on one channel."""
    for subject in ("S-1", "S-3"):
        for channel in (*grouped.desk.rules,):
            if channel not in (CHANNEL, MATCHING) and (subject, channel) != ("S-3", "newsletter"):
                grant(grouped, subject, channel)
    link = re.search(r'href="([^"]*)">Who has not', staff.get("/console/people/-groups").text)[1]
    page = words(staff.get(link.replace("&amp;", "&")))
    assert "1 person 4B no answer on some channel" in page
    assert " S-3 " in page
    assert " S-1 " not in page


# -- one person ---------------------------------------------------------------------------------


def test_a_person_with_every_answer(world, staff, tmp_path):
    (world.home / "wordings" / "2026-1.en.txt").write_text("We ask you.")
    how = {"signatory": "guardian", "signatory_id": "G-1", "evidence": "FORM 7"}
    world.desk.grant("S-1", OTHER, wording="2026-1", valid_until=date(2099, 7, 31), **how)
    publish(world, tmp_path, "S-1")
    page = staff.get("/console/people/S-1")
    told = words(page)
    for word in ("guardian G-1", "FORM 7", "until 2099-07-31", "1 publication", "counts as under"):
        assert word in told
    assert 'href="/console/wordings/2026-1"' in page.text
    assert 'href="/console/published?subject=S-1"' in page.text
    assert "/references" not in page.text  # not for staff


def test_nobody_is_not_found(officer):
    for path in ("/S-99", "/S-99/answers", "/S-99/withdraw", "/S-99/edit", "/S-99/references"):
        assert officer.get(f"/console/people{path}").status_code == 404
    assert officer.get("/console/people/S-1/withdraw?channel=nowhere").status_code == 404


# -- answers ------------------------------------------------------------------------------------


def test_an_officer_records_a_yes(world, officer):
    fields = {f"answer-{OTHER}": "granted", "answer-facebook": "refused"}
    answer = officer.post(
        "/console/people/S-1/answers",
        signatory="guardian",
        evidence="FORM 9",
        wording="2026-1",
        valid_until="2099-01-01",
        **fields,
    )
    assert answer.status_code == 303
    assert "answers are recorded" in words(officer.get(answer.headers["location"]))
    rulings = world.desk.rulings(["S-1"])["S-1"]
    assert rulings[OTHER].allowed
    assert rulings["facebook"].rule == "consent-refused"
    assert audited(world)[-2:] == [("consent-granted", "user:u-1"), ("consent-refused", "user:u-1")]


def test_a_yes_of_the_wrong_person_is_told_not_to_count(world, officer):
    fields = {f"answer-{OTHER}": "granted"}
    answer = officer.post(
        "/console/people/S-1/answers", signatory="subject", evidence="FORM 9", **fields
    )
    assert "does not count everywhere" in words(officer.get(answer.headers["location"]))
    assert not world.desk.rulings(["S-1"])["S-1"][OTHER].allowed


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "at least one channel"),
        ({f"answer-{OTHER}": "granted"}, "needs evidence"),
        ({f"answer-{OTHER}": "granted", "evidence": "F", "signatory": ""}, "who gave"),
        (
            {f"answer-{OTHER}": "granted", "evidence": "F", "valid_until": "31-12-2026"},
            "not a date",
        ),
        (
            {
                f"answer-{OTHER}": "granted",
                "evidence": "F",
                "valid_from": "2026-02-02",
                "valid_until": "2026-02-01",
            },
            "before it begins",
        ),
        ({"answer-facebook": "refused", "evidence": "x" * 201}, "longer than 200"),
        ({"answer-facebook": "refused", "signatory": "uncle"}, "who gave"),
    ],
)
def test_a_form_that_is_not_right_keeps_what_was_typed(world, officer, fields, told):
    before = len(events(world))
    page = officer.post(
        "/console/people/S-1/answers",
        **{"signatory": "guardian", "signatory_id": "G<7>", "answer-newsletter": "", **fields},
    )
    assert page.status_code == 422
    assert told in words(page)
    assert 'role="alert"' in page.text
    assert 'value="G&lt;7&gt;"' in page.text
    if f"answer-{OTHER}" in fields:
        assert f'name="answer-{OTHER}" value="granted" checked' in page.text
    assert len(events(world)) == before


def test_staff_record_a_no_but_no_yes(world, staff):
    assert 'value="granted"' not in staff.get("/console/people/S-1/answers").text
    yes = staff.post(
        "/console/people/S-1/answers",
        signatory="guardian",
        evidence="F",
        **{f"answer-{OTHER}": "granted", "answer-facebook": "refused"},
    )
    assert yes.status_code == 403
    assert len(events(world)) == 2
    no = staff.post(
        "/console/people/S-1/answers", signatory="guardian", **{f"answer-{CHANNEL}": "refused"}
    )
    assert no.status_code == 303
    assert not world.desk.rulings(["S-1"])["S-1"][CHANNEL].allowed


def test_a_notice_is_said_once_and_nobody_can_write_it(world, officer):
    answer = officer.post(
        "/console/people/S-1/answers", signatory="guardian", **{"answer-facebook": "refused"}
    )
    assert answer.headers["location"] == "/console/people/S-1"
    assert "The no is recorded" in words(officer.get("/console/people/S-1"))
    assert "The no is recorded" not in words(officer.get("/console/people/S-1"))
    made_up = officer.get("/console/people/S-1?notice=notice-people-no")
    assert "The no is recorded" not in words(made_up)
    officer.client.cookies.set("mediaguard-notice", "notice-people-no|x", domain="127.0.0.1")
    assert "The no is recorded" not in words(officer.get("/console/people/S-1"))


def resembling(world, tmp_path):
    """A photo of S-1, in whom S-2 might be."""
    publish(world, tmp_path, "S-1")
    with world.database.write() as session:
        (publication,) = session.scalars(select(PublicationRow.id))
        session.add(
            LikenessRow(publication_id=publication, subject_id="S-2", shown_as="S-1", distance=0.45)
        )


def test_a_no_says_what_a_person_should_look_at(world, staff, tmp_path):
    resembling(world, tmp_path)
    path = "/console/people/S-2"
    assert "under another name" not in words(staff.get(path))
    how = {"signatory": "guardian", f"answer-{CHANNEL}": "refused"}
    page = staff.do(f"{path}/answers", **how)
    assert "In 1 picture somebody shown under another name may be this person" in words(page)
    assert re.search(r'<dd><a href="/console/review">', page.text)


# -- withdrawing --------------------------------------------------------------------------------


def test_withdrawing_says_what_it_will_do_and_what_it_did(world, staff, tmp_path):
    publish(world, tmp_path, "S-1")
    asked = words(staff.get(f"/console/people/S-1/withdraw?channel={CHANNEL}"))
    assert f"1 publication on {CHANNEL} comes down" in asked
    assert "references" not in asked.lower()
    everything = words(staff.get("/console/people/S-1/withdraw"))
    assert f"may not be shown on: {CHANNEL} and not recognised by face" in everything
    how = {"channel": CHANNEL, "evidence": "phone call"}
    answer = staff.post("/console/people/S-1/withdraw", **how)
    for _ in range(2):  # to load the page again withdraws nothing again
        done = staff.get(answer.headers["location"])
        assert "1 publication is to be taken down" in words(done)
    assert [event.answer for event in events(world)].count("withdrawn") == 1
    other = Visiting(world, frozenset({Role.STAFF}), user_id="v-1")
    elsewhere = other.get(answer.headers["location"], follow_redirects=False)
    assert elsewhere.headers["location"] == "/console/people/S-1"
    assert not world.desk.rulings(["S-1"])["S-1"][CHANNEL].allowed
    with world.database.read() as session:
        assert len(Takedowns(session).list(subject_id="S-1")) == 1
    assert ("consent-withdrawn", "user:u-1") in audited(world)
    person = staff.get("/console/people/S-1")
    assert "/console/takedowns?subject=S-1" in person.text
    assert "phone call" in words(person)


def test_withdrawing_everything_forgets_the_references(world, staff):
    assert "references (1) are deleted" in words(staff.get("/console/people/S-1/withdraw"))
    assert "1 references were deleted" in words(staff.do("/console/people/S-1/withdraw"))
    assert not any(ruling.allowed for ruling in world.desk.rulings(["S-1"])["S-1"].values())
    with world.database.read() as session:
        assert world.gallery(session).count("S-1") == 0


def test_withdrawing_nothing_says_so(world, staff):
    world.desk.add_subject("S-4", kind=Kind.STAFF, groups=(), born=None)
    assert "nothing was recorded" in words(staff.do("/console/people/S-4/withdraw"))


def test_a_withdrawal_that_is_not_right_is_asked_again(world, staff):
    page = staff.post("/console/people/S-1/withdraw", signatory="uncle")
    assert page.status_code == 422
    assert not any(event.answer == "withdrawn" for event in events(world))
    assert staff.post("/console/people/S-1/withdraw", channel="nowhere").status_code in (404, 422)


# -- adding and correcting ----------------------------------------------------------------------


def test_somebody_is_added(world, officer):
    answer = officer.post(
        "/console/people/-add", subject_id="S-40", kind="student", born="2015-02-03", new_group="6C"
    )
    assert answer.headers["location"] == "/console/people/S-40"
    told = words(officer.get(answer.headers["location"]))
    assert "6C" in told
    assert "2015-02-03" in told
    assert ("subject-added", "user:u-1") in audited(world)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"subject_id": "Piet Jansen"}, "cannot be a pseudonym"),
        ({"subject_id": "-import"}, "cannot be a pseudonym"),
        ({"subject_id": "S-1"}, "exists already"),
        ({"subject_id": "S-41", "born": "yesterday"}, "not a date"),
        ({"subject_id": "S-41", "kind": "parrot"}, "pupil or staff"),
        ({"subject_id": "S-41", "new_group": "a\tb"}, "control"),
    ],
)
def test_somebody_who_cannot_be_added(world, officer, fields, told):
    page = officer.post("/console/people/-add", **{"kind": "student", **fields})
    assert page.status_code == 422
    assert told in words(page)
    assert f'value="{fields["subject_id"]}"' in page.text
    assert len(world.subjects()) == 3


def test_a_correction_takes_down_what_may_not_stand(world, officer, tmp_path):
    publish(world, tmp_path, "S-1")
    answer = officer.post("/console/people/S-1/edit", kind="student", group="4B", born="2005-01-01")
    assert "is taken down" in words(officer.get(answer.headers["location"]))
    with world.database.read() as session:
        subject = Ledger(session).known_subject("S-1")
        assert len(Takedowns(session).list(subject_id="S-1")) == 1
    assert (subject.groups, subject.born) == (frozenset({"4B"}), date(2005, 1, 1))
    assert ("subject-corrected", "user:u-1") in audited(world)
    assert 'value="4B" checked' in officer.get("/console/people/S-1/edit").text


def test_saving_nothing_new_records_nothing(world, officer):
    before = len(audited(world))
    officer.post("/console/people/S-1/edit", kind="student", born="")
    assert len(audited(world)) == before


# -- who may ------------------------------------------------------------------------------------

FOR_OFFICERS = ("-add", "-import", "S-1/edit", "S-1/references")


@pytest.mark.parametrize("path", FOR_OFFICERS)
def test_keeping_people_is_for_officers(world, staff, path):
    assert staff.get(f"/console/people/{path}").status_code == 403
    assert staff.post(f"/console/people/{path}").status_code == 403


@pytest.mark.parametrize("path", ["", "/-groups", "/S-1", "/S-1/answers", "/S-1/withdraw"])
def test_administrators_see_nobody(world, path):
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    assert administrator.get(f"/console/people{path}").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "-find",
        "-add",
        "-import",
        "-import/apply",
        "-import/discard",
        "S-1/edit",
        "S-1/answers",
        "S-1/withdraw",
        "S-1/references",
        "S-1/references/forget",
    ],
)
def test_a_form_of_another_site_is_refused(world, officer, path):
    before = audited(world)
    for fields in ({}, {"token": "guessed"}):
        assert officer.client.post(f"/console/people/{path}", data=fields).status_code == 403
    elsewhere = officer.client.post(
        f"/console/people/{path}",
        data={"token": officer.token},
        headers={"origin": "https://evil.example"},
    )
    assert elsewhere.status_code == 403
    assert audited(world) == before


def test_the_pages_are_in_dutch_too(world):
    officer = Visiting(world, frozenset({Role.OFFICER}), language="nl")
    for path, told in (
        ("", "Antwoord nu"),
        ("/-groups", "Groepen"),
        ("/-add", "Persoon toevoegen"),
        ("/-import", "Lijst inlezen"),
        ("/S-1", "Elk vastgelegd antwoord"),
        ("/S-1/answers", "Wat er is geantwoord"),
        ("/S-1/withdraw", "Wat er gebeurt"),
        ("/S-1/edit", "Verbeteren"),
        ("/S-1/references", "Referenties"),
    ):
        page = officer.get(f"/console/people{path}")
        assert page.status_code == 200
        assert told in words(page)
        assert "people-" not in words(page)
    assert "Ingetrokken" in words(officer.do("/console/people/S-1/withdraw", channel=MATCHING))


def test_many_people_take_no_more_queries_than_few(world, staff):
    def queries() -> int:
        seen = []
        with world.database.read() as session:
            engine = session.get_bind()
        listener = ("before_cursor_execute", lambda *_: seen.append(1))
        event.listen(engine, *listener)
        staff.get("/console/people?state=no")
        event.remove(engine, *listener)
        return len(seen)

    queries()
    few = queries()
    for number in range(60):
        world.desk.add_subject(f"P-{number:03}", kind=Kind.STUDENT, groups={"7"}, born=None)
        world.desk.refuse(f"P-{number:03}", CHANNEL, signatory="guardian", evidence="")
    queries()
    assert queries() == few
