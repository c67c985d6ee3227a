"""How large a body may be."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from didflow_chassis.http.problems import Problem

MAX_BODY = 2 * 1024 * 1024


class BodyLimit:
    """ASGI middleware that raises Problem `body_too_large`. `larger` maps single paths to their own limits.

    The body is counted while it arrives, so a wrong Content-Length changes nothing.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int = MAX_BODY, larger: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process the request with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
            raise _too_large(limit)
        await self._app(scope, _counted(receive, limit), send)


def _counted(receive: Receive, limit: int) -> Receive:
    total = 0

    async def counting() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise _too_large(limit)
        return message

    return counting


def _too_large(limit: int) -> Problem:
    return Problem(
        "body_too_large", f"Send a body of at most {limit} bytes.", headers={"Connection": "close"}
    )
