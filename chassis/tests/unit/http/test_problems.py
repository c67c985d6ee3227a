"""Every error is a problem document with a stable code, and none says more than it should."""

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
    said: dict[str, Any] = answer.json()
    assert (said["code"], said["status"], said["type"]) == (code, status, f"/problems/{code}")
    assert said["title"]
    return said


async def test_an_unknown_path_is_a_problem(world: Any) -> None:
    """404 is a problem document, not a bare text."""
    problem(await world.client.get("/v1/nowhere"), 404, "not_found")


async def test_a_trailing_slash_is_not_redirected(world: Any) -> None:
    """A path is right or wrong; nothing leads elsewhere."""
    problem(await world.client.get("/v1/things/"), 404, "not_found")
    problem(await world.client.get("/v1/secret/"), 404, "not_found")


async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(world: Any) -> None:
    """405 carries Allow."""
    answer = await world.client.put("/v1/strict")
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


async def test_a_body_beyond_the_limit_is_refused_by_its_header(world: Any) -> None:
    """A large Content-Length is refused before anything is read."""
    client = world.serve(body_limit=100)
    problem(await client.post("/v1/things", content=b"x" * 101), 413, "body_too_large")
    assert world.stage.calls == []


async def test_a_body_beyond_the_limit_is_refused_while_it_arrives(world: Any) -> None:
    """A body without a length is counted."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 10

    client = world.serve(body_limit=100)
    headers = {"Content-Type": "application/json"}
    problem(await client.post("/v1/things", content=endless(), headers=headers), 413, "body_too_large")


async def test_a_path_may_have_a_larger_limit(world: Any) -> None:
    """Uploads have a limit of their own."""
    client = world.serve(body_limit=10, larger_bodies={"/v1/things": 1_000})
    answer = await client.post("/v1/things", json={"colour": "red"}, headers=KEY)
    assert answer.status_code == 201


async def test_another_media_type_is_refused(world: Any) -> None:
    """Only JSON is read as JSON."""
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
async def test_what_is_not_json_is_malformed(world: Any, body: bytes) -> None:
    """Bodies that cannot be kept or told apart never reach a decision."""
    headers = {"Content-Type": "application/json", **KEY}
    problem(await world.client.post("/v1/things", content=body, headers=headers), 400, "body_malformed")
    assert world.stage.calls == []


async def test_a_nul_is_refused_wherever_it_hides(world: Any) -> None:
    """PostgreSQL cannot keep U+0000: body, query and path refuse it; an escaped backslash is no NUL."""
    problem(await world.client.post("/v1/things", json={"colour": "a\0"}, headers=KEY), 422, "input_invalid")
    problem(await world.client.get("/v1/things?cursor=%00"), 422, "input_invalid")
    problem(await world.client.delete("/v1/things/%00"), 404, "not_found")
    escaped = await world.client.post("/v1/things", json={"colour": "a\\u0000"}, headers=KEY)
    assert escaped.status_code == 201


async def test_input_errors_name_their_fields(world: Any) -> None:
    """Each wrong field has its path, a stable code and a message."""
    body = {"size": 11, "colour": "x" * 21}
    said = problem(await world.client.post("/v1/things", json=body, headers=KEY), 422, "input_invalid")
    found = {error["field"]: error["code"] for error in said["errors"]}
    assert found == {"size": "out_of_range", "colour": "too_long"}
    assert all(error["message"] for error in said["errors"])


async def test_field_paths_lead_into_lists(world: Any) -> None:
    """The path of an entry is dotted."""
    answer = await world.client.post("/v1/things/batch/paint", json={"things": ["thing-1", 2]})
    said = problem(answer, 422, "input_invalid")
    assert [(e["field"], e["code"]) for e in said["errors"]] == [("things.1", "type_invalid")]


async def test_errors_are_not_without_end(world: Any) -> None:
    """However much is wrong, a problem stays small."""
    answer = await world.client.post("/v1/things/batch/paint", json={"things": [1] * 5_000})
    assert len(problem(answer, 422, "input_invalid")["errors"]) == 100
    assert len(answer.content) < 100_000


async def test_a_route_may_raise_its_own_problem(world: Any) -> None:
    """A code that the chassis does not know gets a title from its words."""
    said = problem(await world.client.get("/v1/strict"), 422, "who_unknown")
    assert said["title"] == "Who unknown"
    assert said["errors"] == [{"field": "who.name", "code": "unknown", "message": "nobody"}]


async def test_a_failure_says_nothing_of_itself(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    """No statement, host or stack leaves. The log has them, under the reference of the answer."""
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
async def test_an_outage_says_when_to_ask_again(world: Any, failure: Exception) -> None:
    """A database or stage that cannot answer is 503 with Retry-After, for reads and writes."""
    world.stage.failure = world.database.failure = failure
    read = await world.client.get("/v1/things")
    world.database.failure = None
    write = await world.client.post("/v1/things", json={"colour": "red"}, headers=KEY)
    for answer in (read, write):
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "1"
        assert "db.internal" not in answer.text


async def test_a_value_that_no_row_can_hold_is_the_callers_error(world: Any) -> None:
    """What the database refuses because of a value is 422 and not an outage."""
    world.stage.failure = Rejected("NumericValueOutOfRangeError: 22003")
    answer = await world.client.post("/v1/things", json={"colour": "red"}, headers=KEY)
    problem(answer, 422, "value_unstorable")


async def test_refusals_have_the_status_that_the_service_gives_them(world: Any) -> None:
    """A refusal is 409, or what the service's table or the chassis' own says of its code."""
    for code, status in (("term_ended", 409), ("locked", 423), ("not_found", 404), ("not_ready", 409)):
        world.stage.outcome = lambda _, code=code: Refused(code, "why")
        said = problem(await world.client.delete("/v1/things/1"), status, code)
        assert said["detail"] == "why"


async def test_a_refusal_may_name_a_field(world: Any) -> None:
    """The field of a refusal becomes a field error."""
    world.stage.outcome = lambda _: Refused("colour_unknown", "no such colour", field="colour")
    said = problem(await world.client.delete("/v1/things/1"), 409, "colour_unknown")
    assert said["errors"] == [{"field": "colour", "code": "colour_unknown", "message": "no such colour"}]


async def test_every_answer_has_a_request_id(world: Any) -> None:
    """A plain id of the caller is kept; anything else is replaced by a fresh one."""
    kept = await world.client.get("/v1/nowhere", headers={"X-Request-Id": "abc-1"})
    assert kept.headers["x-request-id"] == "abc-1"
    fresh = await world.client.get("/v1/nowhere", headers={"X-Request-Id": "a b<script>"})
    assert len(fresh.headers["x-request-id"]) == 36
