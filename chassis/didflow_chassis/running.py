"""A service as processes: the worker (consumer, relay, clock) and the api. Each ends gracefully on SIGTERM.

Nothing is created at import; what is started here is stopped here, in reverse.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from didflow_chassis import collecting, failpoints
from didflow_chassis.backlog import Backlog
from didflow_chassis.brokers import give_up, producer, started
from didflow_chassis.catching_up import caught_up
from didflow_chassis.clock import Clock
from didflow_chassis.consumer import Consumer
from didflow_chassis.database import Database, Outage
from didflow_chassis.http import health_application
from didflow_chassis.progress import Progress
from didflow_chassis.relay import Relay
from didflow_chassis.servers import serving, stop_signal
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.watching import Watching
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueWatch
from didflow_chassis.telemetry.tracing import start_tracing

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOK_S = 5.0
WORKER = "worker"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """What every process of a service has: its database, its stage and its metrics."""

    database: Database
    stage: Stage
    metrics: Metrics
    backlog: Backlog


@asynccontextmanager
async def opened(service: Service, settings: Settings, kind: str) -> AsyncIterator[Process]:
    """Open the database and build the stage of one process. Raises Outage where the database is not there."""
    failpoints.activate(settings.failpoints)
    metrics = Metrics()
    tracing = start_tracing(service=service.name, process=kind, endpoint=settings.otlp_endpoint)
    database = Database(
        settings.dsn,
        application=f"didflow-{service.name}-{kind}",
        size=settings.pool_size,
        statement_timeout_ms=settings.statement_timeout_ms,
        is_by_key=kind == WORKER,
    )
    await database.start()
    try:
        if service.on_start:
            await asyncio.to_thread(service.on_start)
        backlog = Backlog(database, settings.outbox_cap)
        watching = Watching(metrics, tracing)
        stage = Stage(service, database, watching, prefix=settings.topic_prefix, backlog=backlog)
        counting = asyncio.create_task(backlog.watch())
        collecting.settle()
        try:
            yield Process(database, stage, metrics, backlog)
        finally:
            counting.cancel()
    finally:
        await database.stop()
        tracing.stop()


@asynccontextmanager
async def api_application(service: Service, settings: Settings) -> AsyncIterator[tuple["FastAPI", Process]]:
    """Open what the HTTP API of a service runs on, and give the application."""
    # A worker has no routes: it does without the time and memory that their framework takes to load.
    from didflow_chassis.http import Runtime, authenticator, create_application  # noqa: PLC0415

    callers = authenticator(settings.oidc)
    async with opened(service, settings, "api") as process:
        running = Runtime(
            service=service, database=process.database, stage=process.stage, authenticator=callers
        )
        yield create_application(service, running), process


async def serve_api(service: Service, settings: Settings) -> None:
    """Serve the HTTP API, and health on its own port, until told to stop."""
    stopping = stop_signal()
    async with api_application(service, settings) as (app, process):
        health = health_application(_always, _database_ready(process), registry=process.metrics.registry)
        async with (
            serving(health, settings.health_host, settings.health_port, "health"),
            serving(app, settings.http_host, settings.http_port, "api"),
        ):
            await stopping.wait()


async def run_worker(service: Service, settings: Settings) -> None:
    """Consume, publish and let the clock strike until told to stop; a part that fails ends the process."""
    stopping = stop_signal()
    async with opened(service, settings, WORKER) as process, _publishing(service, settings) as sender:
        consumer = Consumer(service, settings, process.stage)
        relay = Relay(
            settings.dsn,
            sender,
            process.metrics,
            application=f"didflow-{service.name}-relay",
            poll_s=settings.relay_poll_s,
            fresh=partial(producer, settings, f"didflow-{service.name}-relay"),
        )
        watch = QueueWatch(process.metrics, process.database)
        progress = Progress(consumer, process.metrics)
        clock = Clock(
            service,
            process.stage,
            process.database,
            watch,
            interval_s=settings.clock_interval_s,
            days=settings.inbox_days,
        )
        read = asyncio.Event()
        health = health_application(
            progress.wrong, _worker_ready(process, consumer), registry=process.metrics.registry
        )
        async with (
            serving(health, settings.health_host, settings.health_port, "health"),
            _consuming(consumer),
        ):
            _LOG.info("worker runs", extra={"topics": len(consumer.topics)})
            group = f"{settings.topic_prefix}{service.name}"
            parts = (
                relay.run(),
                clock.run(read),
                clock.housekeeping(),
                caught_up(consumer, settings, group, read),
                _looking(progress, consumer, process.metrics),
            )
            await _until(stopping, parts)


async def _until(stopping: asyncio.Event, parts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run the parts until told to stop. Raises what a part raised."""
    tasks = [asyncio.create_task(part) for part in parts]
    stop = asyncio.create_task(stopping.wait())
    try:
        pending: set[asyncio.Task[Any]] = {stop, *tasks}
        while stop in pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (stop, *tasks):
            task.cancel()
        await asyncio.gather(stop, *tasks, return_exceptions=True)


@asynccontextmanager
async def _publishing(service: Service, settings: Settings) -> AsyncIterator[Any]:
    sender = await started(producer(settings, f"didflow-{service.name}-relay"))
    try:
        yield sender
    finally:
        await give_up(sender)


@asynccontextmanager
async def _consuming(consumer: Consumer) -> AsyncIterator[None]:
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()


async def _always() -> Sequence[str]:
    return ()


def _database_ready(process: Process) -> Any:
    async def ready() -> Sequence[str]:
        try:
            await process.database.now()
        except Outage:
            return ("database",)
        if process.database.is_failing:
            return ("database",)
        return ("outbox",) if process.backlog.full else ()

    return ready


def _worker_ready(process: Process, consumer: Consumer) -> Any:
    database = _database_ready(process)

    async def ready() -> Sequence[str]:
        assigned = consumer.kafka is not None and consumer.kafka.assignment()
        wrong = (*await database(), *(() if assigned else ("kafka",)))
        return (*wrong, "breaker") if consumer.is_broken else wrong

    return ready


async def _looking(progress: Progress, consumer: Consumer, metrics: Metrics) -> None:
    while True:
        await progress.look()
        metrics.breaker_open.set(consumer.is_broken)
        await asyncio.sleep(LOOK_S)
