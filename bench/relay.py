"""The relay alone: an outbox full of rows, published and deleted; and how many statements that took."""

import asyncio
from functools import partial
from typing import Any

import asyncpg
from asyncpg.connection import LoggedQuery

from bench.run import Run, Stopwatch, Took, main
from didflow_chassis.brokers import producer, started
from didflow_chassis.relay import Relay
from didflow_chassis.settings import Settings
from didflow_chassis.telemetry.metrics import Metrics

FILL = """
INSERT INTO outbox (topic, key, value)
SELECT $1, ('+44207' || lpad((n % 10000)::text, 7, '0'))::bytea, $2::bytea FROM generate_series(1, $3::int) AS s (n)
"""
LEFT = "SELECT EXISTS (SELECT FROM outbox)"
VALUE = b'{"specversion":"1.0","data":{"text":"' + b"x" * 560 + b'"}}'
"""As long as an event of billing's is."""
TOPIC = "term.changed"
LOOK_S = 0.005


async def run_relay(run: Run) -> Took:
    """Fill the outbox, then let the relay work until it is empty; statements are counted on its connection."""
    settings = Settings(kafka=run.kafka, postgres=run.dsn, topic_prefix=run.prefix, production=False)
    connection = await asyncpg.connect(run.dsn)
    await connection.execute(FILL, run.prefix + TOPIC, VALUE, run.messages)
    await connection.execute("VACUUM ANALYZE outbox")
    statements: list[LoggedQuery] = []
    _count_statements(statements)
    fresh = partial(producer, settings, "bench-relay")
    sender = await started(fresh())
    relay = Relay(
        run.dsn, sender, Metrics(), application="bench-relay", poll_s=settings.relay_poll_s, fresh=fresh
    )
    watch = Stopwatch()
    watch.batch(run.messages)
    relaying = asyncio.create_task(relay.run())
    try:
        while await connection.fetchval(LEFT):  # noqa: ASYNC110 - the database does not call
            await asyncio.sleep(LOOK_S)
        return watch.took(published=run.messages, statements=len(statements))
    finally:
        relaying.cancel()
        await asyncio.gather(relaying, return_exceptions=True)
        await connection.close()


def _count_statements(found: list[LoggedQuery]) -> None:
    """Let every connection that is opened from now on tell of its statements."""
    connect: Any = asyncpg.connect

    async def counting(*args: Any, **options: Any) -> Any:
        connection = await connect(*args, **options)
        connection.add_query_logger(found.append)
        return connection

    asyncpg.connect = counting


if __name__ == "__main__":
    main(run_relay)
