"""The HTTP side of a stack: the four APIs in this process, on one local port, dispatched by path."""

import errno
import socket
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from didflow.embedded.databases import reader_of
from didflow.errors import BadInput
from didflow.issuer import AUDIENCE, JWKS_PATH, Issuer
from didflow.servers import Servers
from didflow.services import SERVICES, service, settings_class
from didflow_chassis import servers as http_servers
from didflow_chassis.connections import ConnectionLimits
from didflow_chassis.http.problems import Problem, problem_response
from didflow_chassis.processes import api_application
from didflow_chassis.settings import Settings, load

USUAL_PORT: Final = 8080
LIMITS: Final = ConnectionLimits(per_address=None)
"""All clients of a stack have the address of this machine."""

_POOL: Final = 5
_FREE_TO_ANY: Final = frozenset({"GET", "HEAD"})


def listen(port: int | None) -> socket.socket:
    """Bind a loopback port: the given one, or the usual one, or a free one. Raises BadInput with the reason."""
    reason: OSError | None = None
    for wanted in (port,) if port is not None else (USUAL_PORT, 0):
        try:
            return http_servers.listen("127.0.0.1", wanted)
        except OSError as error:
            reason = error
    why = "is in use" if reason and reason.errno == errno.EADDRINUSE else f"cannot be used ({reason})"
    raise BadInput(f"Port {port} {why}. Choose another one with --port; 0 takes a free one.")


@asynccontextmanager
async def serving(servers: Servers, issuer: Issuer, listening: socket.socket) -> AsyncIterator[None]:
    """Serve all APIs on a bound socket for the duration of the block."""
    base = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with AsyncExitStack() as stack:
        applications = []
        for name in SERVICES:
            settings = _settings(servers, issuer, base, name)
            app, _ = await stack.enter_async_context(api_application(service(name, settings), settings))
            applications.append((app, (*app.routes, prefix_of(name))))
        await stack.enter_async_context(
            http_servers.serving(Dispatcher(applications, issuer.jwks), listening, "apis", LIMITS)
        )
        yield


def prefix_of(name: str) -> Mount:
    """Return the route of everything below `/v1/<service>/`, which is what all services have: operators, jobs."""
    return Mount(f"/v1/{name}", routes=())


def _settings(servers: Servers, issuer: Issuer, base: str, name: str) -> Settings:
    return load(
        settings_class(name),
        kafka=servers.kafka,
        postgres=servers.postgres[name],
        postgres_reader=reader_of(servers.postgres[name]),
        topic_prefix=servers.topic_prefix,
        pool_size=_POOL,
        production=False,
        oidc_issuer=issuer.url,
        oidc_jwks_url=f"{base}{JWKS_PATH}",
        oidc_audience=AUDIENCE,
    )


class Dispatcher:
    """ASGI application that passes each request to the service whose routes match its path.

    It also publishes the keys of the development issuer.
    """

    def __init__(
        self, applications: Sequence[tuple[ASGIApp, Iterable[BaseRoute]]], jwks: Mapping[str, Any]
    ) -> None:
        self._applications = [(app, tuple(routes)) for app, routes in applications]
        self._jwks = jwks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. If no service has its path, answer 404 `not_found`."""
        if scope["type"] != "http":
            return
        await self._answerer(scope)(scope, receive, send)

    def _answerer(self, scope: Scope) -> ASGIApp:
        if scope["path"] == JWKS_PATH and scope["method"] in _FREE_TO_ANY:
            return JSONResponse(dict(self._jwks))
        return self.owner(scope) or problem_response(Problem("not_found", "No service has this path."))

    def owner(self, scope: Scope) -> ASGIApp | None:
        """Return the application that has the path, whatever the method."""
        for app, routes in self._applications:
            if any(route.matches(scope)[0] is not Match.NONE for route in routes):
                return app
        return None
