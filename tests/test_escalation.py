"""Staff is told of what is overdue: by a note, and by mail that is really sent."""

import contextlib
import datetime as dt
import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import settings as tests
from hypothesis import strategies as st

from mediaguard import mail as mails
from mediaguard.config import Mail
from mediaguard.core.publication import ELSEWHERE, Look
from mediaguard.errors import ChannelError, ConfigError, MediaguardError, StoreError
from mediaguard.escalation import KEPT, NOTE, Escalation
from mediaguard.mail import send
from mediaguard.store.tables import PublicationRow
from mediaguard.store.takedowns import Takedowns
from mediaguard.texts import explain
from tests.pipeline.world import CHANNEL, World, make_world
from tests.smtp_standin import running
from tests.takedown_world import (
    confirmed,
    entries,
    failed,
    later,
    lingering,
    published,
    reconfigured,
    takedowns,
    unrecallable,
)

PASSWORD = "s3cret-of-the-mail-server"
HOUR = dt.timedelta(hours=1)


def mail_section(port: int, **settings: object) -> str:
    values = {
        "server": "localhost",
        "port": port,
        "encryption": "none",
        "sender": "mediaguard <guard@school.test>",
        "recipients": ["office@school.test", "privacy@school.test"],
        **settings,
    }
    lines = [
        f"{key} = {value if isinstance(value, int) else _toml(value)}"
        for key, value in values.items()
    ]
    return "\n".join(["[mail]", *lines, ""])


def _toml(value: object) -> str:
    return str(value).replace("'", '"') if isinstance(value, list) else f'"{value}"'


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    at = made.now() + dt.timedelta(seconds=2)
    made.now = lambda: at
    return made


def note(world: World) -> str | None:
    path = world.home / NOTE
    return path.read_text(encoding="utf-8") if path.exists() else None


# -- the note -------------------------------------------------------------------------------


def test_what_is_not_overdue_yet_is_nobodys_trouble(world):
    published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, dt.timedelta(minutes=59))
    assert Escalation(world).run() == 0
    assert note(world) is None
    assert entries(world, "takedown-escalated") == []


def test_the_note_appears_stays_and_disappears(world):
    key = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, 2 * HOUR)
    told = []
    assert Escalation(world, told.append).run() == 1
    assert str(world.home / NOTE) in told[0]
    [row] = takedowns(world)
    assert row.escalations == 1
    assert row.escalated_at == world.now()
    [entry] = entries(world, "takedown-escalated")
    assert entry.data["takedown"] == row.id
    assert (entry.subject_id, entry.item_id, entry.actor) == ("S-1", row.item_id, world.actor)
    text = note(world)
    for word in (row.id[:12], CHANNEL, "S-1", "has withdrawn consent", "no attempt was made yet"):
        assert word in text
    local = row.requested_at.astimezone(world.config.zone)
    assert f"{local.day} {local:%B} {local.year}, {local:%H:%M}" in text

    written = (world.home / NOTE).stat().st_mtime_ns
    later(world, HOUR)
    assert Escalation(world).run() == 0
    assert (world.home / NOTE).stat().st_mtime_ns == written, "the same note is written anew"
    assert note(world) == text

    confirmed(world, key, Look("https://x.test/1", True, "404"))
    assert Escalation(world).run() == 0
    assert note(world) is None
    assert len(entries(world, "takedown-escalated")) == 1


def test_a_lost_note_comes_back_and_a_changed_one_is_rewritten(world):
    key = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, 2 * HOUR)
    Escalation(world).run()
    before = note(world)
    (world.home / NOTE).unlink()
    Escalation(world).run()
    assert note(world) == before
    failed(world, key, ChannelError("channel-credentials", host="x.test", status=401))
    Escalation(world).run()
    assert "x.test does not accept mediaguard's credentials (status 401)" in note(world)
    assert before.splitlines()[0] in note(world)


def test_each_is_told_of_again_after_the_repeat(world):
    published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, 2 * HOUR)
    counts = []
    for _ in range(50):
        counts.append(Escalation(world).run())
        later(world, HOUR)
    assert sum(counts) == 2, "once, and again when 24 hours were over"
    assert counts[0] == 1
    assert takedowns(world)[0].escalations == 2


def test_the_note_says_where_it_can_still_be_seen(world):
    key = published(world, "S-1", urls=("https://x.test/1", "https://x.test/2"))
    world.desk.withdraw("S-1", CHANNEL)
    lingering(
        world,
        key,
        Look("https://x.test/1", True, "404"),
        Look("https://x.test/2\n  S-2 <b>\u202e", False, "200"),
    )
    later(world, 2 * HOUR)
    Escalation(world).run()
    text = note(world)
    assert "x.test/1" not in text
    assert "https://x.test/2\\n  S-2 <b>\\u202e (200)" in text
    assert "empty the site's cache" in text


def test_the_note_says_what_only_the_earlier_settings_can_take_down(world):
    key = published(world, "S-1", urls=("https://www.facebook.com/1",))
    world.desk.withdraw("S-1", CHANNEL)
    lingering(world, key, Look("https://www.facebook.com/1", False, ELSEWHERE))
    later(world, 2 * HOUR)
    Escalation(world).run()
    text = note(world)
    assert "https://www.facebook.com/1 (published with other settings of the channel)" in text
    assert f"Put the earlier settings of the channel {CHANNEL} back" in text
    assert "mediaguard then finds that it is gone" not in text


def test_the_note_names_a_channel_that_is_not_configured_any_more(world):
    published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, 2 * HOUR)
    world = reconfigured(world, without=CHANNEL)
    assert CHANNEL not in world.config.channels
    assert Escalation(world).run() == 1
    assert f"channel {CHANNEL} is not in the configuration any more" in note(world)


def test_what_has_to_go_for_nobodys_sake_is_told_too(world):
    key = published(world)
    with world.database.write() as session:
        row = session.get_one(PublicationRow, key)
        Takedowns(session).plan_for(row, reason="superseded", at=world.now())
    later(world, 2 * HOUR)
    assert Escalation(world).run() == 1
    assert "nobody in particular" in note(world)
    assert entries(world, "takedown-escalated")[0].subject_id is None


def test_an_unexpected_error_is_not_told_in_words_about_held_items(world):
    key = published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    failed(world, key, MediaguardError("internal-error", detail="ZeroDivisionError"))
    later(world, 2 * HOUR)
    Escalation(world).run()
    assert "unexpected went wrong (ZeroDivisionError). It is tried again." in note(world)
    assert "held" not in note(world)


def test_what_cannot_be_recalled_is_told_once_and_stays_in_the_note_for_a_while(world):
    receivers = '["all parents <parents@school.test>", "printed copies"]'
    world = reconfigured(
        world,
        without="newsletter",
        more='[channels.newsletter]\nconnector = "newsletter"\n'
        f"[channels.newsletter.newsletter]\nrecipients = {receivers}\n",
    )
    key = published(world, "S-1", channel="newsletter")
    world.desk.withdraw("S-1", "newsletter")
    unrecallable(world, key)
    assert Escalation(world).run() == 1, "it does not wait until it is overdue"
    text = note(world)
    assert "CANNOT BE RECALLED (1)" in text
    assert "all parents <parents@school.test>; printed copies" in text
    assert "SHOULD HAVE BEEN GONE" not in text
    later(world, 30 * HOUR)
    assert Escalation(world).run() == 0
    assert note(world) == text
    later(world, KEPT)
    assert Escalation(world).run() == 0
    assert note(world) is None


def test_receivers_of_a_channel_that_is_gone_have_to_be_asked_for(world):
    key = published(world, "S-1", channel="newsletter")
    world.desk.withdraw("S-1", "newsletter")
    unrecallable(world, key)
    world = reconfigured(world, without="newsletter")
    assert Escalation(world).run() == 1
    assert "ask whoever sent it" in note(world)


def test_in_dutch(world):
    world = reconfigured(world, top='language = "nl"')
    key = published(world, "S-1")
    published(world, "S-1")
    lost = published(world, "S-2", channel="newsletter")
    at = dt.datetime(2026, 3, 2, 12, 5, tzinfo=dt.UTC)
    world.now = lambda: at
    with world.database.write() as session:
        plan = Takedowns(session).plan
        for subject, channel in (("S-1", CHANNEL), ("S-2", "newsletter")):
            plan(
                subject,
                channel,
                reason="consent-withdrawn",
                consent_event=None,
                action="remove",
                at=at,
            )
    failed(world, key, ConfigError("secret-missing", reference="env:WP"))
    unrecallable(world, lost)
    later(world, 2 * HOUR)
    assert Escalation(world).run() == 3
    text = note(world)
    assert "DIT HAD WEG MOETEN ZIJN (2)" in text
    assert "DIT IS VERSTUURD EN NIET TERUG TE HALEN (1)" in text
    assert "2 maart 2026, 13:05" in text, "in the school's time zone"
    assert "heeft de toestemming ingetrokken" in text
    assert "Het geheim env:WP is er niet" in text


# -- mail -----------------------------------------------------------------------------------


def test_one_mail_lists_those_to_be_told_now(world):
    with running(user="guard", password=PASSWORD) as server:
        (world.home / "mail-password").write_text(PASSWORD + "\n")
        (world.home / "mail-password").chmod(0o600)
        section = mail_section(server.port, user="guard", password="file:mail-password")
        world = reconfigured(world, more=section)
        published(world, "S-1")
        world.desk.withdraw("S-1", CHANNEL)
        later(world, 2 * HOUR)
        assert Escalation(world).run() == 1
        published(world, "S-2")
        published(world, "S-3")
        world.desk.withdraw("S-2", CHANNEL)
        world.desk.withdraw("S-3", CHANNEL)
        later(world, 2 * HOUR)
        assert Escalation(world).run() == 2
        assert Escalation(world).run() == 0
    first, second = server.mails
    assert first.sender == "guard@school.test"
    assert first.recipients == ["office@school.test", "privacy@school.test"]
    message = first.message
    assert message["Subject"] == "mediaguard: overdue takedowns: 1; cannot be recalled: 0"
    assert message["From"] == "mediaguard <guard@school.test>"
    assert message["To"] == "office@school.test, privacy@school.test"
    assert message["Message-ID"].endswith("@school.test>")
    assert message["Date"]
    assert "S-1" in first.text
    assert "S-1" not in second.text
    assert "S-2" in second.text
    assert "S-3" in second.text
    assert all(name in note(world) for name in ("S-1", "S-2", "S-3")), "the note lists all"
    assert [entry.data["mail"] for entry in entries(world, "takedown-escalated")] == [True] * 3


@pytest.mark.parametrize(
    ("how", "detail"),
    [
        ({"user": "guard", "password": "another"}, "Authentication: 535 5.7.8"),
        ({"user": None}, "AUTH extension not supported"),
        ({"answers": {"": "554 5.3.2 no service"}}, "Connect: 554 5.3.2"),
        ({"answers": {"": None}}, "closed"),
        ({"answers": {"EHLO": None}}, "closed"),
        ({"answers": {"AUTH": None}}, "closed"),
        ({"answers": {"MAIL": "550 5.7.1 no relay"}}, "SenderRefused: 550 5.7.1"),
        ({"refused": {"office@school.test", "privacy@school.test"}}, "refused: 550 5.1.1"),
        ({"answers": {"DATA": "451 4.3.0 later"}}, "Data: 451 4.3.0"),
        ({"answers": {"DATA": None}}, "closed"),
        ({"answers": {"CONTENT": "552 5.2.2 mailbox full"}}, "Data: 552 5.2.2"),
        ({"answers": {"CONTENT": None}}, "closed"),
        ({"answers": {"MAIL": "garbage"}}, ""),
    ],
)
def test_a_mail_that_fails_is_told_and_tried_again(world, monkeypatch, how, detail):
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    with running(**{"user": "guard", "password": PASSWORD, **how}) as server:
        section = mail_section(server.port, user="guard", password="env:MAIL_PASSWORD")
        world = reconfigured(world, more=section)
        published(world, "S-1")
        world.desk.withdraw("S-1", CHANNEL)
        later(world, 2 * HOUR)
        told = []
        for _ in range(2):
            assert Escalation(world, told.append).run() == 0
        assert server.mails == []
        assert len(told) == 2
        assert f"localhost:{server.port}" in told[0]
        assert detail in told[0]
        assert PASSWORD not in told[0]
        assert [row.escalations for row in takedowns(world)] == [0]
        assert entries(world, "takedown-escalated") == []
        assert note(world), "the note is there all the same"

        server.answers, server.refused = {}, set()
        server.user, server.password = "guard", PASSWORD
        assert Escalation(world, told.append).run() == 1
        assert len(server.mails) == 1
        assert takedowns(world)[0].escalations == 1


def test_a_password_that_cannot_be_read_is_told(world):
    section = mail_section(1, user="guard", password="env:MEDIAGUARD_NO_SUCH_SECRET")
    world = reconfigured(world, more=section)
    published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, 2 * HOUR)
    told = []
    assert Escalation(world, told.append).run() == 0
    assert "MEDIAGUARD_NO_SUCH_SECRET" in told[0]
    assert takedowns(world)[0].escalations == 0


def test_one_refused_recipient_does_not_make_the_others_get_it_again(world):
    with running(refused={"privacy@school.test"}) as server:
        world = reconfigured(world, more=mail_section(server.port))
        published(world, "S-1")
        world.desk.withdraw("S-1", CHANNEL)
        later(world, 2 * HOUR)
        told = []
        assert Escalation(world, told.append).run() == 1
        assert Escalation(world, told.append).run() == 0
    assert len(server.mails) == 1
    assert any("privacy@school.test" in line and "office@" not in line for line in told)


def test_an_accepted_mail_counts_however_the_server_takes_leave(world):
    with running(answers={"QUIT": None}) as server:
        world = reconfigured(world, more=mail_section(server.port))
        published(world, "S-1")
        world.desk.withdraw("S-1", CHANNEL)
        later(world, 2 * HOUR)
        assert Escalation(world).run() == 1
    assert len(server.mails) == 1


def test_another_worker_that_told_meanwhile_is_not_counted_twice(world, monkeypatch):
    published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, 2 * HOUR)
    first = Escalation(world)
    monkeypatch.setattr(first, "_send", lambda _: Escalation(world).run())
    assert first.run() == 0
    assert takedowns(world)[0].escalations == 1
    assert len(entries(world, "takedown-escalated")) == 1


# -- what breaks ----------------------------------------------------------------------------


def test_a_note_that_cannot_be_written_is_an_error_in_words(world):
    published(world, "S-1")
    world.desk.withdraw("S-1", CHANNEL)
    later(world, 2 * HOUR)
    (world.home / NOTE).mkdir()
    with pytest.raises(StoreError) as caught:
        Escalation(world).run()
    assert caught.value.code == "overdue-note-failed"
    assert NOTE in explain(caught.value, "nl")
    assert takedowns(world)[0].escalations == 0


def test_a_note_that_cannot_be_removed_is_an_error_in_words(world):
    (world.home / NOTE).mkdir()
    with pytest.raises(StoreError):
        Escalation(world).run()


def test_a_database_that_is_gone_is_an_error_in_words(world):
    world.database.close()
    for path in world.home.glob("mediaguard.db*"):
        path.unlink()
    with pytest.raises(StoreError):
        Escalation(World(world.home)).run()


# -- the mail itself ------------------------------------------------------------------------


def settings(port: int, **more: object) -> Mail:
    values = {"encryption": "none", "sender": "guard@school.test", "recipients": ("a@b.test",)}
    return Mail(**{"server": "localhost", "port": port, **values, **more})


@pytest.fixture(scope="module")
def server():
    with running() as standin:
        yield standin


HOSTILE = st.text(st.sampled_from("\r\n\0\x0b\x85\u2028\u2029 :ab\u202e\ud800é"), max_size=30)


@tests(max_examples=20)
@given(HOSTILE.map(lambda text: f"x{text}Bcc: evil@x.test{text}"))
def test_a_subject_cannot_become_a_header(server, subject):
    server.mails.clear()
    server.lines.clear()
    send(settings(server.port), None, subject=subject, text="t")
    [mail] = server.mails
    assert mail.message["Bcc"] is None
    assert set(mail.message.keys()) == {
        "Subject",
        "From",
        "To",
        "Message-ID",
        "Date",
        "Auto-Submitted",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }
    assert mail.text == "t\n"
    assert mail.recipients == ["a@b.test"]
    assert sum(line.upper().startswith("RCPT") for line in server.lines) == 1


@tests(max_examples=20)
@given(st.text(max_size=200).map(lambda text: f"{text}\r\n.\r\nMAIL FROM:<evil@x.test>\n.\n"))
def test_a_text_cannot_end_the_mail(server, text):
    server.mails.clear()
    server.lines.clear()
    send(settings(server.port), None, subject="s", text=text)
    assert len(server.mails) == 1
    assert sum(line.upper().startswith("MAIL") for line in server.lines) == 1
    assert server.mails[0].raw.isascii()


def test_letters_of_every_language_arrive(server):
    server.mails.clear()
    text = "Café: één foto, 写真\n" + "é" * 3000 + "\n"
    send(
        settings(server.port, sender="Zoë <z@b.test>"), None, subject="Verwijdering: één", text=text
    )
    [mail] = server.mails
    assert mail.text == text
    assert mail.message["Subject"] == "Verwijdering: één"
    assert mail.message["From"].addresses[0].display_name == "Zoë"
    assert mail.raw.isascii()


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "guard@school.test\r\nBcc: evil@x.test"},
        {"sender": "nobody"},
        {"sender": ""},
        {"sender": "a@b.test, c@d.test"},
        {"recipients": ("a@b.test\nBcc: evil@x.test",)},
        {"recipients": ("a@b.test", "nobody")},
        {"recipients": ("",)},
        {"recipients": ("<",)},
    ],
)
def test_addresses_that_are_none_are_refused_before_anything_is_said(server, wrong):
    server.lines.clear()
    with pytest.raises(ChannelError) as caught:
        send(settings(server.port, **wrong), None, subject="s", text="t")
    assert caught.value.code == "mail-failed"
    assert server.lines == []


@tests(max_examples=20)
@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_is_configured_nothing_but_a_channel_error_comes_out(server, sender, recipient):
    for name, value in (("sender", sender), ("recipients", (recipient,))):
        with contextlib.suppress(ChannelError):
            send(settings(server.port, **{name: value}), None, subject="s", text="t")


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ChannelError) as caught:
        send(settings(port), None, subject="s", text="t")
    assert "refused" in explain(caught.value)


@pytest.mark.parametrize("name", ["no-such-host.invalid", "é" * 70, "a..b", ""])
def test_a_server_that_has_no_address(name, monkeypatch):
    monkeypatch.setattr(mails, "TIMEOUT", 2.0)
    with pytest.raises(ChannelError):
        send(settings(1, server=name), None, subject="s", text="t")


def test_a_silent_server_does_not_keep_anybody_waiting(monkeypatch):
    monkeypatch.setattr(mails, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ChannelError) as caught:
        send(settings(silent.getsockname()[1]), None, subject="s", text="t")
    assert "timed out" in explain(caught.value)


# -- encryption -----------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - HOUR)
        .not_valid_after(now + HOUR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
def test_an_encrypted_mail_to_a_server_that_proves_who_it_is(tmp_path, monkeypatch, encryption):
    path = certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    how = {"certificate": path, "tls_at_once": encryption == "tls"}
    with running(user="guard", password=PASSWORD, **how) as server:
        mail = settings(server.port, encryption=encryption, user="guard")
        send(mail, PASSWORD, subject="s", text="t")
    assert len(server.mails) == 1
    assert {line.split()[0].upper() for line in server.clear} <= {"EHLO", "STARTTLS"}


@pytest.mark.parametrize("encryption", ["starttls", "tls"])
@pytest.mark.parametrize("trusted", ["another-name.test", None])
def test_a_server_that_proves_nothing_gets_nothing(tmp_path, monkeypatch, encryption, trusted):
    path = certificate(tmp_path, trusted or "localhost")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    how = {"certificate": path, "tls_at_once": encryption == "tls"}
    with running(user="guard", password=PASSWORD, **how) as server:
        mail = settings(server.port, encryption=encryption, user="guard")
        with pytest.raises(ChannelError) as caught:
            send(mail, PASSWORD, subject="s", text="t")
    assert "certificate" in explain(caught.value).lower()
    assert server.mails == []
    assert {line.split()[0].upper() for line in server.lines} <= {"EHLO", "STARTTLS"}


def test_a_server_without_starttls_gets_nothing_in_clear():
    with running(user="guard", password=PASSWORD) as server:
        mail = settings(server.port, encryption="starttls", user="guard")
        with pytest.raises(ChannelError) as caught:
            send(mail, PASSWORD, subject="s", text="t")
    assert "STARTTLS" in explain(caught.value)
    assert server.mails == []
    assert {line.split()[0].upper() for line in server.lines} == {"EHLO"}
