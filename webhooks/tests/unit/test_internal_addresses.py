"""Attacks by addresses: what is refused when it is written, and what is refused when a connection is opened."""

from ipaddress import ip_address
from typing import Any

import pytest
from harness.internal_addresses import INTERNAL, MALFORMED, PUBLIC

from didflow_webhooks import GuardedClient, Rejected, RequestFailed, Rules, host_problem, url_problem
from didflow_webhooks.addresses import networks
from didflow_webhooks.hosts import address_of

CODES = {
    **dict.fromkeys(INTERNAL, "internal_address"),
    **dict.fromkeys(MALFORMED, "host_invalid"),
    **dict.fromkeys(PUBLIC),
}
ADDRESSES = [host for host in INTERNAL if address_of(host)]
URLS = {
    "": "url_invalid",
    "example.com": "url_invalid",
    "/callback": "url_invalid",
    "https:example.com": "url_invalid",
    "https:///example.com": "url_invalid",
    "ftp://example.com/": "url_invalid",
    "file:///etc/passwd": "url_invalid",
    "gopher://example.com": "url_invalid",
    "https://": "url_invalid",
    "https://user:secret@example.com/": "url_invalid",
    "https://user@example.com/": "url_invalid",
    "https://@example.com": "url_invalid",
    "https://example.com@127.0.0.1/": "url_invalid",
    "https://127.0.0.1\\@example.com": "url_invalid",
    "https://example.com\\@127.0.0.1": "url_invalid",
    "http://example.com;@127.0.0.1/": "url_invalid",
    "https://example.com#@127.0.0.1/": "url_invalid",
    "https://example.com/#top": "url_invalid",
    "https://example.com/a b": "url_invalid",
    "https://exam\nple.com": "url_invalid",
    "https://example.com/\x00": "url_invalid",
    "https://[::1": "url_invalid",
    "https://[v1.x]/": "url_invalid",
    "https://example.com/" + "a" * 2_000: "url_invalid",
    "https://example.com:+80/": "url_invalid",
    "https://example.com:-1/": "url_invalid",
    "https://example.com:\u0668\u0660/": "url_invalid",
    "https://example.com:80:80/": "url_invalid",
    "https://example.com:0/": "port_not_allowed",
    "https://example.com:65536/": "port_not_allowed",
    "https://example.com:99999/": "port_not_allowed",
    "http://example.com:22/": "port_not_allowed",
    "http://example.com:25/": "port_not_allowed",
    "http://169.254.169.254/latest/meta-data": "internal_address",
    "HTTP://KAFKA:9092": "internal_address",
    "https://127.0.0.1?@example.com": "internal_address",
    "https://example.com": None,
    "https://EXAMPLE.com:443/": None,
    "http://sms.example.com:8080/in?x=1&y=a@b": None,
    "https://8.8.8.8/": None,
    "https://[2606:4700::1111]:8443/in": None,
}


async def resolved_nothing(host: str, port: int) -> Any:
    """A resolver that must not be asked."""
    raise AssertionError(host)


def code_of(problem: Rejected | None) -> str | None:
    """Return the code of a problem."""
    return problem.code if problem else None


async def failure_of(url: str, resolve: Any) -> str:
    """Return the code with which a request fails."""
    client = GuardedClient(resolve=resolve)
    with pytest.raises(RequestFailed) as raised:
        await client.post(url, b"", {})
    await client.aclose()
    return raised.value.code


@pytest.mark.parametrize("host", CODES)
def test_a_host_is_judged_by_its_text(host: str) -> None:
    """Internal ones and those that are not in their usual form are refused, each with its code."""
    assert code_of(host_problem(host)) == CODES[host]


@pytest.mark.parametrize("host", [*INTERNAL, *MALFORMED])
async def test_no_form_of_an_internal_host_is_resolved_or_connected_to(host: str) -> None:
    """The client has the same rule as the check of what is written."""
    url = f"http://[{host}]:8080/" if ":" in host else f"http://{host}:8080/"
    code = await failure_of(url, resolved_nothing)
    assert code == ("address_forbidden" if host in INTERNAL else "bad_url")


@pytest.mark.parametrize("url", URLS)
async def test_a_url_is_judged_by_its_text(url: str) -> None:
    """The words repeat nothing of the URL, and the client refuses what the check refuses."""
    problem = url_problem(url)
    assert code_of(problem) == URLS[url]
    if problem is not None:
        assert "secret" not in problem.message
        expected = "address_forbidden" if problem.code == "internal_address" else "bad_url"
        assert await failure_of(url, resolved_nothing) == expected


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_name_with_an_internal_address_is_not_connected_to(address: str) -> None:
    """The name is harmless, also beside a public address."""

    async def resolve(host: str, port: int) -> Any:
        return [ip_address("8.8.8.8"), ip_address(address)]

    assert await failure_of("http://127.0.0.1.nip.io/", resolve) == "address_forbidden"


def test_further_networks_of_an_operator_are_allowed_and_nothing_else_is() -> None:
    """Names may then lie in them, whatever their ending is. Loopback is no part of them."""
    rules = Rules(allowed=networks("10.0.0.0/8", "fd00::/8"))
    allowed = ["10.0.0.1", "fd12::1", "pbx.lan", "pbx", "8.8.8.8", "pbx.example.com"]
    refused = [
        "127.0.0.1",
        "localhost",
        "a.localhost",
        "192.168.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:10.0.0.1",
    ]
    assert [host for host in allowed if host_problem(host, rules)] == []
    assert {code_of(host_problem(host, rules)) for host in refused} == {"internal_address"}
    assert host_problem("localhost", Rules(allowed=networks("127.0.0.0/8"))) is None


def test_a_forbidden_network_wins_also_inside_of_nat64() -> None:
    """An operator can allow and forbid networks."""
    rules = Rules(allowed=networks("10.0.0.0/8"), forbidden=networks("10.1.0.0/16", "8.8.8.0/24"))
    hosts = ("10.0.0.1", "10.1.0.1", "8.8.8.8", "64:ff9b::808:808", "9.9.9.9")
    assert [host_problem(host, rules) is None for host in hosts] == [True, False, False, False, True]
