"""Conventions of HTTP that hold for every route, read from the OpenAPI documents of all services."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from didflow.services import service
from didflow_chassis.http import openapi_json
from didflow_contracts.topics import SERVICES


def operations(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each operation of a service with its method and path."""
    for path, methods in json.loads(openapi_json(service(name)))["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def answer(operation: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the successful answer."""
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            schema: dict[str, Any] = response.get("content", {}).get("application/json", {}).get("schema", {})
            return schema
    return {}


@pytest.mark.parametrize("name", SERVICES)
def test_no_route_answers_with_a_bare_array(name):
    """A list is an object with `items` and `next`, so that it can have pages."""
    assert [route for route, operation in operations(name) if answer(operation).get("type") == "array"] == []


@pytest.mark.parametrize("name", SERVICES)
def test_periods_are_since_and_until(name):
    """`since` is inclusive and `until` is exclusive in every list; no list has other names for them."""
    other_names = {"after", "before", "from", "to", "start", "end"}
    found = [
        (route, parameter["name"])
        for route, operation in operations(name)
        for parameter in operation.get("parameters", [])
        if parameter["name"] in other_names
    ]
    assert found == []


@pytest.mark.parametrize("name", SERVICES)
def test_every_operation_shows_its_action(name):
    """The action that the caller's role needs is in the document as `x-action`."""
    assert [route for route, operation in operations(name) if "x-action" not in operation] == []


def unbounded(schema: Any, path: str) -> Iterator[str]:
    """Yield the places of the schema of an input at which a value may have any size."""
    if not isinstance(schema, dict):
        return
    kind, has = schema.get("type"), set(schema)
    if kind == "string" and not has & {"maxLength", "pattern", "enum", "const", "format"}:
        yield path
    if kind in ("integer", "number") and not has & {"maximum", "enum", "const"}:
        yield path
    if kind == "array" and "maxItems" not in has:
        yield path
    if schema.get("format") in ("date", "date-time") and "formatMaximum" not in has:
        yield path
    for name, inner in schema.get("properties", {}).items():
        yield from unbounded(inner, f"{path}.{name}")
    inside = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), schema.get("items")]
    for option in [*inside, schema.get("additionalProperties")]:
        yield from unbounded(option, path)


def resolved(schema: Any, document: dict[str, Any]) -> Any:
    """Return a schema with its references replaced by what they refer to."""
    if isinstance(schema, list):
        return [resolved(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolved(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    return {name: resolved(each, document) for name, each in schema.items() if name != "example"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_input_has_bounds(name):
    """The document says how large each field of a body and each parameter of a query may be."""
    document = json.loads(openapi_json(service(name)))
    found = []
    for route, operation in operations(name):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                found += unbounded(resolved(parameter["schema"], document), f"{route} {parameter['name']}")
        for content in operation.get("requestBody", {}).get("content", {}).values():
            found += unbounded(resolved(content["schema"], document), route)
    assert found == []
