"""The floor: one stage written by hand for one event and one table, with nothing that it does not need.

It keeps the promise of a stage (nothing lost, nothing twice) and no more: it checks no event, decides nothing,
loads no state, locks no key, retries nothing. Its tables and indexes are billing's own, so the disk's part is equal.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from bench.purchases import HEADERS, TOPIC
from bench.run import Run, Stopwatch, Took, main

# Arrays only for what differs from row to row: the rest are constants.
DEDUPE = """
INSERT INTO inbox (id, digest, outcome, seen_at)
SELECT i, '', 'applied', clock_timestamp() FROM unnest($1::bytea[]) AS u (i)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
UPSERT = """
INSERT INTO terms AS t (did_id, number, account, payer, order_id, state, price, billing_period, cycles_left,
    purchased_at, period, period_start, expires_at, anchor, anchor_months, extended, completed, accepted, charges,
    entries, seen, version, sequence, correlation_id)
SELECT d, n, a, a, o, 'active', p, b, NULL, s, 1, s, s + interval '1 month', s, b, 0, false, false, '[]',
    2, '{}', 1, 1, c
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::int[], $7::text[])
    AS u (d, n, a, o, p, b, c), LATERAL (SELECT clock_timestamp() AS s) AS now
ON CONFLICT (did_id) DO UPDATE SET state = excluded.state, version = t.version + 1
"""
OUTBOX = """
INSERT INTO outbox (topic, key, value)
SELECT $1, k, v FROM unnest($2::bytea[], $3::bytea[]) AS u (k, v) RETURNING id
"""
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"


async def run_floor(run: Run) -> Took:
    """Consume, commit, publish, delete and commit offsets, batch after batch."""
    consumer = AIOKafkaConsumer(
        run.prefix + TOPIC,
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
    watch = Stopwatch()
    try:
        while watch.messages < run.messages:
            found = await consumer.getmany(timeout_ms=15, max_records=run.batch)
            records = [record for several in found.values() for record in several]
            if records:
                watch.batch(len(records))
                await _take(connection, producer, records, run.prefix + "term.changed")
                await consumer.commit({p: several[-1].offset + 1 for p, several in found.items()})
        return watch.took(published=watch.messages)
    finally:
        await consumer.stop()
        await producer.stop()
        await connection.close()


async def _take(
    connection: Any, producer: AIOKafkaProducer, records: Sequence[ConsumerRecord], topic: str
) -> None:
    """Put one batch through: one transaction, then everything that it wrote is published and deleted."""
    events = {}
    for record in records:
        event = orjson.loads(record.value)
        said = f"{event['source']}\0{event['id']}".encode()
        events[blake2b(said, digest_size=16).digest()] = (record.key, event)
    async with connection.transaction():
        fresh = await connection.fetch(DEDUPE, list(events))
        # All are new but after a crash: only then is there anything to leave out.
        taken = [events[row[0]] for row in fresh] if len(fresh) < len(events) else list(events.values())
        data = [event["data"] for _, event in taken]
        await connection.execute(
            UPSERT,
            [d["did_id"] for d in data],
            [d["number"] for d in data],
            [d["account"] for d in data],
            [d["order_id"] for d in data],
            [orjson.dumps(d["price"]).decode() for d in data],
            [d["billing_period"] for d in data],
            [event["id"] for _, event in taken],
        )
        keys, values = [key for key, _ in taken], [_changed(event) for _, event in taken]
        rows = await connection.fetch(OUTBOX, topic, keys, values)
    futures = [
        await producer.send(topic, value, key=key, headers=HEADERS)
        for key, value in zip(keys, values, strict=True)
    ]
    for future in futures:
        await future
    await connection.execute(DELETE, [row[0] for row in rows])


def _changed(event: dict[str, Any]) -> bytes:
    data = event["data"]
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"term-{event['id']}",
            "source": "/didflow/billing",
            "type": "didflow.term.changed.v1",
            "subject": data["number"],
            "time": event["time"],
            "datacontenttype": "application/json",
            "sequence": "1",
            "correlationid": event["id"],
            "causationid": event["id"],
            "actor": "service:billing",
            "data": {
                "account": data["account"],
                "aging_until": None,
                "billing_period": data["billing_period"],
                "cycles_left": None,
                "did_id": data["did_id"],
                "expires_at": event["time"],
                "number": data["number"],
                "period_start": event["time"],
                "reason": "started",
                "state": "active",
            },
        }
    )


if __name__ == "__main__":
    main(run_floor)
