"""The methods of a path: HEAD is GET without a body, OPTIONS lists them, and so does the answer 405."""

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ORDER: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def allowed(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """Return the methods of a path as the header `Allow` lists them; nothing if no route has the path.

    A path can match several patterns, such as `/dids/summary` and `/dids/{did}`. It is the one with the fewest
    parameters, as in the OpenAPI document.
    """
    matching = [route for route in routes if route.matches(scope)[0] is not Match.NONE]
    pattern = min(map(_pattern, matching), key=_parameters, default="")
    methods: set[str] = set()
    for route in matching:
        if _pattern(route) == pattern:
            methods |= getattr(route, "methods", None) or set()
    if not methods:
        return ""
    methods |= {"OPTIONS", *(("HEAD",) if "GET" in methods else ())}
    return ", ".join(method for method in _ORDER if method in methods)


def _pattern(route: BaseRoute) -> str:
    return str(getattr(route, "path", ""))


def _parameters(pattern: str) -> int:
    return pattern.count("{")


class Methods:
    """ASGI middleware that answers HEAD and OPTIONS. All other methods are those of the routes."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer HEAD as GET without a body, and OPTIONS with 204 and `Allow`."""
        if scope["type"] != "http" or scope["method"] not in ("HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        methods = allowed(self._routes, scope)
        if scope["method"] == "OPTIONS" and methods:
            await Response(status_code=204, headers={"Allow": methods})(scope, receive, send)
        elif "GET" in methods:
            await self._app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    """Return a `send` that ends the answer after its head. A streamed body is then stopped, as by a disconnect."""
    is_done = False

    async def sending(message: Message) -> None:
        nonlocal is_done
        if message["type"] == "http.response.start":
            await send(message)
        elif not is_done:
            is_done = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return sending
