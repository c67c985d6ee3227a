"""Only valid tokens of the issuer with known claims are accepted."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from didflow_chassis.decision import Caller
from didflow_chassis.http import Authenticator, Problem
from didflow_chassis.http.issuer_keys import KEYS_INTERVAL_S, KEYS_MAX_AGE_S, IssuerKeys, loader

ISSUER = "https://issuer.example"


async def refused(world: Any, token: str | None, code: str) -> httpx.Response:
    world.client.headers.pop("Authorization", None)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    answer: httpx.Response = await world.client.get("/v1/things", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    return answer


@pytest.fixture
def authenticator(world: Any) -> Authenticator:
    return Authenticator(ISSUER, "things", IssuerKeys(world.issuer.load, clock=lambda: world.now))


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_each_allowed_algorithm_is_accepted(authenticator: Any, world: Any, alg: str) -> None:
    """The caller has the `sub`, `account` and `role` of the token."""
    found = await authenticator.caller(world.issuer.token(alg))
    assert found == Caller(subject="ann", account="master/acme", role="reseller")


async def test_a_request_without_a_token_is_refused(world: Any) -> None:
    """The challenge then has no error (RFC 6750)."""
    assert (await refused(world, None, "token_missing")).headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "given", ["", "Basic YTpi", "Bearer", "Bearer ", "Bearer a b", "Bearer " + "x" * 9_000]
)
async def test_a_header_without_a_bearer_token_is_invalid(world: Any, given: str) -> None:
    """Other schemes, empty tokens and huge tokens are refused before they are decoded."""
    answer = await world.client.get("/v1/things", headers={"Authorization": given})
    assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")


async def test_two_tokens_are_refused(world: Any) -> None:
    """The service does not guess which of two tokens is meant."""
    token = ("Authorization", f"Bearer {world.issuer.token()}")
    world.client.headers.pop("Authorization")
    answer = await world.client.get("/v1/things", headers=[token, token])
    assert answer.json()["code"] == "token_invalid"


async def test_an_expired_token_has_its_own_code(world: Any) -> None:
    """A caller can see that it needs a new token."""
    await refused(world, world.issuer.token(exp=time.time() - 60), "token_expired")


@pytest.mark.parametrize(
    "claims",
    [
        {"without": ["exp"]},
        {"without": ["sub"]},
        {"without": ["iss"]},
        {"without": ["aud"]},
        {"without": ["account"]},
        {"without": ["role"]},
        {"iss": "https://other.example"},
        {"aud": "others"},
        {"nbf": time.time() + 600},
        {"exp": "never"},
        {"exp": 1e400},
        {"role": "root"},
        {"role": ["operator"]},
        {"sub": ""},
        {"sub": "a\nb"},
        {"sub": 7},
        {"account": "master/"},
        {"account": "Master/acme"},
        {"account": "a/" * 300 + "a"},
        {"account": 5},
    ],
)
async def test_wrong_claims_are_invalid(world: Any, claims: dict[str, Any]) -> None:
    """Each claim is required and must have the right form."""
    await refused(world, world.issuer.token(**claims), "token_invalid")


async def test_a_forged_token_is_invalid(world: Any) -> None:
    """Tokens with an HMAC, without a signature, or with the id of another key are refused."""
    claims = jwt.decode(world.issuer.token(), options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, "s" * 64, algorithm="HS256", headers={"kid": "RS256"}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": "RS256"}),
        jwt.encode(claims, world.issuer.keys["EdDSA"], algorithm="EdDSA", headers={"kid": "RS256"}),
        world.issuer.token()[:-6] + "AAAAAA",
        "a.b.c",
    ):
        await refused(world, forged, "token_invalid")


async def test_without_an_audience_in_the_settings_it_is_not_checked(world: Any) -> None:
    """An issuer whose tokens have no `aud` can be used."""
    lenient = Authenticator(ISSUER, None, IssuerKeys(world.issuer.load))
    assert (await lenient.caller(world.issuer.token(without=["aud"]))).subject == "ann"


async def test_keys_are_fetched_once(authenticator: Any, world: Any) -> None:
    """Known keys are used without another request to the issuer."""
    for alg in ("RS256", "ES256", "EdDSA"):
        await authenticator.caller(world.issuer.token(alg))
    assert world.issuer.fetches == 1


async def test_a_new_key_is_found(authenticator: Any, world: Any) -> None:
    """After a rotation, the unknown key id makes the service fetch the keys again."""
    world.issuer.published = {"RS256"}
    await authenticator.caller(world.issuer.token("RS256"))
    world.issuer.published = {"EdDSA"}
    world.now += KEYS_INTERVAL_S
    assert await authenticator.caller(world.issuer.token("EdDSA"))
    with pytest.raises(Problem, match="401"):
        await authenticator.caller(world.issuer.token("RS256"))


async def test_unknown_ids_do_not_flood_the_issuer(authenticator: Any, world: Any) -> None:
    """Many unknown key ids cause one fetch in each interval."""
    world.issuer.published = {"RS256"}
    for _ in range(50):
        with pytest.raises(Problem):
            await authenticator.caller(world.issuer.token("EdDSA"))
    assert world.issuer.fetches == 1


async def test_known_keys_stay_in_use_while_the_issuer_is_down(authenticator: Any, world: Any) -> None:
    """A token of a known key is accepted while the issuer does not answer."""
    await authenticator.caller(world.issuer.token())
    world.issuer.down = True
    world.now += KEYS_MAX_AGE_S
    assert await authenticator.caller(world.issuer.token())
    assert world.issuer.fetches == 2


async def test_a_withdrawn_key_is_refused_after_the_maximum_age(authenticator: Any, world: Any) -> None:
    """Old keys are fetched again, so a withdrawn key is no longer known."""
    await authenticator.caller(world.issuer.token())
    world.issuer.published = {"RS256"}
    world.now += KEYS_MAX_AGE_S
    with pytest.raises(Problem):
        await authenticator.caller(world.issuer.token())


async def test_an_issuer_that_was_never_reached_is_an_outage(world: Any) -> None:
    """The answer is 503 and does not name the host."""
    world.issuer.down = True
    answer = await world.client.get("/v1/things")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    assert "issuer.example" not in answer.text


async def test_an_issuer_that_comes_back_is_noticed_within_a_second(world: Any, authenticator: Any) -> None:
    """While no keys are known, nobody can call, so they are fetched again sooner."""
    world.issuer.down = True
    with pytest.raises(Problem, match="503"):
        await authenticator.caller(world.issuer.token())
    world.issuer.down = False
    world.now += 1
    assert await authenticator.caller(world.issuer.token())


@pytest.mark.parametrize("known", [(), ("RS256",)], ids=["first", "rotated"])
async def test_a_request_that_comes_while_the_keys_are_fetched_waits_for_them(world: Any, known: Any) -> None:
    """It is neither an outage, while no keys are known yet, nor an invalid token, while a new key is fetched."""
    begun, answered = asyncio.Event(), asyncio.Event()

    async def load() -> bytes:
        begun.set()
        await answered.wait()
        return bytes(await world.issuer.load())

    authenticator = Authenticator(ISSUER, "things", IssuerKeys(load, clock=lambda: world.now))
    if known:
        world.issuer.published = set(known)
        answered.set()
        await authenticator.caller(world.issuer.token("RS256"))
        begun.clear()
        answered.clear()
        world.issuer.published = {"RS256", "ES256"}
        world.now += KEYS_INTERVAL_S
    token, fetches = world.issuer.token("ES256"), world.issuer.fetches
    calls = [asyncio.ensure_future(authenticator.caller(token))]
    await begun.wait()
    calls.append(asyncio.ensure_future(authenticator.caller(token)))
    await asyncio.sleep(0)
    answered.set()
    assert [caller.subject for caller in await asyncio.gather(*calls)] == ["ann", "ann"]
    assert world.issuer.fetches == fetches + 1


@pytest.mark.parametrize(
    "document", [b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": [1, {"kty": "oct", "k": "YQ"}]}']
)
async def test_a_document_without_usable_keys_accepts_no_token(world: Any, document: bytes) -> None:
    """Symmetric keys and invalid entries are left out."""

    async def load() -> bytes:
        return document

    with pytest.raises(Problem):
        await Authenticator(ISSUER, "things", IssuerKeys(load)).caller(world.issuer.token())


async def test_keys_can_be_in_a_file(world: Any, tmp_path: Path) -> None:
    """A `file:` URL is read on this machine."""
    path = tmp_path / "the keys.json"
    path.write_bytes(world.issuer.document())
    local = Authenticator(ISSUER, "things", IssuerKeys(loader(path.as_uri())))
    assert await local.caller(world.issuer.token())


async def test_authentication_comes_before_routes_and_bodies(world: Any) -> None:
    """Without a token, unknown paths and bad bodies are 401. Only the OpenAPI document is public."""
    world.client.headers.pop("Authorization")
    assert (await world.client.get("/v1/nowhere")).status_code == 401
    assert (await world.client.post("/v1/things", content=b"{")).status_code == 401
    assert (await world.client.get("/openapi/things.json")).status_code == 200
