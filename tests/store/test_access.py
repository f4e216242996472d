"""Signing in on both databases, and by many at the same time."""

import base64
import threading
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from mediaguard.errors import InputError
from mediaguard.store import passwords
from mediaguard.store.attempts import ACCOUNT, ADDRESS, Attempts, Limit
from mediaguard.store.audit import Audit
from mediaguard.store.entrance import Caller, Entrance
from mediaguard.store.keys import Keyring, new_key
from mediaguard.store.second_factor import SECONDS, step_of
from mediaguard.store.sessions import Limits, Sessions
from mediaguard.store.tables import SignInAttemptRow
from mediaguard.store.user_desk import UserDesk
from tests.console.signing_in import PASSWORD
from tests.store.conftest import NOW

LIMITS = Limits(idle=timedelta(minutes=30), longest=timedelta(hours=12))
HERE = Caller("192.0.2.1", "a test")


class Door:
    """What one home has, on a database."""

    def __init__(self, database) -> None:
        self.database, self.keyring, self.at = database, Keyring(new_key()), NOW
        now = lambda: self.at  # noqa: E731
        self.desk = UserDesk(database, self.keyring, now=now, actor="uid:0")
        self.sessions = Sessions(database, self.keyring, now, LIMITS)
        self.entrance = Entrance(database, self.keyring, now, self.sessions)
        self.attempts = Attempts(database, self.keyring, now)


@pytest.fixture
def door(database, monkeypatch) -> Door:
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    return Door(database)


def together(what, count: int = 8) -> list:
    """Call it in several threads at once."""
    results, start = [], threading.Barrier(count)

    def one() -> None:
        start.wait()
        try:
            results.append(what())
        except InputError as error:
            results.append(error.code)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_from_the_first_sign_in_to_the_end(door):
    door.desk.add("Chief", roles=["officer"], password=PASSWORD)
    user_id, token = door.entrance.with_password("chief", PASSWORD, HERE)
    assert user_id == "chief"
    current = door.sessions.find(token)
    assert current.step == "set-up"
    secret = door.entrance.pending_secret(current)
    current = door.sessions.find(token)
    assert door.entrance.pending_secret(current) == secret
    code = code_at(secret, door.at)
    token, codes = door.entrance.confirm_second_factor(current, code)
    assert door.sessions.find(token).step is None
    assert len(codes) == 10
    door.entrance.sign_out(door.sessions.find(token))
    assert door.sessions.find(token) is None
    with door.database.read() as session:
        log = Audit(session, door.keyring)
        assert [entry.action for entry in log.entries()] == [
            "user-added",
            "user-second-factor-set-up",
            "signed-in",
            "signed-out",
        ]
        assert log.verify()[1] == []


def code_at(secret: str, at) -> str:
    return pyotp.TOTP(secret).at(at)


def with_second_factor(door) -> str:
    door.desk.add("chief", roles=["officer"], password=PASSWORD)
    _, token = door.entrance.with_password("chief", PASSWORD, HERE)
    door.entrance.pending_secret(door.sessions.find(token))
    current = door.sessions.find(token)
    secret = door.entrance.pending_secret(current)
    door.entrance.confirm_second_factor(current, code_at(secret, door.at))
    door.at += timedelta(minutes=1)
    return secret


def test_a_code_that_many_send_at_once_works_once(door):
    secret = with_second_factor(door)
    tokens = [door.entrance.with_password("chief", PASSWORD, HERE)[1] for _ in range(4)]
    code = code_at(secret, door.at)
    left = iter([door.sessions.find(token) for token in tokens])
    lock = threading.Lock()

    def give() -> str:
        with lock:
            current = next(left)
        return door.entrance.give_code(current, code, HERE)

    results = together(give, 4)
    assert sum(result not in ("sign-in-code-wrong", "sign-in-wait") for result in results) == 1


def test_a_link_that_many_use_at_once_works_once(door):
    door.desk.add("comms1", roles=["staff"])
    link = door.desk.make_link("comms1")
    results = together(lambda: door.entrance.with_link(link, HERE))
    assert results.count("sign-in-link-over") == 7


def test_many_attempts_at_once_are_no_way_around_the_limit(door):
    limits = [Limit("account", "comms1", ACCOUNT), Limit("address", "192.0.2.1", 30)]
    results = together(lambda: door.attempts.begin(limits), 12)
    assert results.count(None) == ACCOUNT


def test_the_last_two_administrators_cannot_remove_each_other_at_once(door):
    for name in ("one", "two"):
        door.desk.add(name, roles=["administrator"])
    left = iter(["one", "two"])
    lock = threading.Lock()

    def remove() -> None:
        with lock:
            user_id = next(left)
        door.desk.remove(user_id)

    assert sorted(together(remove, 2), key=str) == [None, "user-last-administrator"]
    assert len(door.desk.all()) == 1


def test_a_login_that_many_want_at_once_is_given_once(door):
    results = together(lambda: door.desk.add("comms1", roles=["staff"]).user_id)
    assert sorted(results) == ["comms1"] + ["user-taken"] * 7


def test_failures_are_forgotten_after_an_hour(door):
    limits = [Limit("account", "comms1", ACCOUNT)]
    for _ in range(ACCOUNT):
        assert door.attempts.begin(limits) is None
    assert door.attempts.begin(limits) == timedelta(seconds=30)
    door.at += timedelta(hours=1, seconds=1)
    for _ in range(ACCOUNT):
        assert door.attempts.begin(limits) is None


def rows(door) -> int:
    with door.database.read() as session:
        return session.query(SignInAttemptRow).count()


def test_an_address_that_has_to_wait_leaves_nothing_behind(door):
    def guess(number: int) -> timedelta | None:
        address = Limit("address", "192.0.2.1", ADDRESS)
        return door.attempts.begin([Limit("account", f"user{number}", ACCOUNT), address])

    assert [guess(number) for number in range(ADDRESS)] == [None] * ADDRESS
    before = rows(door)
    assert [guess(number) for number in range(100, 110)] == [timedelta(seconds=30)] * 10
    assert rows(door) == before == ADDRESS + 1
    door.at += timedelta(hours=1, seconds=1)
    assert guess(200) is None
    assert rows(door) == 2


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "0" * 50])
def test_what_is_no_code(code):
    assert step_of("JBSWY3DPEHPK3PXP" * 2, code, NOW, None) is None


def test_the_published_vectors_of_totp():
    """RFC 6238, appendix B; the last six of its eight digits."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    for at, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        moment = datetime.fromtimestamp(at, UTC)
        assert step_of(secret, code, moment, None) == at // SECONDS
        assert step_of(secret, code, moment, at // SECONDS) is None
