"""Lists page by page, on both databases: the same rows whichever way they are found."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import insert, select

from mediaguard.store.audit import Audit
from mediaguard.store.audit_pages import AuditPages, Sought
from mediaguard.store.items import Items, Publications
from mediaguard.store.ledger import Ledger
from mediaguard.store.publication_pages import PublicationPages, Wanted
from mediaguard.store.scope import Scope
from mediaguard.store.tables import ItemGroupRow, ItemRow, PublicationRow
from mediaguard.store.takedown_pages import Asked, TakedownPages
from mediaguard.store.takedowns import OPEN, Takedowns
from tests.store.conftest import NOW

GROUPS = {"A": ["1A"], "B": ["2B"], "C": ["1A", "2B"], "D": []}
SHOWN = ["A", "B", "C", "D", "AB", "BD", "", ""]
ALL = ("live", "intended", "removed")


@pytest.fixture
def session(database):
    """Twenty-four publications on two channels, of three states; some are to be taken down."""
    with database.write() as session:
        for subject, groups in GROUPS.items():
            Ledger(session).add_subject(subject, at=NOW, groups=groups)
        for number, (shown, channel, state) in enumerate(product(SHOWN, "xy", ALL)):
            item_id, at = f"{number:016x}", NOW + timedelta(seconds=number // 2)
            Items(session).admit(item_id, channel=channel, source_digest=item_id, at=at)
            item = Items(session).get(item_id)
            item.groups = ["2B", "2B"] if number % 5 == 0 else []
            item.brought_by = "user:u" if number % 7 == 0 else "user:v"
            row = Publications(session).intend(
                f"{number:032x}",
                item_id=item_id,
                channel=channel,
                rendition_sha256="0",
                subjects=shown,
                consent_events=[],
                at=at,
            )
            row.state = state
            if number % 2:
                for subject in shown:
                    Takedowns(session).plan(
                        subject,
                        channel,
                        reason="rejected",
                        consent_event=None,
                        action="remove",
                        at=at,
                    )
        yield session


def pages(read, limit=7):
    """All rows, page by page."""
    found, after = [], None
    while page := read(limit, after):
        found += page
        after = page[-1]
    assert len(found) == len(set(found))
    return found


def expected(session, scope, channel=None, subject=None):
    """Which publications may be seen, the slow way."""
    found = set()
    for row in session.scalars(select(PublicationRow)):
        item, shown = Items(session).get(row.item_id), Publications(session).subjects(row.id)
        if channel not in (None, row.channel) or (subject and subject not in shown):
            continue
        groups = {*item.groups, *(group for one in shown for group in GROUPS[one])}
        if scope is None or groups & set(scope.groups) or item.brought_by == scope.owner:
            found.add(row.id)
    return found


@pytest.mark.parametrize("few", [0, 4000])
@pytest.mark.parametrize(
    "scope", [None, Scope(["1A"], "user:u"), Scope(["1A", "2B"], "user:x"), Scope(["-"], "-")]
)
def test_publications(session, monkeypatch, few, scope):
    monkeypatch.setattr("mediaguard.store.sight.FEW", few)
    for channel, subject in product([None, "x", "-"], [None, "A"]):
        wanted = Wanted(channel=channel, subject=subject, states=ALL, scope=scope)
        found = pages(
            lambda limit, after, wanted=wanted: [
                one.row.id for one in PublicationPages(session).page(wanted, limit, after)
            ]
        )
        assert set(found) == expected(session, scope, channel, subject)
        assert found == sorted(found, reverse=True)
    seen = {
        row.id
        for row in session.scalars(select(PublicationRow))
        if PublicationPages(session).may_see(row.id, scope)
    }
    assert seen == expected(session, scope)


@pytest.mark.parametrize("few", [0, 4000])
@pytest.mark.parametrize("scope", [None, Scope(["1A"], "user:u"), Scope(["-"], "-")])
@pytest.mark.parametrize("states", [OPEN, (*OPEN, "confirmed", "unrecallable")])
def test_takedowns(session, monkeypatch, few, scope, states):
    monkeypatch.setattr("mediaguard.store.sight.FEW", few)
    for channel, subject in product([None, "x", "-"], [None, "B"]):
        asked = Asked(channel=channel, subject=subject, states=states, scope=scope)
        found = pages(
            lambda limit, after, asked=asked: [
                row.id for row in TakedownPages(session).page(asked, limit, after)
            ]
        )
        may = expected(session, scope)
        rows = [
            row
            for row in Takedowns(session).list(channel=channel, subject_id=subject, states=states)
            if row.publication_id in may
        ]
        assert set(found) == {row.id for row in rows}
    assert TakedownPages(session).open(NOW, None)[1] == 0


def test_an_unknown_place_to_begin_at_gives_nothing(session):
    assert PublicationPages(session).page(Wanted(), 5, "unknown") == []
    assert TakedownPages(session).page(Asked(), 5, "unknown") == []
    assert AuditPages(session).page(Sought(), 5, 999_999) == []


def test_the_groups_of_items_are_kept_by_the_database(session):
    def kept(item_id):
        rows = select(ItemGroupRow.group_name).where(ItemGroupRow.item_id == item_id)
        return sorted(session.scalars(rows))

    item = Items(session).get(f"{5:016x}")
    assert kept(item.id) == ["2B"]
    item.groups = ["x", "y"]
    session.flush()
    assert kept(item.id) == ["x", "y"]
    item.groups = []
    session.flush()
    assert kept(item.id) == []
    values = {
        column.key: getattr(item, column.key)
        for column in ItemRow.__table__.columns
        if column.key not in ("id", "source_digest", "groups")
    }
    session.execute(insert(ItemRow).values(id="new", source_digest="n", groups=["z"], **values))
    assert kept("new") == ["z"]


def test_the_audit_log(database, keyring):
    with database.write() as session:
        audit = Audit(session, keyring)
        for number in range(60):
            audit.append(
                f"act-{number % 3}",
                at=NOW + timedelta(minutes=number // 4),
                actor=f"user:{number % 5}",
                item_id=f"{number % 4}abc",
            )
        every = audit.entries()
        for action, actor, item in product([None, "act-1"], [None, "user:2"], [None, "3a"]):
            since, until = NOW + timedelta(minutes=2), NOW + timedelta(minutes=13)
            sought = Sought(action=action, actor=actor, item=item, since=since, until=until)
            found = pages(
                lambda limit, after, sought=sought: [
                    row.sequence for row in AuditPages(session).page(sought, limit, after)
                ]
            )
            fitting = [
                entry.sequence
                for entry in every
                if action in (None, entry.action)
                and actor in (None, entry.actor)
                and (item is None or entry.item_id.startswith(item))
                and since <= entry.at < until
            ]
            assert found == fitting[::-1]
            assert [row.sequence for row in AuditPages(session).all(sought)] == found
