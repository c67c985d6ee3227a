"""Kafka in a container. It listens on a fixed port of this host, so clients find it again after a restart."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final, Self

from testcontainers.community.kafka import KafkaContainer
from testcontainers.core.docker_client import DockerClient

from didflow.embedded.ports import free_port
from didflow.embedded.wait import until
from harness.broker import KafkaUnavailableError
from harness.fault_journal import JOURNAL
from harness.topics import is_serving

_INSIDE: Final = 9093
_START_SECONDS: Final = 60.0
_ENVIRONMENT: Final = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_MESSAGE_MAX_BYTES": "2097152",
    "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "500",
    "KAFKA_LOG_SEGMENT_DELETE_DELAY_MS": "1000",
}


def docker_answers() -> bool:
    """Return True if a Docker engine answers."""
    try:
        return bool(DockerClient().client.ping())
    except Exception:  # noqa: BLE001 - any error of the client library means that there is no engine
        return False


@dataclass(kw_only=True)
class DockerBroker:
    """A Kafka container. The testcontainers library removes it even if the test run is killed."""

    container: Any = field(repr=False)
    bootstrap: str

    @classmethod
    async def create(cls) -> Self:
        """Start a container. Raises KafkaUnavailableError."""
        container = KafkaContainer(port=_INSIDE).with_kraft().with_bind_ports(_INSIDE, free_port())
        for name, value in _ENVIRONMENT.items():
            container.with_env(name, value)
        try:
            await asyncio.to_thread(container.start, timeout=int(_START_SECONDS))
        except Exception as error:
            raise KafkaUnavailableError(f"the Kafka container did not start: {error}") from error
        return cls(container=container, bootstrap=container.get_bootstrap_server())

    async def start(self) -> None:
        """Start the container again, and return when it serves clients."""
        await asyncio.to_thread(self.container.get_wrapped_container().start)
        await until(lambda: is_serving(self.bootstrap), within=_START_SECONDS, what="start of Kafka")
        JOURNAL.lift("broker")

    async def stop(self) -> None:
        """Stop the container. Its data stays."""
        JOURNAL.begin("broker stopped", "broker")
        await asyncio.to_thread(self.container.get_wrapped_container().stop)

    async def kill(self) -> None:
        """Kill the container as kill -9 does. Its data stays."""
        JOURNAL.begin("broker killed", "broker")
        await asyncio.to_thread(self.container.get_wrapped_container().kill)

    async def remove(self) -> None:
        """Remove the container with its data."""
        await asyncio.to_thread(self.container.stop)
