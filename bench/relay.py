"""The relay alone: a full outbox is published and deleted, and the statements are counted."""

import asyncio
from functools import partial
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from bench.variant import Run, Stopwatch, Took, main
from didflow_chassis.kafka_clients import producer, start_producer
from didflow_chassis.relay import Relay
from didflow_chassis.settings import Settings
from didflow_chassis.telemetry.metrics import Metrics

FILL = """
INSERT INTO outbox (topic, key, value)
SELECT $1, ('+44207' || lpad((n % 10000)::text, 7, '0'))::bytea, $2::bytea FROM generate_series(1, $3::int) AS s (n)
"""
LEFT = "SELECT EXISTS (SELECT FROM outbox)"
VALUE = b'{"specversion":"1.0","data":{"text":"' + b"x" * 560 + b'"}}'
"""The length of an event of billing."""
TOPIC = "term.changed"
SENT = ("didflow_relay_rows_total", {"result": "sent"})
LOOK_S = 0.001


async def run_relay(run: Run) -> Took:
    """Fill the outbox, run the relay until it reports that all rows are deleted, and check it.

    The table is not read during the run: reading it would scan all deleted rows and slow the relay down.
    """
    settings = Settings(kafka=run.kafka, postgres=run.dsn, topic_prefix=run.prefix, production=False)
    connection = await asyncpg.connect(run.dsn)
    await connection.execute(FILL, run.prefix + TOPIC, VALUE, run.messages)
    await connection.execute("VACUUM ANALYZE outbox")
    statements: list[str] = []
    _count_statements(statements)
    fresh = partial(producer, settings, "bench-relay")
    sender, metrics = await start_producer(fresh()), Metrics()
    relay = Relay(
        run.dsn, sender, metrics, application="bench-relay", poll_s=settings.relay_poll_s, new_producer=fresh
    )
    watch = Stopwatch()
    watch.batch(run.messages)
    relaying = asyncio.create_task(relay.run())
    try:
        while (metrics.registry.get_sample_value(*SENT) or 0) < run.messages:  # noqa: ASYNC110 - it does not call
            await asyncio.sleep(LOOK_S)
        took = watch.took(published=run.messages, statements=len(statements))
        if await connection.fetchval(LEFT):
            raise RuntimeError("the relay left rows behind")
        return took
    finally:
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
        await connection.close()


def _count_statements(found: list[str]) -> None:
    """Count the statements of every connection that is opened from now on, including prepared ones."""
    connect: Any = asyncpg.connect
    run_prepared: Any = PreparedStatement.fetch

    async def counting(*args: Any, **options: Any) -> Any:
        connection = await connect(*args, **options)
        connection.add_query_logger(lambda query: found.append(query.query))
        return connection

    async def counting_prepared(statement: Any, *args: Any, **options: Any) -> Any:
        found.append(statement.get_query())
        return await run_prepared(statement, *args, **options)

    asyncpg.connect, PreparedStatement.fetch = counting, counting_prepared


if __name__ == "__main__":
    main(run_relay)
