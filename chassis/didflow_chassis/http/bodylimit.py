"""How large a body may be, whatever its headers say: counted while it arrives, never held beyond the limit."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from didflow_chassis.http.problems import Problem

MAX_BODY = 2 * 1024 * 1024


class BodyLimit:
    """ASGI middleware: raises Problem `body_too_large`. `larger` gives whole paths a limit of their own."""

    def __init__(
        self, app: ASGIApp, *, limit: int = MAX_BODY, larger: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._limit = limit
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._larger.get(scope["path"], self._limit)
        said = Headers(scope=scope).get("content-length", "")
        if said.isascii() and said.isdigit() and int(said[:20]) > limit:
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
    return Problem("body_too_large", f"At most {limit} bytes.", headers={"Connection": "close"})
