"""One port for all services: each request goes to the service whose routes own its path."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from didflow.issuer import JWKS_PATH
from didflow_chassis.http.problems import Problem, problem_response

_FREE_TO_ANY: Final = frozenset({"GET", "HEAD"})


class Dispatcher:
    """ASGI application over services' applications; also publishes the development issuer's keys.

    Who owns a path is asked of the applications' own routes, so nothing is listed twice.
    """

    def __init__(
        self, applications: Sequence[tuple[ASGIApp, Iterable[BaseRoute]]], jwks: Mapping[str, Any]
    ) -> None:
        self._applications = [(app, tuple(routes)) for app, routes in applications]
        self._jwks = jwks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; 404 `not_found` where nobody owns its path."""
        if scope["type"] != "http":
            return
        await self._answerer(scope)(scope, receive, send)

    def _answerer(self, scope: Scope) -> ASGIApp:
        if scope["path"] == JWKS_PATH and scope["method"] in _FREE_TO_ANY:
            return JSONResponse(dict(self._jwks))
        return self.owner(scope) or problem_response(Problem("not_found", "No service has this path."))

    def owner(self, scope: Scope) -> ASGIApp | None:
        """Return the application that owns a path, whatever the method."""
        for app, routes in self._applications:
            if any(route.matches(scope)[0] is not Match.NONE for route in routes):
                return app
        return None
