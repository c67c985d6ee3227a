"""Health and metrics need no token and never hang."""

import asyncio
from collections.abc import Sequence

import httpx
from prometheus_client import CollectorRegistry, Counter

from didflow_chassis.http import health_application
from didflow_chassis.http.health import probed


async def healthy() -> Sequence[str]:
    return []


async def unhealthy() -> Sequence[str]:
    return ["database"]


async def broken() -> Sequence[str]:
    raise RuntimeError("db.internal:5432")


async def hanging() -> Sequence[str]:
    await asyncio.Event().wait()
    return []


def client(registry: CollectorRegistry | None = None) -> httpx.AsyncClient:
    app = health_application(healthy, unhealthy, registry=registry or CollectorRegistry())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://health")


async def test_live_and_ready_are_separate() -> None:
    """A process can be live and not ready. The answer names what is wrong."""
    live, ready = await client().get("/healthz/live"), await client().get("/healthz/ready")
    assert (live.status_code, live.json()) == (200, {"wrong": []})
    assert (ready.status_code, ready.json()) == (503, {"wrong": ["database"]})


async def test_a_probe_that_raises_is_unhealthy_and_names_no_host() -> None:
    """The answer is 503 with the type of the exception only."""
    answer = await probed(broken)
    assert answer.status_code == 503
    assert b"db.internal" not in answer.body


async def test_a_probe_that_hangs_is_unhealthy() -> None:
    """The answer comes after a timeout."""
    assert (await probed(hanging, timeout_s=0.001)).status_code == 503


async def test_metrics_have_the_format_of_the_scraper() -> None:
    """The metrics of the registry are returned as text."""
    registry = CollectorRegistry()
    Counter("calls", "calls", registry=registry).inc()
    answer = await client(registry).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "calls_total 1.0" in answer.text


async def test_other_paths_and_methods_are_problems() -> None:
    """They have the same form as the problems of the API."""
    assert (await client().get("/v1")).json()["code"] == "not_found"
    assert (await client().post("/metrics")).json()["code"] == "method_not_allowed"
