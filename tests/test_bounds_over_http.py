"""Values at the bounds in every body and query: inside, no call fails; outside, each is 422 with a stable code."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from harness.at_bounds import beyond, resolved, value_in, with_value
from harness.fixtures import OnPostgres

from didflow.services import service
from didflow_chassis.http import openapi_json
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.roles import ROLES_OF
from didflow_contracts.topics import SERVICES

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
UNKNOWN = "0190a5b6-7c00-7000-8000-000000000009"
CODES = {
    "format_invalid",
    "not_allowed",
    "out_of_range",
    "too_few",
    "too_long",
    "too_many",
    "too_short",
    "type_invalid",
    "value_invalid",
    "currency_unknown",
    "cursor_invalid",
    "sort_unknown",
}
"""What an error about one value may say."""


class Document:
    """The OpenAPI document of a service: its operations with their bodies and queries."""

    def __init__(self, name: str) -> None:
        self.root: dict[str, Any] = json.loads(openapi_json(service(name)))

    def bodies(self) -> Iterator[tuple[str, str, Any]]:
        """Yield role and method, path and schema of each JSON body, and of each of its kinds."""
        for path, method, operation in self._operations():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                schema, actions = content["application/json"]["schema"], operation["x-action"]
                roles = ROLES_OF[actions if isinstance(actions, str) else actions[0]]
                role = "operator" if "operator" in roles else next(iter(roles))
                for option in resolved(schema, self.root).get("oneOf", [schema]):
                    yield f"{role} {method}", path, option

    def queries(self) -> Iterator[tuple[str, str, Any]]:
        """Yield path, name and schema of each parameter of a query."""
        for path, method, operation in self._operations():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "query" and method == "get":
                    yield path, parameter["name"], parameter["schema"]

    def _operations(self) -> Iterator[tuple[str, str, Any]]:
        for path, methods in self.root["paths"].items():
            for method, operation in methods.items():
                yield path, method, operation


def url_of(path: str) -> str:
    """Return the path with an id in each place of a parameter."""
    return "/".join(UNKNOWN if part.startswith("{") else part for part in path.split("/"))


class Caller:
    """An operator who sends each call under a key of its own."""

    def __init__(self, opened: ServiceOnPostgres) -> None:
        self._opened = opened
        self._client = opened.client(account="master", role="operator")
        self._calls = 0

    async def send(self, method: str, path: str, body: Any) -> httpx.Response:
        """Send a body, also one that is no valid JSON value for the client."""
        self._calls += 1
        role, _, verb = method.partition(" ")
        client = self._client if role == "operator" else self._opened.client(account="master", role=role)
        headers = {"Idempotency-Key": f"k{self._calls}", "Content-Type": "application/json"}
        return await client.request(
            verb, url_of(path), content=json.dumps(body, ensure_ascii=False).encode(), headers=headers
        )

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Send a query."""
        return await self._client.get(url_of(path), params=params)


def codes_of(answer: httpx.Response) -> set[str]:
    """Return the code of each error of a problem."""
    return {error["code"] for error in answer.json().get("errors", ())}


@pytest.mark.parametrize("name", SERVICES)
async def test_a_value_outside_its_bounds_is_refused(on_postgres: OnPostgres, name: str) -> None:
    """The answer is 422 and says what is wrong by a stable code. It comes before anything is looked up."""
    caller, document = Caller(await on_postgres(service(name), now=NOW)), Document(name)
    for method, path, schema in document.bodies():
        good = value_in(schema, document.root, lambda values: values[0])
        for place, value in beyond(schema, document.root):
            answer = await caller.send(method, path, with_value(good, place, value))
            case = (method, path, place, str(value)[:60], answer.text[:300])
            assert answer.status_code == 422, case
            assert codes_of(answer) & CODES, case
    whole_lists = (each for each in document.queries() if "{" not in each[0])
    for path, parameter, schema in whole_lists:
        for _, value in beyond(schema, document.root):
            if isinstance(value, str) and value != "1":
                answer = await caller.get(path, **{parameter: value})
                assert answer.status_code == 422, (path, parameter, value[:60], answer.text[:300])


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("end", [0, -1], ids=["least", "most"])
async def test_no_value_inside_its_bounds_makes_a_call_fail(
    on_postgres: OnPostgres, name: str, end: int
) -> None:
    """It is done, or refused by a rule: never an internal error. All lists can be read afterwards, page by page."""
    caller, document = Caller(await on_postgres(service(name), now=NOW)), Document(name)
    for method, path, schema in document.bodies():
        body = value_in(schema, document.root, lambda values: values[end])
        answer = await caller.send(method, path, body)
        assert answer.status_code < 500, (method, path, answer.text[:300])
    for path, parameter, schema in document.queries():
        value = value_in(schema, document.root, lambda values: values[min(abs(end), len(values) - 1)])
        if value is not None:
            answer = await caller.get(path, **{parameter: value})
            assert answer.status_code < 500, (path, parameter, answer.text[:300])
    for path in {path for path, parameter, _ in document.queries() if parameter == "cursor"}:
        page = await caller.get(path, limit=1)
        while page.status_code == 200 and page.json().get("next"):
            page = await caller.get(path, limit=1, cursor=page.json()["next"])
        assert page.status_code in (200, 404), (path, page.text[:300])
