"""What somebody does to sign in, in a browser without a screen."""

import re
from datetime import timedelta

import httpx
import pyotp
from starlette.testclient import TestClient

from tests.pipeline.world import World

PASSWORD = "three odd purple horses"


def token_in(page: httpx.Response) -> str:
    """The token in the first form of a page."""
    found = re.search(r'name="token" value="([^"]*)"', page.text)
    assert found, page.text
    return found[1]


def submit(client: TestClient, path: str, page: httpx.Response, **fields) -> httpx.Response:
    """Send a form of `page`; redirects are not followed."""
    data = {"token": token_in(page), **fields}
    return client.post(path, data=data, follow_redirects=False)


def sign_in(
    client: TestClient, login: str, password: str = PASSWORD, next_path: str = "/console/"
) -> httpx.Response:
    page = client.get("/console/sign-in", params={"next": next_path})
    return submit(client, "/console/sign-in", page, login=login, password=password, next=next_path)


def set_up(client: TestClient, world: World) -> tuple[str, httpx.Response]:
    """Set up the second factor: its secret, and the page with the recovery codes."""
    page = client.get("/console/sign-in/set-up")
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page.text)[1].replace(" ", "")
    return secret, submit(client, "/console/sign-in/set-up", page, code=code_of(secret, world))


def code_of(secret: str, world: World, steps: int = 0) -> str:
    """What the app shows now, or so many steps later."""
    return pyotp.TOTP(secret).at(world.now() + timedelta(seconds=30 * steps))


def give_code(client: TestClient, code: str) -> httpx.Response:
    page = client.get("/console/sign-in/code")
    return submit(client, "/console/sign-in/code", page, code=code)


def is_in(client: TestClient) -> bool:
    """Whether pages open."""
    answer = client.get("/console/account", follow_redirects=False)
    assert answer.status_code in (200, 303)
    return answer.status_code == 200
