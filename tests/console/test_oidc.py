"""Signing in with the school's own accounts, at a provider that runs here."""

import base64
import json
import re
import time

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from mediaguard.config import Oidc
from mediaguard.errors import ConfigError
from mediaguard.store.audit import Audit
from mediaguard.store.tables import UserRow
from mediaguard.store.users import school_account
from mediaguard.web.api import make_api
from tests.console import provider as oidc
from tests.console.school import browser, words
from tests.console.signing_in import is_in

SUB = "248289761001"


@pytest.fixture
def provider():
    with oidc.running() as one:
        yield one


@pytest.fixture
def school(world, provider):
    """A home that knows the provider."""
    return with_oidc(world, provider)


def with_oidc(world, provider, more: str = ""):
    secret = world.home / "keys" / "oidc"
    secret.write_text(oidc.SECRET)
    secret.chmod(0o600)
    config = world.home / "mediaguard.toml"
    config.write_text(
        config.read_text()
        + f'\n[web.oidc]\nname = "School account"\nissuer = "{provider.issuer}"\n'
        + f'client_id = "{oidc.CLIENT}"\nclient_secret = "file:keys/oidc"\n{more}\n'
    )
    return type(world)(world.home)


def add(world, login: str, value: str = SUB, roles=("staff",), claim: str = "sub") -> None:
    world.users.add(login, roles=roles)
    settings = world.config.web.oidc
    digest = school_account(world.keyring, settings.issuer, claim, value)
    world.users.set_school_account(login, digest)


def begin(client, next_path: str = "/console/") -> str:
    answer = client.get(
        "/console/sign-in/school", params={"next": next_path}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def sign_in(client, provider, next_path: str = "/console/"):
    back = provider.agree(begin(client, next_path))
    assert back.startswith("http://127.0.0.1/console/sign-in/school/back?")
    return client.get(back, follow_redirects=False)


def test_a_user_signs_in_with_the_school_account(school, provider):
    add(school, "comms1")
    client = browser(school)
    assert "Sign in with School account" in words(client.get("/console/sign-in"))
    done = sign_in(client, provider, "/console/people?group=4B")
    assert done.headers["location"] == "/console/people?group=4B"
    assert is_in(client)
    with school.database.read() as session:
        entry = Audit(session, school.keyring).entries()[-1]
        assert SUB not in session.get_one(UserRow, "comms1").school_account
    assert (entry.action, entry.data["by"]) == ("signed-in", "school-account")


def test_who_is_not_known_here_stays_out(school, provider):
    add(school, "comms1", "somebody-else")
    add(school, "gone")
    school.users.disable("gone")
    for value in (SUB, "no one", "comms1"):
        provider.claims = {"sub": value}
        client = browser(school)
        answer = sign_in(client, provider)
        assert answer.status_code == 422
        assert "not known here" in words(answer)
        assert not is_in(client)
    with school.database.read() as session:
        entry = Audit(session, school.keyring).entries()[-1]
    assert (entry.action, entry.data) == ("sign-in-failed", {"by": "school-account", "user": None})


def test_the_second_factor_is_asked_for_unless_the_provider_did(school, provider):
    add(school, "chief", roles=["officer"])
    client = browser(school)
    assert sign_in(client, provider).headers["location"] == "/console/sign-in/set-up"
    assert not is_in(client)
    provider.claims = {"sub": SUB, "amr": ["pwd", "mfa"]}
    client = browser(school)
    assert sign_in(client, provider).headers["location"] == "/console/"
    assert is_in(client)
    provider.claims = {"sub": SUB, "amr": "mfa"}  # not as the specification has it
    client = browser(school)
    sign_in(client, provider)
    assert not is_in(client)


def signed_by(key, header: dict[str, str]):
    return lambda claims: jwt.encode(header, claims, key, algorithms=[header["alg"]])


def unsigned(claims) -> str:
    parts = ({"alg": "none"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return b".".join(encoded).decode() + "."


def changed_afterwards(provider):
    def sign(claims) -> str:
        head, _, mark = provider._sign({**claims, "sub": "me"}).split(".")
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return f"{head}.{body}.{mark}"

    return sign


SPOILT = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "for somebody else": {"aud": "another-client"},
    "for several, and not by us": {"aud": [oidc.CLIENT, "other"]},
    "authorised by another": {"azp": "another-client"},
    "no audience": {"aud": None},
    "of another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": int(time.time()) - 120},
    "without end": {"exp": None},
    "of tomorrow": {"iat": int(time.time()) + 86400},
    "not valid yet": {"nbf": int(time.time()) + 86400},
    "of nobody": {"sub": None},
    "an end that is no number": {"exp": "tomorrow"},
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_token_that_is_not_right_lets_nobody_in(school, provider, how):
    add(school, "comms1")
    provider.spoil = lambda claims: {
        name: value for name, value in {**claims, **SPOILT[how]}.items() if value is not None
    }
    client = browser(school)
    answer = sign_in(client, provider)
    assert answer.status_code == 422
    assert not is_in(client)


@pytest.mark.parametrize("how", ["none", "secret", "public key", "another key", "changed", "noise"])
def test_a_token_that_others_could_have_made_lets_nobody_in(school, provider, how):
    add(school, "comms1")
    public = provider.key.as_pem(private=False)
    other = RSAKey.generate_key(2048, {"kid": "one"})
    provider.sign = {
        "none": unsigned,
        "secret": signed_by(OctKey.import_key(oidc.SECRET * 2), {"alg": "HS256"}),
        "public key": signed_by(OctKey.import_key(base64.b64encode(public)), {"alg": "HS256"}),
        "another key": signed_by(other, {"alg": "RS256", "kid": "one"}),
        "changed": changed_afterwards(provider),
        "noise": lambda _: "a.b.c",
    }[how]
    client = browser(school)
    assert sign_in(client, provider).status_code == 422
    assert not is_in(client)


def test_several_audiences_are_fine_if_it_is_for_us(school, provider):
    add(school, "comms1")
    provider.claims |= {"aud": [oidc.CLIENT, "other"], "azp": oidc.CLIENT}
    client = browser(school)
    sign_in(client, provider)
    assert is_in(client)


def test_the_provider_may_change_its_keys(school, provider, monkeypatch):
    add(school, "comms1")
    api = make_api(school)
    client = browser(school, api=api)
    sign_in(client, provider)
    assert is_in(client)
    provider.new_key("two")
    client = browser(school, api=api)
    assert sign_in(client, provider).status_code == 422  # not asked for again at once
    monkeypatch.setattr("mediaguard.web.oidc._KEYS_AGAIN", 0)
    client = browser(school, api=api)
    sign_in(client, provider)
    assert is_in(client)
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_only_the_browser_that_began_comes_back(school, provider):
    add(school, "comms1")
    attacker, victim = browser(school), browser(school)
    back = provider.agree(begin(attacker))
    for client in (victim, browser(school)):
        answer = client.get(back, follow_redirects=False)
        assert "try once more" in words(answer)
        assert not is_in(client)
    begin(victim)  # with a state of its own
    assert victim.get(back, follow_redirects=False).status_code == 422
    assert not is_in(victim)


def test_one_comes_back_once(school, provider):
    add(school, "comms1")
    client = browser(school)
    back = provider.agree(begin(client))
    assert client.get(back, follow_redirects=False).status_code == 303
    assert client.get(back, follow_redirects=False).status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        lambda back: back.replace("code=", "error=access_denied&x="),
        lambda back: re.sub("code=[^&]*", "code=made-up", back),
        lambda back: re.sub("state=[^&]*", "state=made-up", back),
        lambda back: re.sub("state=[^&]*", "state=%C3%A9", back),
        lambda back: re.sub("iss=[^&]*", "iss=https%3A%2F%2Fevil.example", back),
        lambda back: back.split("?")[0],
    ],
)
def test_what_comes_back_is_checked(school, provider, change):
    add(school, "comms1")
    client = browser(school)
    answer = client.get(change(provider.agree(begin(client))), follow_redirects=False)
    assert answer.status_code == 422
    assert not is_in(client)


def test_afterwards_one_is_led_to_the_console_only(school, provider):
    add(school, "comms1")
    client = browser(school)
    done = sign_in(client, provider, "https://evil.example/")
    assert done.headers["location"] == "/console/"


def test_a_provider_that_does_not_answer_is_told_in_words(school, provider):
    provider.broken = True
    client = browser(school)
    answer = client.get("/console/sign-in/school")
    assert "cannot be reached" in words(answer)
    asked = len(provider.asked)
    client.get("/console/sign-in/school")
    assert len(provider.asked) == asked  # nobody waits for it again at once


@pytest.mark.parametrize(
    "said", [{"issuer": "https://evil.example"}, {"token_endpoint": None}, {"jwks_uri": None}]
)
def test_a_description_of_something_else_is_not_believed(school, provider, said):
    changed = {**provider.description, **said}
    provider.description = {name: value for name, value in changed.items() if value}
    assert "cannot be reached" in words(browser(school).get("/console/sign-in/school"))


def test_the_secret_may_go_in_the_form(school, provider):
    add(school, "comms1")
    provider.description["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    client = browser(school)
    sign_in(client, provider)
    assert is_in(client)


def test_a_wrong_secret(school, provider):
    add(school, "comms1")
    (school.home / "keys" / "oidc").write_text("another")
    assert sign_in(browser(school), provider).status_code == 422


@pytest.mark.parametrize(("verified", "known"), [(True, True), (False, False), (None, False)])
def test_an_address_counts_only_if_it_was_verified(world, provider, verified, known):
    school = with_oidc(world, provider, 'claim = "email"\nscopes = ["openid", "email"]')
    add(school, "comms1", "comms@school.example", claim="email")
    provider.claims |= {"email": "comms@school.example", "email_verified": verified}
    client = browser(school)
    answer = sign_in(client, provider)
    assert is_in(client) is known
    if not known:
        assert "does not say who you are" in words(answer)
    for file in school.home.glob("mediaguard.db*"):
        assert b"comms@school.example" not in file.read_bytes()


def test_one_school_account_is_for_one_user(school):
    add(school, "comms1")
    with pytest.raises(Exception, match="user-school-account-taken"):
        add(school, "comms2")


def test_without_school_accounts_there_is_no_way(world):
    client = browser(world)
    assert "Sign in with" not in words(client.get("/console/sign-in"))
    assert client.get("/console/sign-in/school").status_code == 404
    assert client.get("/console/sign-in/school/back?code=1&state=1").status_code == 404


def test_only_over_tls():
    with pytest.raises(ValueError, match="only over https"):
        Oidc(issuer="http://login.school.example", client_id="x", client_secret="env:X")


def test_a_secret_that_cannot_be_read_is_told_at_the_start(school):
    (school.home / "keys" / "oidc").unlink()
    with pytest.raises(ConfigError, match="secret-missing"):
        make_api(school)
