"""Channels: rules, abilities and how each one does; no secrets."""

from datetime import timedelta
from html import unescape

import pytest

from mediaguard.channels.registry import CONNECTORS, abilities
from mediaguard.core.access import Role
from mediaguard.core.publication import Abilities
from mediaguard.store.items import Items
from mediaguard.store.tables import PublicationRow
from tests.console.school import Visiting, words
from tests.console.test_published import publish
from tests.console.test_takedowns import asked, change
from tests.pipeline.world import CHANNEL

PAGE = "/console/channels"

SITE = """
[channels.site]
connector = "wordpress"
takedown = "replace"
without_consent = "block"
purpose = "<b>bold"
[channels.site.wordpress]
url = "https://editor:pass-word@school.example/wp"
user = "editor"
password = "env:NOT_SET_ANYWHERE"
"""


def test_every_channel_with_its_rules(world, officer):
    said = words(officer.get(PAGE))
    for channel in world.config.channels:
        assert channel in said
    assert "never" in said
    assert "a folder from which the pictures are used" in said
    assert "any number" in said


def test_numbers_and_moments(world, officer):
    publish(world, "S-1")
    publish(world, "S-2", seed=1)
    world.desk.withdraw("S-1", CHANNEL)
    change(world, asked(world)[0].id, requested_at=world.now() - timedelta(days=1))
    said = words(officer.get(PAGE))
    assert "2 public 1 to be taken down 1 overdue" in said
    assert f"{world.now():%Y-%m}" in said


def test_trouble_is_told_without_calling_the_channel(world, officer):
    publish(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    takedown = asked(world)[0]
    params = {"host": "school.example", "status": 401}
    change(world, takedown.id, problem="channel-credentials", problem_params=params, failures=2)
    with world.database.write() as session:
        item = Items(session).get(takedown.item_id)
        item.failures, item.next_attempt_at = 3, world.now()
    said = unescape(words(officer.get(PAGE)))
    assert "school.example does not accept mediaguard's credentials (status 401)" in said
    assert "1 item waits because the channel did not take it" in said


def test_no_secret_is_read_or_shown(world):
    settings = world.home / "mediaguard.toml"
    settings.write_text(settings.read_text() + SITE)
    vars(world).pop("config", None)
    page = Visiting(world, frozenset({Role.OFFICER})).get(PAGE)
    assert page.status_code == 200
    assert "a WordPress site: school.example" in words(page)
    assert "the picture may not go out" in words(page)
    for secret in ("pass-word", "NOT_SET_ANYWHERE", "editor", "<b>bold"):
        assert secret not in page.text


def test_a_channel_that_is_not_configured_any_more_is_still_told_of(world, officer):
    publication = publish(world, "S-1")
    with world.database.write() as session:
        session.get(PublicationRow, publication).channel = "old-site"
    said = words(officer.get(PAGE))
    assert "Not configured any more" in said
    assert "old-site 1 public" in said


def test_who_may(world, staff):
    assert staff.get(PAGE).status_code == 403
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}), language="nl")
    publish(world, "S-1")
    page = administrator.get(PAGE)
    assert "Kanalen" in words(page)
    assert "1 openbaar" in words(page)
    assert "/console/published" not in page.text


@pytest.mark.parametrize("connector", CONNECTORS)
def test_abilities_are_known_of_every_connector(world, connector):
    settings = next(iter(world.config.channels.values()))
    found = abilities(settings.model_copy(update={"connector": connector}))
    assert isinstance(found, Abilities)
    assert found.recall is (connector != "newsletter")
