"""Who may do what: every route of the console, for every role, and for nobody.

A route that is not in `MAY` fails: whoever adds one says here for whom it is.
"""

import pytest
from fastapi.openapi.utils import get_openapi

from mediaguard.core.access import Role
from mediaguard.store.audit import Audit
from mediaguard.web.console.site import make_site
from tests.console.school import Visiting, browser
from tests.web.school import make_school

STAFF, OFFICER, ADMINISTRATOR = Role.STAFF, Role.OFFICER, Role.ADMINISTRATOR
EVERYBODY, WORK = {*Role}, {STAFF, OFFICER}
WAY_IN = "not signed in yet"

MAY: dict[str, object] = {
    "GET /sign-in": WAY_IN,
    "POST /sign-in": WAY_IN,
    "POST /sign-in/again": WAY_IN,
    "GET /link/{link}": WAY_IN,
    "POST /link/{link}": WAY_IN,
    "GET /sign-in/code": WAY_IN,
    "POST /sign-in/code": WAY_IN,
    "GET /sign-in/password": WAY_IN,
    "POST /sign-in/password": WAY_IN,
    "GET /sign-in/set-up": WAY_IN,
    "POST /sign-in/set-up": WAY_IN,
    "GET /sign-in/set-up/picture.svg": WAY_IN,
    "GET /sign-in/school": WAY_IN,
    "GET /sign-in/school/back": WAY_IN,
    "GET /": EVERYBODY,
    "GET /account": EVERYBODY,
    "POST /account/language": EVERYBODY,
    "POST /account/password": EVERYBODY,
    "POST /account/second-factor": EVERYBODY,
    "GET /account/second-factor/picture.svg": EVERYBODY,
    "POST /account/second-factor/confirm": EVERYBODY,
    "POST /account/second-factor/forget": EVERYBODY,
    "POST /account/recovery-codes": EVERYBODY,
    "POST /account/sign-out": EVERYBODY,
    "GET /inbox": WORK,
    "POST /inbox/files": WORK,
    "GET /inbox/state": WORK,
    "POST /inbox/{item}/remove": WORK,
    "GET /review": WORK,
    "GET /review/{item}": WORK,
    "GET /review/{item}/state": WORK,
    "GET /review/{item}/picture": WORK,
    "GET /review/{item}/faces/{number}": WORK,
    "POST /review/{item}/faces/{number}": WORK,
    "POST /review/{item}/place": WORK,
    "POST /review/{item}/undo": WORK,
    "POST /review/{item}/approve": WORK,
    "POST /review/{item}/reject": WORK,
    "GET /people": WORK,
    "GET /people/-find": WORK,
    "POST /people/-find": WORK,
    "GET /people/-groups": WORK,
    "GET /people/-add": {OFFICER},
    "POST /people/-add": {OFFICER},
    "GET /people/-import": {OFFICER},
    "POST /people/-import": {OFFICER},
    "GET /people/-import/done": {OFFICER},
    "POST /people/-import/apply": {OFFICER},
    "POST /people/-import/discard": {OFFICER},
    "GET /people/{subject_id}": WORK,
    "GET /people/{subject_id}/edit": {OFFICER},
    "POST /people/{subject_id}/edit": {OFFICER},
    "GET /people/{subject_id}/answers": WORK,
    "POST /people/{subject_id}/answers": WORK,
    "GET /people/{subject_id}/withdraw": WORK,
    "POST /people/{subject_id}/withdraw": WORK,
    "GET /people/{subject_id}/withdrawn": WORK,
    "GET /people/{subject_id}/references": {OFFICER},
    "POST /people/{subject_id}/references": {OFFICER},
    "POST /people/{subject_id}/references/{number}/remove": {OFFICER},
    "POST /people/{subject_id}/references/forget": {OFFICER},
    "GET /people/{subject_id}/links": {OFFICER},
    "POST /people/{subject_id}/links": {OFFICER},
    "POST /people/{subject_id}/links/{link_id}/revoke": {OFFICER},
    "GET /wordings/{version}": WORK,
    "GET /published": WORK,
    "POST /published/find": WORK,
    "GET /published/{publication_id}": WORK,
    "GET /published/{publication_id}/picture": WORK,
    "POST /published/{publication_id}/take-down": WORK,
    "GET /takedowns": WORK,
    "POST /takedowns/find": WORK,
    "GET /takedowns/certificate": {OFFICER},
    "GET /takedowns/{takedown_id}": WORK,
    "POST /takedowns/{takedown_id}/now": {OFFICER},
    "GET /channels": {OFFICER, ADMINISTRATOR},
    "GET /audit": {OFFICER, ADMINISTRATOR},
    "POST /audit/verify": {OFFICER, ADMINISTRATOR},
    "POST /audit/export": {OFFICER, ADMINISTRATOR},
    "GET /users": {ADMINISTRATOR},
    "POST /users": {ADMINISTRATOR},
    "GET /users/{user_id}": {ADMINISTRATOR},
    "POST /users/{user_id}": {ADMINISTRATOR},
    "GET /users/{user_id}/link": {ADMINISTRATOR},
    "POST /users/{user_id}/link": {ADMINISTRATOR},
    "POST /users/{user_id}/{act}": {ADMINISTRATOR},
    "POST /sign-out": EVERYBODY,
}

THERE = {"subject_id": "S-1", "user_id": "u-1", "act": "enable", "version": "2026-1"}


@pytest.fixture(scope="module")
def routes(tmp_path_factory) -> list[str]:
    """As the application has them."""
    site = make_site(make_school(tmp_path_factory.mktemp("routes")))
    paths = get_openapi(title="-", version="-", routes=site.routes)["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods]


def test_of_every_route_it_is_said_who_may(routes):
    assert sorted(routes) == sorted(MAY)


def inside(route: str) -> tuple[str, str]:
    """Method and path, with something in the place of each parameter."""
    method, path = route.split(" ")
    names = [part.split("}")[0] for part in path.split("{")[1:]]
    return method, "/console" + path.format(**{name: THERE.get(name, "1") for name in names})


def pages(*methods: str) -> list[str]:
    chosen = [r for r, who in MAY.items() if who is not WAY_IN and r.split(" ")[0] in methods]
    return sorted(chosen, key=lambda route: route == "POST /sign-out")  # which ends the session


def asks_to_sign_in(answer) -> bool:
    return answer.headers.get("location", "").startswith("/console/sign-in?")


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_what_it_is_for(world, role):
    visiting = Visiting(world, frozenset({role}))
    wrong = {}
    for route in pages("GET", "POST"):
        method, path = inside(route)
        answer = visiting.client.request(
            method,
            path,
            data={"token": visiting.token} if method == "POST" else None,
            headers={"x-csrf-token": visiting.token},
            follow_redirects=False,
        )
        expected = role in MAY[route]
        if expected is not (answer.status_code != 403) or asks_to_sign_in(answer):
            wrong[route] = answer.status_code
        assert answer.status_code < 500
    assert wrong == {}


def test_nobody_may_anything(world):
    client = browser(world)
    for route in pages("GET", "POST"):
        method, path = inside(route)
        answer = client.request(method, path, follow_redirects=False)
        assert (answer.status_code, asks_to_sign_in(answer)) == (303, True), route
        answer = client.request(
            method, path, headers={"accept": "application/json"}, follow_redirects=False
        )
        assert answer.status_code == 401, route


FORGED = {
    "no token": ({}, {}),
    "guessed": ({"token": "x" * 64}, {}),
    "guessed in the header": ({}, {"x-csrf-token": "é".encode()}),
    "from another site": ({"token": "right"}, {"sec-fetch-site": "cross-site"}),
    "from a neighbour": ({"token": "right"}, {"sec-fetch-site": "same-site"}),
    "from another origin": ({"token": "right"}, {"origin": "http://evil.example"}),
}


@pytest.mark.parametrize("how", FORGED)
def test_no_form_of_another_site_does_anything(world, how):
    fields, headers = FORGED[how]
    visiting = Visiting(world, frozenset(Role))
    right = {"right": visiting.token}
    data = {name: right.get(value, value) for name, value in fields.items()}
    if data.get("token") == visiting.token:
        headers = {**headers, "x-csrf-token": visiting.token}
    with world.database.read() as session:
        before = len(Audit(session, world.keyring).entries())
    for route in pages("POST"):
        path = inside(route)[1]
        answer = visiting.client.post(path, data=data, headers=headers, follow_redirects=False)
        assert answer.status_code == 403, route
    with world.database.read() as session:
        assert len(Audit(session, world.keyring).entries()) == before
    assert visiting.get("/console/account", follow_redirects=False).status_code == 200


def test_a_token_of_another_session_is_no_good(world):
    one, other = (Visiting(world, frozenset(Role), user_id=name) for name in ("one", "other"))
    answer = one.client.post("/console/account/language", data={"token": other.token})
    assert answer.status_code == 403


def test_every_page_has_its_protection(world):
    visiting = Visiting(world, frozenset(Role))
    paths = [inside(route)[1] for route in MAY if route.startswith("GET") and "svg" not in route]
    for client in (visiting.client, browser(world)):
        for path in (*paths, "/console/nothing-here"):
            answer = client.get(path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            assert "frame-ancestors 'none'" in policy, path
            for name, value in {
                "x-content-type-options": "nosniff",
                "x-frame-options": "DENY",
                "referrer-policy": "no-referrer",
                "cache-control": "no-store",
                "cross-origin-resource-policy": "same-origin",
            }.items():
                assert value in answer.headers[name], path


def test_no_page_asks_anything_of_anybody_else(world):
    visiting = Visiting(world, frozenset(Role))
    for path in [inside(route)[1] for route in pages("GET")]:
        text = visiting.get(path).text
        for name in ("src=", "href=", "action=", "srcset="):
            for part in text.split(name)[1:]:
                assert not part.lstrip("\"'").startswith(("http", "//", "data:", "javascript:"))
        assert " on" + "click=" not in text
        assert "<style" not in text
        assert " style=" not in text, path
