"""Which addresses and URLs of others may be called."""

from ipaddress import ip_address

import pytest

from didflow_webhooks import PUBLIC_ONLY, Rules, url_problem
from didflow_webhooks.addresses import networks

INSIDE = [
    "0.0.0.0",  # noqa: S104
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_not_allowed(text: str) -> None:
    """Loopback, link-local, private, shared, metadata, reserved, multicast, and IPv4 inside IPv6."""
    assert not PUBLIC_ONLY.allow(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "172.32.0.1", "2606:4700:4700::1111", "64:ff9b::808:808"])
def test_an_address_of_the_internet_is_allowed(text: str) -> None:
    """NAT64 carries a public IPv4 address here."""
    assert PUBLIC_ONLY.allow(ip_address(text))


def test_an_operator_can_allow_and_forbid_networks() -> None:
    """A forbidden network wins over an allowed one."""
    rules = Rules(allowed=networks("10.0.0.0/8"), forbidden=networks("10.1.0.0/16", "8.8.8.0/24"))
    allowed = [rules.allow(ip_address(text)) for text in ("10.0.0.1", "10.1.0.1", "8.8.8.8", "9.9.9.9")]
    assert allowed == [True, False, False, True]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "/callback",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com",
        "https://",
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com:99999/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data",
        "https://exa mple.com/\x00",
        "https://example.com/" + "a" * 2_000,
    ],
)
def test_a_url_that_can_never_be_called_is_refused_in_words(url: str) -> None:
    """The words contain nothing of the URL."""
    problem = url_problem(url)
    assert problem
    assert "secret" not in problem


@pytest.mark.parametrize("url", ["https://example.com", "http://example.com:8080/a?b=c", "https://8.8.8.8/"])
def test_a_url_of_the_internet_has_no_problem(url: str) -> None:
    """Names are not resolved here."""
    assert url_problem(url) is None
