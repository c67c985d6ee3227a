"""Attacks on the HTTP APIs: tokens, connections, values, other callers' keys, and more calls than anybody may send."""

import asyncio
import base64
import time
from typing import Any, Final
from uuid import uuid4

import httpx
import orjson
from harness.outside_records import ATTACKER, numbers, purchase

from attacks.raw_http import Connection, flood, get
from attacks.target import Target
from didflow_chassis.http.limits import Rate
from didflow_contracts.topics import SERVICES

NUMBERS = numbers("+12122")
POOR: Final = f"{ATTACKER}/poor"
"""An account that may not set prices."""
SLOW: Final = {
    "silent": b"",
    "half a header": b"GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthoriz",
    "half a body": b"POST /v1/purchases HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",
}
SHARE: Final = Rate(per_second=200, burst=800)
"""How many calls an account may make, whatever its subjects. Source: design reliability, Limits we offer."""
CLOSED_S: Final = 45.0
"""After this time, each connection that sends nothing more must be closed."""


def token(header: Any, claims: Any) -> str:
    """Return a token with a signature that nobody made."""
    parts = (base64.urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in (header, claims))
    return ".".join((*parts, "c2lnbmF0dXJl"))


CLAIMS: Final = {"iss": "x", "sub": "x", "exp": 9_999_999_999, "account": "master", "role": "operator"}
BAD_TOKENS: Final = [
    token({"alg": ["ES256"], "kid": "x"}, CLAIMS),
    token({"alg": {"ES256": 1}, "kid": "x"}, CLAIMS),
    token({"alg": "ES256", "kid": {"a": 1}}, CLAIMS),
    token({"alg": "ES256", "kid": ["x"]}, CLAIMS),
    token({"alg": "none"}, CLAIMS),
    token({"alg": None, "kid": 7, "crit": ["exp"]}, CLAIMS),
    token(["ES256"], CLAIMS),
    token({"alg": "ES256", "kid": "x"}, CLAIMS | {"exp": "never", "account": 7, "role": ["operator"]}),
    "x" * 8_000,
    "a.b.c",
    ".." + "é".encode().hex(),
]


async def test_hundreds_of_bad_tokens_are_refused(target: Target) -> None:
    """Each is 401, or 429 above the limit of the address. None is an error of the service."""
    async with target.beside_bystanders("300 bad tokens a second"):
        bases = [str(target.clients[name].base_url) for name in SERVICES]
        requests = [get("/v1/me", bad) for bad in BAD_TOKENS]
        answers = await asyncio.gather(*(flood(base, requests, per_second=75, seconds=3) for base in bases))
        for name, statuses in zip(SERVICES, answers, strict=True):
            assert set(statuses) <= {401, 429}, f"{name}: {statuses}"
            assert statuses.total() == 225


async def test_silent_and_slow_connections_are_closed(target: Target) -> None:
    """150 connections that never end a request cost nobody anything, and the server closes them."""
    base = str(target.clients["inventory"].base_url)
    async with target.beside_bystanders("150 silent and slow connections"):
        opened = []
        for beginning in [*SLOW.values()] * 50:
            connection = await Connection.open(base)
            connection.writer.write(beginning)
            opened.append(connection)
        try:
            async with asyncio.timeout(CLOSED_S):
                await asyncio.gather(*(connection.read() for connection in opened))
        finally:
            for connection in opened:
                connection.close()


async def test_an_account_with_many_subjects_gets_no_more_than_its_share(target: Target) -> None:
    """500 calls a second of 100 subjects of one account: those above the share of the account are refused with 429."""
    issuer = target.installation.issuer
    tokens = [issuer.token(role="reseller", account=ATTACKER, subject=f"subject {n}") for n in range(100)]
    requests = [get("/v1/dids?limit=5", each) for each in tokens]
    async with target.beside_bystanders("500 calls a second of 100 subjects of one account", may_wait=True):
        base = str(target.clients["inventory"].base_url)
        began = time.monotonic()
        statuses = await flood(base, requests, per_second=500, seconds=4)
        assert set(statuses) <= {200, 429}, statuses
        assert statuses[200] <= SHARE.burst + SHARE.per_second * (time.monotonic() - began), statuses


OUT_OF_RANGE: Final[list[tuple[str, str, str, Any]]] = [
    ("verification", "GET", "/v1/requirements?on=1969-01-01", None),
    ("verification", "GET", "/v1/requirements?on=0001-01-01", None),
    ("inventory", "GET", "/v1/dids?limit=99999999999999999999", None),
    ("inventory", "GET", "/v1/dids?expires_before=0001-01-01T00:00:00Z", None),
    ("inventory", "GET", "/v1/dids?expires_after=9999-12-31T23:59:59Z", None),
    ("billing", "POST", "/v1/terms/batch/set-cycles", {"dids": ["+12125000000"], "billing_cycles": 10**18}),
    ("billing", "POST", "/v1/terms/batch/set-cycles", {"dids": ["+12125000000"], "billing_cycles": True}),
    ("billing", "GET", "/v1/ledger?since=0001-01-01T00:00:00Z", None),
    ("provisioning", "POST", "/v1/routing/batch/set-capacity", {"dids": ["+12125000000"], "capacity": 2**63}),
    ("provisioning", "POST", "/v1/routing/batch/set-capacity", {"dids": ["+12125000000"], "capacity": False}),
]


async def test_values_out_of_range_are_invalid_and_no_error(target: Target) -> None:
    """Each is 422: dates before 1970 and after 2200, integers that no column holds, booleans as integers."""
    async with target.beside_bystanders("dates and integers out of range over HTTP"):
        found = {}
        for service, method, path, body in OUT_OF_RANGE:
            answer = await target.call(service, method, path, body, key=str(uuid4()) if body else None)
            found[f"{path} {body or ''}"] = answer.status_code
        assert set(found.values()) == {422}, {what: status for what, status in found.items() if status != 422}


async def test_time_and_price_are_not_for_everybody(target: Target) -> None:
    """A purchase dated far back or ahead is 422. A price of an account that may not set prices is 403."""
    await poor_account(target)
    async with target.beside_bystanders("purchases with another time, and with a price that is not allowed"):
        for dated, status in (("2019-01-01T00:00:00Z", 422), ("2199-01-01T00:00:00Z", 422)):
            assert (await buy(target, purchase(next(NUMBERS), purchased_at=dated))).status_code == status
        refused = await buy(target, purchase(next(NUMBERS), POOR), account=POOR)
        assert (refused.status_code, refused.json().get("code")) == (403, "price_not_allowed"), refused.text


async def test_the_answer_to_somebody_elses_key_is_not_replayed(target: Target) -> None:
    """A weaker role is refused before anything is looked up. Another subject of the same role gets no stored answer."""
    body, key = purchase(next(NUMBERS)), str(uuid4())
    async with target.beside_bystanders("replay of somebody else's idempotency key"):
        first = await buy(target, body, key=key, subject="ann")
        again = await buy(target, body, key=key, subject="ann")
        assert (first.status_code, again.status_code) == (201, 201), first.text
        assert again.headers["Idempotent-Replayed"] == "true"
        weaker = await buy(target, body, key=key, subject="ann", role="user")
        assert weaker.status_code == 403, weaker.text
        other = await buy(target, body, key=key, subject="bob")
        assert "Idempotent-Replayed" not in other.headers, other.text


async def test_hundreds_of_wrong_methods_are_answered_with_those_that_are_right(target: Target) -> None:
    """Each is 405, and `Allow` lists all methods of the path."""
    async with target.beside_bystanders("wrong methods"):
        for n, method in enumerate(["PUT", "DELETE", "PATCH"] * 50):
            answer = await target.call("verification", method, "/v1/identities", subject=str(n))
            assert answer.status_code == 405, answer.text
            assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


async def buy(
    target: Target, body: dict[str, Any], *, key: str | None = None, **caller: Any
) -> httpx.Response:
    """Buy over HTTP as a caller of the attacker's account, unless another one is given."""
    return await target.call("inventory", "POST", "/v1/purchases", body, key=key or str(uuid4()), **caller)


async def poor_account(target: Target) -> None:
    """Create the account that may not set prices, as an operator."""
    body = {"path": POOR, "name": "Poor"}
    made = await target.call(
        "inventory", "POST", "/v1/accounts", body, role="operator", account="master", key=POOR
    )
    assert made.is_success, made.text
