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
