"""Homes with something to take down, brought into every state by the records themselves."""

import datetime as dt
import re
import uuid
from collections.abc import Sequence

from mediaguard.config import FILE_NAME
from mediaguard.core.publication import Look
from mediaguard.errors import MediaguardError
from mediaguard.store.audit import Audit
from mediaguard.store.items import Items, Publications
from mediaguard.store.tables import PublicationRow, TakedownRow
from mediaguard.store.takedowns import Takedowns
from tests.pipeline.world import CHANNEL, World


def published(
    world: World,
    *subjects: str,
    channel: str = CHANNEL,
    urls: Sequence[str] = ("https://x.test/1",),
    item: str | None = None,
    kind: str = "photo",
) -> str:
    """A publication that shows subjects, live since now; of a new item unless one is given."""
    key, item, at = uuid.uuid4().hex, item or uuid.uuid4().hex, world.now()
    with world.database.write() as session:
        Items(session).admit(item, channel=channel, source_digest=item, at=at, kind=kind)
        publications = Publications(session)
        publications.intend(
            key,
            item_id=item,
            channel=channel,
            rendition_sha256="0" * 64,
            subjects=subjects,
            consent_events=[],
            at=at,
        )
        publications.confirm(key, at=at, urls=urls)
    return key


def item_of(world: World, key: str) -> str:
    with world.database.read() as session:
        return session.get_one(PublicationRow, key).item_id


def _each(world: World, key: str, do) -> None:
    """Let something happen to each open takedown of a publication, with its item in hand."""
    with world.database.read() as session:
        row = session.get_one(PublicationRow, key)
    book = world.book(row.channel)
    with book.held(row.item_id):
        for order in book.orders(row.item_id):
            if order.published.key == key:
                do(book, order)


def removed(world: World, key: str) -> None:
    _each(world, key, lambda book, order: book.removed(order))


def lingering(world: World, key: str, *looks: Look) -> None:
    removed(world, key)
    _each(world, key, lambda book, order: book.lingers(order, looks))


def confirmed(world: World, key: str, *looks: Look) -> None:
    removed(world, key)
    _each(world, key, lambda book, order: book.confirmed(order, looks))


def failed(world: World, key: str, error: MediaguardError) -> None:
    _each(world, key, lambda book, order: book.failed(order, error, None))


def unrecallable(world: World, key: str) -> None:
    _each(world, key, lambda book, order: book.unrecallable(order))


def takedowns(world: World) -> list[TakedownRow]:
    with world.database.read() as session:
        return [*Takedowns(session).list()]


def entries(world: World, action: str):
    with world.database.read() as session:
        found = Audit(session, world.keyring).entries()
        assert Audit(session, world.keyring).verify()[1] == []
    return [entry for entry in found if entry.action == action]


def later(world: World, by: dt.timedelta) -> None:
    at = world.now() + by
    world.now = lambda: at


def reconfigured(world: World, *, top: str = "", more: str = "", without: str = "") -> World:
    """The home with other settings, at the same moment."""
    path = world.home / FILE_NAME
    text = path.read_text(encoding="utf-8")
    if without:
        text = re.sub(rf"(?m)^\[channels\.{without}[.\]].*\n(?:(?!\[).*\n)*", "", text)
    for line in top.splitlines():
        key = line.partition(" =")[0]
        text = re.sub(rf"(?m)^{key} = .*\n", "", text)
    path.write_text(f"{top}\n{text}\n{more}", encoding="utf-8")
    fresh = World(world.home)
    fresh.now = world.now
    return fresh
