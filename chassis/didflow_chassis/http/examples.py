"""Examples of a route in the OpenAPI document: bodies of requests and of answers with status 200.

FastAPI leaves every null out of the document, also inside examples. They are added again as they were declared.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.routing import BaseRoute

_JSON = "application/json"


def examples_of(requests: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `openapi_extra` of a route with these examples, by name."""
    extra: dict[str, Any] = {"responses": {"200": _content(answers)}}
    return {**extra, "requestBody": _content(requests)} if requests else extra


def _content(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"content": {_JSON: {"examples": {name: {"value": value} for name, value in values.items()}}}}


def add_examples(document: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    """Put the examples of the routes into a document as they were declared, in place."""
    for route in routes:
        extra = getattr(route, "openapi_extra", None) or {}
        for method in getattr(route, "methods", None) or ():
            operation = document["paths"].get(getattr(route, "path", ""), {}).get(method.lower(), {})
            _copy(extra.get("requestBody"), operation.get("requestBody"))
            _copy(extra.get("responses", {}).get("200"), operation.get("responses", {}).get("200"))


def _copy(declared: Any, documented: Any) -> None:
    examples = (declared or {}).get("content", {}).get(_JSON, {}).get("examples")
    if examples and documented:
        documented["content"][_JSON]["examples"] = examples
