"""Hosts, URLs and mail addresses of SMS trunks: what is refused when they are written, and with which code."""

import pytest

from didflow_provisioning.domain.targets.hosts import problem_of_email, problem_of_host, problem_of_url


@pytest.mark.parametrize(
    "host", ["smpp.example.com", "a-b.example.com.", "xn--bcher-kva.example", "8.8.8.8", "2606:4700::1111"]
)
def test_a_public_host_is_accepted(host: str) -> None:
    """Names, also in punycode, and public IP addresses."""
    assert problem_of_host(host) is None


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST.", "a.localhost", "db", "vault.internal", "printer.local", "x.lan"),
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.1.2.3", "100.64.0.1"),
        *("224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1"),
        *("::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "2002:7f00:1::"),
    ],
)
def test_an_internal_host_is_refused(host: str) -> None:
    """Loopback, private, link-local, metadata, multicast and reserved addresses, and IPv4 inside of IPv6."""
    assert problem_of_host(host) == "internal_address"


@pytest.mark.parametrize(
    "host",
    [
        *(
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "127.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "256.1.1.1",
            "1.2.3.4.5",
        ),
        *(
            "",
            ".",
            "a..b",
            "-a.example",
            "a-.example",
            "a_b.example",
            "a b.example",
            "bücher.example",
            "a.example/",
        ),
        *("[::1]", "::1%eth0%", "a" * 64 + ".example", ".".join(["a" * 60] * 5)),
    ],
)
def test_what_is_no_host_is_refused(host: str) -> None:
    """Among them all other forms of an IPv4 address: decimal, hexadecimal, octal and short ones."""
    assert problem_of_host(host) == "host_invalid"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://sms.example.com:8080/in?x=1",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/in",
    ],
)
def test_a_callback_url_is_http_or_https(url: str) -> None:
    """With a port, a path and a query."""
    assert problem_of_url(url) is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("ftp://example.com", "url_invalid"),
        ("example.com", "url_invalid"),
        ("https://", "url_invalid"),
        ("https://ann:secret@example.com", "url_invalid"),
        ("https://@example.com", "url_invalid"),
        ("https://example.com/#top", "url_invalid"),
        ("https://example.com/a b", "url_invalid"),
        ("https://example.com\\@127.0.0.1", "url_invalid"),
        ("https://example.com:99999", "url_invalid"),
        ("https://example.com:0", "url_invalid"),
        ("https://[::1", "url_invalid"),
        ("https://exam\nple.com", "url_invalid"),
        ("https://127.0.0.1/in", "internal_address"),
        ("http://[::ffff:10.0.0.1]/", "internal_address"),
        ("http://169.254.169.254/latest/meta-data", "internal_address"),
        ("http://kafka:9092", "internal_address"),
        ("http://0x7f.1/", "host_invalid"),
        ("http://%31%32%37.0.0.1/", "host_invalid"),
    ],
)
def test_other_urls_are_refused_with_a_code(url: str, code: str) -> None:
    """No user, no fragment, no other scheme, nothing internal."""
    assert problem_of_url(url) == code


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("sms+in@example.com", None),
        ("o'neil.b@mail.example.com", None),
        ("example.com", "email_invalid"),
        ("@example.com", "email_invalid"),
        ("a@b@example.com", "email_invalid"),
        (".a@example.com", "email_invalid"),
        ("a..b@example.com", "email_invalid"),
        ("a\n@example.com", "email_invalid"),
        ("a@8.8.8.8", "email_invalid"),
        ("a" * 65 + "@example.com", "email_invalid"),
        ("Ann <a@example.com>", "email_invalid"),
        ("a@localhost", "internal_address"),
    ],
)
def test_a_mail_address_has_one_form(address: str, code: str | None) -> None:
    """A local part without quotes, and a public host name."""
    assert problem_of_email(address) == code
