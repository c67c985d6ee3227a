"""The liveness of a worker whose consumer has lost its group: it still reads, but its commits get no answer."""

from math import inf
from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from didflow_chassis import liveness as liveness_module
from didflow_chassis.liveness import SILENT_S, Liveness
from didflow_chassis.telemetry.metrics import Metrics

PARTITION = TopicPartition("a", 0)


class Kafka:
    """A consumer at the end of its partition. `answers` says whether the broker answers."""

    answers = True

    def assignment(self) -> set[TopicPartition]:
        return {PARTITION}

    def paused(self) -> set[TopicPartition]:
        return set()

    async def position(self, _: TopicPartition) -> int:
        return 5

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if not self.answers:
            raise KafkaError
        return dict.fromkeys(partitions, 5)


class Clock:
    """A clock that the test moves."""

    now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the liveness."""
    clock = Clock()
    monkeypatch.setattr(liveness_module, "time", clock)
    return clock


def reading() -> SimpleNamespace:
    """Return a consumer that polls all the time."""
    return SimpleNamespace(kafka=Kafka(), is_busy=False, polled_at=inf, commit_waits_s=0.0)


async def test_a_worker_that_reads_outside_its_group_fails_its_probe(clock: Clock) -> None:
    """The broker answers, and the commits get no answer: after 60 s the worker has to be restarted."""
    consumer = reading()
    liveness = Liveness(consumer, Metrics())
    await liveness.update()
    clock.now, consumer.commit_waits_s = 1_000 + SILENT_S - 1, SILENT_S - 1
    assert await liveness.problems() == []
    clock.now, consumer.commit_waits_s = 1_000 + SILENT_S + 1, SILENT_S + 1
    await liveness.update()
    assert await liveness.problems() == ["offsets are not committed"]


async def test_no_worker_is_restarted_because_the_broker_is_down(clock: Clock) -> None:
    """While the broker does not answer, commits wait. The probe succeeds until 60 s after the broker is back."""
    consumer = reading()
    liveness = Liveness(consumer, Metrics())
    await liveness.update()
    consumer.kafka.answers = False
    await liveness.update()
    clock.now, consumer.commit_waits_s = 2_000, 1_000
    assert await liveness.problems() == []
    consumer.kafka.answers = True
    await liveness.update()
    clock.now += SILENT_S - 1
    assert await liveness.problems() == []
