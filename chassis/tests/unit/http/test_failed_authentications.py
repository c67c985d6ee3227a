"""Requests without an accepted token are limited by the network that they come from, and harm no one else there."""

from typing import Any

import httpx
import pytest

from didflow_chassis.http import Authenticator, Rate
from didflow_chassis.http.addresses import network_of
from didflow_chassis.http.limits import FAILURES

OPEN = int(FAILURES.burst)
BAD = {"Authorization": "Bearer eyJhbGciOiJFZERTQSIsImtpZCI6IkVkRFNBIn0.e30.AAAA"}


@pytest.fixture
def verified(world: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the tokens whose signature was verified or that were looked up, in a world with limits."""
    calls: list[str] = []
    verify = Authenticator.caller

    async def counted(self: Authenticator, token: str) -> Any:
        calls.append(token)
        return await verify(self, token)

    monkeypatch.setattr(Authenticator, "caller", counted)
    world.serve(rate=Rate(), clock=lambda: world.now)
    return calls


async def attack(client: httpx.AsyncClient, times: int = OPEN + 20, **headers: str) -> list[int]:
    """Send bad tokens and return the statuses."""
    return [(await client.get("/v1/me", headers=BAD | headers)).status_code for _ in range(times)]


async def test_bad_tokens_beyond_the_limit_are_refused_without_verifying_a_signature(
    world: Any, verified: list[str]
) -> None:
    """The first 100 are 401. The others are 429 with Retry-After, and cost no signature verification."""
    statuses = await attack(world.client)
    assert statuses[:OPEN] == [401] * OPEN
    assert statuses[OPEN:] == [429] * 20
    assert len(verified) == statuses.count(401)
    answer = await world.client.get("/v1/me", headers=BAD)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_exceeded")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["ratelimit-policy"] == '"address";q=100;w=10'


@pytest.mark.parametrize(
    "given", [{}, {"Authorization": "Basic YTpi"}, BAD], ids=["none", "other scheme", "bad"]
)
@pytest.mark.parametrize("path", ["/v1/me", "/v1/nowhere", "/openapi/things.json"])
async def test_each_way_to_send_no_accepted_token_counts(
    world: Any, path: str, given: dict[str, str]
) -> None:
    """No token, another scheme, a bad token, an unknown path, the public document: all have one limit."""
    client = world.serve(rate=Rate(), clock=lambda: world.now)
    client.headers.pop("Authorization")
    statuses = [(await client.get(path, headers=given)).status_code for _ in range(OPEN + 20)]
    assert 429 not in statuses[:OPEN]
    assert statuses.count(429) == 20


async def test_a_token_that_was_accepted_recently_is_not_refused_because_of_its_neighbours(
    world: Any, verified: list[str]
) -> None:
    """Behind a proxy that hides its clients, a caller goes on with its token while others send bad ones."""
    good = world.bearer()
    assert (await world.client.get("/v1/me", headers=good)).status_code == 200
    await attack(world.client)
    before = len(verified)
    statuses = {(await world.client.get("/v1/me", headers=good)).status_code for _ in range(20)}
    assert statuses == {200}
    assert len(verified) == before


async def test_a_known_caller_with_a_new_token_is_not_refused_because_of_its_neighbours(
    world: Any, verified: list[str]
) -> None:
    """A caller whose token was accepted in the last hour can renew it while others send bad ones."""
    assert (await world.client.get("/v1/me", headers=world.bearer())).status_code == 200
    await attack(world.client)
    renewed = await world.client.get("/v1/me", headers=world.bearer(jti="second"))
    assert renewed.status_code == 200
    stranger = await world.client.get("/v1/me", headers=world.bearer(sub="unknown"))
    assert stranger.status_code == 429
    assert verified


async def test_forged_tokens_in_the_name_of_a_known_caller_are_limited_too(
    world: Any, verified: list[str]
) -> None:
    """Whoever claims to be a known caller has that caller's share of failures, not an unlimited one."""
    await world.client.get("/v1/me", headers=world.bearer())
    forged = {"Authorization": f"Bearer {world.issuer.token()[:-8]}AAAAAAAA"}
    statuses = [(await world.client.get("/v1/me", headers=forged)).status_code for _ in range(OPEN + 20)]
    assert statuses.count(429) == 20
    assert (await world.client.get("/v1/me", headers=world.bearer(sub="bob"))).status_code == 200
    assert verified


async def test_a_network_that_waits_as_told_is_heard_again(world: Any) -> None:
    """Ten more attempts each second."""
    client = world.serve(rate=Rate(), clock=lambda: world.now)
    await attack(client)
    world.now += 1
    assert await attack(client, 12) == [401] * 10 + [429] * 2


async def test_another_network_is_not_refused(world: Any) -> None:
    """The limit of one address is not that of another, nor that of another /64; in a /64 all addresses have one."""
    world.serve(rate=Rate(), clock=lambda: world.now)
    await attack(world.client_at("192.0.2.1"))
    assert (await attack(world.client_at("192.0.2.2"), 1)) == [401]
    for host in range(OPEN + 20):
        await attack(world.client_at(f"2001:db8:0:1::{host:x}"), 1)
    assert (await attack(world.client_at("2001:db8:0:1:ffff::1"), 1)) == [429]
    assert (await attack(world.client_at("2001:db8:0:2::1"), 1)) == [401]


async def test_a_forwarded_address_counts_only_if_the_settings_name_the_header(world: Any) -> None:
    """Without the setting, an attacker cannot choose its address by a header."""
    world.serve(rate=Rate(), clock=lambda: world.now)
    statuses = []
    for n in range(OPEN + 20):
        statuses += await attack(
            world.client, 1, **{"X-Forwarded-For": f"192.0.2.{n}", "X-Real-IP": f"192.0.2.{n}"}
        )
    assert statuses.count(429) == 20
    world.serve(rate=Rate(), clock=lambda: world.now, address_header="X-Real-IP")
    await attack(world.client, **{"X-Real-IP": "192.0.2.1"})
    assert (await attack(world.client, 1, **{"X-Real-IP": "192.0.2.1"})) == [429]
    assert (await attack(world.client, 1, **{"X-Real-IP": "192.0.2.2"})) == [401]


@pytest.mark.parametrize(
    ("client", "header", "network"),
    [
        ("192.0.2.7", None, "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", None, "192.0.2.7"),
        ("fe80::1%eth0", None, "fe80::/64"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::/64"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9,", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "1" * 5_000, "10.0.0.1"),
        ("a socket", None, "unknown"),
    ],
)
def test_the_network_of_a_request(client: str, header: str | None, network: str) -> None:
    """One IPv4 address, or a /64. Of a list, the last address counts; what is no address does not."""
    headers = (
        []
        if header is None
        else [(b"x-forwarded-for", b"192.0.2.250"), (b"x-forwarded-for", header.encode())]
    )
    scope = {"type": "http", "client": (client, 1), "headers": headers}
    assert network_of(scope, None if header is None else "X-Forwarded-For") == network


def test_a_request_without_a_client_has_an_unknown_network() -> None:
    """Such as one over a Unix socket."""
    assert network_of({"type": "http", "client": None, "headers": []}, None) == "unknown"


async def test_a_remembered_token_still_expires(world: Any) -> None:
    """The expiry of a token is checked with each request, also while its signature is not."""
    now = 1_000_000_000.0
    keys = world.app.state.runtime.authenticator._keys
    made = Authenticator("https://issuer.example", "things", keys, now=lambda: now)
    token = world.issuer.token(exp=2_000_000_000)
    caller = await made.caller(token)
    assert made.remembered(token) == caller
    now = 2_000_000_009.0
    assert made.remembered(token) == caller
    now = 2_000_000_010.0
    assert made.remembered(token) is None


async def test_a_token_is_remembered_for_a_minute(world: Any) -> None:
    """After that its signature is verified again, so a withdrawn key is noticed."""
    made = world.app.state.runtime.authenticator
    token = world.issuer.token()
    assert made.remembered(token) is None
    await made.caller(token)
    world.now += 59
    assert made.remembered(token) is not None
    world.now += 1
    assert made.remembered(token) is None


async def test_remembered_tokens_and_callers_have_bounded_memory(world: Any) -> None:
    """The oldest are forgotten first."""
    made = world.app.state.runtime.authenticator
    for cache in (made._tokens, made._callers):
        for n in range(30_000):
            cache.add(n, None)
        assert len(cache) == 10_000
        assert 29_999 in cache
        assert 19_999 not in cache
