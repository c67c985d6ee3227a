"""Requests of the tenant matrix, generated from the OpenAPI documents and the table of `rows`."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import uuid4

import httpx
from tenancy.bodies import BODIES
from tenancy.estate import Things, scan
from tenancy.rows import NEEDED_QUERIES, OTHER_NAMES, PATH, PATHS, PATHS_OF_ROUTES, PATHS_OF_SERVICES, QUERIES

from didflow.services import service
from didflow_chassis.http import openapi_json
from didflow_contracts.roles import ROLES, may
from didflow_contracts.topics import SERVICES

_PLACEHOLDER: Final = re.compile(r"<([a-z_]+)>")
_EXISTING: Final = re.compile(r"<(?!new_)[a-z_]+>")
_VARYING: Final = frozenset({"x-request-id", "date"})
_MADE: Final = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9-]{10}T[0-9:.]+Z|V-[0-9A-Z]{10}|(?<=\"attempt\":)[0-9]+"
)
_SCAN: Final = scan()


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation of an OpenAPI document."""

    service: str
    method: str
    path: str
    document: Mapping[str, Any]

    @property
    def route(self) -> str:
        """Return method and path."""
        return f"{self.method} {self.path}"

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles that may call it."""
        actions = self.document["x-action"]
        actions = [actions] if isinstance(actions, str) else actions
        return tuple(role for role in ROLES if any(may(role, action) for action in actions))

    @property
    def batch_item(self) -> str | None:
        """Return what an item of a batch is called."""
        return self.document.get("x-batch-item")

    @property
    def is_list(self) -> bool:
        """True if it answers with pages."""
        return "cursor" in self.queries

    @property
    def is_stream(self) -> bool:
        """True if its answer never ends."""
        answers = self.document["responses"].values()
        return any("text/event-stream" in answer.get("content", {}) for answer in answers)

    @property
    def queries(self) -> list[str]:
        """Return the names of the query parameters."""
        return [each["name"] for each in self.document.get("parameters", []) if each["in"] == "query"]

    @property
    def needed(self) -> Mapping[str, str]:
        """Return the query parameters that it needs."""
        return NEEDED_QUERIES.get(self.route, {})

    @property
    def path_things(self) -> dict[str, str]:
        """Return the parameters of the path, each with the placeholder of what it names."""
        found = {}
        for name in re.findall(r"{(\w+)}", self.path):
            kept = PATHS_OF_SERVICES.get(name)
            thing = f"{self.service}_{kept}" if kept else PATHS[name]
            found[name] = f"<{PATHS_OF_ROUTES.get(self.route, thing)}>"
        return found

    @property
    def fields(self) -> set[str]:
        """Return the names of all fields of its body, those of inner objects too."""
        content = self.document.get("requestBody", {}).get("content", {})
        return {name for media in content.values() for name in _fields(self.service, media.get("schema", {}))}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request with placeholders. `place` is the part that names things of somebody else."""

    operation: Operation
    place: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None

    def filled(self, own: Things, other: Things) -> dict[str, Any]:
        """Return the arguments of `httpx.AsyncClient.request`. The things of `place` are those of `other`."""
        path = _fill(self.path, other if self.place == PATH else own)
        found: dict[str, Any] = {
            "method": self.operation.method,
            "url": self.operation.path.format(**path),
            "params": _fill(self.query, other),
        }
        if self.body is None:
            return found
        body = {name: _fill(value, other if name == self.place else own) for name, value in self.body.items()}
        if "multipart/form-data" in self.operation.document["requestBody"]["content"]:
            return found | {"data": body, "files": {"file": ("a.png", _SCAN)}}
        return found | {"json": body}


def operations(name: str) -> Iterator[Operation]:
    """Yield the operations of a service."""
    for path, methods in document_of(name)["paths"].items():
        for method, document in methods.items():
            yield Operation(service=name, method=method.upper(), path=path, document=document)


@cache
def document_of(name: str) -> dict[str, Any]:
    """Return the OpenAPI document of a service."""
    document: dict[str, Any] = json.loads(openapi_json(service(name)))
    return document


def all_operations() -> Iterator[Operation]:
    """Yield the operations of all services."""
    for name in SERVICES:
        yield from operations(name)


def requests_of(operation: Operation) -> Iterator[Request]:
    """Yield one request for each part that can name a thing: the path, query parameters, fields of bodies."""
    path = operation.path_things
    bodies = BODIES.get(operation.route, [None])
    common = {"operation": operation, "path": path}
    if path:
        yield from (Request(place=PATH, query={}, body=body, **common) for body in bodies)
        other = path | {name: f"<{OTHER_NAMES[name]}>" for name in path.keys() & OTHER_NAMES.keys()}
        if other != path:
            yield Request(operation=operation, place=PATH, path=other, query={}, body=bodies[0])
    for name in operation.queries:
        for value in QUERIES.get(name, ()):
            yield Request(place=f"?{name}", query={**operation.needed, name: value}, **common)
    for body in bodies:
        for name, value in (body or {}).items():
            if _EXISTING.search(json.dumps(value)):
                yield Request(place=name, query={}, body=body, **common)


def names_in(body: Any) -> Iterator[str]:
    """Yield the names of all fields of a body, those of inner objects too."""
    if isinstance(body, Mapping):
        yield from body
    if isinstance(body, Mapping | list):
        for inner in body.values() if isinstance(body, Mapping) else body:
            yield from names_in(inner)


def plain_requests(operation: Operation) -> Iterator[Request]:
    """Yield one request for each body of the operation, or one without a body."""
    for body in BODIES.get(operation.route, [None]):
        yield Request(
            operation=operation, place="", path=operation.path_things, query=operation.needed, body=body
        )


def comparable(answer: httpx.Response, named: Things, real: Things) -> tuple[int, dict[str, str], str]:
    """Return all of an answer that tells a caller something: status, headers, body.

    The things that were `named` are called as the `real` ones. Those that are new in each request, and ids and instants
    that the answer made, are masked.
    """
    text = answer.text
    for name, value in named.items():
        text = text.replace(value, name if name.startswith("new_") else real[name])
    headers = {name: value for name, value in answer.headers.items() if name not in _VARYING}
    if answer.is_success:
        headers.pop("content-length", None)
        kept = set(real.values())
        text = _MADE.sub(lambda found: found[0] if found[0] in kept else "made", text)
    return answer.status_code, headers, text


def absent(things: Things) -> Things:
    """Return things that do not exist, each as long as the existing one."""
    found = {}
    for name, value in things.items():
        if re.fullmatch(r"[0-9a-f-]{36}", value):
            found[name] = str(uuid4())
        elif value.startswith(("+", "order ")):
            found[name] = f"{value[:-2]}99"
        else:
            found[name] = f"{value[:-1]}{'x' if value[-1] != 'x' else 'y'}"
    return found


def _fill(value: Any, things: Things) -> Any:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: things[found[1]], value)
    if isinstance(value, Mapping):
        return {name: _fill(item, things) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, things) for item in value]
    return value


def _fields(name: str, schema: Any, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _fields(name, item, seen)
        return
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if reference and reference not in seen:
        inner = document_of(name)["components"]["schemas"][reference.rpartition("/")[2]]
        yield from _fields(name, inner, seen | {reference})
    for field, inner in schema.get("properties", {}).items():
        yield field
        yield from _fields(name, inner, seen)
    for key in ("anyOf", "oneOf", "allOf", "items"):
        yield from _fields(name, schema.get(key), seen)
