"""Calls and looks: every way to go wrong has its name, an end, and no secret in it."""

import hashlib
import json
import logging
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.channels import waiting
from mediaguard.channels import web as web_module
from mediaguard.channels.web import Web, is_web_address, json_of
from mediaguard.core.publication import ELSEWHERE, Look
from mediaguard.errors import ChannelError
from mediaguard.texts import explain
from tests.channels.roles import PublicSite
from tests.channels.standin import (
    Answer,
    Standin,
    afterwards,
    down,
    drip,
    drip_headers,
    instead,
    running,
    slow,
)

SECRET = "a-password-that-nobody-may-see"


@pytest.fixture
def site():
    return PublicSite({"/a.jpg": b"one"})


@pytest.fixture
def standin(site: PublicSite):
    with running(site) as made:
        yield made


@pytest.fixture
def web():
    made = Web(timeout=0.3, deadline=0.6, auth=("someone", SECRET))
    yield made
    made.close()


def trouble(web: Web, url: str, **more) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        web.call("GET", url, **more)
    error = caught.value
    assert SECRET not in str(error)
    assert "q=1" not in str(error)
    for language in ("en", "nl"):
        assert error.code not in explain(error, language)
        assert "{" not in explain(error, language)
    return error


# -- call -------------------------------------------------------------------------------------


def test_an_answer_comes_whole(standin: Standin, web: Web):
    response = web.call("GET", f"{standin.url}/a.jpg")
    assert (response.status_code, response.content) == (200, b"one")
    assert standin.requests[0].headers["user-agent"] == "mediaguard"
    assert standin.requests[0].headers["authorization"].startswith("Basic ")


def test_statuses_that_the_caller_understands_are_no_errors(standin: Standin, web: Web):
    assert web.call("GET", f"{standin.url}/no", accept=(404,)).status_code == 404


@pytest.mark.parametrize("fault", [down, slow, drip, drip_headers])
def test_a_server_that_does_not_answer_is_left_in_time(standin: Standin, web: Web, fault):
    standin.misbehave("GET", fault)
    begin = time.monotonic()
    error = trouble(web, f"{standin.url}/a.jpg", params={"q": "1"})
    assert error.code == "channel-unreachable"
    assert error.params["host"] == "127.0.0.1"
    assert error.later
    assert time.monotonic() - begin < 2


def test_nobody_there(web: Web):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert trouble(web, f"http://127.0.0.1:{port}/x").code == "channel-unreachable"
    assert trouble(web, "http://nobody.invalid/x?q=1").code == "channel-unreachable"
    assert trouble(web, "http://[not-an-address/x?q=1").code == "channel-unreachable"


def test_a_server_without_tls_is_not_talked_to(standin: Standin, web: Web):
    error = trouble(web, standin.url.replace("http:", "https:"))
    assert error.code == "channel-unreachable"
    assert "SSL" in error.params["detail"]


def certificate(folder: Path) -> ssl.SSLContext:
    """A server's context with a certificate of its own, in `folder`/cert.pem."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "school")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_certificates_are_checked_and_a_drip_ends_under_tls_too(tmp_path, site, monkeypatch):
    with running(site, tls=certificate(tmp_path)) as standin:
        error = trouble(Web(timeout=1), f"{standin.url}/a.jpg")
        assert (error.code, standin.requests) == ("channel-unreachable", [])
        assert "CERTIFICATE_VERIFY_FAILED" in error.params["detail"]
        trusting = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        monkeypatch.setattr(web_module, "_certificates", lambda: trusting)
        web = Web(timeout=1, deadline=0.5)
        assert web.call("GET", f"{standin.url}/a.jpg").content == b"one"
        for fault in (drip, drip_headers):
            standin.behave()
            standin.misbehave("GET", fault)
            begin = time.monotonic()
            assert trouble(web, f"{standin.url}/a.jpg").code == "channel-unreachable"
            assert time.monotonic() - begin < 1.5


@pytest.mark.parametrize(
    ("status", "code", "later"),
    [
        (401, "channel-credentials", True),
        (403, "channel-credentials", True),
        (429, "channel-busy", True),
        (503, "channel-busy", True),
        (500, "channel-failed", True),
        (502, "channel-failed", True),
        (400, "channel-refuses", False),
        (409, "channel-refuses", False),
        (301, "channel-answer", True),
    ],
)
def test_every_status_has_its_meaning(standin: Standin, web: Web, status, code, later):
    standin.misbehave("GET", instead(status, location="/a.jpg"))
    error = trouble(web, f"{standin.url}/x?q=1")
    assert (error.code, error.later) == (code, later)
    assert len(standin.requests) == 1


def test_work_done_before_a_failure_is_still_a_failure(standin: Standin, web: Web):
    standin.misbehave("GET", afterwards(500))
    assert trouble(web, f"{standin.url}/a.jpg").code == "channel-failed"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0", 1), ("9999999", 86_400), ("", None), ("soon", None), ("-5", None)],
)
def test_how_long_to_wait_in_seconds(standin: Standin, web: Web, value, seconds):
    standin.misbehave("GET", instead(429, Retry_After=value))
    assert trouble(web, f"{standin.url}/x").retry_after == seconds


def test_how_long_to_wait_as_a_date(standin: Standin, web: Web):
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    standin.misbehave("GET", instead(503, Retry_After=moment))
    assert trouble(web, f"{standin.url}/x").retry_after == pytest.approx(90, abs=3)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "SAID"},
        {"error": {"message": "SAID"}},
        {"error": "SAID"},
        {"errors": [{"message": "SAID"}]},
    ],
)
def test_a_refusal_says_why_but_repeats_no_secret(standin: Standin, web: Web, body):
    said = f"no\x1b[31m {SECRET} at https://host/x?token=abc " + "y" * 500
    found = json.dumps(body).replace("SAID", json.dumps(said)[1:-1])
    standin.misbehave("GET", instead(422, found.encode()))
    error = trouble(web, f"{standin.url}/x")
    assert error.params["detail"].startswith("no[31m … at https://host/x?… y")
    assert len(error.params["detail"]) == 200


def test_a_token_in_a_header_is_not_repeated_either(standin: Standin, web: Web):
    standin.misbehave("GET", instead(400, b'{"message": "bad ' + SECRET.encode() + b'"}'))
    error = trouble(
        Web(timeout=1), f"{standin.url}/x", headers={"Authorization": f"Bearer {SECRET}"}
    )
    assert error.params["detail"] == "bad …"


def test_a_broken_header_is_not_repeated(standin: Standin):
    error = trouble(Web(timeout=1), standin.url, headers={"Authorization": f"Bearer {SECRET}\nx"})
    assert error.code == "channel-unreachable"


def test_an_endless_answer_is_not_read(standin: Standin, web: Web, monkeypatch):
    monkeypatch.setattr(web_module, "LARGEST_ANSWER", 100)
    standin.misbehave("GET", instead(200, b"x" * 101))
    assert trouble(web, f"{standin.url}/x").code == "channel-answer"


def test_compressed_answers_are_read(standin: Standin, web: Web):
    import gzip

    body = gzip.compress(b'{"a": 1}')
    standin.misbehave("GET", instead(200, body, Content_Encoding="gzip"))
    assert json_of(web.call("GET", standin.url)) == {"a": 1}
    standin.behave()
    standin.misbehave("GET", instead(200, b"garbage", Content_Encoding="gzip"))
    assert trouble(web, standin.url).code == "channel-unreachable"


@pytest.mark.parametrize("body", [b"", b"<html>", b"12", b'"text"', b"\xff\xfe\x00", b"[" * 99_999])
def test_what_is_no_json_object_is_an_odd_answer(body: bytes):
    response = httpx.Response(200, content=body, request=httpx.Request("GET", "http://host/x"))
    with pytest.raises(ChannelError) as caught:
        json_of(response)
    assert caught.value.code == "channel-answer"
    assert caught.value.params["host"] == "host"


def test_cookies_are_not_kept(standin: Standin, web: Web):
    standin.misbehave("GET", instead(200, Set_Cookie="a=b"), times=1)
    web.call("GET", standin.url)
    web.call("GET", standin.url, accept=(404,))
    assert "cookie" not in standin.requests[1].headers


def test_addresses_are_not_logged(standin: Standin, web: Web, caplog):
    with caplog.at_level(logging.INFO):
        web.call("GET", f"{standin.url}/a.jpg", params={"q": "1"})
    assert "q=1" not in caplog.text


def test_an_upload_gets_time_by_its_size(standin: Standin):
    web = Web(timeout=1, deadline=0.1)

    def late(*_: object) -> Answer:
        time.sleep(0.3)
        return Answer(200)

    standin.misbehave("", late)
    assert web.call("PUT", standin.url, content=bytes(50_000)).status_code == 200
    assert trouble(web, standin.url).code == "channel-unreachable"


# -- look -------------------------------------------------------------------------------------


def test_what_is_there_is_not_gone(standin: Standin, web: Web):
    look = web.look(f"{standin.url}/a.jpg", None)
    assert (look.gone, look.answer, look.again_after) == (False, "200", None)
    assert "authorization" not in standin.requests[0].headers
    assert [one.headers.get("cache-control") for one in standin.requests] == [None, "no-cache"]


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_gone(standin: Standin, web: Web, status):
    standin.misbehave("GET", instead(status))
    look = web.look(f"{standin.url}/a.jpg", None)
    assert (look.gone, look.answer) == (True, str(status))


@pytest.mark.parametrize("status", [200, 204, 301, 302, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("successor", [None, "0" * 64])
def test_nothing_else_counts_as_gone(standin: Standin, web: Web, status, successor):
    standin.misbehave("GET", instead(status, location="/nowhere"))
    look = web.look(f"{standin.url}/a.jpg", successor)
    assert (look.gone, look.answer) == (False, str(status))


def test_a_successor_in_its_place_counts(standin: Standin, web: Web, site: PublicSite):
    two = hashlib.sha256(b"two").hexdigest()
    assert not web.look(f"{standin.url}/a.jpg", two).gone
    site.files["/a.jpg"] = b"two"
    look = web.look(f"{standin.url}/a.jpg", two)
    assert (look.gone, look.answer) == (True, "new file")
    standin.misbehave("GET", instead(500, b"two"))
    assert not web.look(f"{standin.url}/a.jpg", two).gone


def test_a_body_is_read_only_if_it_matters(standin: Standin, web: Web):
    standin.misbehave("GET", drip)
    begin = time.monotonic()
    assert web.look(f"{standin.url}/a.jpg", None).answer == "200"
    assert time.monotonic() - begin < 0.5
    assert web.look(f"{standin.url}/a.jpg", "0" * 64).answer == "no answer"


@pytest.mark.parametrize("fault", [down, slow, drip_headers])
def test_no_answer_is_not_gone(standin: Standin, web: Web, fault):
    standin.misbehave("GET", fault)
    look = web.look(f"{standin.url}/a.jpg", None)
    assert (look.gone, look.answer) == (False, "no answer")


def test_one_missing_answer_is_not_gone(standin: Standin, web: Web):
    standin.misbehave("GET", down, times=1)
    assert web.look(f"{standin.url}/no.jpg", None).answer == "no answer"
    standin.misbehave("GET", down, times=1)
    assert web.look(f"{standin.url}/a.jpg", None).answer == "200"


def test_a_cache_says_how_long_it_keeps_its_copy(standin: Standin, web: Web, site: PublicSite):
    site.lifetime, site.age = 300, 100
    url = f"{standin.url}/a.jpg"
    assert web.look(url, None).answer == "200"
    del site.files["/a.jpg"]
    look = web.look(url, None)
    assert (look.gone, look.answer, look.again_after) == (False, "200 from a cache", 200)
    site.cache.clear()
    assert web.look(url, None).gone


def test_a_cached_absence_is_not_enough(standin: Standin, web: Web):
    standin.misbehave("GET", instead(404), times=1)
    look = web.look(f"{standin.url}/a.jpg", None)
    assert (look.gone, look.answer) == (False, "200")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/tmp/x.jpg",
        "file:///etc/passwd",
        "ftp://host/x",
        "http://",
        "http://user:pass@host/x",
        "http://host/a b",
        "http://host/a\nb",
        "http://[::1/x",
        "javascript:alert(1)",
    ],
)
def test_other_addresses_are_not_fetched(web: Web, url):
    assert not is_web_address(url)
    assert web.look(url, None) == Look(url, gone=False, answer=ELSEWHERE)


@given(st.text())
def test_any_text_may_come_as_an_address(text: str):
    is_web_address(text)
    is_web_address(f"http://{text}")


# -- waiting ----------------------------------------------------------------------------------


def answer(**headers: str) -> httpx.Response:
    return httpx.Response(200, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Cache_Control": "max-age=60"}, 60),
        ({"Cache_Control": "max-age=60, s-maxage=20"}, 20),
        ({"Cache_Control": 'public, S-MaxAge = "20"'}, 20),
        ({"Cache_Control": "x-max-age=60"}, None),
        ({"Cache_Control": "no-store"}, None),
        ({"Cache_Control": "max-age=60", "Age": "15"}, 45),
        ({"Cache_Control": "max-age=60", "Age": "60"}, None),
        ({"Cache_Control": "max-age=60", "Age": "-3"}, 60),
        ({"Cache_Control": "max-age=9999999"}, 86_400),
        (
            {
                "Date": "Mon, 05 Jan 2026 10:00:00 GMT",
                "Expires": "Mon, 05 Jan 2026 10:01:30 GMT",
                "Age": "30",
            },
            60,
        ),
        ({"Expires": "0"}, None),
        ({"Expires": "Mon, 05 Jan 2015 10:00:00 GMT"}, None),
    ],
)
def test_how_fresh_a_copy_is(headers, seconds):
    assert waiting.freshness(answer(**headers)) == seconds


printable = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(printable, printable, printable, printable)
def test_odd_headers_do_no_harm(one, two, three, four):
    response = answer(Retry_After=one, Cache_Control=two, Expires=three, Age=four, Date=one)
    for seconds in (waiting.retry_after(response), waiting.freshness(response)):
        assert seconds is None or 1 <= seconds <= waiting.LONGEST
