"""Commits go on, and end, whatever Kafka's client and the carrier's code do."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from harness.carrier_topics import RecordingCarrier
from harness.processes import until
from structlog.testing import capture_logs

from didflow_adapters.kit import Adapter, AdapterSettings
from didflow_adapters.kit import adapter as module
from didflow_adapters.kit.progress import PendingRecord

PLACE = TopicPartition("provisioning.commands", 0)


class Consumer:
    """Commits after these failures. None is a broker that never answers."""

    def __init__(self, *failures: Exception | None) -> None:
        self._failures = list(failures)
        self.committed: dict[TopicPartition, int] = {}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self._failures:
            failure = self._failures.pop(0)
            if failure is None:
                await asyncio.Event().wait()
            else:
                raise failure
        self.committed.update(offsets)


def adapter_of(consumer: Consumer) -> Adapter:
    """Return an adapter that has finished the record with the offset 6."""
    adapter = Adapter(RecordingCarrier(), AdapterSettings(kafka="broker.example:9092"))
    adapter._subscriber.consumer = consumer
    adapter._offsets.open([PLACE])
    record = adapter._offsets.add(PLACE, 6)
    assert record is not None
    adapter._finish(record)
    return adapter


@pytest.mark.parametrize("failure", [None, RuntimeError("not an error of Kafka")])
async def test_commits_go_on_after_one_that_failed_in_an_unknown_way(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    """One that no broker answers ends after a time, also during a stop or a rebalance."""
    monkeypatch.setattr(module, "COMMIT_WITHIN_S", 0.05, raising=False)
    monkeypatch.setattr(module, "RETRY_S", 0.01, raising=False)
    consumer = Consumer(failure)
    committing = asyncio.create_task(adapter_of(consumer)._commit_regularly())
    await until(lambda: consumer.committed == {PLACE: 7}, within=2, what="the commit")
    committing.cancel()


async def test_a_command_that_gets_no_result_does_not_hold_back_the_commits_of_its_partition(
    monkeypatch: pytest.MonkeyPatch, new_command: Any
) -> None:
    """It is logged. Its owner sends it again after its deadline."""
    adapter, pending = adapter_of(Consumer()), PendingRecord(7)

    async def broken(*_: Any) -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(adapter._executor, "execute", broken)
    with capture_logs() as lines:
        await adapter._process(new_command(), 0, pending)
    assert pending.is_finished
    assert [line["event"] for line in lines] == ["a command has no result"]
