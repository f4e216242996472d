"""Sessions: how they begin, go on and end; and one's own account."""

import re
from datetime import timedelta

import pytest

from mediaguard.core.access import Role
from mediaguard.store.audit import Audit
from mediaguard.store.tables import UserSessionRow
from mediaguard.web.console.accounts import browser as browser_of
from tests.console.school import Visiting, browser, words
from tests.console.signing_in import (
    PASSWORD,
    code_of,
    give_code,
    is_in,
    set_up,
    sign_in,
    submit,
    token_in,
)
from tests.console.test_sign_in import clock, quick  # noqa: F401 - fixtures

NEW = "four even green donkeys"


@pytest.fixture
def comms(world):
    """Somebody of staff, signed in with a password."""
    world.users.add("comms1", roles=["staff"], password=PASSWORD)
    client = browser(world)
    sign_in(client, "comms1")
    return client


def act(client, path: str, **fields):
    page = client.get("/console/account")
    return submit(client, f"/console/account/{path}", page, **fields)


def test_signing_in_begins_a_session_of_its_own(world):
    world.users.add("comms1", roles=["staff"], password=PASSWORD)
    client = browser(world)
    planted = "a-token-that-somebody-planted"
    client.cookies.set("mediaguard", planted, domain="127.0.0.1", path="/console")
    sign_in(client, "comms1")
    assert client.cookies["mediaguard"] != planted
    thief = browser(world)
    thief.cookies.set("mediaguard", planted, domain="127.0.0.1", path="/console")
    assert not is_in(thief)


def test_with_every_privilege_comes_another_token(world, clock):  # noqa: F811
    world.users.add("chief", roles=["officer"], password=PASSWORD)
    client = browser(world)
    tokens = []
    sign_in(client, "chief")
    tokens.append(client.cookies["mediaguard"])
    secret, _ = set_up(client, world)
    tokens.append(client.cookies["mediaguard"])
    client.cookies.clear()
    sign_in(client, "chief")
    tokens.append(client.cookies["mediaguard"])
    clock(seconds=60)
    give_code(client, code_of(secret, world))
    tokens.append(client.cookies["mediaguard"])
    assert is_in(client)
    assert len(set(tokens)) == 4
    for token in (tokens[0], tokens[2]):
        thief = browser(world)
        thief.cookies.set("mediaguard", token, domain="127.0.0.1", path="/console")
        assert not is_in(thief)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.swapcase(),
        lambda token: token + "A",
        lambda token: "",
        lambda token: "x" * 10_000,
        lambda token: "%00",
    ],
)
def test_a_cookie_that_was_tampered_with_is_nobodys(world, comms, change):
    token = comms.cookies["mediaguard"]
    comms.cookies.clear()
    comms.cookies.set("mediaguard", change(token), domain="127.0.0.1", path="/console")
    assert not is_in(comms)


def test_who_does_nothing_is_signed_out(world, comms, clock):  # noqa: F811
    clock(minutes=29)
    assert is_in(comms)
    clock(minutes=29)
    assert is_in(comms)
    clock(minutes=31)
    assert not is_in(comms)
    with world.database.read() as session:
        assert session.query(UserSessionRow).count() == 0


def test_a_page_that_asks_by_itself_does_not_count(world, comms, clock):  # noqa: F811
    for _ in range(4):
        clock(minutes=10)
        answer = comms.get(
            "/console/account", headers={"accept": "application/json"}, follow_redirects=False
        )
    assert answer.status_code == 401


def test_nobody_stays_for_ever(world, comms, clock):  # noqa: F811
    for _ in range(12 * 60 // 20):
        assert is_in(comms)
        clock(minutes=20)
    clock(minutes=1)
    assert not is_in(comms)


def test_settings_say_how_long(world):
    config = world.home / "mediaguard.toml"
    config.write_text(config.read_text() + "\n[web]\nidle_minutes = 5\nsession_hours = 1\n")
    world = type(world)(world.home)
    visiting = Visiting(world, frozenset({Role.STAFF}))
    start = world.now()
    world.now = lambda: start + timedelta(minutes=6)
    assert not is_in(visiting.client)


def test_that_somebody_is_there_is_written_once_a_minute(world, comms, clock):  # noqa: F811
    def seen():
        with world.database.read() as session:
            return session.query(UserSessionRow).one().seen_at

    first = seen()
    clock(seconds=50)
    assert is_in(comms)
    assert seen() == first
    clock(seconds=20)
    assert is_in(comms)
    assert seen() > first


def test_signing_out_ends_it_on_the_server(world, comms):
    token = comms.cookies["mediaguard"]
    page = comms.get("/console/account")
    assert comms.post("/console/sign-out", data={"token": "no"}).status_code == 403
    assert is_in(comms)
    done = submit(comms, "/console/sign-out", page)
    assert done.headers["location"] == "/console/sign-in"
    assert "mediaguard" not in comms.cookies
    comms.cookies.set("mediaguard", token, domain="127.0.0.1", path="/console")
    assert not is_in(comms)
    with world.database.read() as session:
        assert Audit(session, world.keyring).entries()[-1].action == "signed-out"


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: desk.change("comms1", roles=["officer"]),
        lambda desk: desk.change("comms1", groups=["4B"]),
        lambda desk: desk.set_password("comms1", NEW),
        lambda desk: desk.disable("comms1"),
        lambda desk: desk.reset_second_factor("comms1"),
        lambda desk: desk.set_school_account("comms1", "digest"),
        lambda desk: desk.remove("comms1"),
    ],
)
def test_what_changes_an_account_ends_its_sessions_at_once(world, comms, change):
    other = Visiting(world, frozenset({Role.STAFF}))
    change(world.users)
    assert not is_in(comms)
    assert is_in(other.client)


def test_a_session_of_a_disabled_user_is_none(world, comms):
    """Also one that began at the very moment."""
    world.users.disable("comms1")
    with world.database.write() as session:
        token = world.sessions.open(session, "comms1", browser="")
    comms.cookies.set("mediaguard", token, domain="127.0.0.1", path="/console")
    assert not is_in(comms)


# -- one's own account ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "form"),
    [
        ("/console/people/S-1/answers", "/console/people/S-1/answers"),
        ("/console/people/S-1/references/7/remove", "/console/people/S-1/references"),
        ("/console/people/-find", "/console/people/-find"),
        ("/console/users/comms1/disable", "/console/users/comms1"),
        ("/console/sign-out", "/console/"),
    ],
)
def test_what_is_sent_after_the_session_is_said_to_be_lost(world, sent, form):
    client = browser(world)
    answer = client.post(sent, data={"answer-facebook": "refused"}, follow_redirects=False)
    assert answer.headers["location"] == f"/console/sign-in?next={form}"
    page = client.get(answer.headers["location"])
    assert "What you just sent was not recorded." in words(page)
    assert f'name="next" value="{form}"' in page.text
    assert "not recorded" not in words(client.get(answer.headers["location"]))


def test_who_only_looked_lost_nothing(world):
    assert "not recorded" not in words(browser(world).get("/console/people"))


def test_changing_the_password_needs_the_one_before(world, comms):
    elsewhere = browser(world)
    sign_in(elsewhere, "comms1")
    wrong = act(comms, "password", before="wrong", password=NEW, again=NEW)
    assert wrong.status_code == 422
    assert "Nothing was changed" in wrong.text
    for new, again in ((NEW, "other"), ("short", "short"), ("mediaguard123", "mediaguard123")):
        assert act(comms, "password", before=PASSWORD, password=new, again=again).status_code == 422
    token = comms.cookies["mediaguard"]
    done = act(comms, "password", before=PASSWORD, password=NEW, again=NEW)
    assert done.headers["location"] == "/console/account"
    assert comms.cookies["mediaguard"] != token
    assert "The password is changed" in words(comms.get("/console/account"))
    assert is_in(comms)
    assert not is_in(elsewhere)
    assert sign_in(browser(world), "comms1").status_code == 422
    assert sign_in(browser(world), "comms1", NEW).status_code == 303


def test_the_password_cannot_be_guessed_from_an_open_screen(world, comms, quick):  # noqa: F811
    for _ in range(5):
        act(comms, "password", before="guess", password=NEW, again=NEW)
    assert "Wait" in words(act(comms, "password", before=PASSWORD, password=NEW, again=NEW))


def test_strangers_keep_nobody_from_changing_the_password(world, comms, quick):  # noqa: F811
    stranger = browser(world, "198.51.100.7")
    for _ in range(7):
        sign_in(stranger, "comms1", "guess")
    assert act(comms, "password", before=PASSWORD, password=NEW, again=NEW).status_code == 303


def test_staff_may_have_a_second_factor(world, comms, clock):  # noqa: F811
    assert act(comms, "second-factor", before="wrong").status_code == 422
    page = act(comms, "second-factor", before=PASSWORD)
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    picture = comms.get("/console/account/second-factor/picture.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert (
        submit(comms, "/console/account/second-factor/confirm", page, code="1").status_code == 422
    )
    page = submit(
        comms, "/console/account/second-factor/confirm", page, code=code_of(secret, world)
    )
    assert len(re.findall(r"<code>", page.text)) == 10
    assert is_in(comms)
    other = browser(world)
    assert sign_in(other, "comms1").headers["location"] == "/console/sign-in/code"
    clock(seconds=30)
    assert give_code(other, code_of(secret, world)).status_code == 303
    before = re.findall(r"<code>([^<]+)</code>", page.text)
    assert act(comms, "recovery-codes", before="wrong").status_code == 422
    anew = re.findall(r"<code>([^<]+)</code>", act(comms, "recovery-codes", before=PASSWORD).text)
    assert len(anew) == 10
    assert set(anew).isdisjoint(before)
    assert act(comms, "second-factor/forget", before="wrong").status_code == 422
    assert act(comms, "second-factor/forget", before=PASSWORD).status_code == 303
    assert not world.users.user("comms1").has_second_factor


def test_an_officer_cannot_do_without(world, officer):
    answer = officer.post("/console/account/second-factor/forget")
    assert answer.status_code == 422


def test_there_is_no_picture_of_a_secret_in_use(officer):
    assert officer.get("/console/account/second-factor/picture.svg").status_code == 422


def test_one_sees_and_ends_ones_own_sessions_only(world, comms):
    other = browser(world)
    other.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"
    sign_in(other, "comms1")
    stranger = Visiting(world, frozenset({Role.STAFF}))
    page = comms.get("/console/account")
    assert "Firefox, Linux" in page.text
    assert "a test" not in page.text
    (digest,) = re.findall(r'name="session" value="([0-9a-f]+)"', page.text)
    stranger.post("/console/account/sign-out", session=digest)
    assert is_in(other)
    act(comms, "sign-out", session=digest)
    assert not is_in(other)
    sign_in(other, "comms1")
    act(comms, "sign-out")
    assert not is_in(other)
    assert is_in(comms)
    assert is_in(stranger.client)


def test_the_language_is_ones_own(world, comms):
    act(comms, "language", language="nl")
    assert "Uw account" in comms.get("/console/account").text
    assert act(comms, "language", language="xx").status_code == 422


def test_the_token_of_forms_is_that_of_the_session(world, comms):
    other = browser(world)
    sign_in(other, "comms1")
    assert token_in(comms.get("/console/account")) != token_in(other.get("/console/account"))


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0) Version/18.0 Safari/605.1", "Safari, iPad"),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_a_browser_is_told_roughly(agent, said):
    assert browser_of(agent) == said
