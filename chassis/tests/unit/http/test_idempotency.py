"""A repeated call returns the first answer. The same key with another body is refused."""

from io import BytesIO
from typing import Any

import httpx
import pytest
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from didflow_chassis.decision import Caller, Decided, Refused, Unchanged
from didflow_chassis.http.idempotency import idempotency_key

RED = b'{"colour": "red", "size": 2}'


async def post(world: Any, content: bytes = RED, key: str | None = "k", **headers: str) -> httpx.Response:
    keyed = {} if key is None else {"Idempotency-Key": key}
    sent = {"Content-Type": "application/json", **keyed, **headers}
    answer: httpx.Response = await world.client.post("/v1/things", content=content, headers=sent)
    return answer


async def test_a_route_can_require_a_key(world: Any) -> None:
    """Without the key nothing is decided."""
    answer = await post(world, key=None)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert world.stage.calls == []


async def test_other_routes_do_not_need_a_key(world: Any) -> None:
    """Without a key each call is a new call."""
    for _ in range(2):
        assert (await world.client.delete("/v1/things/1")).status_code == 204
    assert len(world.stage.calls) == 2


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "a\tb", "ä"])
async def test_a_key_that_cannot_be_stored_is_refused(world: Any, key: str) -> None:
    """Empty, too long and unprintable keys are refused."""
    headers = [(b"Idempotency-Key", key.encode())]
    answer = await world.client.delete("/v1/things/1", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
    assert world.stage.calls == []


async def test_two_keys_are_refused(world: Any) -> None:
    """The service does not guess which of two keys is meant."""
    answer = await world.client.delete(
        "/v1/things/1", headers=[("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )
    assert answer.json()["code"] == "idempotency_key_invalid"


async def test_the_longest_key_is_accepted(world: Any) -> None:
    """255 characters are allowed."""
    assert (await post(world, key="k" * 255)).status_code == 201


async def test_a_repeated_call_returns_the_first_answer_byte_for_byte(world: Any) -> None:
    """There is one effect, and the second answer is marked."""
    first, second = await post(world), await post(world)
    assert (second.status_code, second.content) == (first.status_code, first.content) == (201, first.content)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["content-type"] == first.headers["content-type"] == "application/json"
    assert len(world.stage.calls) == 1


async def test_key_order_and_spacing_make_no_other_body(world: Any) -> None:
    """The same JSON in another spelling is the same call (H2)."""
    await post(world)
    again = await post(world, b'{"size":2,\n "colour":"\\u0072ed"}')
    assert again.headers["idempotent-replayed"] == "true"


async def test_another_value_makes_another_body(world: Any) -> None:
    """A key that was used with another body is refused, and nothing is decided (H2)."""
    await post(world)
    answer = await post(world, b'{"colour": "red", "size": 3}')
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(world.stage.calls) == 1


async def test_a_second_call_is_refused_while_the_first_is_running(world: Any) -> None:
    """The 409 has a Retry-After header (H1)."""
    world.stage.running = True
    answer = await post(world)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
    assert answer.headers["retry-after"] == "1"


async def test_another_account_or_path_is_another_call(world: Any) -> None:
    """A key belongs to one account and path. No tenant sees the answer of another (H4, H6)."""
    mine = await post(world)
    theirs = await post(world, **world.bearer(account="master/other"))
    assert "idempotent-replayed" not in theirs.headers
    assert theirs.content != mine.content
    for path in ("/v1/things/1", "/v1/things/2"):
        answer = await world.client.delete(path, headers={"Idempotency-Key": "k"})
        assert "idempotent-replayed" not in answer.headers
    assert len(world.stage.calls) == 4


async def test_a_refusal_is_stored_too(world: Any) -> None:
    """A refused call stays refused under its key, even if it would now be allowed."""
    world.stage.outcome = lambda _: Refused("sold", "too late")
    first = await post(world)
    world.stage.outcome = lambda _: Decided(answer={})
    second = await post(world)
    assert (first.status_code, second.status_code) == (409, 409)
    assert first.content == second.content
    assert second.headers["content-type"] == "application/problem+json"
    assert second.headers["idempotent-replayed"] == "true"


async def test_input_errors_are_not_stored(world: Any) -> None:
    """A call that was never decided can be corrected under the same key."""
    assert (await post(world, b'{"size": 2}')).status_code == 422
    assert (await post(world)).status_code == 201


async def test_a_retry_is_answered_before_the_checks_of_the_route(world: Any) -> None:
    """A retry of a deletion gets its answer, and not 404 because the thing is deleted."""
    key = {"Idempotency-Key": "k"}
    assert (await world.client.delete("/v1/things/once", headers=key)).status_code == 204
    again = await world.client.delete("/v1/things/once", headers=key)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (204, "true")
    assert (await world.client.delete("/v1/things/once")).status_code == 404


async def test_an_unchanged_command_is_200_with_its_answer(world: Any) -> None:
    """The same command under another key is answered with what it created."""
    world.stage.outcome = lambda _: Unchanged(answer={"id": "x"})
    answer = await post(world)
    assert (answer.status_code, answer.json()) == (200, {"thing": {"id": "x"}})


async def test_without_a_renderer_the_answer_of_the_decision_is_the_body(world: Any) -> None:
    """The answer None is an empty object."""
    one = "/v1/things/00000000-0000-0000-0000-000000000001"
    assert (await world.client.patch(one, json={"colour": "red"})).json() == {"id": one[-36:]}
    world.stage.outcome = lambda _: Decided()
    assert (await world.client.patch(one, json={"colour": "red"})).json() == {}


async def test_the_actor_is_the_subject_of_the_token(world: Any) -> None:
    """Events name the caller."""
    await post(world)
    assert world.stage.actors == ["user:ann"]


async def test_an_upload_is_identified_by_its_content(world: Any) -> None:
    """The digest of a form covers names and contents, not the boundary. The file can be read afterwards."""

    def request(content: bytes) -> Request:
        made = Request({"type": "http", "method": "POST", "path": "/up", "query_string": b"", "headers": []})
        made._stream_consumed = True
        made._form = FormData([("file", UploadFile(BytesIO(content))), ("note", "x")])
        return made

    caller = Caller(subject="ann", account="master", role="operator")
    one = request(b"a" * 100_000)
    first, same, other = [
        await idempotency_key(r, caller) for r in (one, request(b"a" * 100_000), request(b"b"))
    ]
    assert first == same
    assert first.digest != other.digest
    assert len(first.digest) == 32
    assert len(await one._form.get("file").read()) == 100_000  # type: ignore[union-attr]
