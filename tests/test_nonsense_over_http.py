"""Nonsense in every parameter, path, cursor and body field of every route, from the OpenAPI documents.

Each service runs on PostgreSQL. No request may be answered with 5xx. A value that its schema does not allow is answered
with 4xx, and the answer names the parameter or the field.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from harness.fixtures import DatabaseFor
from jsonschema import Draft202012Validator, FormatChecker

from didflow.services import service
from didflow_chassis.http import openapi_json
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.roles import ROLES, may
from didflow_contracts.topics import SERVICES

DEPTH = 2
TEXTS = (
    *(
        "",
        "x",
        "0",
        "-1",
        "1.0",
        "yes",
        "1969-01-01",
        "2026-13-01",
        "2026-01-01T00:00:00",
        "9999-12-31T23:59:59Z",
    ),
    *("+10000-01-01T00:00:00Z", "1700000000", "9" * 20, "9" * 400, "x" * 3_000, "\u0661\u202e\U0001f600"),
)
VALUES = (
    *(
        "",
        "1",
        "1969-01-01",
        "9999-12-31T23:59:59Z",
        "1700000000",
        "x" * 3_000,
        True,
        1,
        -1,
        1.0,
        2**31,
        10**30,
    ),
    *(1e300, None, [], [[]], {}),
)
PATHS = ("x", "%2B353", "9" * 400, "%F0%9F%98%80", "%ff", "..%2f", "%20")
CURSOR_VALUES = (
    *(2**63, -(2**63), 2**31, 1.5, True, None, "", "9" * 300, {}, "0001-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59+00:00", "2026-01-01", "00000000-0000-0000-0000-000000000000"),
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)


@dataclass
class Found:
    """What is wrong with the answers of a service."""

    failures: list[str] = field(default_factory=list)
    sent: int = 0

    def check(self, what: str, answer: httpx.Response, *, name: str | None = None, value: Any = None) -> None:
        """Note an answer with 5xx. If `name` is given, the value is not allowed there, and the answer must say so."""
        self.sent += 1
        shown = f"{what} {name or ''} {str(value)[:60]!r}: {answer.status_code} {answer.text[:200]}"
        if answer.status_code >= 500 or (name is not None and not 400 <= answer.status_code < 500):
            self.failures.append(shown)
        elif name is not None and answer.status_code == 422:
            named = [error["field"] for error in answer.json().get("errors", [])]
            if not any(
                one == name or one.startswith(f"{name}.") or name.startswith(f"{one}.") for one in named
            ):
                self.failures.append(shown)


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    method: str
    path: str
    content: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def role(self) -> str:
        """Return a role that may use the route."""
        actions = self.content["x-action"]
        wanted = [actions] if isinstance(actions, str) else actions
        return next(role for role in ROLES[::-1] if any(may(role, action) for action in wanted))

    @property
    def what(self) -> str:
        """Return what the operation is called in a failure."""
        return f"{self.method} {self.path}"

    def of(self, place: str) -> list[Mapping[str, Any]]:
        """Return the parameters in a place."""
        return [one for one in self.content.get("parameters", ()) if one["in"] == place]

    def url(self, value: str = "00000000-0000-0000-0000-000000000000") -> str:
        """Return the path with a value for each parameter."""
        return re.sub(r"\{[^}]*\}", lambda _: value, self.path)

    def body(self) -> Mapping[str, Any] | None:
        """Return the schema of the JSON body, if there is one."""
        schema: Mapping[str, Any] | None = (
            self.content.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        )
        return schema

    def resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a schema without a reference at its top."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def bodies(self, schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the objects that a schema allows: itself, or the members of a union."""
        schema = self.resolved(schema)
        members = (*schema.get("oneOf", ()), *schema.get("anyOf", ()))
        for member in members:
            yield from self.bodies(member)
        if not members and "properties" in schema:
            yield schema

    def fields(self, schema: Mapping[str, Any], depth: int = DEPTH) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Yield the path and the schema of each field of an object, and of the objects in it."""
        for name, inner in schema["properties"].items():
            yield (name,), inner
            if depth > 1:
                for body in self.bodies(inner):
                    for path, deeper in self.fields(body, depth - 1):
                        yield (name, *path), deeper

    def allows(self, schema: Mapping[str, Any], value: Any) -> bool:
        """Return True if a schema allows a value. A float is no integer, and dates and instants have bounds."""
        members = [self.resolved(one) for one in schema.get("anyOf", [schema])]
        return any(self._allows(member, value) for member in members)

    def _allows(self, schema: Mapping[str, Any], value: Any) -> bool:
        whole = {"components": self.document["components"], **schema}
        if not Draft202012Validator(whole, format_checker=FormatChecker(["uuid", "date"])).is_valid(value):
            return False
        if isinstance(value, str) and schema.get("format") == "date-time" and not _INSTANT.fullmatch(value):
            return False
        if isinstance(value, str) and "formatMinimum" in schema:
            return schema["formatMinimum"] <= value <= schema["formatMaximum"]  # type: ignore[no-any-return]
        return not isinstance(value, float) or '"integer"' not in json.dumps(schema)


def operations(name: str) -> Iterator[Operation]:
    """Yield the operations of a service."""
    document = json.loads(openapi_json(service(name)))
    for path, methods in document["paths"].items():
        for method, content in methods.items():
            yield Operation(method=method.upper(), path=path, content=content, document=document)


@pytest.fixture
async def client(
    request: pytest.FixtureRequest, database_for: DatabaseFor
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a service on an empty database."""
    name = request.param
    async with ServiceOnPostgres.open(service(name), await database_for(name)) as running:
        transport = httpx.ASGITransport(running.application, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as made:
            yield made


async def send(client: httpx.AsyncClient, operation: Operation, url: str, **options: Any) -> httpx.Response:
    """Send one request with a role that may use the route, and with an idempotency key of its own."""
    headers = {"Authorization": f"Bearer ann:master:{operation.role}"} | options.pop("headers", {})
    return await client.request(operation.method, url, headers=headers, **options)


def is_allowed_text(operation: Operation, schema: Mapping[str, Any], text: str) -> bool:
    """Return True if a query parameter with this schema may be written so."""
    members = [operation.resolved(one) for one in schema.get("anyOf", [schema])]
    for member in members:
        value: Any = text
        if member.get("type") == "integer":
            value = int(text) if _WHOLE.fullmatch(text) and len(text) < 30 else None
        elif member.get("type") == "boolean":
            value = {"true": True, "false": False}.get(text)
        if member.get("type") != "null" and operation.allows(member, value):
            return True
    return False


@pytest.mark.parametrize(
    ("client", "name"), [(name, name) for name in SERVICES], indirect=["client"], ids=SERVICES
)
async def test_nonsense_in_a_query_or_path_is_4xx(client: httpx.AsyncClient, name: str) -> None:
    """Each query parameter with each text, each path with each text."""
    found = Found()
    for operation in operations(name):
        for text in PATHS if operation.of("path") else ():
            found.check(operation.what, await send(client, operation, operation.url(text)), value=text)
        for parameter in operation.of("query"):
            for text in TEXTS:
                is_wrong = not is_allowed_text(operation, parameter["schema"], text)
                query = httpx.QueryParams({parameter["name"]: text})
                answer = await send(client, operation, f"{operation.url()}?{query}")
                wrong = parameter["name"] if is_wrong and operation.method == "GET" else None
                found.check(operation.what, answer, name=wrong, value=text)
    assert not found.failures, "\n".join(found.failures)
    assert found.sent > 100


@pytest.mark.parametrize(
    ("client", "name"), [(name, name) for name in SERVICES], indirect=["client"], ids=SERVICES
)
async def test_nonsense_in_a_cursor_is_4xx(client: httpx.AsyncClient, name: str) -> None:
    """Cursors of each list and each of its sorts, well formed, with values that no page can end with."""
    found = Found()
    for operation in operations(name):
        if "cursor" not in [one["name"] for one in operation.of("query")]:
            continue
        refused = (await send(client, operation, f"{operation.url()}?sort=no_such_column")).json()
        sorts = re.findall(r"[a-z_]+", refused["detail"].partition(" of ")[2].partition(", with")[0])
        for sort in sorts:
            for value in CURSOR_VALUES:
                for values in ([value], [value, value], ["x", value], [None, value]):
                    cursor = urlsafe_b64encode(json.dumps([sort, *values]).encode()).rstrip(b"=").decode()
                    url = f"{operation.url()}?sort={sort}&cursor={cursor}"
                    found.check(f"{operation.what} {sort}", await send(client, operation, url), value=values)
    assert not found.failures, "\n".join(found.failures)
    assert found.sent > 50


def set_in(path: tuple[str, ...], value: Any, body: Mapping[str, Any], kind: str | None) -> dict[str, Any]:
    """Return a body with a value at a path. The field `kind`, which tells members of a union apart, has its value."""
    known = body["properties"][kind] if kind else {}
    constants = {kind: known.get("const", known.get("enum", [None])[0])} if kind else {}
    return {**constants, path[0]: value if len(path) == 1 else _nested(path[1:], value)}


def _nested(path: tuple[str, ...], value: Any) -> Any:
    for name in reversed(path):
        value = {name: value}
    return value


@pytest.mark.parametrize(
    ("client", "name"), [(name, name) for name in SERVICES], indirect=["client"], ids=SERVICES
)
async def test_nonsense_in_a_body_is_4xx(client: httpx.AsyncClient, name: str) -> None:
    """Each field of each body with each value: what its schema does not allow is refused, and its field is named."""
    found = Found()
    for operation in operations(name):
        schema = operation.body()
        kind = operation.resolved(schema).get("discriminator", {}).get("propertyName") if schema else None
        for body in operation.bodies(schema) if schema else ():
            for path, inner in operation.fields(body):
                for value in VALUES:
                    content = set_in(path, value, body, kind)
                    headers = {"Idempotency-Key": str(found.sent)}
                    answer = await send(client, operation, operation.url(), json=content, headers=headers)
                    is_wrong = (
                        value != []
                        and len(path) == 1
                        and path[0] != kind
                        and not operation.allows(inner, value)
                    )
                    found.check(operation.what, answer, name=path[0] if is_wrong else None, value=content)
        for content in VALUES if schema else ():
            answer = await send(client, operation, operation.url(), json=content)
            found.check(operation.what, answer, value=content)
    assert not found.failures, "\n".join(found.failures)
    assert found.sent > 100
