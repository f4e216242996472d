"""Somebody who has a personal link, and a browser without a screen."""

import re
from dataclasses import dataclass, field

import httpx
from starlette.testclient import TestClient

from mediaguard.core.consent import Signatory
from mediaguard.personal import PATH, Link, PersonalLinks
from mediaguard.web.api import make_api
from tests.pipeline.world import CHANNEL, World

TEXTS = {
    "en": "We show what happens at school.\n\n<script>alert('en')</script> is text.",
    "nl": "Wij laten zien wat er op school gebeurt.\n\n<script>alert('nl')</script> is tekst.",
}


def client(world: World) -> TestClient:
    return TestClient(
        make_api(world),
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 50000),
        follow_redirects=False,
        raise_server_exceptions=False,
    )


@dataclass
class Holding:
    world: World
    subject: str
    signatory: Signatory = Signatory.GUARDIAN
    signatory_id: str | None = None
    language: str = "en"
    link: Link = field(init=False)
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        links = PersonalLinks(self.world)
        self.link = links.make(self.subject, self.signatory, self.signatory_id)
        self.form_token = links.form_token(self.link.row)
        self.client = client(self.world)

    @property
    def token(self) -> str:
        return self.link.address.rpartition("/")[2]

    @property
    def base(self) -> str:
        return f"{PATH}{self.token}"

    def get(self, path: str = "", **query: str) -> httpx.Response:
        query = {"language": self.language, **query}
        return self.client.get(self.base + path, params=query)

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str):
        """Send a form of the link; redirects are not followed."""
        fields = {"token": self.form_token, **fields}
        query = {"language": self.language}
        return self.client.post(self.base + path, data=fields, params=query, headers=headers)

    def say_yes(self, channel: str = CHANNEL, **changed: str) -> httpx.Response:
        """Open the page that asks, and send its form with the box ticked."""
        asked = self.get("/agree", channel=channel).text.partition('id="yes"')[2]
        found = re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', asked)
        return self.post("/yes", **{**dict(found[:5]), "agreed": "yes", **changed})

    def say_no(self, channel: str = CHANNEL) -> httpx.Response:
        return self.post("/no", channel=channel)

    def follow(self, answer: httpx.Response) -> httpx.Response:
        assert answer.status_code == 303, answer.text
        return self.client.get(answer.headers["location"])

    def allowed(self, channel: str = CHANNEL) -> bool:
        return self.world.desk.rulings([self.subject])[self.subject][channel].allowed


def words(page: httpx.Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.text))
