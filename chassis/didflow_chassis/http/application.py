"""Puts a service's routes behind one shape: boundary, body limit, gate, routes, problems."""

import json
from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from didflow_chassis.http.bodylimit import MAX_BODY, BodyLimit
from didflow_chassis.http.boundary import Boundary
from didflow_chassis.http.failures import on_exception
from didflow_chassis.http.gate import Gate
from didflow_chassis.http.idempotency import Replay
from didflow_chassis.http.openapi import Application
from didflow_chassis.http.ratelimit import Buckets, Rate
from didflow_chassis.http.running import Running
from didflow_chassis.service import Service


def create_application(
    service: Service,
    running: Running,
    *,
    rate: Rate | None = Rate(),  # noqa: B008 - frozen
    body_limit: int = MAX_BODY,
    larger_bodies: Mapping[str, int] | None = None,
) -> FastAPI:
    """Make a service's HTTP API. Starting and stopping what it runs on is the caller's.

    `rate` limits each caller in this process (None: no limit). `body_limit` is in bytes; `larger_bodies`
    (the service's own unless given) gives single paths, such as uploads, their own. The document is at
    `/openapi/<service>.json`, unprotected.
    """
    app = _routes_of(service)
    app.state.running = running
    for raised in (HTTPException, RequestValidationError, Replay):
        app.add_exception_handler(raised, on_exception)
    app.add_middleware(
        Gate,
        authenticator=running.authenticator,
        buckets=Buckets(rate) if rate else None,
        public=frozenset({str(app.openapi_url)}),
    )
    app.add_middleware(BodyLimit, limit=body_limit, larger=larger_bodies or service.larger_bodies)
    app.add_middleware(Boundary)
    return app


def openapi_json(service: Service) -> str:
    """Return a service's OpenAPI document as indented JSON, without running anything."""
    return json.dumps(_routes_of(service).openapi(), indent=2) + "\n"


def _routes_of(service: Service) -> FastAPI:
    app = Application(
        title=f"didflow {service.name}",
        version="1",
        openapi_url=f"/openapi/{service.name}.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    for router in service.routers():
        app.include_router(router)
    return app
