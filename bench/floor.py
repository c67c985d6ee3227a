"""The floor: one stage written by hand, with only what it needs.

It keeps the guarantee of a stage (no loss, no double effect) and nothing else: it does not validate events, decide,
load states, lock keys or retry. `floor_rows` has what it writes for each purchase. Tables and indexes are those of the
services, so the work of the disk is the same.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from bench.floor_record import Record, Written
from bench.floor_rows import WRITTEN
from bench.purchases import HEADERS
from bench.variant import Run, Stopwatch, Took, main

DEDUPE = """
INSERT INTO inbox (id, digest, decision, seen_at)
SELECT i, '', 'decided', clock_timestamp() FROM unnest($1::bytea[]) AS u (i)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
OUTBOX = """
INSERT INTO outbox (topic, key, value)
SELECT t, k, v FROM unnest($1::text[], $2::bytea[], $3::bytea[]) AS u (t, k, v) RETURNING id
"""
DELETE = """
WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
DELETE FROM outbox USING lazily WHERE id = ANY($1::bigint[])
"""
"""If a crash loses a deletion, the row is published again and recognized as a repeat. didflow does not wait either."""


async def run_floor(run: Run) -> Took:
    """Consume, commit, publish, delete and commit offsets, batch after batch."""
    consumer = AIOKafkaConsumer(
        run.prefix + run.topic,
        bootstrap_servers=run.kafka,
        group_id=f"{run.prefix}floor",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * 1024 * 1024,
        fetch_max_wait_ms=100,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=run.kafka,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=256 * 1024,
    )
    connection = await asyncpg.connect(run.dsn, server_settings={"jit": "off"})
    await producer.start()
    await consumer.start()
    watch, published = Stopwatch(), 0
    try:
        while watch.messages < run.messages:
            found = await consumer.getmany(timeout_ms=15, max_records=run.batch)
            records = [record for several in found.values() for record in several]
            if records:
                watch.batch(len(records))
                published += await _take(connection, producer, records, run.prefix, WRITTEN[run.service])
                await consumer.commit({p: several[-1].offset + 1 for p, several in found.items()})
        return watch.took(published=published)
    finally:
        await consumer.stop()
        await producer.stop()
        await connection.close()


async def _take(
    connection: Any,
    producer: AIOKafkaProducer,
    records: Sequence[ConsumerRecord],
    prefix: str,
    written: Written,
) -> int:
    """Process one batch: one transaction, then publish and delete its outbox rows."""
    events = [orjson.loads(record.value) for record in records]
    said, ids = await write(connection, events, prefix, written)
    futures = [await producer.send(topic, value, key=key, headers=HEADERS) for topic, key, value in said]
    for future in futures:
        await future
    await connection.execute(DELETE, ids)
    return len(ids)


async def write(
    connection: Any, events: Sequence[Any], prefix: str, written: Written
) -> tuple[list[Record], list[int]]:
    """Write a batch of decoded events in one transaction. Return its outbox rows, and their ids."""
    by_id = {}
    for event in events:
        identity = f"{event['source']}\0{event['id']}".encode()
        by_id[blake2b(identity, digest_size=16).digest()] = event
    async with connection.transaction():
        fresh = await connection.fetch(DEDUPE, list(by_id))
        # Only after a crash some of them are not new.
        taken = [by_id[row[0]] for row in fresh] if len(fresh) < len(by_id) else list(by_id.values())
        if not taken:
            return [], []
        statements, records = written(taken)
        for statement, columns in statements:
            await connection.execute(statement, *columns)
        said = [(prefix + topic, key, value) for topic, key, value in records]
        topics, keys, values = zip(*said, strict=True)
        rows = await connection.fetch(OUTBOX, topics, keys, values)
    return said, [row[0] for row in rows]


if __name__ == "__main__":
    main(run_floor)
