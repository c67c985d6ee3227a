"""Whatever stands in a token, a token that is not accepted is answered with 401."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from didflow_chassis.http import Authenticator, Problem
from didflow_chassis.http.issuer_keys import IssuerKeys

ISSUER = "https://issuer.example"
NESTED = "[" * 2_000 + "]" * 2_000
NONSENSE = (
    "null", "true", "false", "0", "-1", "1", "7.5", "1e400", "-1e400", "NaN", "9" * 4_000, "1" + "0" * 30, '""', '"x"',
    '"\\ud800"', '"\\u0000"', "[]", '["EdDSA"]', '[["EdDSA"]]', "{}", '{"a": {"b": [1]}}', NESTED,
)  # fmt: skip
HEADER = ("alg", "kid", "typ", "crit", "b64", "zip", "cty", "jwk", "jku", "x5c")
CLAIMS = ("iss", "aud", "exp", "nbf", "iat", "jti", "sub", "account", "role")
HARMLESS = {
    **{("header", name): None for name in ("cty", "zip", "jwk", "jku", "x5c")},
    ("claims", "aud"): {'["EdDSA"]'},
    ("claims", "nbf"): {"0", "-1", "1", "7.5"},
    ("claims", "iat"): {"0", "-1", "1", "7.5"},
    ("claims", "jti"): {'""', '"x"', '"\\ud800"', '"\\u0000"'},
    ("claims", "sub"): {'"x"'},
    ("claims", "account"): {'"x"'},
}
"""Values that a token may have, because they change nothing. None: any value."""


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def signed(world: Any, header: str, claims: str) -> str:
    """Return a token of these texts, signed with the issuer's own key."""
    content = f"{encoded(header)}.{encoded(claims)}"
    signature = world.issuer.keys["EdDSA"].sign(content.encode())
    return f"{content}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def text_of(members: dict[str, str], *more: tuple[str, str]) -> str:
    """Return a JSON object of members whose values are JSON texts. A member in `more` can be there twice."""
    return "{" + ", ".join(f'"{name}": {value}' for name, value in (*members.items(), *more)) + "}"


def header() -> dict[str, str]:
    return {"alg": '"EdDSA"', "kid": '"EdDSA"', "typ": '"JWT"'}


def claims() -> dict[str, str]:
    return {
        "iss": json.dumps(ISSUER),
        "aud": '"things"',
        "exp": str(int(time.time()) + 600),
        "sub": '"ann"',
        "account": '"master/acme"',
        "role": '"reseller"',
    }


async def refused(world: Any, token: str) -> None:
    if len(token) > 8_000:
        return
    answer = await world.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401, (answer.status_code, answer.text, token[:200])
    assert answer.json()["code"] in ("token_invalid", "token_expired")


async def test_a_token_of_these_tests_is_accepted_before_it_is_changed(world: Any) -> None:
    """Otherwise the tests would prove nothing."""
    token = signed(world, text_of(header()), text_of(claims()))
    answer = await world.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["sub"]) == (200, "ann")


@pytest.mark.parametrize(
    ("part", "name"), [*(("header", name) for name in HEADER), *(("claims", name) for name in CLAIMS)]
)
async def test_a_member_of_the_wrong_type_is_401(world: Any, part: str, name: str) -> None:
    """Each member of header and claims, with each nonsense value, in a token that the issuer signed."""
    for value in NONSENSE:
        parts = {"header": header(), "claims": claims()}
        parts[part][name] = value
        token = signed(world, text_of(parts["header"]), text_of(parts["claims"]))
        harmless = HARMLESS.get((part, name), set())
        if harmless is None or value in harmless:
            answer = await world.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code in (200, 401)
        else:
            await refused(world, token)


@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
async def test_a_member_of_the_header_that_is_there_twice_is_401(world: Any, name: str) -> None:
    """Two parsers could read two different keys."""
    await refused(world, signed(world, text_of(header(), (name, header()[name])), text_of(claims())))


@pytest.mark.parametrize("name", ["sub", "account", "role", "exp", "iss", "aud", "other"])
async def test_a_claim_that_is_there_twice_is_401(world: Any, name: str) -> None:
    """Two parsers could read two different callers. Escapes in the name make no difference."""
    value = claims().get(name, "1")
    given = claims() | {name: value}
    await refused(world, signed(world, text_of(header()), text_of(given, (name, value))))
    escaped = f"\\u{ord(name[0]):04x}{name[1:]}"
    await refused(world, signed(world, text_of(header()), text_of(given, (escaped, value))))


@pytest.mark.parametrize(
    "exp",
    [
        lambda: f'"{int(time.time()) + 600}"',
        lambda: "true",
        lambda: f"[{int(time.time()) + 600}]",
        lambda: "9" * 18,
    ],
)
async def test_an_expiry_that_is_no_instant_is_401(world: Any, exp: Any) -> None:
    """A text, a boolean, a list or a year beyond 9999 is no instant."""
    await refused(world, signed(world, text_of(header()), text_of(claims() | {"exp": exp()})))


@pytest.mark.parametrize("content", ["[]", '"x"', "7", "null", "", "{", '{"a"}', "\ufeff{}", NESTED])
async def test_a_part_that_is_no_object_is_401(world: Any, content: str) -> None:
    """Header and claims are JSON objects."""
    await refused(world, signed(world, content, text_of(claims())))
    await refused(world, signed(world, text_of(header()), content))


async def test_a_token_for_another_system_is_401(world: Any) -> None:
    """The audience must be this system, alone or in a list."""
    for audience in ('"others"', '["others"]', "[]", '"Things"', '"things "'):
        await refused(world, signed(world, text_of(header()), text_of(claims() | {"aud": audience})))
    listed = signed(world, text_of(header()), text_of(claims() | {"aud": '["others", "things"]'}))
    answer = await world.client.get("/v1/me", headers={"Authorization": f"Bearer {listed}"})
    assert answer.status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    part=st.sampled_from(["header", "claims"]),
    changes=st.dictionaries(st.sampled_from([*HEADER, *CLAIMS]), JSON, min_size=1, max_size=3),
    cut=st.integers(min_value=0, max_value=3),
    garbage=st.binary(max_size=30),
)
async def test_a_mutated_token_is_accepted_or_401(
    world: Any, part: str, changes: dict[str, Any], cut: int, garbage: bytes
) -> None:
    """No mutation of header, claims, signature or text makes the authenticator fail in another way."""
    parts = {"header": header(), "claims": claims()}
    parts[part] |= {name: json.dumps(value) for name, value in changes.items()}
    token = signed(world, text_of(parts["header"]), text_of(parts["claims"]))
    broken = token[: len(token) - cut] + garbage.decode("latin-1")
    authenticator = Authenticator(ISSUER, "things", IssuerKeys(world.issuer.load))
    for given_token in (token, broken, garbage.decode("latin-1") + token, token.replace(".", "..")):
        found = await outcome(authenticator, given_token)
        assert found == 401 or {type(found.subject), type(found.account), type(found.role)} == {str}


async def outcome(authenticator: Authenticator, token: str) -> Any:
    """Return the caller of a token, or the status of the problem."""
    try:
        return await authenticator.caller(token)
    except Problem as problem:
        return problem.status_code


async def test_a_token_that_names_its_own_key_is_401(world: Any) -> None:
    """`jwk` and `jku` of a header are never used."""
    made = jwt.encode(
        {"sub": "eve"}, world.issuer.keys["ES256"], algorithm="ES256",
        headers={"kid": "unknown", "jwk": {"kty": "EC"}, "jku": "http://127.0.0.1:1/keys"},
    )  # fmt: skip
    await refused(world, made)
