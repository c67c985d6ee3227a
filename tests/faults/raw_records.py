"""Records of any bytes, including header names, that no Python client would send: batches built by hand.

Source: Kafka's record batch format, version 2.
"""

import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c, encode_varint

_HEAD: Final = struct.Struct(">qiibI")
_BODY: Final = struct.Struct(">hiqqqhii")
_NOBODY: Final = -1


@dataclass(frozen=True, kw_only=True)
class RawRecord:
    """One record. Its header names are bytes."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[bytes, bytes | None]] = ()


def batch(records: Sequence[RawRecord]) -> bytes:
    """Return records as one uncompressed batch. They are of now: a broker soon deletes records of 1970."""
    now = int(time.time() * 1000)
    body = _BODY.pack(0, len(records) - 1, now, now, _NOBODY, _NOBODY, _NOBODY, len(records))
    body += b"".join(_framed(_record(n, record)) for n, record in enumerate(records))
    size = len(body) + _HEAD.size - 12
    return _HEAD.pack(0, size, _NOBODY, 2, calc_crc32c(body)) + body


def _record(offset: int, record: RawRecord) -> bytes:
    written = b"\0" + _varint(0) + _varint(offset) + _blob(record.key) + _blob(record.value)
    written += _varint(len(record.headers))
    return written + b"".join(_blob(name) + _blob(value) for name, value in record.headers)


def _framed(record: bytes) -> bytes:
    return _varint(len(record)) + record


def _blob(value: bytes | None) -> bytes:
    return _varint(_NOBODY) if value is None else _varint(len(value)) + value


def _varint(number: int) -> bytes:
    written = bytearray()
    encode_varint(number, written.append)
    return bytes(written)


async def publish(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[RawRecord]
) -> int:
    """Publish records as one batch. Return the offset of the first. Raises AssertionError if refused."""
    await producer.partitions_for(topic)
    leader = producer.client.cluster.leader_for_partition(TopicPartition(topic, partition))
    request = ProduceRequest(
        transactional_id=None,
        required_acks=-1,
        timeout=10_000,
        topics=[(topic, [(partition, batch(records))])],
    )
    answer = await producer.client.send(leader, request)
    error, offset = answer.topics[0][1][0][1:3]
    assert error == 0, f"the broker refused a batch of {len(records)} with error {error}"
    return offset
