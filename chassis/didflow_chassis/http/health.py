"""Liveness, readiness and metrics, without a token, on their own port.

A probe returns what is wrong; an empty list means healthy. A probe that raises or hangs counts as wrong.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from pydantic_core import to_json
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from didflow_chassis.http.problems import Problem, problem_response

PROBE_TIMEOUT_S = 2.0

Probe = Callable[[], Awaitable[Sequence[str]]]


def health_application(live: Probe, ready: Probe, *, registry: CollectorRegistry = REGISTRY) -> ASGIApp:
    """Return the ASGI application of `/healthz/live`, `/healthz/ready` and `/metrics`.

    A probe returns what is wrong, as texts for people. If there is any, the answer is 503.
    """

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await (await answer(scope))(scope, receive, send)

    async def answer(scope: Scope) -> Response:
        if scope["path"] not in ("/healthz/live", "/healthz/ready", "/metrics"):
            return problem_response(Problem("not_found"))
        if scope["method"] not in ("GET", "HEAD"):
            return problem_response(Problem("method_not_allowed", headers={"Allow": "GET, HEAD"}))
        if scope["path"] == "/metrics":
            return exposition(registry, Headers(scope=scope).get("accept", ""))
        return await probed(live if scope["path"].endswith("live") else ready)

    return application


async def probed(probe: Probe, timeout_s: float = PROBE_TIMEOUT_S) -> Response:
    """Run a probe. Return 200 with `{"wrong": []}`, or 503 with what is wrong."""
    try:
        wrong = list(await asyncio.wait_for(probe(), timeout_s))
    except Exception as error:  # noqa: BLE001 - a probe that fails is unhealthy
        wrong = [f"The health check failed with {type(error).__name__}."]
    return Response(to_json({"wrong": wrong}), 503 if wrong else 200, media_type="application/json")


def exposition(registry: CollectorRegistry, accept: str) -> Response:
    """Return all metrics in the text format that the scraper accepts."""
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry), headers={"Content-Type": content_type})
