"""What a parent gets: true, complete, about one child only, and readable."""

import datetime as dt
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as tests
from hypothesis import strategies as st

from mediaguard.certificate import certificate
from mediaguard.core.publication import Look
from mediaguard.errors import InputError
from mediaguard.phrases import moment
from mediaguard.store.ledger import Ledger
from mediaguard.store.takedowns import Takedowns
from mediaguard.texts import AREAS, explain
from tests.pipeline.world import CHANNEL, World, make_world
from tests.takedown_world import (
    confirmed,
    entries,
    item_of,
    later,
    lingering,
    published,
    reconfigured,
    removed,
    takedowns,
    unrecallable,
)

HOUR = dt.timedelta(hours=1)
GONE = Look("https://x.test/1", True, "404")
NEWSLETTER = """[channels.newsletter]
connector = "newsletter"
[channels.newsletter.newsletter]
recipients = ["all parents", "printed copies"]
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(make_world(tmp_path).home)
    made.now = lambda: dt.datetime(2099, 3, 2, 12, 5, tzinfo=dt.UTC)
    return made


def answers(world: World, subject: str):
    with world.database.read() as session:
        return Ledger(session).events([subject])


class Page(HTMLParser):
    """What a browser would see."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_what_is_gone_is_certified(world):
    key = published(world, "S-1", "S-2", urls=("https://x.test/1", "https://x.test/2"))
    world.desk.withdraw("S-1", CHANNEL)
    later(world, HOUR)
    confirmed(world, key, GONE, Look("https://x.test/2", True, "410"))
    made = certificate(world, "S-1")
    assert made.title == "certificate"
    [one] = made.removals
    [row] = takedowns(world)
    [entry] = entries(world, "takedown-confirmed")
    [answer] = [e for e in answers(world, "S-1") if e.answer == "withdrawn"]
    assert one.outcome == "removed"
    assert (one.consent_event, one.answered_at) == (answer.event_id, answer.recorded_at)
    assert one.proof.sequence == entry.sequence
    assert entry.digest.startswith(one.proof.digest)
    assert len(one.proof.digest) == 16

    found = json.loads(json.dumps(made.as_json()))
    assert (found["open"], found["unrecallable"], found["channel"]) == (0, 0, None)
    [removal] = found["removals"]
    assert removal["item"] == item_of(world, key)
    assert removal["takedown"] == row.id
    assert dt.datetime.fromisoformat(removal["confirmed_at"]) == row.confirmed_at
    assert removal["places"] == [
        {"url": "https://x.test/1", "gone": True, "answer": "404"},
        {"url": "https://x.test/2", "gone": True, "answer": "410"},
    ]

    text = made.as_text("en")
    assert text.startswith("CERTIFICATE OF REMOVAL\n")
    for words in (
        "Everything listed here is gone",
        "Photo, The school's public website",
        "2 March 2099, 14:05",
        f"has withdrawn consent (answer no. {answer.event_id}, recorded on",
        "https://x.test/2  gone (410)",
        f"no. {entry.sequence}, digest {entry.digest[:16]}",
    ):
        assert words in text
    page = made.as_html("en")
    assert '<html lang="en">' in page
    for words in ("Certificate of removal", "https://x.test/2", "gone (410)", entry.digest[:16]):
        assert words in Page(page).text


def test_what_is_open_makes_it_a_statement(world):
    first = published(world, "S-1")
    second = published(world, "S-1", urls=("https://x.test/3", "https://x.test/4"))
    third = published(world, "S-1", urls=("https://x.test/5",), kind="video")
    published(world, "S-1", urls=("https://x.test/6",))
    world.desk.withdraw("S-1", CHANNEL)
    confirmed(world, first, GONE)
    lingering(
        world,
        second,
        Look("https://x.test/3", False, "200 from a cache"),
        Look("https://x.test/4", False, "no answer"),
    )
    removed(world, third)
    made = certificate(world, "S-1")
    assert made.title == "statement"
    assert (made.open, made.unrecallable) == (3, 0)
    text = made.as_text("en")
    assert text.startswith("STATEMENT ON REMOVAL\n")
    assert "Not confirmed gone: 3 of 4." in text
    assert "is gone:" not in text
    assert text.count("NOT CONFIRMED GONE") == 3
    assert "https://x.test/3  STILL THERE (200 from a cache)" in text
    assert "https://x.test/4  not confirmed (no answer)" in text
    assert "https://x.test/5  not looked at yet" in text
    assert "https://x.test/3  STAAT ER NOG (200 uit een cache)" in made.as_text("nl")
    assert "Video, The school's public website" in text
    assert "Certificate" not in Page(made.as_html("en")).text
    assert [one.proof is None for one in made.removals].count(True) == 3


def test_what_turned_out_to_be_live_again_is_not_certified(world):
    """An earlier entry in the audit log says that it was gone; it is not so any more."""
    key = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    confirmed(world, key, GONE)
    with world.database.write() as session:
        Takedowns(session).reopen(key, at=world.now())
    made = certificate(world, "S-1")
    assert made.title == "statement"
    assert made.removals[0].proof is None
    later(world, HOUR)
    confirmed(world, key, GONE)
    [_, again] = entries(world, "takedown-confirmed")
    assert certificate(world, "S-1").removals[0].proof.sequence == again.sequence


def test_no_other_child_is_named(world):
    key = published(world, "S-1", "S-2")
    published(world, "S-3")
    published(world, "S-2")
    for subject in ("S-1", "S-2", "S-3"):
        world.desk.withdraw(subject, CHANNEL)
    confirmed(world, key, GONE)
    made = certificate(world, "S-1")
    for told in (json.dumps(made.as_json()), made.as_text("en"), made.as_html("nl")):
        assert "S-1" in told
        assert "S-2" not in told
        assert "S-3" not in told
    assert len(made.removals) == 1
    [proof] = [one.proof for one in certificate(world, "S-1").removals]
    [entry] = [e for e in entries(world, "takedown-confirmed") if e.subject_id == "S-1"]
    assert proof.sequence == entry.sequence, "not the entry of the other child in the same photo"


def test_only_one_channel(world):
    first = published(world, "S-1")
    published(world, "S-1", channel="facebook", urls=("https://f.test/1",))
    world.desk.withdraw("S-1", CHANNEL)
    world.desk.withdraw("S-1", "facebook")
    confirmed(world, first, GONE)
    assert certificate(world, "S-1").title == "statement"
    made = certificate(world, "S-1", CHANNEL)
    assert made.title == "certificate"
    assert "f.test" not in made.as_text("en")
    assert [one.channel for one in certificate(world, "S-1").removals] == ["facebook", CHANNEL]


def test_what_cannot_be_recalled_is_said_plainly(world):
    world = reconfigured(world, without="newsletter", more=NEWSLETTER)
    key = published(world, "S-1", channel="newsletter")
    world.desk.withdraw("S-1", "newsletter")
    unrecallable(world, key)
    made = certificate(world, "S-1")
    assert made.title == "statement", "nothing was removed that could be certified"
    text = made.as_text("en")
    assert "Sent, and cannot be recalled: 1 of 1." in text
    assert "CANNOT BE RECALLED" in text
    assert "tell those who received it: all parents; printed copies." in text
    assert "gone" not in text.replace("confirmed gone", "")
    assert "all parents; printed copies" in Page(made.as_html("en")).text
    [entry] = entries(world, "takedown-unrecallable")
    assert made.removals[0].proof.sequence == entry.sequence

    other = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    confirmed(world, other, GONE)
    both = certificate(world, "S-1")
    assert both.title == "certificate"
    assert "Everything listed here that could be removed is gone" in both.as_text("en")

    world = reconfigured(world, without="newsletter")
    assert "find out who received it" in certificate(world, "S-1").as_text("en")


def test_a_replaced_picture(world):
    key = published(world, "S-1", "S-2")
    item = item_of(world, key)
    with world.database.write() as session:
        Takedowns(session).plan(
            "S-1",
            CHANNEL,
            reason="consent-withdrawn",
            consent_event=None,
            action="replace",
            at=world.now(),
        )
    later(world, HOUR)
    published(world, "S-2", item=item, urls=("https://x.test/new",))
    confirmed(world, key, GONE)
    made = certificate(world, "S-1")
    assert made.removals[0].outcome == "replaced"
    assert "replaced by a version in which this person is unrecognisable" in made.as_text("en")
    assert "x.test/new" not in made.as_text("en")


def test_a_picture_that_should_be_replaced_but_was_only_removed(world):
    key = published(world, "S-1", "S-2")
    with world.database.write() as session:
        Takedowns(session).plan(
            "S-1",
            CHANNEL,
            reason="consent-withdrawn",
            consent_event=None,
            action="replace",
            at=world.now(),
        )
    confirmed(world, key, GONE)
    assert certificate(world, "S-1").removals[0].outcome == "removed"


def test_another_file_at_the_same_place(world):
    key = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    confirmed(world, key, Look("https://x.test/1", True, "new file"))
    made = certificate(world, "S-1")
    assert made.removals[0].outcome == "replaced"
    assert "another version stands there now (new file)" in made.as_text("en")


def test_what_never_became_public(world):
    key = published(world, "S-1", urls=())
    world.desk.withdraw("S-1", CHANNEL)
    assert "not known yet whether it became public" in certificate(world, "S-1").as_text("en")
    confirmed(world, key)
    made = certificate(world, "S-1")
    assert made.title == "certificate"
    assert "it never became public" in made.as_text("en")
    assert "it never became public" in Page(made.as_html("en")).text


def test_a_consent_that_expired_says_until_when_it_was(world):
    key = published(world, "S-1")
    world.desk.grant(
        "S-1",
        "facebook",
        signatory="guardian",
        evidence="F",
        valid_until=dt.date(2099, 5, 1),
    )
    event = answers(world, "S-1")[-1].event_id
    with world.database.write() as session:
        Takedowns(session).plan(
            "S-1",
            CHANNEL,
            reason="consent-expired",
            consent_event=event,
            action="remove",
            at=world.now(),
        )
    confirmed(world, key, GONE)
    [one] = certificate(world, "S-1").removals
    assert one.answered_at is None
    assert one.valid_until == dt.date(2099, 5, 1)
    text = certificate(world, "S-1").as_text("nl")
    assert f"is verlopen (antwoord nr. {event}, geldig tot en met 1 mei 2099)" in text


def test_in_dutch(world):
    key = published(world, "S-1")
    with world.database.write() as session:
        Takedowns(session).plan(
            "S-1",
            CHANNEL,
            reason="consent-wording",
            consent_event=None,
            action="remove",
            at=world.now(),
        )
    confirmed(world, key, GONE)
    made = certificate(world, "S-1")
    text = made.as_text("nl")
    assert text.startswith("BEWIJS VAN VERWIJDERING\n")
    assert "verwijdering gevraagd: 2 maart 2099, 13:05" in text
    assert "waarom: heeft ingestemd met een oudere tekst die niet meer geldt\n" in text
    assert "https://x.test/1  weg (404)" in text
    page = made.as_html("nl")
    assert '<html lang="nl">' in page
    assert "Bewijs van verwijdering" in Page(page).text


@pytest.mark.parametrize(
    ("utc", "en", "nl"),
    [
        ("2026-03-02T12:05", "2 March 2026, 13:05", "2 maart 2026, 13:05"),
        ("2026-07-31T22:00", "1 August 2026, 00:00", "1 augustus 2026, 00:00"),
        ("2025-12-31T23:59", "1 January 2026, 00:59", "1 januari 2026, 00:59"),
    ],
)
def test_moments_are_those_of_the_school(world, utc, en, nl):
    at = dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)
    assert moment(at, world.config.zone, "en") == en
    assert moment(at, world.config.zone, "nl") == nl


def test_nothing_to_certify(world):
    published(world, "S-1")
    for channel in (None, CHANNEL):
        with pytest.raises(InputError) as caught:
            certificate(world, "S-1", channel)
        assert caught.value.code == "no-takedown-of"
        assert "S-1" in explain(caught.value, "nl")
    with pytest.raises(InputError) as caught:
        certificate(world, "S-9")
    assert caught.value.code == "no-subject"


HOSTILE = "https://x.test/\"'><script>alert(1)</script>\n\n  S-2: all gone\u202e\x1b[31m{{ 7 * 7 }}"


def test_a_hostile_address_stays_text(world):
    key = published(world, "S-1", urls=(HOSTILE,))
    world.desk.withdraw("S-1", CHANNEL)
    lingering(world, key, Look(HOSTILE, False, "200<b>\n"))
    made = certificate(world, "S-1")
    page = Page(made.as_html("en"))
    assert not {"script", "b", "a", "img", "link", "iframe"} & {tag for tag, _ in page.tags}
    assert "<script>alert(1)</script>\\n\\n" in page.text
    assert "{{ 7 * 7 }}" in page.text
    text = made.as_text("en")
    assert sum("S-2: all gone" in line for line in text.splitlines()) == 1
    assert "\n  S-2" not in text
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("folder", ["/srv/home/ready/website-public", "home/ready/website-public"])
def test_no_folder_of_the_server_and_no_code_of_the_channel_leave_the_house(world, folder):
    file = f"{folder}/photo-7.jpg"
    published(world, "S-1", urls=(file, "https://x.test/a/photo-7.jpg"))
    key = published(world, "S-1", urls=(f"{folder}/photo-8.jpg",))
    world.desk.withdraw("S-1", CHANNEL)
    confirmed(world, key, Look(f"{folder}/photo-8.jpg", True, "no file"))
    made = certificate(world, "S-1", CHANNEL)
    for told in (made.as_text("en"), made.as_html("en"), made.as_html("nl")):
        assert "ready" not in told
        assert CHANNEL not in told
        assert "photo-7.jpg" in told
        assert "https://x.test/a/photo-7.jpg" in told
    assert "photo-8.jpg  gone" in made.as_text("en")
    assert "De openbare website van de school" in made.as_text("nl")
    assert folder not in json.dumps(made.as_json())
    assert made.as_json()["channel"] == CHANNEL  # programs know it by its name


def test_one_dutch_word_for_it():
    said = " ".join(
        text
        for area in AREAS
        for code, text in area.NL.items()
        if "certificate" in code or code in ("statement", "personal-takedowns-more")
    )
    assert "erklaring" not in said


def test_the_page_needs_nothing_from_elsewhere(world):
    key = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    confirmed(world, key, GONE)
    page = Page(certificate(world, "S-1").as_html("en"))
    assert not {"src", "href", "style", "onload"} & {name for _, a in page.tags for name in a}
    [policy] = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    assert policy.startswith("default-src 'none'")


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    world = make_world(tmp_path_factory.mktemp("filled"))
    key = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    lingering(world, key, Look("https://x.test/1", False, "200"))
    return world


@tests(max_examples=20)
@given(st.text(max_size=60), st.text(max_size=20), st.sampled_from(["en", "nl"]))
def test_whatever_an_address_holds_the_lines_are_the_same(filled, url, answer, language):
    """Neither adds a line to the text nor a tag to the page."""
    with filled.database.write() as session:
        [row] = Takedowns(session).list()
        row.looks = [{"url": f"https://x.test/{url}", "gone": False, "answer": answer}]
    made = certificate(filled, "S-1")
    plain = made.as_text(language).splitlines()
    tags = [tag for tag, _ in Page(made.as_html(language)).tags]
    with filled.database.write() as session:
        [row] = Takedowns(session).list()
        row.looks = [{"url": "https://x.test/2", "gone": False, "answer": "200"}]
    other = certificate(filled, "S-1")
    assert len(plain) == len(other.as_text(language).splitlines())
    assert tags == [tag for tag, _ in Page(other.as_html(language)).tags]
