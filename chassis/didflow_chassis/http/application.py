"""The HTTP application of a service. A request passes boundary, body limit, authentication, then its route."""

import json
import time
from collections.abc import Callable, Mapping

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from didflow_chassis.http.authentication import Authentication
from didflow_chassis.http.body_limit import MAX_BODY, BodyLimit
from didflow_chassis.http.boundary import Boundary, on_exception
from didflow_chassis.http.idempotency import Replay
from didflow_chassis.http.jobs import jobs_router
from didflow_chassis.http.limits import Limits, Rate
from didflow_chassis.http.methods import Methods
from didflow_chassis.http.openapi import Application
from didflow_chassis.http.operators import operator_router
from didflow_chassis.http.routes import check_actions
from didflow_chassis.http.runtime import Runtime
from didflow_chassis.service import Service


def create_application(
    service: Service,
    runtime: Runtime,
    *,
    rate: Rate | None = Rate(),  # noqa: B008 - frozen
    body_limit: int = MAX_BODY,
    larger_bodies: Mapping[str, int] | None = None,
    address_header: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """Return the HTTP application of a service. The caller starts and stops what `runtime` contains.

    `rate` limits each caller in this process, and a multiple of it each account (None: nothing is limited).
    `body_limit` is in bytes; `larger_bodies` (default: the service's own) maps single paths, such as uploads, to larger
    limits. `address_header` is the header in which a proxy writes the address of the client. `clock` is that of the
    limits, monotonic, in seconds. The OpenAPI document is at
    `/openapi/<service>.json` and needs no token.
    """
    app = _with_routes(service)
    app.state.runtime = runtime
    for exception in (HTTPException, RequestValidationError, Replay):
        app.add_exception_handler(exception, on_exception)
    app.add_middleware(Methods, routes=app.state.all_routes)
    app.add_middleware(
        Authentication,
        verifier=runtime.authenticator,
        limits=Limits(rate, clock=clock) if rate else None,
        public=frozenset({str(app.openapi_url)}),
        address_header=address_header,
    )
    app.add_middleware(BodyLimit, limit=body_limit, larger=larger_bodies or service.larger_bodies)
    app.add_middleware(Boundary)
    return app


def openapi_json(service: Service) -> str:
    """Return the OpenAPI document of a service as indented JSON, without running anything."""
    return json.dumps(_with_routes(service).openapi(), indent=2) + "\n"


def routers_of(service: Service) -> tuple[APIRouter, ...]:
    """Return the routers of a service: its own, and those that every service has under `/v1/<service>/`."""
    return (*service.routers(), operator_router(service), jobs_router(service))


def _with_routes(service: Service) -> FastAPI:
    app = Application(
        title=f"didflow {service.name}",
        version="1",
        openapi_url=f"/openapi/{service.name}.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    routers = routers_of(service)
    app.state.all_routes = (*app.routes, *(route for router in routers for route in router.routes))
    for router in routers:
        check_actions(router)
        app.include_router(router)
    return app
