"""Examples of a route in the OpenAPI document: bodies of requests, and successful answers.

FastAPI leaves every null out of the document, also inside examples. They are added again as they were declared.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.routing import BaseRoute

_JSON = "application/json"


def examples_of(
    requests: Mapping[str, Any], answers: Mapping[str, Any], *, status: int = 200, media_type: str = _JSON
) -> dict[str, Any]:
    """Return the `openapi_extra` of a route with these examples, by name.

    `status` and `media_type` are those of the answers. Requests are JSON.
    """
    extra: dict[str, Any] = {"responses": {str(status): _content(answers, media_type)}}
    return {**extra, "requestBody": _content(requests, _JSON)} if requests else extra


def _content(values: Mapping[str, Any], media_type: str) -> dict[str, Any]:
    return {"content": {media_type: {"examples": {name: {"value": value} for name, value in values.items()}}}}


def add_examples(document: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    """Put the examples of the routes into a document as they were declared, in place."""
    for route in routes:
        extra = getattr(route, "openapi_extra", None) or {}
        for method in getattr(route, "methods", None) or ():
            operation = document["paths"].get(getattr(route, "path", ""), {}).get(method.lower(), {})
            _copy(extra.get("requestBody"), operation.get("requestBody"))
            for status, declared in extra.get("responses", {}).items():
                _copy(declared, operation.get("responses", {}).get(status))


def _copy(declared: Any, documented: Any) -> None:
    for media_type, content in (declared or {}).get("content", {}).items():
        if documented and "examples" in content:
            documented["content"][media_type]["examples"] = content["examples"]
