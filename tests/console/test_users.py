"""The administrator keeps the users."""

import re

import pytest

from mediaguard.core.access import Role
from mediaguard.core.consent import Kind
from mediaguard.errors import InputError
from mediaguard.store.audit import Audit
from tests.console.school import Visiting, browser, words
from tests.console.signing_in import is_in, submit

USERS = "/console/users"


def last(world):
    with world.database.read() as session:
        return Audit(session, world.keyring).entries()[-1]


@pytest.fixture
def comms(world):
    return world.users.add("comms1", roles=["staff"], groups=["4B"])


def test_adding_one_gives_a_link_to_hand_over(world, administrator):
    answer = administrator.post(
        USERS, login="Comms1", role="staff", whole="no", groups="4B, 5A", language="nl"
    )
    page = administrator.get(answer.headers["location"])
    assert page.status_code == 200
    again = administrator.get(answer.headers["location"])  # makes no other link, and shows none
    assert "shown only once" in words(again)
    assert "/console/link/" not in again.text
    user = world.users.user("comms1")
    assert (user.roles, user.groups, user.language) == ({Role.STAFF}, {"4B", "5A"}, "nl")
    link = re.search(r'value="http://127.0.0.1:8321(/console/link/[^"]+)"', page.text)[1]
    client = browser(world)
    assert submit(client, link, client.get(link)).status_code == 303
    with world.database.read() as session:
        made = [e for e in Audit(session, world.keyring).entries() if e.action == "user-added"]
    assert made[0].actor == f"user:{administrator.user_id}"
    assert "comms1" in administrator.get(USERS).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"login": "Jan Jansen"}, "cannot be a login"),
        ({"login": "<script>alert(1)</script>"}, "cannot be a login"),
        ({"login": "x" * 33}, "cannot be a login"),
        ({"login": "-"}, "cannot be a login"),
        ({"login": "comms1"}, "There is, or was"),
        ({"role": []}, "at least one"),
        ({"role": "emperor"}, "at least one"),
        ({"whole": "no", "groups": " , "}, "at least one group"),
        ({"whole": "no", "groups": "a\x07b"}, "cannot be a group"),
        ({"language": "fy"}, "these languages"),
    ],
)
def test_what_is_not_right_is_said_and_what_was_typed_stays(
    world, administrator, comms, fields, said
):
    right = {"login": "new-one", "role": "staff", "whole": "yes", "groups": "", "language": "en"}
    page = administrator.post(USERS, **{**right, **fields})
    assert page.status_code == 422
    assert said in words(page)
    assert "<script>alert" not in page.text
    assert len(world.users.all()) == 2


def test_changing_roles_and_groups(world, administrator, comms):
    visiting = Visiting(world, comms.roles, comms.groups, user_id="comms1")
    assert visiting.user_id == "comms1"
    assert is_in(visiting.client)
    done = administrator.post(
        f"{USERS}/comms1", role=["staff", "officer"], whole="yes", language="en"
    )
    assert done.status_code == 303
    assert "Saved." in administrator.get(done.headers["location"]).text
    user = world.users.user("comms1")
    assert user.roles == {Role.STAFF, Role.OFFICER}
    assert user.groups == set()
    assert not is_in(visiting.client)
    assert (last(world).action, last(world).data["roles"]) == ("user-changed", ["staff", "officer"])
    page = administrator.post(f"{USERS}/comms1", role="staff", whole="no", groups="", language="en")
    assert page.status_code == 422  # an empty field never means the whole school


def test_a_group_that_nobody_is_in_is_pointed_out(world, administrator, comms):
    world.desk.correct_subject("S-1", kind=Kind.STUDENT, groups={"4B"}, born=None)
    fields = {"role": "staff", "whole": "no", "language": "en"}
    assert "Nobody is in" not in words(administrator.get(f"{USERS}/comms1"))
    page = administrator.do(f"{USERS}/comms1", groups="4B, 4b", **fields)
    assert "Nobody is in: 4b." in words(page)
    page = administrator.do(USERS, login="comms2", groups="6Z", **fields)
    assert "Nobody is in: 6Z." in words(page)


def test_disabling_enabling_and_removing(world, administrator, comms):
    assert administrator.post(f"{USERS}/comms1/disable").status_code == 303
    assert "disabled" in words(administrator.get(USERS))
    assert administrator.post(f"{USERS}/comms1/link").status_code == 422
    assert administrator.post(f"{USERS}/comms1/enable").status_code == 303
    assert "Sign-in link" in administrator.do(f"{USERS}/comms1/link").text
    assert administrator.post(f"{USERS}/comms1/remove").status_code == 303
    assert administrator.get(f"{USERS}/comms1").status_code == 404
    assert last(world).action == "user-removed"
    with pytest.raises(InputError, match="user-taken"):
        world.users.add("comms1", roles=["staff"])


def test_resetting_the_second_factor(world, administrator):
    officer = Visiting(world, frozenset({Role.OFFICER}), user_id="chief")
    assert administrator.post(f"{USERS}/chief/second-factor").status_code == 303
    assert not is_in(officer.client)
    assert last(world).action == "user-second-factor-reset"


@pytest.mark.parametrize("act", ["/disable", "/remove", ""])
def test_nobody_keeps_themselves_out(world, administrator, act):
    Visiting(world, frozenset({Role.ADMINISTRATOR}), user_id="other")
    me = f"{USERS}/{administrator.user_id}"
    page = administrator.post(me + act, role="staff", whole="yes", language="en")
    assert page.status_code == 422
    assert "your own account" in words(page)
    assert is_in(administrator.client)


@pytest.mark.parametrize(
    "act",
    [
        lambda desk: desk.disable("u-1"),
        lambda desk: desk.remove("u-1"),
        lambda desk: desk.change("u-1", roles=["officer"]),
    ],
)
def test_an_administrator_stays(world, administrator, act):
    disabled = world.users.add("other", roles=["administrator"])
    world.users.disable(disabled.user_id)
    with pytest.raises(InputError, match="user-last-administrator"):
        act(world.users)
    world.users.enable("other")
    act(world.users)


@pytest.mark.parametrize(
    "path", ["nobody", "nobody/disable", "%3Cscript%3E", "comms1/explode", "..%2Fx/remove"]
)
def test_what_is_not_there_is_not_found(administrator, comms, path):
    answer = administrator.post(f"{USERS}/{path}", role="staff", whole="yes", language="en")
    assert answer.status_code == 404


def test_an_administrator_sees_no_faces(world, administrator):
    for path in ("inbox", "review", "people", "published", "takedowns"):
        assert administrator.get(f"/console/{path}").status_code == 403


def test_in_dutch(world):
    page = Visiting(world, frozenset({Role.ADMINISTRATOR}), language="nl").get(USERS)
    assert "Gebruiker toevoegen" in page.text


def test_links_have_the_address_by_which_others_come(world, comms):
    config = world.home / "mediaguard.toml"
    config.write_text(config.read_text() + '\n[web]\naddress = "https://media.school.example"\n')
    world = type(world)(world.home)
    visiting = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    token = visiting.client.cookies["mediaguard"]
    visiting.client.cookies.set(
        "__Secure-mediaguard", token, domain="media.school.example", path="/console"
    )
    visiting.client.base_url = "https://media.school.example"
    page = visiting.do(f"{USERS}/comms1/link")
    assert 'value="https://media.school.example/console/link/' in page.text
