"""The outermost layer of the API: every request has an id, and every exception becomes a problem.

An unexpected exception becomes `internal_error` with a reference. Only the log has the details.
"""

import logging
import re
from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars, get_contextvars

from didflow_chassis.database import Outage, Rejected, Transient, classify
from didflow_chassis.http.idempotency import Replay, answer_response
from didflow_chassis.http.input_errors import BODY, invalid_input
from didflow_chassis.http.methods import allowed
from didflow_chassis.http.problems import RETRY_AFTER, FieldError, Problem, problem_response
from didflow_chassis.row_access import OutsideReach
from didflow_chassis.stage.idempotency import IdempotencyConflict
from didflow_contracts.ids import uuid7

REQUEST_ID = "X-Request-Id"
METHOD_NOT_ALLOWED = 405
_USABLE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_LOG = logging.getLogger(__name__)
_CODE_OF_STATUS: Mapping[int, str] = {
    400: "body_malformed",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "media_type_unsupported",
    503: "unavailable",
}


class Boundary:
    """ASGI middleware around all others. It also binds the request id to the log.

    Inner layers add headers to `state["headers"]`. Every answer has them, error answers too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request. An exception is raised only if the response has already begun."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope))
        headers = {REQUEST_ID: request_id, "Cache-Control": "no-store"}
        scope.setdefault("state", {})["headers"] = headers
        began = False

        async def send_with_headers(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                MutableHeaders(scope=message).update(headers)
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                _refuse_nul(scope)
                await self._app(scope, receive, send_with_headers)
            except Exception as error:
                if began:
                    raise
                await response_to(error)(scope, receive, send_with_headers)


def request_id_of(headers: Headers) -> str:
    """Return the caller's `X-Request-Id` if it is a plain word of up to 128 characters, else a new id."""
    given = headers.get(REQUEST_ID, "")
    return given if _USABLE_ID.fullmatch(given) else str(uuid7())


def _refuse_nul(scope: Scope) -> None:
    if "\0" in scope["path"]:
        raise Problem("not_found", "The path contains the character U+0000.")
    if b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        raise Problem("input_invalid", "Remove the character U+0000 from the query.")


def response_to(error: Exception) -> Response:
    """Return the response to an exception: a replayed answer or a problem."""
    if isinstance(error, Replay):
        return answer_response(error.answer)
    return problem_response(problem_of(error))


async def on_exception(request: Request, error: Exception) -> Response:
    """Answer an exception that FastAPI would otherwise answer in its own format.

    A path can have several routes. A 405 lists the methods of all of them.
    """
    if isinstance(error, HTTPException) and error.status_code == METHOD_NOT_ALLOWED:
        methods = allowed(request.app.state.all_routes, request.scope)
        error = Problem("method_not_allowed", headers={"Allow": methods})
    return response_to(error)


def problem_of(error: Exception) -> Problem:
    """Return the problem of an exception. If the caller is not the cause, the exception is logged."""
    match error:
        case Problem():
            return error
        case HTTPException():
            return _of_http(error)
        case RequestValidationError():
            return _of_validation(error)
        case IdempotencyConflict():
            return _of_conflict(error)
        case ClientDisconnect():
            return _malformed("The connection closed before the whole body arrived.")
    if isinstance(error, OutsideReach):
        _LOG.critical(
            "A query returned rows of a foreign account. Nothing was shown",
            extra={"security_event": "outside_reach"},
        )
    return _of_database(error) or _unexpected(error)


def _of_http(error: HTTPException) -> Problem:
    code = _CODE_OF_STATUS.get(
        error.status_code, "internal_error" if error.status_code >= 500 else "input_invalid"
    )
    return Problem(code, status=error.status_code, headers=error.headers)


def _of_validation(error: RequestValidationError) -> Problem:
    found = error.errors()
    if any(e["type"] == "json_invalid" and e["loc"][:1] == (BODY,) for e in found):
        return _malformed("The body is not valid JSON.")
    if isinstance(error.body, bytes) and any(e["loc"] == (BODY,) for e in found):
        return Problem("media_type_unsupported", "Send JSON, with Content-Type: application/json.")
    return invalid_input(found, error.body)


def _of_conflict(error: IdempotencyConflict) -> Problem:
    if error.code == "idempotency_in_progress":
        return Problem(error.code, "Send the same call again in a moment.", headers=RETRY_AFTER)
    return Problem(error.code, "Use a new key for another body.")


def _malformed(message: str) -> Problem:
    errors = [FieldError(field=BODY, code="body_malformed", message=message)]
    return Problem("body_malformed", message, errors=errors)


def _of_database(error: Exception) -> Problem | None:
    meaning = error if isinstance(error, Outage | Transient | Rejected) else classify(error)
    if meaning is None:
        return None
    _LOG.warning("The database refused a request: %s", meaning, exc_info=error)
    if isinstance(meaning, Rejected):
        return Problem(
            "value_unstorable", "A value is out of range or has a character that cannot be stored."
        )
    return Problem(
        "unavailable", "Try again later. If you sent an Idempotency-Key, send the same.", headers=RETRY_AFTER
    )


def _unexpected(error: Exception) -> Problem:
    reference = str(get_contextvars().get("request_id") or uuid7())
    _LOG.error("The request %s failed with an unexpected exception.", reference, exc_info=error)
    return Problem(
        "internal_error", f"The error was logged with the reference {reference}.", reference=reference
    )
