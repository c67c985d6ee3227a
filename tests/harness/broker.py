"""What a test may ask of a broker, whatever runs it; and why there may be none."""

from typing import Protocol


class KafkaUnavailableError(RuntimeError):
    """No real Kafka can be had on this machine; the message says why."""

    code = "kafka-unavailable"


class Broker(Protocol):
    """A single-node Kafka that keeps its port and its data from stop to start."""

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients, the same over restarts."""

    async def start(self) -> None:
        """Start it, or start it again; returns when it serves clients."""

    async def stop(self) -> None:
        """Stop it in order, keeping its data."""

    async def kill(self) -> None:
        """End it as kill -9 would, keeping its data."""

    async def remove(self) -> None:
        """Stop it for good."""
