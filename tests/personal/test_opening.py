"""Which links open, and what their pages give away."""

import datetime as dt

from sqlalchemy import update

from mediaguard.core.consent import Kind, Signatory
from mediaguard.personal import PATH, PersonalLinks
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import PersonalLinkRow
from mediaguard.web.personal.door import MISSES_PER_MINUTE
from tests.personal.holder import Holding, client, words
from tests.pipeline.world import CHANNEL, grant
from tests.takedown_world import confirmed, entries, later, published


def changed(token: str, at: int) -> str:
    other = "A" if token[at] != "A" else "B"
    return token[:at] + other + token[at + 1 :]


def test_a_link_opens_and_is_kept_to_itself(guardian):
    page = guardian.get()
    assert page.status_code == 200
    assert "S-1" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<script" not in page.text


def test_links_that_do_not_work_are_all_answered_alike(world, guardian):
    other = Holding(world, "S-2")
    revoked, expired = Holding(world, "S-1"), Holding(world, "S-1")
    PersonalLinks(world).revoke(revoked.link.row.id)
    with world.database.write() as session:
        session.execute(
            update(PersonalLinkRow)
            .where(PersonalLinkRow.id == expired.link.row.id)
            .values(expires_at=world.now() - dt.timedelta(days=1))
        )
    token = guardian.token
    spliced = token[:11] + other.token[11:]
    wrong = [
        "x",
        "%00",
        "a" * 5000,
        "\u00e9" * 54,
        token[:-1],
        token + "A",
        token + "=",
        changed(token, 0),
        changed(token, 30),
        changed(token, len(token) - 1),
        spliced,
        revoked.token,
        expired.token,
    ]
    answers = {
        (page.status_code, page.text) for page in (guardian.client.get(PATH + one) for one in wrong)
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert guardian.get().status_code == 200


def test_an_expired_link_cannot_be_prolonged_in_the_database(world, guardian):
    for value in (
        {"expires_at": world.now() + dt.timedelta(days=4000)},
        {"subject_id": "S-2"},
        {"signatory": "subject"},
        {"signatory_id": "G2"},
    ):
        holder = Holding(world, "S-1")
        with world.database.write() as session:
            session.execute(
                update(PersonalLinkRow)
                .where(PersonalLinkRow.id == holder.link.row.id)
                .values(**value)
            )
        assert holder.get().status_code == 404, value


def test_another_home_does_not_know_the_link(world, guardian, tmp_path):
    from mediaguard.store.keys import Keyring

    world.__dict__["keyring"] = Keyring(b"k" * 32)
    assert guardian.get().status_code == 404


def test_guesses_are_slowed_down_and_real_links_are_not(world, guardian):
    codes = [guardian.client.get(f"{PATH}{n}").status_code for n in range(MISSES_PER_MINUTE + 20)]
    assert codes[0] == 404
    assert codes[-1] == 429
    assert guardian.get().status_code == 200


def test_looking_changes_nothing_but_that_it_was_opened(world, guardian):
    def state():
        with world.database.read() as session:
            return Ledger(session).events()

    before = state()
    for path in ("", "/agree", "/certificate", "/yes", "/no", "/no-everywhere"):
        guardian.get(path, channel=CHANNEL, agreed="yes", answer="no")
    assert state() == before
    assert len(entries(world, "link-opened")) == 1
    assert guardian.get("/no").status_code == 405


def test_opening_is_noted_once_a_day(world, guardian):
    guardian.get()
    guardian.get()
    later(world, dt.timedelta(days=1))
    guardian.get()
    noted = entries(world, "link-opened")
    assert [entry.actor for entry in noted] == [f"link:{guardian.link.row.id}"] * 2
    assert noted[0].subject_id == "S-1"
    assert guardian.token not in str([entry.data for entry in noted])


def test_the_language_is_the_readers_choice(guardian):
    base = guardian.base
    dutch = guardian.client.get(base, headers={"accept-language": "nl-NL,nl;q=0.9,en;q=0.5"})
    assert '<html lang="nl">' in dutch.text
    assert "Foto&#39;s en video&#39;s van uw kind" in dutch.text
    english = guardian.client.get(f"{base}?language=en", headers={"accept-language": "nl"})
    assert "Photos and videos of your child" in english.text
    assert f'href="{base}?language=nl"' in english.text
    assert '<html lang="en">' in guardian.client.get(f"{base}?language=xx").text
    wrong = guardian.client.get(f"{PATH}x", headers={"accept-language": "nl"})
    assert "Deze link werkt niet" in wrong.text


def test_only_the_subjects_own_data_is_shown(world, guardian):
    grant(world, "S-2", "facebook")
    mine = published(world, "S-1", "S-2", urls=["https://x.test/ours"])
    theirs = published(world, "S-2", urls=["https://x.test/theirs"])
    world.desk.withdraw("S-1", CHANNEL)
    world.desk.withdraw("S-2", CHANNEL, evidence="their letter")
    confirmed(world, mine)
    confirmed(world, theirs)
    for path in ("", "/certificate"):
        page = guardian.get(path)
        assert page.status_code == 200
        assert "https://x.test/ours" in page.text
        for secret in ("S-2", "S-3", "theirs", "their letter", str(world.home)):
            assert secret not in page.text, secret


def test_the_path_of_a_file_does_not_leave_the_machine(world, guardian):
    published(world, "S-1", urls=[str(world.home / "ready" / "photo-7.jpg")])
    world.desk.withdraw("S-1", CHANNEL)
    assert str(world.home) not in guardian.get().text
    certificate = guardian.get("/certificate")
    assert str(world.home) not in certificate.text
    assert "photo-7.jpg" in certificate.text


def test_an_address_that_is_a_script_is_no_link(world, guardian):
    published(world, "S-1", urls=["javascript:alert(1)"])
    world.desk.withdraw("S-1", CHANNEL)
    assert "javascript:" not in guardian.get().text


def test_a_name_from_the_list_is_shown_and_cannot_do_harm(world):
    (world.home / "names.csv").write_text(
        'subject_id,first_name,last_name\nS-1,"<b>Bo</b>\'",Peep\nS-2,Other,Child\n'
    )
    path = world.home / "mediaguard.toml"
    path.write_text('names = "names.csv"\n' + path.read_text())
    vars(world).pop("config", None)
    page = Holding(world, "S-1").get()
    assert "&lt;b&gt;Bo&lt;/b&gt;" in page.text
    assert "<b>" not in page.text
    assert "Peep" not in page.text
    assert "Other" not in page.text


def test_a_guardian_of_a_pupil_of_sixteen_can_do_nothing(world, guardian):
    published(world, "S-1")
    with world.database.write() as session:
        Ledger(session).correct("S-1", kind=Kind.STUDENT, born=dt.date(2000, 1, 1))
    page = guardian.get()
    assert page.status_code == 200
    assert "decides alone now" in words(page)
    assert "<form" not in page.text
    assert "x.test" not in page.text
    for path in ("/yes", "/no", "/no-everywhere"):
        assert guardian.post(path, channel=CHANNEL).status_code == 403
    assert guardian.get("/certificate").status_code == 403
    assert guardian.get("/agree", channel=CHANNEL).status_code == 200
    assert entries(world, "consent-withdrawn") == []


def test_a_pupil_under_sixteen_is_told_who_decides(world):
    with world.database.write() as session:
        Ledger(session).correct("S-1", kind=Kind.STUDENT, born=dt.date(2000, 1, 1))
    pupil = Holding(world, "S-1", Signatory.SUBJECT)
    assert "Photos and videos of you" in words(pupil.get())
    born = world.now().date() - dt.timedelta(days=5000)
    with world.database.write() as session:
        Ledger(session).correct("S-1", kind=Kind.STUDENT, born=born)
    page = pupil.get()
    assert "parents or guardians decide" in words(page)
    assert "you decide yourself" in words(page)
    assert pupil.say_no().status_code == 403
    pupil.language = "nl"
    assert "beslissen uw ouders" in words(pupil.get())


def test_the_metrics_never_name_a_token(world, guardian):
    guardian.get()
    assert guardian.token not in guardian.client.get("/metrics").text


def test_static_files_and_unknown_pages(world, guardian):
    assert guardian.client.get("/my/static/personal.css").status_code == 200
    assert guardian.client.get("/my/").status_code == 404
    assert guardian.get("/nothing").status_code == 404
    assert client(world).get("/my/static/../api.py").status_code == 404
