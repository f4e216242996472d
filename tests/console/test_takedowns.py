"""What has to come down: the list, one of them, trying now, and the certificate."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from mediaguard.core.access import Role
from mediaguard.store.audit import Audit
from mediaguard.store.tables import PublicationRow, TakedownRow
from mediaguard.work import Worker
from tests.console.school import Visiting, words
from tests.console.test_published import group, name, publish, some_staff
from tests.pipeline.world import CHANNEL, grant

LIST = "/console/takedowns"


def asked(world) -> list[TakedownRow]:
    with world.database.read() as session:
        return [*session.scalars(select(TakedownRow).order_by(TakedownRow.requested_at))]


def change(world, takedown, **values):
    with world.database.write() as session:
        for key, value in values.items():
            setattr(session.get(TakedownRow, takedown), key, value)


@pytest.fixture
def withdrawn(world) -> TakedownRow:
    publish(world, "S-1", "S-2")
    world.desk.withdraw("S-1", CHANNEL)
    return asked(world)[0]


# -- the list -------------------------------------------------------------------------------


def test_nothing_to_take_down(officer):
    assert "Nothing has to come down." in words(officer.get(LIST))


def test_what_is_open_with_why_and_since(withdrawn, officer):
    said = words(officer.get(LIST))
    assert "1 open" in said
    assert "S-1 has withdrawn consent website-public to be removed" in said
    assert "not tried yet" in said
    assert withdrawn.id in officer.get(f"{LIST}?subject=S-1").text
    assert withdrawn.id not in officer.get(f"{LIST}?subject=S-2").text
    assert withdrawn.id not in officer.get(f"{LIST}?channel=facebook").text
    assert officer.get(f"{LIST}?subject=nobody").status_code == 404


def test_what_is_overdue_comes_first(world, withdrawn, officer):
    publish(world, "S-3", seed=1)
    world.desk.withdraw("S-3", CHANNEL)
    late = next(row for row in asked(world) if row.subject_id == "S-3")
    change(world, late.id, requested_at=world.now() - timedelta(hours=5))
    page = officer.get(LIST)
    assert page.text.index(late.id) < page.text.index(withdrawn.id)
    assert "1 overdue" in words(page)
    only = officer.get(f"{LIST}?which=overdue").text
    assert late.id in only
    assert withdrawn.id not in only


def test_a_problem_is_told_in_words(world, withdrawn, officer):
    change(
        world,
        withdrawn.id,
        problem="channel-unreachable",
        problem_params={"host": "<b>school.example", "detail": "timed out"},
        failures=3,
        next_attempt_at=world.now() + timedelta(hours=1),
    )
    page = officer.get(LIST)
    assert "school.example cannot be reached (timed out)" in words(page)
    assert "<b>" not in page.text
    assert "did not succeed 3 times" in words(page)
    assert "next try" in words(page)
    change(world, withdrawn.id, problem="internal-error", problem_params={"detail": "OSError"})
    assert "Something unexpected went wrong (OSError)" in words(officer.get(LIST))
    dutch = Visiting(world, frozenset({Role.OFFICER}), language="nl")
    assert "3 keer niet gelukt" in words(dutch.get(LIST))


def test_what_is_gone_is_listed_under_all(world, withdrawn, officer):
    Worker(world, tell=lambda _: None).drain()
    assert withdrawn.id not in officer.get(LIST).text
    for which in ("all", "done"):
        page = officer.get(f"{LIST}?which={which}")
        assert withdrawn.id in page.text
        assert "confirmed gone" in words(page)
        assert f"{withdrawn.id}/now" not in page.text


def test_what_cannot_be_recalled_says_whom_to_tell(world):
    settings = world.home / "mediaguard.toml"
    settings.write_text(
        settings.read_text().replace(
            "[channels.newsletter]",
            '[channels.newsletter]\nconnector = "newsletter"\n'
            'newsletter = { recipients = ["all parents"] }',
        )
    )
    vars(world).pop("config", None)
    grant(world, "S-1", "newsletter")
    publish(world, "S-1", channel="newsletter")
    world.desk.withdraw("S-1", "newsletter")
    Worker(world, tell=lambda _: None).drain()
    officer = Visiting(world, frozenset({Role.OFFICER}))
    page = officer.get(f"{LIST}?which=unrecallable")
    assert "cannot be recalled" in words(page)
    assert "Tell them: all parents" in words(page)
    [row] = asked(world)
    assert "all parents" in words(officer.get(f"{LIST}/{row.id}"))


def test_page_by_page_everything_is_seen_once(world, withdrawn, officer):
    with world.database.write() as session:
        one = session.get(PublicationRow, withdrawn.publication_id)
        for number in range(70):
            session.add(
                PublicationRow(
                    id=f"{number:032x}",
                    item_id=one.item_id,
                    channel=CHANNEL,
                    state="live",
                    rendition_sha256="0" * 64,
                    urls=[],
                    consent_events=[],
                    intended_at=one.intended_at,
                )
            )
            session.flush()
            session.add(
                TakedownRow(
                    id=f"{number:032x}",
                    publication_id=f"{number:032x}",
                    item_id=one.item_id,
                    channel=CHANNEL,
                    subject_id="S-1",
                    reason="consent-withdrawn",
                    action="remove",
                    state="removed" if number % 2 else "requested",
                    requested_at=world.now() - timedelta(seconds=number // 3),
                    failures=0,
                    looks=[],
                    escalations=0,
                )
            )
    seen, address = [], LIST
    while address:
        page = officer.get(address).text
        seen += [part.split('"')[0] for part in page.split(f'<a href="{LIST}/')[1:]]
        more = page.split('rel="next" href="')
        address = more[1].split('"')[0] if len(more) > 1 else None
    assert len(seen) == len(set(seen)) == 71


def test_somebody_is_looked_for_by_name(world, withdrawn):
    name(world, "S-1,Ann,<i>Bee")
    officer = Visiting(world, frozenset({Role.OFFICER}))
    answer = officer.post(f"{LIST}/find", who="ann", which="all")
    assert answer.headers["location"] == f"{LIST}?which=all&subject=S-1"
    page = officer.get(answer.headers["location"])
    assert withdrawn.id in page.text
    assert "<i>" not in page.text


# -- one of them ----------------------------------------------------------------------------


def test_one_with_its_evidence(world, withdrawn, officer):
    said = words(officer.get(f"{LIST}/{withdrawn.id}"))
    assert "not looked at yet" in said
    assert "Nothing: mediaguard does it by itself." in said
    Worker(world, tell=lambda _: None).drain()
    said = words(officer.get(f"{LIST}/{withdrawn.id}"))
    assert "gone no file" in said
    assert "What to do" not in said
    assert officer.get(f"{LIST}/nothing").status_code == 404


def test_trying_now_makes_it_due_and_is_logged(world, withdrawn, officer):
    change(world, withdrawn.id, next_attempt_at=world.now() + timedelta(hours=9), failures=4)
    answer = officer.post(f"{LIST}/{withdrawn.id}/now")
    assert answer.headers["location"] == f"{LIST}/{withdrawn.id}"
    assert asked(world)[0].next_attempt_at <= world.now()
    with world.database.read() as session:
        entry = Audit(session, world.keyring).entries(last=1)[0]
    assert (entry.action, entry.actor) == ("takedowns-hurried", "user:u-1")
    Worker(world, tell=lambda _: None).drain()
    assert asked(world)[0].state == "confirmed"
    again = officer.post(f"{LIST}/{withdrawn.id}/now")
    assert "nothing left to do" in words(officer.get(again.headers["location"]))


def test_staff_see_it_and_may_not_hurry_or_certify(world, withdrawn, staff):
    page = staff.get(f"{LIST}/{withdrawn.id}")
    assert page.status_code == 200
    assert "/now" not in page.text
    assert "certificate" not in page.text
    assert staff.post(f"{LIST}/{withdrawn.id}/now").status_code == 403
    assert staff.get(f"{LIST}/certificate?subject=S-1").status_code == 403
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    assert administrator.get(LIST).status_code == 403


def test_a_forged_form_does_nothing(world, withdrawn, officer):
    change(world, withdrawn.id, next_attempt_at=world.now() + timedelta(hours=9))
    assert officer.post(f"{LIST}/{withdrawn.id}/now", token="forged").status_code == 403
    assert asked(world)[0].next_attempt_at > world.now()


# -- the certificate ------------------------------------------------------------------------


def test_the_certificate_in_both_languages(world, withdrawn, officer):
    page = officer.get(f"{LIST}/certificate?subject=S-1")
    assert "Statement on removal" in words(page)
    assert "style-src 'unsafe-inline'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    Worker(world, tell=lambda _: None).drain()
    dutch = officer.get(f"{LIST}/certificate?subject=S-1&language=nl&save=1")
    assert "Bewijs van verwijdering" in words(dutch)
    expected = 'attachment; filename="certificate-S-1-nl.html"'
    assert dutch.headers["content-disposition"] == expected
    assert "S-2" not in dutch.text
    assert withdrawn.item_id in dutch.text


def test_no_certificate_where_there_was_nothing(world, officer):
    assert officer.get(f"{LIST}/certificate").status_code == 404
    assert officer.get(f"{LIST}/certificate?subject=nobody").status_code == 404
    assert officer.get(f"{LIST}/certificate?subject=S-2").status_code == 404
    publish(world, "S-1")
    world.desk.withdraw("S-1")
    assert officer.get(f"{LIST}/certificate?subject=S-1&channel=facebook").status_code == 404


# -- groups ---------------------------------------------------------------------------------


def test_staff_see_what_concerns_their_groups(world, withdrawn):
    group(world, "S-2", "2B")
    group(world, "S-3", "3C")
    visitor = some_staff(world, "2B")  # the picture shows S-2 as well
    page = visitor.get(LIST)
    assert withdrawn.id in page.text
    assert "S-1" not in page.text
    assert "somebody of another group" in words(page)
    assert "S-1" not in visitor.get(f"{LIST}/{withdrawn.id}").text
    stranger = some_staff(world, "3C")
    assert "0 open" in words(stranger.get(LIST))
    assert withdrawn.id not in stranger.get(LIST).text
    assert stranger.get(f"{LIST}/{withdrawn.id}").status_code == 404
    assert stranger.get(f"{LIST}?subject=S-1").status_code == 404
