"""A home with people who may sign in, and a browser without a screen for each of them."""

import re
from dataclasses import dataclass, field

import httpx
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from mediaguard.core.access import Role
from mediaguard.store.database import insert_new
from mediaguard.store.tables import UserRow
from mediaguard.web.api import make_api
from mediaguard.web.outer import Outer
from tests.pipeline.world import World


@dataclass
class Visiting:
    """Somebody with these roles, signed in at a home in this process.

    If the home has a user of that login with other roles, a number is added.
    """

    world: World
    roles: frozenset[Role]
    groups: frozenset[str] = frozenset()
    language: str = "en"
    user_id: str = "u-1"
    client: TestClient = field(init=False)
    token: str = field(init=False)
    """What the forms of the session carry."""

    def __post_init__(self) -> None:
        with self.world.database.write() as session:
            self.user_id = self._user(session)
            token = self.world.sessions.open(
                session, self.user_id, browser="a test", second_factor=True
            )
        self.token = self.world.sessions.form_token(token)
        self.client = browser(self.world)
        self.client.cookies.set("mediaguard", token, domain="127.0.0.1", path="/console")

    def _user(self, session: Session) -> str:
        """Not by an administrator, so that the audit log says nothing of it."""
        wanted = {
            "roles": sorted(self.roles),
            "groups": sorted(self.groups),
            "language": self.language,
        }
        for user_id in (self.user_id, *(f"{self.user_id}-{number}" for number in range(2, 99))):
            new = {"recovery_codes": [], "created_at": self.world.now()}
            insert_new(session, UserRow, user_id=user_id, **wanted, **new)
            there = session.get_one(UserRow, user_id)
            if {name: getattr(there, name) for name in wanted} == wanted:
                return user_id
        raise AssertionError("there are too many users")

    def get(self, path: str, **how) -> httpx.Response:
        return self.client.get(path, **how)

    def post(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send a form, with the token of the session; redirects are not followed."""
        return self.client.post(path, data={"token": self.token, **fields}, follow_redirects=False)

    def do(self, path: str, **fields: str | list[str]) -> httpx.Response:
        """Send a form that is right; the page to which it leads."""
        answer = self.post(path, **fields)
        assert answer.status_code == 303, words(answer)
        return self.get(answer.headers["location"])

    def send(self, method: str, path: str, content: bytes, **headers: str) -> httpx.Response:
        """Send a body as a script does."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"accept": "application/json", "x-csrf-token": self.token, **headers}
        return self.client.request(method, path, content=content, headers=headers)


def browser(world: World, address: str = "127.0.0.1", api: Outer | None = None) -> TestClient:
    """A browser in which nobody is signed in."""
    return TestClient(api or make_api(world), base_url="http://127.0.0.1", client=(address, 50000))


def words(page: httpx.Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))
