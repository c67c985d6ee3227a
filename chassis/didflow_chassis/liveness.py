"""The liveness of a worker: it polls Kafka, its position moves while there are records, and it commits its offsets.

After a broker restart, a consumer may stop reading without any error. Its position then stands still. It may also go
on reading without finding its group again. Its commits then get no answer, although the broker answers other requests.
"""

import time
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

from didflow_chassis.consumer import Consumer
from didflow_chassis.telemetry.metrics import Metrics

SILENT_S = 60.0
"""If a worker does not poll or its position does not move for this long, it has to be restarted."""


class Liveness:
    """Observes the consumer of one worker. Times are monotonic seconds."""

    def __init__(self, consumer: Consumer, metrics: Metrics) -> None:
        self._consumer = consumer
        self._metrics = metrics
        self._positions: dict[TopicPartition, int] = {}
        self._stuck_since: dict[TopicPartition, float] = {}
        self._answered_since: float | None = None

    async def update(self) -> None:
        """Compare the positions with the ends of the partitions, and note which positions do not move."""
        kafka = self._consumer.kafka
        assigned = kafka.assignment() if kafka is not None else set()
        if not assigned:
            self._stuck_since.clear()
            return
        try:
            ends = await kafka.end_offsets(list(assigned))
            positions = {partition: await kafka.position(partition) for partition in assigned}
        except (KafkaError, IllegalStateError, OSError):
            self._answered_since = None
            return
        self._answered_since = self._answered_since or time.monotonic()
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

    async def problems(self) -> Sequence[str]:
        """Return what has stopped moving, for the liveness probe. Empty means that the worker is alive."""
        now = time.monotonic()
        stuck = [
            f"{p.topic}-{p.partition}" for p, since in self._stuck_since.items() if now - since > SILENT_S
        ]
        is_silent = not self._consumer.is_busy and now - self._consumer.polled_at > SILENT_S
        answered_s = 0.0 if self._answered_since is None else now - self._answered_since
        is_outside = min(answered_s, self._consumer.commit_waits_s) > SILENT_S
        return [
            *stuck[:5],
            *(["no poll"] if is_silent else []),
            *(["offsets are not committed"] if is_outside else []),
        ]
