"""Signatures: the published vector, rotation, forgery, age."""

import base64
import secrets as random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaguard.channels.signing import SignatureError, sign, signing_key, verify
from mediaguard.errors import ConfigError


def secret() -> str:
    return "whsec_" + base64.b64encode(random.token_bytes(32)).decode()


ONE, TWO = secret(), secret()


def reason(secrets, headers, body, now) -> str:
    with pytest.raises(SignatureError) as caught:
        verify(secrets, headers, body, now)
    return caught.value.reason


def test_the_published_vector():
    known = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    headers = sign([known], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, [body])
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    assert verify([known], headers, body, 1614265330) == headers["webhook-id"]


@given(st.text(st.characters(codec="ascii", exclude_characters=" "), min_size=1), st.binary())
def test_what_is_signed_is_genuine_and_nothing_else(message_id: str, body: bytes):
    headers = sign([ONE], message_id, 1000, [body[:3], body[3:]])
    assert verify([ONE], headers, body, 1000) == message_id
    assert reason([ONE], headers, body + b" ", 1000) == "forged"
    assert reason([ONE], headers | {"webhook-id": message_id + "x"}, body, 1000) == "forged"
    assert reason([ONE], headers | {"webhook-timestamp": "1001"}, body, 1000) == "forged"
    assert reason([TWO], headers, body, 1000) == "forged"


@given(
    st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature"]), st.text()
    )
)
def test_whatever_comes_is_refused_and_nothing_breaks(headers):
    reason([ONE], headers, b"{}", 1000)


def test_old_and_future_messages_are_stale():
    headers = sign([ONE], "id", 1000, [b"x"])
    assert verify([ONE], headers, b"x", 1300) == "id"
    assert verify([ONE], headers, b"x", 700) == "id"
    assert reason([ONE], headers, b"x", 1301) == "stale"
    assert reason([ONE], headers, b"x", 699) == "stale"


def test_secrets_are_exchanged_without_a_gap():
    both = sign([TWO, ONE], "id", 1000, [b"x"])
    assert len(both["webhook-signature"].split()) == 2
    assert verify([ONE], both, b"x", 1000) == "id"
    assert verify([TWO], both, b"x", 1000) == "id"
    assert verify([TWO, ONE], sign([ONE], "id", 1000, [b"x"]), b"x", 1000) == "id"


def test_other_versions_and_many_signatures_do_not_help():
    headers = sign([ONE], "id", 1000, [b"x"])
    genuine = headers["webhook-signature"]
    for given_ in (genuine.replace("v1,", "v1a,"), genuine.removeprefix("v1,"), "v1,", "v1,é"):
        assert reason([ONE], headers | {"webhook-signature": given_}, b"x", 1000) == "forged"
    crowd = "v1,AAAA " * 20 + genuine
    assert reason([ONE], headers | {"webhook-signature": crowd}, b"x", 1000) == "forged"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_is_needed(name: str):
    headers = sign([ONE], "id", 1000, [b"x"])
    del headers[name]
    assert reason([ONE], headers, b"x", 1000) == "missing"


def test_without_secrets_nothing_is_genuine():
    assert reason([], sign([ONE], "id", 1000, [b"x"]), b"x", 1000) == "forged"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "whsec_",
        ONE.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(bytes(23)).decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
        "whsec_not base64",
        "whsec_é",
    ],
)
def test_a_weak_secret_is_refused_and_not_repeated(wrong: str):
    with pytest.raises(ConfigError) as caught:
        signing_key(wrong)
    assert not caught.value.params
