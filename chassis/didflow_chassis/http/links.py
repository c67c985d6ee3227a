"""Links of an OpenAPI document: which field of an answer is which parameter of a path.

A program, and a test that generates requests, finds with them what it can do next with a thing that it was given.
The rule: the parameter `thing_id` of a path is the field `thing_id` of an answer, and `thing` is `thing_id` too. A list
at `/things` has that field in each of its items. Source: OpenAPI 3.1, Link Object.
"""

from collections.abc import Iterator
from typing import Any

_ID_OF = {"dead_letter_id": "id"}
"""Parameter -> the field, where it is called otherwise."""


def add_links(document: dict[str, Any]) -> None:
    """Add links to all successful answers that have the id of something, in place."""
    targets = list(_targets(document))
    for path, method, operation in _operations(document):
        for status, response in operation["responses"].items():
            links = _links(document, path, method, response, targets) if status.startswith("2") else {}
            if links:
                response["links"] = links


def _links(
    document: dict[str, Any],
    path: str,
    method: str,
    response: dict[str, Any],
    targets: list[tuple[str, str, str]],
) -> dict[str, Any]:
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    fields = _fields(document, schema)
    found = {}
    for parameter, target, operation_id in targets:
        field = _ID_OF.get(parameter, parameter if parameter.endswith("_id") else f"{parameter}_id")
        if field in fields and f"{{{parameter}}}" not in path:
            expression = f"$response.body#/{field}"
        elif method == "get" and "items" in fields and target.startswith(f"{path}/{{{parameter}}}"):
            expression = f"$response.body#/items/0/{field}"
        else:
            continue
        found[operation_id] = {"operationId": operation_id, "parameters": {parameter: expression}}
    return found


def _targets(document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the operations with one parameter in their path: the parameter, the path, the id of the operation."""
    for path, _, operation in _operations(document):
        names = [each["name"] for each in operation.get("parameters", []) if each["in"] == "path"]
        if len(names) == 1:
            yield names[0], path, operation["operationId"]


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a schema, which may be a reference."""
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"].get(name, schema).get("properties", {})
    return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            yield path, method, operation
