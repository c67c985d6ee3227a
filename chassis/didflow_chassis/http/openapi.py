"""What the OpenAPI document says beyond the routes' own: bearer tokens, problems, keys, pages and batches."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from didflow_chassis.http.idempotency import CHANGING, KEY_HEADER, MAX_KEY
from didflow_chassis.http.lists import DEFAULT_LIMIT, MAX_LIMIT
from didflow_chassis.http.problems import MEDIA_TYPE

_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "description": "A problem, with a stable code",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
}
_KEY: dict[str, Any] = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "description": "The same key with the same body gives the first answer again, for 30 days.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
}
_LIST: tuple[dict[str, Any], ...] = (
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    },
    {"name": "cursor", "in": "query", "schema": {"type": "string"}, "description": "`next` of the last page"},
    {
        "name": "sort",
        "in": "query",
        "schema": {"type": "string"},
        "description": "a column; `-` for downwards",
    },
)


class FieldProblem(BaseModel):
    """What is wrong with one field of the input."""

    field: str = Field(description="dotted path; empty for the whole input")
    code: str
    message: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(description="stable; programs decide by it")
    errors: list[FieldProblem] = Field(default=[], description="for errors of the input")


class Application(FastAPI):
    """FastAPI, with the document made whole."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, built once."""
        document = super().openapi()
        components = document.setdefault("components", {})
        if "securitySchemes" not in components:
            complete(document, components)
        return document


def complete(document: dict[str, Any], components: dict[str, Any]) -> None:
    """Add to a document, in place, what holds for every route."""
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    document["security"] = [{"bearer": []}]
    schemas = components.setdefault("schemas", {})
    for ours in ("HTTPValidationError", "ValidationError"):
        schemas.pop(ours, None)
    _, added = models_json_schema([(Problem, "validation")], ref_template=_REF)
    schemas.update(added["$defs"])
    for method, operation in _operations(document):
        _complete_operation(operation, changing=method.upper() in CHANGING)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in document.get("paths", {}).values():
        yield from methods.items()


def _complete_operation(operation: dict[str, Any], *, changing: bool) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = _PROBLEM
    parameters = operation.setdefault("parameters", [])
    if changing:
        parameters.append(_KEY)
    if _schema(responses, "200").get("$ref") == _REF.format(model="Page"):
        parameters.extend(_LIST)


def _schema(responses: dict[str, Any], status: str) -> dict[str, Any]:
    content = responses.get(status, {}).get("content", {})
    schema: dict[str, Any] = content.get("application/json", {}).get("schema", {})
    return schema
