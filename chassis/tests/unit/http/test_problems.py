"""Every error is a problem document with a stable code and shows no internal details."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from didflow_chassis.database import Outage, Rejected, Transient
from didflow_chassis.decision import Refused

KEY = {"Idempotency-Key": "k"}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert (document["code"], document["status"], document["type"]) == (code, status, f"/problems/{code}")
    assert document["title"]
    return document


async def test_an_unknown_path_is_a_problem(world: Any) -> None:
    """404 is a problem document."""
    problem(await world.client.get("/v1/nowhere"), 404, "not_found")


async def test_a_trailing_slash_is_not_redirected(world: Any) -> None:
    """A path with a trailing slash is another path and does not exist."""
    problem(await world.client.get("/v1/things/"), 404, "not_found")
    problem(await world.client.get("/v1/secret/"), 404, "not_found")


async def test_a_wrong_method_is_a_problem_that_names_the_allowed_methods(world: Any) -> None:
    """405 has the Allow header."""
    answer = await world.client.put("/v1/strict")
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


async def test_a_body_over_the_limit_is_refused_by_its_content_length(world: Any) -> None:
    """A large Content-Length is refused before the body is read."""
    client = world.serve(body_limit=100)
    problem(await client.post("/v1/things", content=b"x" * 101), 413, "body_too_large")
    assert world.stage.calls == []


async def test_a_body_over_the_limit_is_refused_while_it_arrives(world: Any) -> None:
    """A body without a Content-Length is counted."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10

    client = world.serve(body_limit=100)
    headers = {"Content-Type": "application/json"}
    problem(await client.post("/v1/things", content=endless(), headers=headers), 413, "body_too_large")


async def test_a_path_can_have_a_larger_limit(world: Any) -> None:
    """Uploads can be larger than other bodies."""
    client = world.serve(body_limit=10, larger_bodies={"/v1/things": 1_000})
    answer = await client.post("/v1/things", json={"colour": "red"}, headers=KEY)
    assert answer.status_code == 201


async def test_another_media_type_is_refused(world: Any) -> None:
    """The body must have the media type of JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await world.client.post("/v1/things", content=b"colour=red", headers={"Content-Type": kind})
        problem(answer, 415, "media_type_unsupported")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"colour": NaN}',
        b'{"colour": "\\ud800"}',
        b"[" * 100_000,
        b"[" * 300 + b"]" * 300,
        b'{"colour": "red", "size": 1e999}',
    ],
    ids=["cut", "not_utf8", "nan", "surrogate", "very_deep", "deep", "infinite"],
)
async def test_a_body_that_is_not_json_is_malformed(world: Any, body: bytes) -> None:
    """A body that cannot be stored or compared never reaches a decision."""
    headers = {"Content-Type": "application/json", **KEY}
    problem(await world.client.post("/v1/things", content=body, headers=headers), 400, "body_malformed")
    assert world.stage.calls == []


async def test_a_nul_is_refused_in_body_query_and_path(world: Any) -> None:
    """PostgreSQL cannot store U+0000. An escaped backslash before `u0000` is not a NUL."""
    problem(await world.client.post("/v1/things", json={"colour": "a\0"}, headers=KEY), 422, "input_invalid")
    problem(await world.client.get("/v1/things?cursor=%00"), 422, "input_invalid")
    problem(await world.client.delete("/v1/things/%00"), 404, "not_found")
    escaped = await world.client.post("/v1/things", json={"colour": "a\\u0000"}, headers=KEY)
    assert escaped.status_code == 201


async def test_input_errors_name_their_fields(world: Any) -> None:
    """Each wrong field has a path, a stable code and a message."""
    body = {"size": 11, "colour": "x" * 21}
    document = problem(await world.client.post("/v1/things", json=body, headers=KEY), 422, "input_invalid")
    found = {error["field"]: error["code"] for error in document["errors"]}
    assert found == {"size": "out_of_range", "colour": "too_long"}
    assert all(error["message"] for error in document["errors"])


async def test_a_field_path_has_the_position_in_a_list(world: Any) -> None:
    """The parts of the path are separated by dots."""
    answer = await world.client.post("/v1/things/batch/paint", json={"things": ["thing-1", 2]})
    document = problem(answer, 422, "input_invalid")
    assert [(e["field"], e["code"]) for e in document["errors"]] == [("things.1", "type_invalid")]


async def test_a_problem_has_at_most_100_errors(world: Any) -> None:
    """The answer stays small, even if thousands of values are wrong."""
    answer = await world.client.post("/v1/things/batch/paint", json={"things": [1] * 5_000})
    assert len(problem(answer, 422, "input_invalid")["errors"]) == 100
    assert len(answer.content) < 100_000


async def test_a_route_can_raise_its_own_problem(world: Any) -> None:
    """The title of an unknown code is made from its words."""
    document = problem(await world.client.get("/v1/strict"), 422, "who_unknown")
    assert document["title"] == "Who unknown"
    assert document["errors"] == [{"field": "who.name", "code": "unknown", "message": "nobody"}]


async def test_an_unexpected_exception_shows_only_a_reference(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer has no statement, host or stack trace. The log has them, with the reference of the answer."""
    answer = await world.client.get("/v1/secret")
    reference = problem(answer, 500, "internal_error")["reference"]
    assert reference == answer.headers["x-request-id"]
    assert reference in caplog.text
    assert not any(word in answer.text for word in ("SELECT", "db.internal", "Traceback", "RuntimeError"))
    assert "db.internal" in caplog.text


@pytest.mark.parametrize(
    "failure",
    [
        Outage("db.internal:5432"),
        Transient("busy"),
        ConnectionRefusedError("db.internal"),
        asyncpg.CannotConnectNowError("db.internal"),
        TimeoutError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_an_outage_has_a_retry_after_header(world: Any, failure: Exception) -> None:
    """If the database or the stage cannot answer, reads and writes are 503."""
    world.stage.failure = world.database.failure = failure
    read = await world.client.get("/v1/things")
    world.database.failure = None
    write = await world.client.post("/v1/things", json={"colour": "red"}, headers=KEY)
    for answer in (read, write):
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert "db.internal" not in answer.text


async def test_a_value_that_the_database_refuses_is_an_input_error(world: Any) -> None:
    """It is 422 and not an outage."""
    world.stage.failure = Rejected("NumericValueOutOfRangeError: 22003")
    answer = await world.client.post("/v1/things", json={"colour": "red"}, headers=KEY)
    problem(answer, 422, "value_unstorable")


async def test_a_refusal_has_the_status_that_the_service_defines(world: Any) -> None:
    """The status comes from the table of the service, else from the table of the chassis, else it is 409."""
    for code, status in (("term_ended", 409), ("locked", 423), ("not_found", 404), ("not_ready", 409)):
        world.stage.outcome = lambda _, code=code: Refused(code, "why")
        document = problem(await world.client.delete("/v1/things/1"), status, code)
        assert document["detail"] == "why"


async def test_a_refusal_can_name_a_field(world: Any) -> None:
    """The field of a refusal becomes a field error."""
    world.stage.outcome = lambda _: Refused("colour_unknown", "no such colour", field="colour")
    document = problem(await world.client.delete("/v1/things/1"), 409, "colour_unknown")
    assert document["errors"] == [{"field": "colour", "code": "colour_unknown", "message": "no such colour"}]


async def test_an_internal_error_of_a_decision_is_500_with_its_reference(world: Any) -> None:
    """The reference of the stage is the reference of the answer."""
    world.stage.outcome = lambda _: Refused("internal_error", "An error occurred.", reference="r-1")
    document = problem(await world.client.delete("/v1/things/1"), 500, "internal_error")
    assert document["reference"] == "r-1"


async def test_every_answer_has_a_request_id(world: Any) -> None:
    """A plain id of the caller is used. Any other id is replaced by a new one."""
    kept = await world.client.get("/v1/nowhere", headers={"X-Request-Id": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    fresh = await world.client.get("/v1/nowhere", headers={"X-Request-Id": "a b<script>"})
    assert len(fresh.headers["x-request-id"]) == 36
