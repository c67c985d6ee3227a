"""Which problem an exception is. Whatever nobody foresaw is `internal`, and only the log knows more."""

import logging
from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from didflow_chassis.database import Outage, Rejected, Transient, classify
from didflow_chassis.http.fielderrors import field_errors
from didflow_chassis.http.idempotency import Replay, answer_response
from didflow_chassis.http.problems import RETRY_AFTER, Problem, problem_response
from didflow_chassis.stage.once import IdempotencyConflict

_LOG = logging.getLogger(__name__)
_BY_STATUS: Mapping[int, str] = {
    400: "body_malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "media_type_unsupported",
    503: "unavailable",
}


def response_to(error: Exception) -> Response:
    """Make the response that an exception leads to: an earlier answer again, or a problem."""
    if isinstance(error, Replay):
        return answer_response(error.answer)
    return problem_response(problem_of(error))


async def on_exception(_: Request, error: Exception) -> Response:
    """Answer an exception that FastAPI would answer in its own way."""
    return response_to(error)


def problem_of(error: Exception) -> Problem:
    """Say which problem an exception is; what is not the caller's doing is logged."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return _of_http(error)
        case RequestValidationError():
            return _of_validation(error)
        case IdempotencyConflict():
            return Problem(
                error.code, headers=RETRY_AFTER if error.code == "idempotency_in_progress" else None
            )
        case ClientDisconnect():
            return Problem("body_malformed", "The body ended early.")
    return _of_database(error) or _unforeseen(error)


def _of_http(error: HTTPException) -> Problem:
    code = _BY_STATUS.get(error.status_code, "internal" if error.status_code >= 500 else "input_invalid")
    return Problem(code, status=error.status_code, headers=error.headers)


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(e["type"] == "json_invalid" and e["loc"][:1] == ("body",) for e in found):
        return Problem("body_malformed", "The body is not JSON.")
    if isinstance(error.body, bytes) and any(e["loc"] == ("body",) for e in found):
        return Problem("media_type_unsupported", "Send JSON, with Content-Type application/json.")
    return Problem("input_invalid", "See errors.", errors=field_errors(found))


def _of_database(error: Exception) -> Problem | None:
    meaning = error if isinstance(error, Outage | Transient | Rejected) else classify(error)
    if meaning is None:
        return None
    _LOG.warning("database refused a request: %s", meaning, exc_info=error)
    if isinstance(meaning, Rejected):
        return Problem(
            "value_unstorable", "A value is out of range or holds a character that cannot be kept."
        )
    return Problem(
        "unavailable", "Try again, under the same Idempotency-Key if there was one.", headers=RETRY_AFTER
    )


def _unforeseen(error: Exception) -> Problem:
    _LOG.error("request failed", exc_info=error)
    return Problem("internal", "The failure was logged under this request's id.")
