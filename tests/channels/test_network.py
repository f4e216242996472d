"""What is in the internet at large, and what is not."""

import pytest

from mediaguard.channels.network import inside, is_public

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "192.0.2.1",
    "240.0.0.1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "not an address",
]


def test_what_is_public():
    assert is_public("93.184.215.14")
    assert is_public("2606:2800:21f:cb07:6820:80da:af6b:8b2c")
    assert not any(map(is_public, PRIVATE))


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("169.254.169.254", {"169.254.169.254"}),
        ("2130706433", {"127.0.0.1"}),
        ("0x7f.1", {"127.0.0.1"}),
        ("::1", {"::1"}),
        ("93.184.215.14", set()),
        ("nowhere.invalid", set()),
        ("x" * 64, set()),
        ("", set()),
    ],
)
def test_which_addresses_of_a_host_are_not(host, addresses):
    assert inside(host) == addresses
