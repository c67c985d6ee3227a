"""The toy service of the stage's tests on a real Kafka: its consumer and its relay in this process."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import toy
from harness.fixtures import DatabaseFor
from harness.topics import create_topics, delete_topics
from topics_under_test import StartRelay, TopicsUnderTest
from toy import prepare

from didflow_chassis.consumer import Consumer
from didflow_chassis.database import Database
from didflow_chassis.kafka_clients import producer
from didflow_chassis.relay import Relay
from didflow_chassis.settings import Settings
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing

TOPICS = ("counter.opened", "counter.added", "counter.counted", "counting.dlq")


@pytest.fixture
async def settings(kafka: str, database_for: DatabaseFor) -> AsyncIterator[Settings]:
    """Settings with topics of this test's own, four partitions each."""
    prefix = f"k{secrets.token_hex(4)}."
    names = [prefix + name for name in TOPICS]
    await create_topics(kafka, names, partitions=4)
    dsn = await database_for("counting", prepare)
    yield Settings(kafka=kafka, postgres=dsn, topic_prefix=prefix, production=False, relay_poll_s=0.2)
    await delete_topics(kafka, names)


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database(settings.dsn, application="test")
    await opened.start()
    yield opened
    await opened.stop()


@pytest.fixture
def stage(database: Database, settings: Settings) -> Stage:
    telemetry = StageTelemetry(Metrics(), start_tracing(service="counting", process="test", endpoint=None))
    return Stage(toy.SERVICE, database, telemetry, prefix=settings.topic_prefix)


@pytest.fixture
async def topics(settings: Settings) -> AsyncIterator[TopicsUnderTest]:
    sender = producer(settings, "test")
    await sender.start()
    yield TopicsUnderTest(settings, sender)
    await sender.stop()


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
async def start_relay(settings: Settings, exits: AsyncExitStack) -> StartRelay:
    """Starts one more relay each time it is called."""

    async def start() -> asyncio.Task[None]:
        sender = producer(settings, "relay")
        await sender.start()
        exits.push_async_callback(sender.stop)
        relay = Relay(settings.dsn, sender, Metrics(), application="test-relay", poll_s=settings.relay_poll_s)
        task = asyncio.create_task(relay.run())
        exits.callback(task.cancel)
        return task

    return start


@pytest.fixture
async def consumer(settings: Settings, stage: Stage, exits: AsyncExitStack) -> Consumer:
    made = Consumer(toy.SERVICE, settings, stage)
    await made.start()
    exits.push_async_callback(made.stop)
    return made
