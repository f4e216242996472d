"""Where the server may listen, and who is believed about where a request comes from."""

import ssl
import threading
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError
from starlette.requests import Request

from mediaguard.app import App
from mediaguard.config import FILE_NAME, Web
from mediaguard.core.access import Role
from mediaguard.core.consent import Signatory
from mediaguard.errors import ConfigError
from mediaguard.personal import PersonalLinks
from mediaguard.web.callers import client_address
from mediaguard.web.server import Server
from tests.console.school import Visiting

TLS = 'tls_certificate = "keys/tls.crt"\ntls_key = "keys/tls.key"\n'


def with_web(world, settings: str) -> App:
    path = world.home / FILE_NAME
    path.write_text(path.read_text() + f"\n[web]\n{settings}\n")
    return type(world)(world.home)


def certificate(world) -> None:
    """One for this machine, made just now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    keys = world.home / "keys"
    pem = serialization.Encoding.PEM
    (keys / "tls.crt").write_bytes(made.public_bytes(pem))
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (keys / "tls.key").write_bytes(key.private_bytes(pem, *plain))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "school.example"])
def test_nobody_can_listen_in(world, host):
    with pytest.raises(ConfigError, match="web-exposed"):
        Server(with_web(world, f'host = "{host}"'), port=0, tell=print)


def test_with_a_web_server_before_it_is_fine(world):
    app = with_web(world, 'host = "0.0.0.0"\naddress = "https://media.school.example"')
    Server(app, port=0, tell=print)._socket.close()


def test_links_lead_to_where_it_is_served(world):
    """To another port than is configured, if it is served there; to `address`, if there is one."""
    server = Server(world, port=0, tell=print)
    served = server.address
    server._socket.close()
    assert not served.endswith(":8321")
    made = PersonalLinks(world.acting_as("user:x")).make("S-1", Signatory.GUARDIAN)
    assert made.address.startswith(f"{served}/my/")
    chief = Visiting(world, frozenset({Role.ADMINISTRATOR}))
    page = chief.do("/console/users", login="c1", role="staff", whole="yes", language="en")
    assert f'value="{served}/console/link/' in page.text
    app = with_web(world, 'address = "https://m.school.test"')
    Server(app, port=0, tell=print)._socket.close()
    assert app.origin == "https://m.school.test"
    assert App(world.home).origin == "https://m.school.test"


def test_with_a_certificate_of_its_own(world):
    certificate(world)
    server = Server(with_web(world, f'host = "0.0.0.0"\n{TLS}'), port=0, tell=print)
    assert server.address.startswith("https://0.0.0.0:")
    stop = threading.Event()
    thread = threading.Thread(target=server.run, args=[stop])
    thread.start()
    try:
        trust = ssl.create_default_context(cafile=world.home / "keys" / "tls.crt")
        url = server.address.replace("0.0.0.0", "localhost")
        with httpx.Client(verify=trust, base_url=url) as client:
            assert client.get("/health").status_code == 200
            page = client.get("/console/sign-in")
            assert page.status_code == 200
            assert page.headers["set-cookie"].startswith("__Secure-")
        with pytest.raises(httpx.TransportError):
            httpx.get(url.replace("https", "http") + "/health")
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("broken", ["tls.crt", "tls.key"])
def test_a_certificate_that_cannot_be_used(world, broken):
    certificate(world)
    file = world.home / "keys" / broken
    file.write_text("nothing")
    with pytest.raises(ConfigError, match="web-tls"):
        Server(with_web(world, TLS), port=0, tell=print)
    file.unlink()
    with pytest.raises(ConfigError, match="web-tls"):
        Server(App(world.home), port=0, tell=print)


@pytest.mark.parametrize(
    "settings",
    [
        {"tls_certificate": "x"},
        {"tls_key": "x"},
        {"address": "http://media.school.example"},
        {"address": "https://media.school.example/console"},
        {"address": "https://user@media.school.example"},
        {"trusted_proxies": ["somewhere"]},
        {"idle_minutes": 0},
    ],
)
def test_settings_that_make_no_sense(settings):
    with pytest.raises(ValidationError):
        Web(**settings)


@pytest.mark.parametrize(
    ("peer", "forwarded", "known"),
    [
        ("198.51.100.7", None, "198.51.100.7"),
        ("198.51.100.7", "203.0.113.1", "198.51.100.7"),  # anybody can say so
        ("127.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("127.0.0.1", "9.9.9.9, 203.0.113.1", "203.0.113.1"),
        ("127.0.0.1", "9.9.9.9, 203.0.113.1, 10.1.2.3", "203.0.113.1"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("127.0.0.1", "noise", "unknown"),
        ("testclient", None, "unknown"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:0db8:0001:0002"),
    ],
)
def test_a_trusted_proxy_says_for_whom_it_asks(peer, forwarded, known):
    web = Web(trusted_proxies=["127.0.0.1", "10.0.0.0/8"])
    headers = [] if forwarded is None else [(b"x-forwarded-for", forwarded.encode())]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    assert client_address(request, web.trusted_proxies) == known


@pytest.mark.parametrize(
    ("settings", "known"),
    [
        ({"address": "https://m.test"}, "203.0.113.9"),  # a web server on this machine
        ({"address": "https://m.test", "host": "0.0.0.0"}, "127.0.0.1"),
        ({"address": "https://m.test", "trusted_proxies": ["10.0.0.0/8"]}, "127.0.0.1"),
        ({"address": "https://m.test", "tls_certificate": "a", "tls_key": "b"}, "127.0.0.1"),
        ({}, "127.0.0.1"),
    ],
)
def test_whoever_is_on_this_machine_says_for_whom_it_asks(settings, known):
    headers = [(b"x-forwarded-for", b"203.0.113.9")]
    scope = {"type": "http", "client": ("127.0.0.1", 4711), "headers": headers}
    assert client_address(Request(scope), Web(**settings).proxies) == known
