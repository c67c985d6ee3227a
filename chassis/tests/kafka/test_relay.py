"""The relay on a real Kafka: rows of a key stay in order, one relay publishes, and another one takes over."""

import asyncpg
from topics_under_test import StartRelay, TopicsUnderTest

from didflow.embedded.wait import until
from didflow_chassis.database import Database
from didflow_chassis.relay import LEASE

INSERT = """
INSERT INTO outbox (topic, key, value) SELECT $1, ('k' || number % 20)::bytea, number::text::bytea
FROM generate_series($2::int, $3::int) AS numbers (number) ORDER BY numbers.number
"""


async def drained(database: Database) -> bool:
    return not await database.fetch("SELECT FROM outbox LIMIT 1")


async def test_rows_of_a_key_are_published_in_order_and_deleted(
    topics: TopicsUnderTest, database: Database, start_relay: StartRelay
) -> None:
    """5,000 rows with 20 keys are published once, in the order of the outbox."""
    topic = f"{topics.settings.topic_prefix}counter.counted"
    await database.fetch(INSERT, topic, 1, 5000)
    await start_relay()
    heard = await topics.received("counter.counted", 5000)
    await until(lambda: drained(database), within=10, what="an empty outbox")
    by_key: dict[bytes, list[int]] = {}
    for record in heard:
        by_key.setdefault(record.key, []).append(int(record.value))
    assert sum(len(values) for values in by_key.values()) == 5000
    assert all(values == sorted(values) for values in by_key.values())


async def test_only_one_relay_publishes_and_the_other_takes_over(
    topics: TopicsUnderTest, database: Database, start_relay: StartRelay
) -> None:
    """Two relays share one lease.

    Rows are published once. When the session with the lease ends, the other relay continues.
    """
    topic = f"{topics.settings.topic_prefix}counter.counted"
    tasks = [await start_relay(), await start_relay()]
    await database.fetch(INSERT, topic, 1, 500)
    await until(lambda: drained(database), within=10, what="an empty outbox")
    assert await _holders(topics.settings.dsn) == 1
    admin = await asyncpg.connect(topics.settings.dsn)
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
        "AND objid = ($1::bigint & 4294967295)::bigint::oid",
        LEASE,
    )
    await admin.close()
    await database.fetch(INSERT, topic, 501, 1000)
    await until(lambda: drained(database), within=10, what="an empty outbox, by the other relay")
    assert not any(task.done() for task in tasks)
    heard = await topics.received("counter.counted", 1000)
    assert sorted(int(record.value) for record in heard) == list(range(1, 1001))


async def test_a_row_that_is_committed_late_is_found_whatever_its_id(
    topics: TopicsUnderTest, database: Database, start_relay: StartRelay
) -> None:
    """Its id is the smallest. Other rows were published before it, are being sent, or are inserted later."""
    topic = f"{topics.settings.topic_prefix}counter.counted"
    slow = await asyncpg.connect(topics.settings.dsn)
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, topic, 1, 1)
    await database.fetch(INSERT, topic, 2, 4000)
    await start_relay()
    await topics.received("counter.counted", 100)
    await transaction.commit()
    await slow.close()
    await database.fetch(INSERT, topic, 4001, 4500)
    await until(lambda: drained(database), within=10, what="an empty outbox")
    heard = await topics.received("counter.counted", 4500)
    assert sorted(int(record.value) for record in heard) == list(range(1, 4501))


async def test_no_row_is_published_twice_while_reads_and_deletes_overlap(
    topics: TopicsUnderTest, database: Database, start_relay: StartRelay
) -> None:
    """With many reads and new rows all the time, there are exactly as many records as rows."""
    topic = f"{topics.settings.topic_prefix}counter.counted"
    await database.fetch(INSERT, topic, 1, 8000)
    await start_relay()
    for first in range(8001, 9001, 50):
        await database.fetch(INSERT, topic, first, first + 49)
    await until(lambda: drained(database), within=10, what="an empty outbox")
    await database.fetch(INSERT, topic, 9001, 9001)
    await until(lambda: drained(database), within=10, what="the last row")
    heard = await topics.received("counter.counted", 9001)
    assert sorted(int(record.value) for record in heard) == list(range(1, 9002))


async def _holders(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT DISTINCT pid FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND objid = ($1::bigint & 4294967295)::bigint::oid",
            LEASE,
        )
        return len(rows)
    finally:
        await connection.close()
