"""The processes of a service: the worker (consumer, relay, timers, jobs) and the API. Each ends gracefully on SIGTERM.

Nothing is created at import. Everything that is started here is stopped here, in reverse order. `check` builds the same
parts as `api` and `worker` with the same functions, so that it fails on whatever they would fail on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer

from didflow_chassis import failpoints, garbage_collection, kafka_internals
from didflow_chassis.backlog import Backlog
from didflow_chassis.catch_up import signal_catch_up
from didflow_chassis.connections import ConnectionLimits
from didflow_chassis.consumer import Consumer
from didflow_chassis.database import Database, Outage
from didflow_chassis.http import health_application
from didflow_chassis.jobs.runner import JobRunner
from didflow_chassis.kafka_clients import producer, start_producer
from didflow_chassis.kafka_internals import producer_shutdown
from didflow_chassis.liveness import Liveness
from didflow_chassis.pacing import Pacing
from didflow_chassis.read_pool import ReadingDatabase
from didflow_chassis.relay import Relay
from didflow_chassis.servers import listen, serving, stop_signal
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_chassis.sources import InForce, sources_of
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueMetrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_chassis.timers import Timers, oldest_due

if TYPE_CHECKING:
    from fastapi import FastAPI

LIVENESS_INTERVAL_S = 5.0
WORKER = "worker"
HEALTH_LIMITS = ConnectionLimits(total=100, per_address=50)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """The parts of every process: its database, its stage, its metrics, the size of the outbox, registered sources."""

    database: Database
    stage: Stage
    metrics: Metrics
    backlog: Backlog
    sources: InForce


@asynccontextmanager
async def open_process(service: Service, settings: Settings, kind: str) -> AsyncIterator[Process]:
    """Open the parts of a process for the duration of the block. Raises Outage and SettingsError."""
    sources = sources_of(settings)
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
        telemetry = StageTelemetry(metrics, tracing)
        stage = Stage(
            service, database, telemetry, prefix=settings.topic_prefix, backlog=backlog, sources=sources
        )
        counting = asyncio.create_task(backlog.run())
        garbage_collection.tune()
        try:
            yield Process(database, stage, metrics, backlog, sources)
        finally:
            counting.cancel()
    finally:
        await database.stop()
        tracing.stop()


@asynccontextmanager
async def api_application(service: Service, settings: Settings) -> AsyncIterator[tuple["FastAPI", Process]]:
    """Open the parts of the HTTP API for the duration of the block, and yield its application.

    Raises SettingsError if no token issuer is set.
    """
    # Only the API loads the web framework. It costs time and memory at start.
    from didflow_chassis.http import Runtime, Streams, authenticator, create_application  # noqa: PLC0415

    callers = authenticator(settings.oidc)
    async with (
        open_process(service, settings, "api") as process,
        _reading(service, settings) as reads,
        aclosing(
            Streams(
                settings.dsn,
                application=f"didflow-{service.name}-streams",
                most=settings.http_connections // 2,
            )
        ) as streams,
    ):
        running = Runtime(
            service=service,
            database=process.database,
            reads=reads,
            stage=process.stage,
            authenticator=callers,
            sources=process.sources,
            streams=streams,
        )
        yield (
            create_application(service, running, address_header=settings.http_client_address_header),
            process,
        )


@asynccontextmanager
async def _reading(service: Service, settings: Settings) -> AsyncIterator[ReadingDatabase]:
    database = ReadingDatabase(
        settings.dsn,
        application=f"didflow-{service.name}-reads",
        role=settings.postgres_reader,
        size=settings.pool_size,
        statement_timeout_ms=settings.statement_timeout_ms,
    )
    await database.start()
    try:
        yield database
    finally:
        await database.stop()


@dataclass(frozen=True, slots=True)
class Worker:
    """The parts of a worker. None of them is started, except the producer."""

    process: Process
    consumer: Consumer
    relay: Relay
    timers: Timers
    jobs: JobRunner
    liveness: Liveness


@asynccontextmanager
async def open_worker(service: Service, settings: Settings) -> AsyncIterator[Worker]:
    """Open the parts of a worker for the duration of the block.

    Raises Outage, KafkaError, OSError and UnsupportedVersion.
    """
    kafka_internals.check_versions()
    async with (
        open_process(service, settings, WORKER) as process,
        _relay_producer(service, settings) as sender,
    ):
        consumer = Consumer(service, settings, process.stage)
        relay = Relay(
            settings.dsn,
            sender,
            process.metrics,
            application=f"didflow-{service.name}-relay",
            poll_s=settings.relay_poll_s,
            new_producer=partial(producer, settings, f"didflow-{service.name}-relay"),
        )
        pacing = Pacing(process.database, consumer.live_work)
        timers = Timers(
            service,
            process.stage,
            process.database,
            QueueMetrics(process.metrics, process.database, oldest_due(service), service.gauges),
            pacing,
            interval_s=settings.clock_interval_s,
            days=settings.inbox_days,
            per_s=settings.timers_per_s,
        )
        jobs = JobRunner(
            service,
            process.stage,
            process.database,
            pacing,
            interval_s=settings.clock_interval_s,
            metrics=process.metrics,
        )
        yield Worker(process, consumer, relay, timers, jobs, Liveness(consumer, process.metrics))


async def serve_api(service: Service, settings: Settings) -> None:
    """Serve the HTTP API, and health on its own port, until a stop signal."""
    stopping = stop_signal()
    async with api_application(service, settings) as (app, process):
        health = health_application(
            _always_alive, _database_readiness(process), registry=process.metrics.registry
        )
        async with (
            serving(health, listen(settings.health_host, settings.health_port), "health", HEALTH_LIMITS),
            serving(app, listen(settings.http_host, settings.http_port), "api", _api_limits(settings)),
        ):
            await stopping.wait()


def _api_limits(settings: Settings) -> ConnectionLimits:
    is_behind_proxy = settings.http_client_address_header is not None
    per_address = None if is_behind_proxy else settings.http_connections_per_address
    return ConnectionLimits(total=settings.http_connections, per_address=per_address)


async def run_worker(service: Service, settings: Settings) -> None:
    """Consume events, run due timers and jobs, and publish until a stop signal. If one part fails, the process ends."""
    stopping = stop_signal()
    async with open_worker(service, settings) as worker:
        health = health_application(
            worker.liveness.problems, _worker_readiness(worker), registry=worker.process.metrics.registry
        )
        listening = listen(settings.health_host, settings.health_port)
        async with serving(health, listening, "health", HEALTH_LIMITS), _consuming(worker.consumer):
            _LOG.info("The worker is running", extra={"topics": len(worker.consumer.topics)})
            caught_up = asyncio.Event()
            group = f"{settings.topic_prefix}{service.name}"
            parts = (
                worker.relay.run(),
                worker.timers.run(caught_up),
                worker.timers.housekeeping(),
                worker.jobs.run(caught_up),
                signal_catch_up(worker.consumer, settings, group, caught_up),
                _observing(worker),
            )
            await _until(stopping, parts)


async def _until(stopping: asyncio.Event, parts: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run the parts until `stopping` is set. Raises the exception of a part that fails."""
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
async def _relay_producer(service: Service, settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    sender = await start_producer(producer(settings, f"didflow-{service.name}-relay"))
    try:
        yield sender
    finally:
        await producer_shutdown.abort(sender)


@asynccontextmanager
async def _consuming(consumer: Consumer) -> AsyncIterator[None]:
    await consumer.start()
    try:
        yield
    finally:
        await consumer.stop()


async def _always_alive() -> Sequence[str]:
    return ()


def _database_readiness(process: Process) -> Any:
    async def problems() -> Sequence[str]:
        try:
            await process.database.now()
        except Outage:
            return ("database",)
        if process.database.is_failing:
            return ("database",)
        return ("outbox",) if process.backlog.full else ()

    return problems


def _worker_readiness(worker: Worker) -> Any:
    database = _database_readiness(worker.process)
    consumer = worker.consumer

    async def problems() -> Sequence[str]:
        is_assigned = consumer.kafka is not None and consumer.kafka.assignment()
        found = (*await database(), *(() if is_assigned else ("kafka",)))
        return (*found, "breaker") if worker.process.stage.open_breakers else found

    return problems


async def _observing(worker: Worker) -> None:
    while True:
        await worker.liveness.update()
        worker.process.stage.refresh_breakers()
        await asyncio.sleep(LIVENESS_INTERVAL_S)
