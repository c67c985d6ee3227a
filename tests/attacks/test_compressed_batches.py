"""Batches of a few kB that are many MB when they are decompressed. The broker refuses them.

With `compression.type=producer`, the default of Kafka, the broker takes them, and each worker that reads the partition
decompresses them whole.
"""

import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import cramjam
import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c, encode_varint
from harness.outside_records import ATTACKED

from attacks.target import Target

pytestmark = pytest.mark.faults
VALUE_BYTES = 64_000_000
GROWTH_BYTES = 32_000_000
"""What a worker may take in addition meanwhile, for the purchases of the bystanders."""
MESSAGE_TOO_LARGE = 10


def gzip(content: bytes) -> bytes:
    """Compress as gzip."""
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(content) + packer.flush()


CODECS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, gzip),
    "zstd": (4, lambda content: bytes(cramjam.zstd.compress(content))),
}


def batch(codec: str) -> bytes:
    """Return a record batch with one record, whose value is `VALUE_BYTES` zeros."""
    number, compress = CODECS[codec]
    record = bytearray(1)
    for field in (0, 0, -1, VALUE_BYTES):
        encode_varint(field, record.append)
    record += bytes(VALUE_BYTES + 1)
    length = bytearray()
    encode_varint(len(record), length.append)
    now = time.time_ns() // 1_000_000
    counted = struct.pack(">hiqqqhii", number, 0, now, now, -1, -1, -1, 1) + compress(bytes(length + record))
    checked = struct.pack(">ibI", -1, 2, calc_crc32c(counted)) + counted
    return struct.pack(">qi", 0, len(checked)) + checked


async def error_of(bootstrap: str, topic: str, records: bytes) -> int:
    """Publish a batch as it is, and return the error of the broker."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        await client.set_topics([topic])
        node = client.cluster.leader_for_partition(TopicPartition(topic, ATTACKED))
        topics = [(topic, [(ATTACKED, records)])]
        request: Any = ProduceRequest(transactional_id=None, required_acks=-1, timeout=30_000, topics=topics)
        answer = await client.send(node, request)
        code: int = answer.topics[0][1][0][1]
        return code
    finally:
        await client.close()


@pytest.mark.parametrize("codec", CODECS)
async def test_a_small_batch_that_inflates_to_many_megabytes_reaches_no_worker(
    target: Target, codec: str
) -> None:
    """On a topic of each kind of outsider. No worker takes more memory, and the bystanders notice nothing."""
    parts = target.installation.parts
    workers = [psutil.Process(member.process.pid) for member in target.installation.members]
    before = [worker.memory_info().rss for worker in workers]
    small = batch(codec)
    assert len(small) < VALUE_BYTES / 500
    async with target.beside_bystanders(f"batches of {len(small)} bytes that inflate to {VALUE_BYTES}"):
        errors = {
            topic: await error_of(parts.kafka, parts.topic_prefix + topic, small)
            for topic in ("did.purchased", "enduser.assigned", "provisioning.results")
        }
    assert errors == dict.fromkeys(errors, MESSAGE_TOO_LARGE)
    grown = [worker.memory_info().rss - held for worker, held in zip(workers, before, strict=True)]
    assert max(grown) < GROWTH_BYTES, grown
