"""What is live where: who sees what, the picture, and taking it down."""

import hashlib
import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy import select

from mediaguard.core.access import Role
from mediaguard.store.audit import Audit
from mediaguard.store.items import Items
from mediaguard.store.ledger import Ledger
from mediaguard.store.tables import PublicationRow
from mediaguard.work import Worker
from tests.console.school import Visiting, words
from tests.pipeline.world import CHANNEL, grant, picture, run

LIST = "/console/published"


def publish(world, *people, seed=0, channel=CHANNEL):
    run(world, picture(world.home / f"{seed}.png", *people, seed=seed), channel)
    return newest(world)


def newest(world) -> str:
    with world.database.read() as session:
        return session.scalars(
            select(PublicationRow.id).order_by(PublicationRow.intended_at.desc())
        ).first()


def group(world, subject, *groups):
    with world.database.write() as session:
        Ledger(session).set_groups(subject, groups)


def name(world, *lines):
    (world.home / "names.csv").write_text("subject_id,first_name,last_name\n" + "\n".join(lines))
    settings = world.home / "mediaguard.toml"
    settings.write_text('names = "names.csv"\n' + settings.read_text())
    vars(world).pop("config", None)


def row(world, publication):
    with world.database.read() as session:
        return session.get(PublicationRow, publication)


def some_staff(world, *groups, user_id="u-2"):
    return Visiting(world, frozenset({Role.STAFF}), frozenset(groups), user_id=user_id)


# -- the list -------------------------------------------------------------------------------


def test_nothing_is_published_yet(officer):
    assert "Nothing fits this filter." in words(officer.get(LIST))


def test_the_newest_comes_first_with_who_is_in_it(world, officer):
    first, second = publish(world, "S-1", "S-2"), publish(world, "S-3", seed=1)
    page = officer.get(LIST)
    assert page.text.index(f"{LIST}/{second}") < page.text.index(f"{LIST}/{first}")
    assert "S-1, S-2" in words(page).replace(" ,", ",")
    assert "public" in words(page)


def test_dutch(world):
    publish(world, "S-1")
    said = words(Visiting(world, frozenset({Role.OFFICER}), language="nl").get(LIST))
    assert "Gepubliceerd" in said
    assert "Herkenbaar" in said


def test_filters_by_person_channel_and_state(world, officer):
    with_one, with_two = publish(world, "S-1"), publish(world, "S-2", seed=1)
    assert with_two not in officer.get(f"{LIST}?subject=S-1").text
    assert with_one in officer.get(f"{LIST}?subject=S-1").text
    assert with_one not in officer.get(f"{LIST}?channel=facebook").text
    assert with_one in officer.get(f"{LIST}?channel={CHANNEL}").text
    world.desk.withdraw("S-1")
    assert with_one in officer.get(f"{LIST}?state=asked").text
    assert with_two not in officer.get(f"{LIST}?state=asked").text
    assert with_one in officer.get(LIST).text  # it is public until it is gone
    Worker(world, tell=lambda _: None).drain()
    assert with_one not in officer.get(LIST).text
    assert with_one in officer.get(f"{LIST}?state=removed").text
    assert with_one in officer.get(f"{LIST}?state=all&subject=S-1").text


def test_nonsense_in_the_address_is_harmless(world, officer):
    publish(world, "S-1")
    for query in ("state=x", "channel=%00", "after=nothing", "after=" + "x" * 500, "page=-1"):
        assert officer.get(f"{LIST}?{query}").status_code == 200
    assert officer.get(f"{LIST}?subject=nobody").status_code == 404


def test_page_by_page_everything_is_seen_once(world, officer):
    publication = publish(world, "S-1")
    with world.database.write() as session:
        one = session.get(PublicationRow, publication)
        for number in range(75):
            session.add(
                PublicationRow(
                    id=f"{number:032x}",
                    item_id=one.item_id,
                    channel=CHANNEL,
                    state="live" if number % 3 else "removed",
                    rendition_sha256="0" * 64,
                    urls=[],
                    consent_events=[],
                    intended_at=one.intended_at - timedelta(seconds=number // 2),
                )
            )
    seen, address = [], f"{LIST}?state=all"
    while address:
        page = officer.get(address).text
        heads = [part.split('"')[0] for part in page.split(f'<h2><a href="{LIST}/')[1:]]
        seen += heads
        more = page.split('rel="next" href="')
        address = more[1].split('"')[0].replace("&amp;", "&") if len(more) > 1 else None
    assert len(seen) == len(set(seen)) == 76
    assert seen[0] == publication


# -- finding somebody -----------------------------------------------------------------------


def test_somebody_is_found_by_name_and_the_name_stands_in_no_address(world):
    name(world, "S-1,Zoë,van Dijk", "S-2,Zoë,Bakker", "S-9,Not,Known")
    publish(world, "S-1")
    officer = Visiting(world, frozenset({Role.OFFICER}))
    assert officer.post(f"{LIST}/find", who="zoe dijk").headers["location"] == f"{LIST}?subject=S-1"
    assert officer.post(f"{LIST}/find", who="S-2").headers["location"] == f"{LIST}?subject=S-2"
    several = officer.post(f"{LIST}/find", who="ZOE", state="all")
    assert several.status_code == 200
    assert f"{LIST}?state=all&amp;subject=S-1" in several.text
    assert "Zoë Bakker" in words(several)
    assert "Nobody of this name" in words(officer.post(f"{LIST}/find", who="not known"))
    assert "Zoë van Dijk" in words(officer.get(LIST))


def test_a_name_cannot_be_markup(world):
    name(world, 'S-1,"<script>alert(1)</script>","""onload="')
    publication = publish(world, "S-1")
    officer = Visiting(world, frozenset({Role.OFFICER}))
    for path in (LIST, f"{LIST}/{publication}", f"{LIST}?subject=S-1"):
        page = officer.get(path)
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text
    page = officer.post(f"{LIST}/find", who='"><script>alert(1)</script>')
    assert "<script>alert" not in page.text


# -- one publication ------------------------------------------------------------------------


def test_a_publication_with_the_consents_it_relies_on(world, officer):
    publication = publish(world, "S-1", "S-2")
    said = words(officer.get(f"{LIST}/{publication}"))
    assert row(world, publication).rendition_sha256 in said
    assert said.count("granted guardian") == 2
    assert "Nothing was to be taken down" in said
    page = officer.get(f"{LIST}/{publication}").text
    assert f"/console/review/{row(world, publication).item_id}" in page
    assert str(world.home) not in page


def test_places_are_linked_without_telling_where_from(world, officer):
    publication = publish(world, "S-1")
    with world.database.write() as session:
        session.get(PublicationRow, publication).urls = [
            "https://school.example/a.jpg",
            "javascript:alert(1)",
            'https://school.example/"><b>',
        ]
    page = officer.get(f"{LIST}/{publication}").text
    assert '<a href="https://school.example/a.jpg" rel="noreferrer noopener"' in page
    assert 'href="javascript' not in page
    assert "<b>" not in page


def test_an_unknown_publication(officer):
    for path in ("nothing", "%2e%2e%2fmaster.key", "x/picture"):
        assert officer.get(f"{LIST}/{path}").status_code == 404


# -- the picture ----------------------------------------------------------------------------


def test_a_small_picture_of_what_is_public(world, officer):
    publication = publish(world, "S-1", "X")
    answer = officer.get(f"{LIST}/{publication}/picture")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "no-store"
    with Image.open(io.BytesIO(answer.content)) as small:
        assert max(small.size) == 320
    assert f"{LIST}/{publication}/picture" in officer.get(LIST).text


def test_only_the_verified_bytes_are_shown(world, officer):
    publication = publish(world, "S-1")
    file = next(world.ready(CHANNEL).glob("*.png"))
    Image.new("RGB", (50, 50), "red").save(file)
    assert officer.get(f"{LIST}/{publication}/picture").status_code == 404


def test_no_picture_of_what_is_gone(world, officer):
    publication = publish(world, "S-1")
    world.desk.withdraw("S-1")
    Worker(world, tell=lambda _: None).drain()
    assert officer.get(f"{LIST}/{publication}/picture").status_code == 404
    assert f"{LIST}/{publication}/picture" not in officer.get(f"{LIST}?state=all").text


def test_no_other_file_is_shown(world, officer):
    publication = publish(world, "S-1")
    elsewhere = world.home / "elsewhere.png"
    Image.new("RGB", (50, 50)).save(elsewhere)
    with world.database.write() as session:
        one = session.get(PublicationRow, publication)
        one.urls = [str(elsewhere)]
        one.rendition_sha256 = hashlib.sha256(elsewhere.read_bytes()).hexdigest()
    assert officer.get(f"{LIST}/{publication}/picture").status_code == 404


# -- groups ---------------------------------------------------------------------------------


def test_staff_see_what_shows_somebody_of_their_groups(world):
    group(world, "S-1", "1A")
    group(world, "S-2", "2B")
    theirs, others = publish(world, "S-1", "S-2"), publish(world, "S-2", seed=1)
    visitor = some_staff(world, "1A")
    page = visitor.get(LIST)
    assert theirs in page.text
    assert others not in page.text
    assert "S-2" not in page.text
    assert "1 of other groups" in words(page)
    assert visitor.get(f"{LIST}/{theirs}").status_code == 200
    assert "S-2" not in visitor.get(f"{LIST}/{theirs}").text
    for path in (others, f"{others}/picture"):
        assert visitor.get(f"{LIST}/{path}").status_code == 404
    assert visitor.post(f"{LIST}/{others}/take-down").status_code == 404
    assert visitor.get(f"{LIST}?subject=S-2").status_code == 404
    assert "Nobody of this name" in words(visitor.post(f"{LIST}/find", who="S-2"))


@pytest.mark.parametrize("of", ["groups", "brought_by"])
def test_staff_see_what_is_theirs_though_nobody_is_in_it(world, of):
    publication = publish(world, "X")
    visitor = some_staff(world, "1A")
    assert publication not in visitor.get(LIST).text
    with world.database.write() as session:
        item = Items(session).get(row(world, publication).item_id)
        setattr(item, of, {"groups": ["1A", "1A"], "brought_by": "user:u-2"}[of])
    assert publication in visitor.get(LIST).text
    assert visitor.get(f"{LIST}/{publication}").status_code == 200


def test_many_that_they_may_see_are_found_the_other_way(world, monkeypatch):
    monkeypatch.setattr("mediaguard.store.sight.FEW", 0)
    test_staff_see_what_shows_somebody_of_their_groups(world)


# -- taking it down -------------------------------------------------------------------------


def test_taking_it_down_is_put_on_record_and_a_worker_does_it(world, officer):
    publication = publish(world, "S-1")
    answer = officer.post(f"{LIST}/{publication}/take-down")
    assert answer.headers["location"] == f"{LIST}/{publication}"
    assert [*world.ready(CHANNEL).glob("*.png")]  # nobody waited for the channel
    assert "It is being taken down." in words(officer.get(answer.headers["location"]))
    with world.database.read() as session:
        entry = Audit(session, world.keyring).entries(last=1)[0]
    assert (entry.action, entry.actor) == ("review-rejected", "user:u-1")
    Worker(world, tell=lambda _: None).drain()
    assert not [*world.ready(CHANNEL).glob("*.png")]
    assert row(world, publication).state == "removed"
    assert "take-down" not in officer.get(f"{LIST}/{publication}").text
    again = officer.post(f"{LIST}/{publication}/take-down")
    assert "gone already" in words(officer.get(again.headers["location"]))


def test_taking_down_needs_a_form_of_this_session(world, officer):
    publication = publish(world, "S-1")
    assert officer.post(f"{LIST}/{publication}/take-down", token="forged").status_code == 403
    assert row(world, publication).state == "live"
    assert not world.publications()[0]["takedowns"]


def test_who_may(world):
    administrator = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    publication = publish(world, "S-1")
    for path in (LIST, f"{LIST}/{publication}", f"{LIST}/{publication}/picture"):
        assert administrator.get(path).status_code == 403
    assert administrator.post(f"{LIST}/{publication}/take-down").status_code == 403
    staff = Visiting(world, frozenset({Role.STAFF}))
    grant(world, "S-1", "facebook")
    assert staff.get(f"{LIST}/{publication}").status_code == 200
    assert staff.post(f"{LIST}/{publication}/take-down").status_code == 303
