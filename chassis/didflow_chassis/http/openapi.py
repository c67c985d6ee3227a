"""The OpenAPI document: what holds for every route is added here (tokens, problems, keys, parameters of lists)."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from didflow_chassis.http.examples import add_examples
from didflow_chassis.http.idempotency import CHANGING, KEY_HEADER, MAX_KEY
from didflow_chassis.http.links import add_links
from didflow_chassis.http.lists import DEFAULT_LIMIT, MAX_CURSOR, MAX_LIMIT
from didflow_chassis.http.problems import MEDIA_TYPE
from didflow_contracts.bounds import NAME

EVENTS = "text/event-stream"
_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "An error: a problem with a stable code.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
}
_KEY: dict[str, Any] = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "description": "For 30 days, the same key with the same body returns the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
}
_LOCATION: dict[str, Any] = {
    "Location": {"description": "The path of the job.", "schema": {"type": "string"}},
}
_LIST: tuple[dict[str, Any], ...] = (
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    {
        "name": "cursor",
        "in": "query",
        "schema": {"type": "string", "maxLength": MAX_CURSOR},
        "description": "The `next` of the previous page.",
    },
    {
        "name": "sort",
        "in": "query",
        "schema": {"type": "string", "maxLength": NAME.most},
        "description": "A column; with `-` in front, in descending order.",
    },
)


class FieldProblem(BaseModel):
    """What is wrong with one field of the input."""

    field: str = Field(description="Dotted path of the field; `body` for the whole body.")
    code: str
    message: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable: programs can depend on it.")
    reference: str | None = Field(
        default=None, description="For `internal_error`: the reference in the log of the service."
    )
    errors: list[FieldProblem] = Field(default=[], description="What is wrong with each field.")


class Application(FastAPI):
    """FastAPI with the completed document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document. It is built once."""
        document = super().openapi()
        components = document.setdefault("components", {})
        if "securitySchemes" not in components:
            complete(document, components)
            add_examples(document, getattr(self.state, "all_routes", ()))
        return document


def complete(document: dict[str, Any], components: dict[str, Any]) -> None:
    """Add what holds for every route to a document, in place."""
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    document["security"] = [{"bearer": []}]
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    _, added = models_json_schema([(Problem, "validation")], ref_template=_REF)
    schemas.update(added["$defs"])
    for method, operation in _operations(document):
        _complete_operation(operation, changing=method.upper() in CHANGING)
    add_links(document)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in document.get("paths", {}).values():
        yield from methods.items()


def _complete_operation(operation: dict[str, Any], *, changing: bool) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = _PROBLEM
    events = responses.get("200", {}).get("content", {}).get(EVENTS, {})
    if "schema" in events:
        item = events.pop("schema")
        events["itemSchema"] = {name: value for name, value in item.items() if name != "type"}
    if "201" in responses:
        again = {
            "description": "It exists already, as requested.",
            "content": responses["201"].get("content", {}),
        }
        responses.setdefault("200", again)
    if "202" in responses:
        responses["202"]["headers"] = _LOCATION
    parameters = operation.setdefault("parameters", [])
    if changing:
        parameters.append(_KEY)
    elif _schema(responses, "200").get("$ref") == _REF.format(model="Page"):
        parameters.extend(_LIST)


def _schema(responses: dict[str, Any], status: str) -> dict[str, Any]:
    content = responses.get(status, {}).get("content", {})
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema
