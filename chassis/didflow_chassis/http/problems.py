"""Error answers: problem details (RFC 9457) with a stable code, and field errors with stable codes.

One table gives the codes of the chassis their status and title. A problem never shows a stack trace, a statement
or a host name.
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

SEE_ERRORS = "The input is not valid. Correct the fields that `errors` lists."

PROBLEMS: Mapping[str, tuple[int, str]] = {
    "body_malformed": (400, "The body cannot be read"),
    "request_malformed": (400, "The request is not valid HTTP"),
    "idempotency_key_missing": (400, "This call needs an Idempotency-Key"),
    "idempotency_key_invalid": (400, "The Idempotency-Key cannot be used"),
    "token_missing": (401, "A bearer token is needed"),
    "token_invalid": (401, "The bearer token is not accepted"),
    "token_expired": (401, "The bearer token has expired"),
    "role_not_allowed": (403, "The caller's role may not do this"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "request_timeout": (408, "The request arrived too slowly"),
    "not_ready": (409, "Data that this call needs has not arrived yet"),
    "already_dropped": (409, "The dead letter was dropped before"),
    "already_retried": (409, "The dead letter was retried before"),
    "job_completes_decision": (409, "The job carries out a decision that is in force"),
    "job_finished": (409, "The job has ended"),
    "truncated": (409, "Only a part of the record is stored"),
    "idempotency_in_progress": (409, "The first call with this key is still running"),
    "body_too_large": (413, "The body is too large"),
    "media_type_unsupported": (415, "The media type of the body is not supported"),
    "cursor_invalid": (422, "The cursor does not belong to this list"),
    "idempotency_key_reused": (422, "This key was used with another body"),
    "input_invalid": (422, "The input is not valid"),
    "out_of_range": (422, "A value is outside its bounds"),
    "sort_unknown": (422, "The list cannot be sorted by this column"),
    "too_few": (422, "Too few items"),
    "too_large": (422, "The result would be too large"),
    "too_many": (422, "Too many items"),
    "unknown_field": (422, "The body has an unknown field"),
    "unknown_parameter": (422, "The query has an unknown parameter"),
    "value_unstorable": (422, "A value cannot be stored"),
    "rate_exceeded": (429, "Too many requests"),
    "too_many_streams": (429, "Too many streams are open"),
    "internal_error": (500, "An internal error occurred"),
    "unavailable": (503, "The service cannot answer now"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldError:
    """What is wrong with one field of the input. `field` is its dotted path and is never empty.

    An error of the whole body names the first field that it concerns, or `body` if there is none.
    """

    field: str
    code: str
    message: str


class Problem(HTTPException):
    """An error answer. `code` is stable. Status and title come from the table, or `status` is given.

    `reference` finds the log entry of an internal error. The class is an HTTPException because FastAPI replaces
    any other exception that is raised while it reads a body.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        status: int | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        reference: str | None = None,
    ) -> None:
        listed, self.title = PROBLEMS.get(code, (409, code.replace("_", " ").capitalize()))
        super().__init__(status or listed, clean(detail), headers)
        self.code = code
        self.errors = tuple(errors[:MAX_ERRORS])
        self.reference = reference


def invalid_input(field: str, code: str, message: str, *, problem: str = "input_invalid") -> Problem:
    """Return the problem of one wrong field."""
    return Problem(problem, SEE_ERRORS, errors=[FieldError(field=field, code=code, message=message)])


def clean(text: str) -> str:
    """Cut a text to the length that a problem allows, and replace what UTF-8 cannot write."""
    return text[:MAX_TEXT].encode("utf-8", "replace").decode()


def document(problem: Problem) -> bytes:
    """Return a problem as JSON."""
    members: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status_code,
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.reference is not None:
        members["reference"] = problem.reference
    if problem.errors:
        members["errors"] = [{name: clean(text) for name, text in asdict(e).items()} for e in problem.errors]
    return to_json(members)


def problem_response(problem: Problem) -> Response:
    """Return the response that carries a problem."""
    return Response(document(problem), problem.status_code, problem.headers, MEDIA_TYPE)
