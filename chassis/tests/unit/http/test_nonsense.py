"""Every request is answered, with a result or a problem."""

import json
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW"])
PATHS = st.one_of(
    st.sampled_from(["/v1/things", "/v1/things/batch/paint", "/v1/things/x", "/openapi/things.json"]),
    st.binary(max_size=40).map(lambda raw: "/" + "".join(f"%{byte:02x}" for byte in raw)),
)
QUERIES = st.one_of(
    st.binary(max_size=40).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)),
    st.tuples(st.sampled_from(["limit", "cursor", "sort"]), st.text(max_size=20)).map(
        lambda pair: str(httpx.QueryParams({pair[0]: pair[1].encode("utf-8", "replace").decode()}))
    ),
)
NAMES = st.sampled_from(
    [
        b"Idempotency-Key",
        b"Content-Type",
        b"X-Request-Id",
        b"Content-Length",
        b"Authorization",
        b"Accept",
        b"X-Any",
    ]
)
VALUES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"application/json", b"multipart/form-data", b"Bearer x", b"-1", b"9" * 5_000, b"\xb2"]),
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from([b'{"\\ud800": 1}', b'{"things": ["\\u0000"]}', b'{"things": [' + b"1" * 5_000 + b"]}"]),
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=METHODS,
    path=PATHS,
    query=QUERIES,
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4),
    body=BODIES,
    known=st.booleans(),
)
async def test_a_random_request_never_fails_the_service(
    *,
    world: Any,
    method: str,
    path: str,
    query: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    known: bool,
) -> None:
    """No path, query, header or body causes a 500, or an error that is not a problem document."""
    bearer = [(k.encode(), v.encode()) for k, v in world.bearer().items()] if known else []
    world.client.headers.clear()
    answer = await world.client.request(
        method, f"{path}?{query}", headers=[*bearer, *headers], content=body or None
    )
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        if method != "HEAD":
            assert answer.json()["status"] == answer.status_code
            assert all(error["field"] and error["message"] for error in answer.json().get("errors", []))
