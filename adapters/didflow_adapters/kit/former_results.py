"""Reads the last results of one carrier back from `provisioning.results`."""

from collections.abc import AsyncIterator, Collection
from typing import Any, Final
from uuid import UUID

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError
from faststream.kafka.security import parse_security

from didflow_adapters.kit.carrier import Failed, Outcome, Succeeded
from didflow_adapters.kit.kafka import MAX_RECORD_BYTES
from didflow_adapters.kit.settings import AdapterSettings
from didflow_contracts.events import ResultReported

_WAIT_MS: Final = 500
_TYPE: Final = ResultReported.type()


class _Data(msgspec.Struct):
    command_id: UUID
    outcome: str
    retryable: bool = False
    code: str | None = None
    message: str | None = None
    carrier_reference: str | None = None


class _Result(msgspec.Struct):
    """The part of a result event that an outcome consists of. The kit writes events in structured mode."""

    source: str
    type: str
    data: _Data


_decode = msgspec.json.Decoder(_Result).decode


class FormerResults:
    """The results that the adapters of one carrier published: the last `remember` records of each partition."""

    def __init__(self, settings: AdapterSettings, carrier: str, source: str) -> None:
        self._settings, self._carrier, self._source = settings, carrier, source
        self._topic = settings.topic_prefix + ResultReported.topic

    async def read(self, partitions: Collection[int]) -> AsyncIterator[tuple[int, UUID, Outcome]]:
        """Yield what is stored in these partitions now: partition, command id and outcome. Raises KafkaError."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka.split(","),
            client_id=f"didflow-adapter-{self._carrier}-results",
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
            fetch_max_wait_ms=self._settings.fetch_wait_ms,
            **parse_security(self._settings.security()),
        )
        try:
            await consumer.start()
            unread = await self._position(consumer, partitions)
            while unread:
                for partition, records in (await consumer.getmany(*unread, timeout_ms=_WAIT_MS)).items():
                    for record in records:
                        found = self._outcome(record)
                        if found is not None:
                            yield partition.partition, *found
                unread = {p: end for p, end in unread.items() if await consumer.position(p) < end}
        finally:
            await consumer.stop()

    async def _position(
        self, consumer: AIOKafkaConsumer, partitions: Collection[int]
    ) -> dict[TopicPartition, int]:
        """Go to the first record to read of each partition. Return where those that have any end."""
        assigned = [TopicPartition(self._topic, partition) for partition in partitions]
        consumer.assign(assigned)
        first: dict[Any, int] = await consumer.beginning_offsets(assigned)
        ends: dict[Any, int] = await consumer.end_offsets(assigned)
        if len(ends) != len(assigned):
            raise UnknownTopicOrPartitionError
        for partition in assigned:
            consumer.seek(partition, max(first[partition], ends[partition] - self._settings.remember))
        return {partition: ends[partition] for partition in assigned if ends[partition] > first[partition]}

    def _outcome(self, record: ConsumerRecord) -> tuple[UUID, Outcome] | None:
        """Return the command and the outcome of a record, or None if it is no result of this carrier."""
        try:
            result = _decode(record.value or b"")
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        if result.source != self._source or result.type != _TYPE:
            return None
        data = result.data
        if data.outcome == "succeeded":
            return data.command_id, Succeeded(carrier_reference=data.carrier_reference)
        code = data.code or "failed"
        return data.command_id, Failed(code=code, message=data.message, retryable=data.retryable)
