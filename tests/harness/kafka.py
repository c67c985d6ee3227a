"""The one real Kafka of a test run: in a container if a Docker engine answers, else as a Java process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from didflow.embedded.temporary_folder import temporary_folder
from harness.broker import Broker, KafkaUnavailableError
from harness.kafka_docker import DockerBroker, docker_answers
from harness.kafka_java import JavaBroker


@asynccontextmanager
async def real_kafka() -> AsyncIterator[Broker]:
    """Start a broker, and remove it at the end of the block. Raises KafkaUnavailableError with all reasons."""
    reasons = ["no Docker engine answers"]
    with temporary_folder(in_memory=True) as folder:
        broker: Broker | None = None
        if await asyncio.to_thread(docker_answers):
            try:
                broker = await DockerBroker.create()
            except KafkaUnavailableError as error:
                reasons = [str(error)]
        if broker is None:
            try:
                broker = await JavaBroker.create(folder)
            except KafkaUnavailableError as error:
                raise KafkaUnavailableError("; ".join([*reasons, str(error)])) from error
        try:
            yield broker
        finally:
            await broker.remove()
