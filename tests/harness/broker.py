"""The operations of a test's Kafka broker, and the error that is raised where no broker can run."""

from typing import Protocol


class KafkaUnavailableError(RuntimeError):
    """No real Kafka can run on this machine. The message gives the reason."""

    code = "kafka-unavailable"


class Broker(Protocol):
    """A Kafka of one node. It keeps its port and its data when it is stopped and started again."""

    @property
    def bootstrap(self) -> str:
        """Return `host:port` for clients. It is the same after a restart."""

    async def start(self) -> None:
        """Start the broker, and return when it serves clients."""

    async def stop(self) -> None:
        """Shut the broker down. Its data stays."""

    async def kill(self) -> None:
        """Kill the broker as kill -9 does. Its data stays."""

    async def remove(self) -> None:
        """Stop the broker for ever. Its data may be deleted."""
