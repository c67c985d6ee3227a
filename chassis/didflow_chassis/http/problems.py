"""What every error of the API looks like: problem details with a stable code (RFC 9457).

One table gives the chassis' codes their status and title; a detail never holds a stack, a statement or a host.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {"Retry-After": "1"}
MAX_TEXT = 500
MAX_ERRORS = 100

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "body_malformed": (400, "The body cannot be read"),
    "idempotency_key_missing": (400, "This call needs an Idempotency-Key"),
    "idempotency_key_invalid": (400, "The Idempotency-Key cannot be used"),
    "token_missing": (401, "A bearer token is needed"),
    "token_invalid": (401, "The bearer token is not accepted"),
    "token_expired": (401, "The bearer token has expired"),
    "role_not_allowed": (403, "The caller's role may not do this"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "not_ready": (409, "Something that this needs has not come yet"),
    "idempotency_in_progress": (409, "The first call under this key is still running"),
    "body_too_large": (413, "The body is too large"),
    "media_type_unsupported": (415, "The body's media type is not supported"),
    "cursor_invalid": (422, "The cursor is not one of this list"),
    "idempotency_key_reused": (422, "This key was used for another body"),
    "input_invalid": (422, "The input is not valid"),
    "sort_unknown": (422, "The list cannot be sorted that way"),
    "too_few": (422, "Too few entries"),
    "too_large": (422, "What this would make is too large"),
    "too_many": (422, "Too many entries"),
    "value_unstorable": (422, "A value cannot be stored"),
    "rate_exceeded": (429, "Too many requests"),
    "internal": (500, "Something went wrong here"),
    "unavailable": (503, "Cannot answer now"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldError:
    """What is wrong with one field of the input; `field` is its dotted path, empty for the whole."""

    field: str
    code: str
    message: str


class Problem(HTTPException):
    """An answer that is an error. `code` is stable; status and title come from the table or are given.

    It is an HTTPException so that FastAPI lets it pass while it reads a body.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        listed, self.title = PROBLEMS.get(code, (409, code.replace("_", " ").capitalize()))
        super().__init__(status or listed, clean(detail), headers)
        self.code = code
        self.errors = tuple(errors[:MAX_ERRORS])


def clean(text: str) -> str:
    """Cut a text to what a problem may hold, and make it UTF-8 whatever the caller sent."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


def document(problem: Problem) -> bytes:
    """Render a problem as JSON."""
    said: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status_code,
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.errors:
        said["errors"] = [{name: clean(text) for name, text in asdict(e).items()} for e in problem.errors]
    return to_json(said)


def problem_response(problem: Problem) -> Response:
    """Make the response that carries a problem."""
    return Response(document(problem), problem.status_code, problem.headers, MEDIA_TYPE)
