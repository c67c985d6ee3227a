"""The HTTP client that retries with the same idempotency key."""

from collections.abc import Callable

import httpx
import pytest

from didflow import http_client
from didflow.errors import CallFailed
from didflow.http_client import Api

Answer = httpx.Response | Exception


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "_PAUSE_S", 0)


def api(*answers: Answer) -> tuple[Api, list[httpx.Request]]:
    """Return a client whose requests get these answers in turn. The last answer is repeated."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        given = answers[min(len(asked), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    client = httpx.AsyncClient(base_url="http://stack", transport=httpx.MockTransport(answer))
    return Api(client, "token"), asked


def problem(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code})


@pytest.mark.parametrize(
    "first",
    [
        httpx.ConnectError("down"),
        httpx.ReadTimeout("silent"),
        problem(503, "unavailable"),
        problem(429, "rate_exceeded"),
        problem(409, "idempotency_in_progress"),
    ],
)
async def test_a_temporary_failure_is_retried_with_the_same_key(first: Answer) -> None:
    """No answer, unavailable, too many requests, still in progress: the same request is sent again."""
    caller, asked = api(first, httpx.Response(201, json={"made": 1}))
    assert await caller.post("/v1/things", {}) == {"made": 1}
    keys = {request.headers["Idempotency-Key"] for request in asked}
    assert (len(asked), len(keys)) == (2, 1)


async def test_a_refusal_is_not_retried() -> None:
    """The caller can read its code."""
    caller, asked = api(problem(409, "number_taken"))
    assert (await caller.try_post("/v1/things", {})).code == "number_taken"
    with pytest.raises(CallFailed, match="number_taken"):
        await caller.post("/v1/things", {})
    assert len(asked) == 2


async def test_retries_end() -> None:
    """The error has the last reason."""
    caller, _ = api(httpx.ConnectError("down"))
    with pytest.raises(CallFailed, match="ConnectError"):
        await caller.get("/v1/things")


async def test_a_list_is_read_to_its_end() -> None:
    """Page after page, in order."""
    pages: list[Callable[[], httpx.Response]] = [
        lambda: httpx.Response(200, json={"items": [1, 2], "next": "c"}),
        lambda: httpx.Response(200, json={"items": [3], "next": None}),
    ]
    caller, asked = api(*(page() for page in pages))
    assert await caller.pages("/v1/things", status="all") == [1, 2, 3]
    assert asked[1].url.params["cursor"] == "c"
    assert {request.url.params["status"] for request in asked} == {"all"}
