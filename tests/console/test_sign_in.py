"""Signing in over HTTP: password, second factor, links, and what strangers try."""

import logging
import re
from datetime import timedelta

import pytest

from mediaguard.errors import InputError
from mediaguard.store import passwords
from mediaguard.store.attempts import ACCOUNT, ADDRESS
from mediaguard.store.audit import Audit
from mediaguard.store.tables import SignInAttemptRow, SignInLinkRow, UserRow, UserSessionRow
from mediaguard.web.console.entering import local
from mediaguard.web.console.sign_in import one_time_link
from tests.console.school import browser, words
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


@pytest.fixture
def clock(world):
    """Moves the world's time."""
    start, ahead = world.now(), [timedelta()]
    world.now = lambda: start + ahead[0]

    def pass_by(**how) -> None:
        ahead[0] += timedelta(**how)

    return pass_by


@pytest.fixture
def quick(monkeypatch):
    """Argon2 with little effort, for tests that try many passwords."""
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    passwords._nobodys.cache_clear()
    yield
    passwords._nobodys.cache_clear()


def entries(world) -> list:
    with world.database.read() as session:
        return Audit(session, world.keyring).entries()


def actions(world, *named: str) -> list[str]:
    return [e.action for e in entries(world) if not named or e.action in named]


def comms(world):
    return world.users.add("comms1", roles=["staff"], password=PASSWORD)


def test_staff_sign_in_with_a_password(world):
    comms(world)
    client = browser(world)
    page = client.get("/console/people?group=4B", follow_redirects=False)
    assert page.headers["location"] == "/console/sign-in?next=/console/people%3Fgroup%3D4B"
    page = client.get(page.headers["location"])
    assert 'autocomplete="username"' in page.text
    assert 'autocomplete="current-password"' in page.text
    fields = {"login": " Comms1 ", "password": PASSWORD, "next": "/console/people?group=4B"}
    done = submit(client, "/console/sign-in", page, **fields)
    assert (done.status_code, done.headers["location"]) == (303, "/console/people?group=4B")
    assert is_in(client)
    entry = entries(world)[-1]
    assert (entry.action, entry.actor) == ("signed-in", "user:comms1")
    assert world.users.user("comms1").signed_in_at is not None


def test_the_cookie_is_for_this_server_only(world):
    comms(world)
    client = browser(world)
    cookie = next(
        value
        for value in sign_in(client, "comms1").headers.get_list("set-cookie")
        if value.startswith("mediaguard=")
    )
    for part in ("HttpOnly", "Path=/console", "SameSite=lax"):
        assert part in cookie
    assert "Secure" not in cookie  # plain http on this machine


def test_behind_tls_cookies_are_secure(world):
    comms(world)
    config = world.home / "mediaguard.toml"
    config.write_text(config.read_text() + '\n[web]\naddress = "https://media.school.example"\n')
    client = browser(type(world)(world.home))
    client.base_url = "https://media.school.example"
    answer = sign_in(client, "comms1")
    assert answer.status_code == 303
    for cookie in answer.headers.get_list("set-cookie"):
        assert cookie.startswith("__Secure-mediaguard")
        assert "Secure" in cookie.split("; ")
    assert is_in(client)
    assert "max-age" in answer.headers["strict-transport-security"]
    # A web server before it may not pass on the name, but says by which address it was called.
    page = client.get("/console/account")
    data = {"token": token_in(page), "language": "nl"}
    client.base_url = "http://127.0.0.1:8321"
    headers = {
        "origin": "https://media.school.example",
        "cookie": "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar),
    }
    answer = client.post("/console/account/language", data=data, headers=headers)
    assert answer.status_code == 200


def test_whatever_is_wrong_the_answer_is_the_same(world):
    comms(world)
    world.users.add("gone", roles=["staff"], password=PASSWORD)
    world.users.disable("gone")
    world.users.add("linked", roles=["staff"])
    client = browser(world)
    said = set()
    for login, password in (
        ("comms1", "wrong"),
        ("nobody", PASSWORD),
        ("gone", PASSWORD),
        ("linked", ""),
        ("linked", "the password of nobody"),
        ("'; DROP TABLE users; --", PASSWORD),
        ("comms1", "x" * 5000),
        ("\0", "\0"),
    ):
        answer = sign_in(client, login, password)
        assert answer.status_code == 422
        said.add(re.search(r'role="alert">([^<]*)<', answer.text)[1])
        assert not is_in(client)
    assert len(said) == 1


def test_unknown_users_cost_the_same_work(world, monkeypatch):
    checked = []
    real = passwords._hasher

    class Counting:
        hash, check_needs_rehash = real.hash, real.check_needs_rehash

        def verify(self, stored: str, password: str) -> bool:
            checked.append(stored[:10])
            return real.verify(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    comms(world)
    client = browser(world)
    sign_in(client, "comms1", "wrong one")
    sign_in(client, "who-is-this", "wrong one")
    assert checked == ["$argon2id$", "$argon2id$"]


def test_what_was_typed_is_written_down_nowhere(world, caplog):
    caplog.set_level(logging.DEBUG)
    comms(world)
    client = browser(world)
    sign_in(client, "my-secret-password", "other-secret")
    sign_in(client, "comms1", "other-secret")
    sign_in(client, "comms1")
    world.database.scrub()
    written = b"".join(path.read_bytes() for path in world.home.glob("mediaguard.db*"))
    for secret in ("my-secret-password", "other-secret", PASSWORD):
        assert secret.encode() not in written
        assert secret not in caplog.text
    failed = [entry for entry in entries(world) if entry.action == "sign-in-failed"]
    assert [entry.data["user"] for entry in failed] == [None, "comms1"]
    assert {entry.actor for entry in failed} == {"nobody"}


def test_after_a_few_failures_there_is_a_pause_and_never_a_long_one(world, clock, quick):
    comms(world)
    stranger = browser(world, "198.51.100.7")
    for _ in range(ACCOUNT):
        assert "is not right" in words(sign_in(stranger, "comms1", "guess"))
    assert "Wait 1 minutes" in words(sign_in(stranger, "comms1"))  # though it is right now
    # It holds whichever process is asked, and from whichever address.
    assert "Wait" in words(sign_in(browser(type(world)(world.home), "203.0.113.9"), "comms1"))
    clock(seconds=31)
    assert "is not right" in words(sign_in(stranger, "comms1", "guess"))
    assert "Wait 1 minutes" in words(sign_in(stranger, "comms1", "guess"))
    for _ in range(12):
        clock(minutes=15, seconds=1)
        sign_in(stranger, "comms1", "guess")
    assert "Wait 15 minutes" in words(sign_in(stranger, "comms1"))
    clock(minutes=15, seconds=1)
    assert sign_in(stranger, "comms1").status_code == 303
    assert sign_in(browser(world), "comms1").status_code == 303


def test_a_login_that_does_not_exist_is_paused_too(world, quick):
    client = browser(world)
    for _ in range(ACCOUNT):
        sign_in(client, "who", "guess")
    assert "Wait" in words(sign_in(client, "who", "guess"))


def test_strangers_cannot_keep_out_who_signed_in_here_before(world, quick):
    comms(world)
    world.users.add("comms2", roles=["staff"], password=PASSWORD)
    own = browser(world)
    sign_in(own, "comms1")
    submit(own, "/console/sign-out", own.get("/console/account"))
    stranger = browser(world, "198.51.100.7")
    for _ in range(ACCOUNT + 1):
        sign_in(stranger, "comms1", "guess")
    assert "Wait" in words(sign_in(stranger, "comms1"))
    assert sign_in(own, "comms1").status_code == 303
    # A device that is known for one account is a stranger's for another.
    other = browser(world)
    sign_in(other, "comms2")
    submit(other, "/console/sign-out", other.get("/console/account"))
    assert "Wait" in words(sign_in(other, "comms1"))


def test_a_forged_known_device_is_a_stranger(world, quick):
    comms(world)
    stranger = browser(world)
    for _ in range(ACCOUNT):
        sign_in(stranger, "comms1", "guess")
    stranger.cookies.set(
        "mediaguard-device", "comms1|abc|" + "0" * 64, domain="127.0.0.1", path="/console"
    )
    assert "Wait" in words(sign_in(stranger, "comms1"))


def test_one_address_cannot_try_all_accounts(world, quick):
    comms(world)
    stranger = browser(world, "198.51.100.7")
    for number in range(ADDRESS):
        sign_in(stranger, f"user{number}", "guess")
    assert "Wait" in words(sign_in(stranger, "comms1"))
    assert sign_in(browser(world, "198.51.100.8"), "comms1").status_code == 303


def test_success_takes_nothing_off_the_failures_of_others(world, quick):
    comms(world)
    world.users.add("mine", roles=["staff"], password=PASSWORD)
    stranger = browser(world, "198.51.100.7")
    for number in range(ADDRESS - 1):
        sign_in(stranger, f"user{number}", "guess")
    own = browser(world, "198.51.100.7")
    assert sign_in(own, "mine").status_code == 303
    sign_in(stranger, "user99", "guess")
    assert "Wait" in words(sign_in(stranger, "comms1"))


def test_nothing_in_the_list_of_attempts_says_who(world):
    sign_in(browser(world, "198.51.100.7"), "somebody", "guess")
    with world.database.read() as session:
        keys = [row.key for row in session.query(SignInAttemptRow)]
    assert len(keys) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", key) for key in keys)


@pytest.mark.parametrize("token", ["", "made-up", None])
def test_a_form_from_elsewhere_signs_nobody_in(world, token):
    comms(world)
    client = browser(world)
    client.get("/console/sign-in")
    data = {"login": "comms1", "password": PASSWORD, "token": token or ""}
    if token is None:
        del data["token"]
    answer = client.post("/console/sign-in", data=data)
    assert "try once more" in answer.text
    assert 'value="comms1"' in answer.text
    assert not is_in(client)


def test_a_token_of_another_browser_is_no_good(world):
    comms(world)
    page = browser(world).get("/console/sign-in")
    client = browser(world)
    client.get("/console/sign-in")
    submit(client, "/console/sign-in", page, login="comms1", password=PASSWORD)
    assert not is_in(client)


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}]
)
def test_another_site_cannot_sign_anybody_in(world, headers):
    comms(world)
    client = browser(world)
    data = {"token": token_in(client.get("/console/sign-in")), "login": "comms1"}
    answer = client.post("/console/sign-in", data={**data, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 403
    assert not is_in(client)


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/console/",
        "/\\evil.example",
        "/console/\\evil.example",
        "/consoleevil",
        "/console/../v1/media",
        "/console//evil.example",
        "javascript:alert(1)",
        "/console/\n/evil",
        "/v1/media",
        "/console/sign-in",
        "",
    ],
)
def test_afterwards_one_is_led_to_the_console_only(world, path):
    assert local(path) == "/console/"


def test_afterwards_one_is_where_one_wanted_to_be(world):
    comms(world)
    assert local("/console/people?group=4%2FB") == "/console/people?group=4%2FB"
    client = browser(world)
    done = sign_in(client, "comms1", next_path="https://evil.example/")
    assert done.headers["location"] == "/console/"
    again = client.get("/console/sign-in?next=//evil.example", follow_redirects=False)
    assert again.headers["location"] == "/console/"


def test_what_was_typed_is_shown_as_text(world):
    page = sign_in(browser(world), '"><script>alert(1)</script>', "x")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


# -- the second factor ----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["officer", "administrator"])
def test_officers_and_administrators_set_up_a_second_factor_first(world, role):
    world.users.add("chief", roles=[role], password=PASSWORD)
    client = browser(world)
    done = sign_in(client, "chief", next_path="/console/audit")
    assert done.headers["location"] == "/console/sign-in/set-up?next=%2Fconsole%2Faudit"
    assert not is_in(client)
    assert client.get("/console/audit", follow_redirects=False).status_code == 303
    json = client.get("/console/audit", headers={"accept": "application/json"})
    assert json.status_code == 401
    picture = client.get("/console/sign-in/set-up/picture.svg")
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in picture.headers["content-security-policy"]
    page = client.get("/console/sign-in/set-up")
    wrong = submit(client, "/console/sign-in/set-up", page, code="000000")
    assert wrong.status_code == 422
    assert not is_in(client)
    secret, page = set_up(client, world)
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", page.text)
    assert len(set(codes)) == 10
    assert is_in(client)
    assert actions(world, "user-second-factor-set-up", "signed-in") == [
        "user-second-factor-set-up",
        "signed-in",
    ]
    world.database.scrub()
    written = (world.home / "mediaguard.db").read_bytes()
    assert secret.encode() not in written
    assert codes[0].encode() not in written


def with_second_factor(world, login="chief", role="officer") -> tuple[str, list[str]]:
    """A user with a second factor, whose code of now is used."""
    world.users.add(login, roles=[role], password=PASSWORD)
    client = browser(world)
    sign_in(client, login)
    secret, page = set_up(client, world)
    return secret, re.findall(r"<code>([a-z2-7-]{19})</code>", page.text)


def test_a_code_works_once(world, clock):
    secret, _ = with_second_factor(world)
    first, second = browser(world), browser(world)
    for client in (first, second):
        done = sign_in(client, "chief")
        assert done.headers["location"] == "/console/sign-in/code"
    used = code_of(secret, world)
    assert give_code(first, used).status_code == 422  # it was used to set it up
    clock(seconds=30)
    code = code_of(secret, world)
    assert give_code(first, f" {code[:3]} {code[3:]} ").status_code == 303
    assert is_in(first)
    assert give_code(second, code).status_code == 422
    assert give_code(second, used).status_code == 422
    assert not is_in(second)
    clock(seconds=30)
    assert give_code(second, code_of(secret, world)).status_code == 303


def test_clocks_may_differ_a_little(world, clock):
    secret, _ = with_second_factor(world)
    clock(minutes=10)
    client = browser(world)
    sign_in(client, "chief")
    assert give_code(client, code_of(secret, world, -2)).status_code == 422
    assert give_code(client, code_of(secret, world, 2)).status_code == 422
    assert give_code(client, code_of(secret, world, -1)).status_code == 303


def test_a_recovery_code_works_once(world):
    _, codes = with_second_factor(world)
    client = browser(world)
    sign_in(client, "chief")
    assert give_code(client, codes[0].upper().replace("-", " ")).status_code == 303
    assert is_in(client)
    assert world.users.user("chief").codes_left == 9
    again = browser(world)
    sign_in(again, "chief")
    assert give_code(again, codes[0]).status_code == 422
    assert entries(world)[-1].data == {"by": "code", "user": "chief"}


def test_codes_cannot_be_tried_without_end(world, quick):
    with_second_factor(world)
    stranger = browser(world, "198.51.100.7")
    sign_in(stranger, "chief")
    for number in range(ACCOUNT):
        assert "not right" in words(give_code(stranger, f"{number:06}"))
    assert "Wait" in words(give_code(stranger, "000009"))
    sign_in(stranger, "chief")  # a new start is no way around it
    assert "Wait" in words(give_code(stranger, "000009"))


def test_the_password_alone_makes_no_device_known(world, quick):
    """Or whoever has it could keep the owner out of the second step."""
    _, codes = with_second_factor(world)
    own = browser(world)
    sign_in(own, "chief")
    assert give_code(own, codes[0]).status_code == 303
    submit(own, "/console/sign-out", own.get("/console/account"))
    thief = browser(world, "198.51.100.7")
    sign_in(thief, "chief")
    assert "mediaguard-device" not in thief.cookies
    for number in range(ACCOUNT + 1):
        give_code(thief, f"{number:06}")
    sign_in(own, "chief")
    assert give_code(own, codes[1]).status_code == 303


def test_each_known_device_has_tries_of_its_own(world, quick):
    comms(world)
    one, other = browser(world), browser(world)
    for client in (one, other):
        sign_in(client, "comms1")
        submit(client, "/console/sign-out", client.get("/console/account"))
    for _ in range(ACCOUNT + 1):
        sign_in(one, "comms1", "guess")
    assert "Wait" in words(sign_in(one, "comms1"))
    assert sign_in(other, "comms1").status_code == 303


def test_a_session_that_is_not_complete_does_nothing(world):
    with_second_factor(world)
    client = browser(world)
    sign_in(client, "chief")
    token = token_in(client.get("/console/sign-in/code"))
    answer = client.post("/console/audit/verify", data={"token": token}, follow_redirects=False)
    assert answer.headers["location"].startswith("/console/sign-in")
    for step in ("password", "set-up", "set-up/picture.svg"):
        answer = client.get(f"/console/sign-in/{step}", follow_redirects=False)
        assert answer.headers["location"] == "/console/sign-in/code"
    answer = client.post(
        "/console/sign-in/set-up", data={"token": token, "code": "1"}, follow_redirects=False
    )
    assert answer.headers["location"] == "/console/sign-in/code"
    assert client.post("/console/sign-in/code", data={"code": "1"}).status_code == 403


def test_who_does_not_finish_begins_anew(world, clock):
    with_second_factor(world)
    client = browser(world)
    sign_in(client, "chief")
    clock(minutes=16)
    answer = client.get("/console/sign-in/code", follow_redirects=False)
    assert answer.headers["location"] == "/console/sign-in"
    sign_in(client, "chief")
    page = client.get("/console/sign-in/code")
    submit(client, "/console/sign-in/again", page)
    assert "autofocus" in client.get("/console/sign-in").text


# -- links ----------------------------------------------------------------------------------


def test_a_link_is_for_the_first_time(world):
    world.users.add("comms1", roles=["staff"])
    link = f"/console/link/{world.users.make_link('comms1')}"
    client = browser(world)
    for _ in range(3):  # a preview does not use it up
        page = client.get(link)
        assert page.status_code == 200
    assert client.post(link, data={"token": "no"}).status_code == 422
    done = submit(client, link, page)
    assert done.headers["location"] == "/console/sign-in/password"
    assert not is_in(client)
    page = client.get("/console/sign-in/password")
    assert 'autocomplete="new-password"' in page.text
    for password, again in (
        ("short", "short"),
        (PASSWORD, "other"),
        ("comms1comms1", "comms1" * 2),
    ):
        fields = {"password": password, "again": again}
        assert submit(client, "/console/sign-in/password", page, **fields).status_code == 422
    fields = {"password": PASSWORD, "again": PASSWORD}
    assert submit(client, "/console/sign-in/password", page, **fields).status_code == 303
    assert is_in(client)
    assert sign_in(browser(world), "comms1").status_code == 303
    assert "does not work any more" in words(submit(client, link, client.get("/console/account")))


def test_a_link_twice(world):
    comms(world)
    link = f"/console/link/{world.users.make_link('comms1')}"
    first, second = browser(world), browser(world)
    pages = [client.get(link) for client in (first, second)]
    assert submit(first, link, pages[0]).status_code == 303
    assert submit(second, link, pages[1]).status_code == 422


def test_a_link_works_for_a_quarter_of_an_hour_and_only_the_newest(world, clock):
    comms(world)
    old = world.users.make_link("comms1")
    link = world.users.make_link("comms1")
    client = browser(world)
    for path in (old, "made-up", "%00"):
        page = client.get(f"/console/link/{path}")
        assert submit(client, f"/console/link/{path}", page).status_code == 422
    clock(minutes=15, seconds=1)
    page = client.get(f"/console/link/{link}")
    assert submit(client, f"/console/link/{link}", page).status_code == 422
    with world.database.read() as session:
        assert session.query(SignInLinkRow).one().token_digest != link


def test_a_link_does_not_replace_the_second_factor(world, clock):
    secret, _ = with_second_factor(world)
    link = f"/console/link/{world.users.make_link('chief')}"
    client = browser(world)
    done = submit(client, link, client.get(link))
    assert done.headers["location"] == "/console/sign-in/code"
    clock(seconds=60)
    assert give_code(client, code_of(secret, world)).headers["location"] == (
        "/console/sign-in/password"
    )
    assert not is_in(client)


def test_a_disabled_user_has_no_use_for_a_link(world):
    comms(world)
    link = f"/console/link/{world.users.make_link('comms1')}"
    world.users.disable("comms1")
    client = browser(world)
    assert submit(client, link, client.get(link)).status_code == 422
    with pytest.raises(InputError, match="user-is-disabled"):
        world.users.make_link("comms1")


def test_a_demonstration_asks_for_nothing(world):
    world.users.add("demo", roles=["officer", "administrator"])
    client = browser(world)
    link = one_time_link(world, "demo")
    done = submit(client, link, client.get(link))
    assert done.headers["location"] == "/console/"
    assert is_in(client)


# -- where it is ----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1", "a b"])
def test_the_console_is_under_no_other_name(world, host):
    answer = browser(world).get("/console/sign-in", headers={"host": host})
    assert answer.status_code == 400
    assert "<form" not in answer.text


@pytest.mark.parametrize("host", ["localhost:8321", "127.0.0.1", "[::1]:8321", "LOCALHOST"])
def test_the_console_is_under_its_own(world, host):
    assert browser(world).get("/console/sign-in", headers={"host": host}).status_code == 200


def test_other_systems_are_not_asked_for_a_name(world):
    assert browser(world).get("/health", headers={"host": "evil.example"}).status_code == 200


def test_a_stored_password_is_renewed_with_more_effort(world, quick):
    comms(world)
    with world.database.write() as session:
        weak = session.get_one(UserRow, "comms1").password_hash
    passwords._hasher = passwords.PasswordHasher(time_cost=2, memory_cost=8, parallelism=1)
    assert sign_in(browser(world), "comms1").status_code == 303
    with world.database.read() as session:
        assert session.get_one(UserRow, "comms1").password_hash != weak
    assert sign_in(browser(world), "comms1").status_code == 303


def test_in_dutch_for_who_reads_dutch(world):
    page = browser(world).get("/console/sign-in", headers={"accept-language": "nl-NL,en;q=0.5"})
    assert "Wachtwoord" in page.text
    assert 'lang="nl"' in page.text


def test_tokens_are_not_stored(world):
    comms(world)
    client = browser(world)
    sign_in(client, "comms1")
    with world.database.read() as session:
        stored = session.query(UserSessionRow).one().token_digest
    assert client.cookies["mediaguard"] != stored
    client.cookies.set("mediaguard", stored, domain="127.0.0.1", path="/console")
    assert not is_in(client)
