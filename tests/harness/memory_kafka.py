"""The topics of an adapter in this process, for one reader of each group. The time is that of the event loop."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from aiokafka.partitioner import murmur2

_POLL_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a consumer gets. `timestamp` is in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class MemoryKafka:
    """All records, and the committed offsets of each group."""

    partitions: int = 4
    logs: dict[TopicPartition, list[Record]] = field(default_factory=lambda: defaultdict(list))
    committed: dict[tuple[str, TopicPartition], int] = field(default_factory=dict)

    def producer(self) -> "MemoryProducer":
        """Return a producer."""
        return MemoryProducer(self)

    def consumer(self, topic: str, group: str = "") -> "MemoryConsumer":
        """Return a consumer of all partitions. It reads on where its group has committed, or from the beginning."""
        return MemoryConsumer(self, topic, group)


class _Client:
    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""


class MemoryProducer(_Client):
    """Appends records. The partition is murmur2 of the key, as Kafka's clients do."""

    def __init__(self, kafka: MemoryKafka) -> None:
        self._kafka = kafka

    async def send_and_wait(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes,
        headers: list[tuple[str, bytes]],
    ) -> None:
        """Append a record."""
        partition = (murmur2(key) & 0x7FFFFFFF) % self._kafka.partitions
        log = self._kafka.logs[TopicPartition(topic, partition)]
        log.append(
            Record(
                topic=topic,
                partition=partition,
                offset=len(log),
                timestamp=round(asyncio.get_running_loop().time() * 1000),
                key=key,
                value=value,
                headers=tuple(headers),
            )
        )


class MemoryConsumer(_Client):
    """Reads one topic."""

    def __init__(self, kafka: MemoryKafka, topic: str, group: str) -> None:
        self._kafka, self._group = kafka, group
        partitions = [TopicPartition(topic, number) for number in range(kafka.partitions)]
        self._next = {one: kafka.committed.get((group, one), 0) for one in partitions}

    async def getmany(self, timeout_ms: int = 0) -> Mapping[TopicPartition, list[Record]]:
        """Return the new records. If there are none, wait."""
        found = {one: self._kafka.logs[one][at:] for one, at in self._next.items()}
        for one, records in found.items():
            self._next[one] += len(records)
        if not any(found.values()):
            await asyncio.sleep(timeout_ms / 1000)
        return {one: records for one, records in found.items() if records}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit the offsets of the group."""
        self._kafka.committed.update({(self._group, one): offset for one, offset in offsets.items()})

    async def __aiter__(self) -> AsyncIterator[Record]:
        while True:
            for records in (await self.getmany(round(_POLL_S * 1000))).values():
                for record in records:
                    yield record
