"""Liveness by progress: a worker lives while it asks Kafka for records, and moves on where there are some.

A consumer may fall silent after a broker's restart without any error; its lag then stands still.
"""

import time
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from didflow_chassis.consumer import Consumer
from didflow_chassis.telemetry.metrics import Metrics

SILENT_S = 60.0
"""After so long without a poll, or with records that nobody takes, the process is to be started again."""


class Progress:
    """Looks at one worker's consumer. Times are monotonic seconds."""

    def __init__(self, consumer: Consumer, metrics: Metrics) -> None:
        self._consumer = consumer
        self._metrics = metrics
        self._positions: dict[TopicPartition, int] = {}
        self._stuck_since: dict[TopicPartition, float] = {}

    async def look(self) -> None:
        """Compare positions with the ends of the partitions, and note which do not move."""
        kafka = self._consumer.kafka
        assigned = kafka.assignment() if kafka is not None else set()
        if not assigned:
            self._stuck_since.clear()
            return
        try:
            ends = await kafka.end_offsets(list(assigned))
            positions = {partition: await kafka.position(partition) for partition in assigned}
        except (KafkaError, IllegalStateError, OSError):
            return
        self._note(ends, positions, kafka.paused())

    def _note(
        self, ends: dict[TopicPartition, int], positions: dict[TopicPartition, int], paused: Any
    ) -> None:
        now = time.monotonic()
        behind = {p for p, position in positions.items() if ends[p] > position}
        still = {p for p in behind if self._positions.get(p) == positions[p] and p not in paused}
        self._stuck_since = {p: self._stuck_since.get(p, now) for p in still}
        self._positions = positions
        self._metrics.lag.set(sum(ends[p] - positions[p] for p in behind))

    async def wrong(self) -> Sequence[str]:
        """Say what does not move, for the liveness probe; nothing is well."""
        now = time.monotonic()
        found = [
            f"{p.topic}-{p.partition}" for p, since in self._stuck_since.items() if now - since > SILENT_S
        ]
        silent = not self._consumer.is_busy and now - self._consumer.polled_at > SILENT_S
        return [*found[:5], *(["no poll"] if silent else [])]
