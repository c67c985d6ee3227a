"""The outermost layer: every request has an id, and whatever is raised inside leaves as a problem."""

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from didflow_chassis.http.failures import response_to
from didflow_chassis.http.problems import Problem
from didflow_contracts.ids import uuid7

REQUEST_ID = "X-Request-Id"
_USABLE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")


class Boundary:
    """ASGI middleware around everything else. The id is the caller's own where that is a plain word.

    Layers inside add to `state["headers"]` what every answer from there on carries, failures included.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request; nothing is raised unless the response had begun already."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope))
        headers = {REQUEST_ID: request_id, "Cache-Control": "no-store"}
        scope.setdefault("state", {})["headers"] = headers
        began = False

        async def marked(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                MutableHeaders(scope=message).update(headers)
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                _refuse_nul(scope)
                await self._app(scope, receive, marked)
            except Exception as error:
                if began:
                    raise
                await response_to(error)(scope, receive, marked)


def request_id_of(headers: Headers) -> str:
    """Return the caller's `X-Request-Id` where it is a plain word of up to 128 characters, else a fresh id."""
    given = headers.get(REQUEST_ID, "")
    return given if _USABLE.fullmatch(given) else str(uuid7())


def _refuse_nul(scope: Scope) -> None:
    if "\0" in scope["path"]:
        raise Problem("not_found")
    if b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        raise Problem("input_invalid", "The query must not hold U+0000.")
