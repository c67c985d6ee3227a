"""Health and metrics are open, small, and never hang."""

import asyncio
from collections.abc import Sequence

import httpx
from prometheus_client import CollectorRegistry, Counter

from didflow_chassis.http import health_application
from didflow_chassis.http.health import probed


async def well() -> Sequence[str]:
    return []


async def ill() -> Sequence[str]:
    return ["database"]


async def broken() -> Sequence[str]:
    raise RuntimeError("db.internal:5432")


async def hanging() -> Sequence[str]:
    await asyncio.Event().wait()
    return []


def client(registry: CollectorRegistry | None = None) -> httpx.AsyncClient:
    app = health_application(well, ill, registry=registry or CollectorRegistry())
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://health")


async def test_live_and_ready_are_asked_apart() -> None:
    """A process may live without being ready; what is wrong is named."""
    live, ready = await client().get("/healthz/live"), await client().get("/healthz/ready")
    assert (live.status_code, live.json()) == (200, {"wrong": []})
    assert (ready.status_code, ready.json()) == (503, {"wrong": ["database"]})


async def test_a_probe_that_fails_is_the_answer_and_says_no_host() -> None:
    """A failing probe is 503, by its kind of failure alone."""
    answer = await probed(broken)
    assert answer.status_code == 503
    assert b"db.internal" not in answer.body


async def test_a_probe_that_hangs_is_cut_off() -> None:
    """The answer does not wait for ever."""
    assert (await probed(hanging, timeout_s=0.001)).status_code == 503


async def test_metrics_are_in_the_scrapers_format() -> None:
    """The registry's metrics are exposed as text."""
    registry = CollectorRegistry()
    Counter("calls", "calls", registry=registry).inc()
    answer = await client(registry).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "calls_total 1.0" in answer.text


async def test_nothing_else_is_there() -> None:
    """Other paths and methods are problems."""
    assert (await client().get("/v1")).json()["code"] == "not_found"
    assert (await client().post("/metrics")).json()["code"] == "method_not_allowed"
