"""The relay's lease: a stopped process loses its lock, and another relay publishes the remaining rows."""

from pathlib import Path

import asyncpg
from harness.processes import Processes
from topics_under_test import StartRelay

from didflow.embedded.wait import until
from didflow_chassis.database import Database
from didflow_chassis.relay import LEASE, LEASE_SETTINGS
from didflow_chassis.settings import Settings

INSERT = """
INSERT INTO outbox (topic, key, value) SELECT $1, 'k', number::text::bytea FROM generate_series(1, 10) AS number
"""
PROGRAM = """
import asyncio, sys
from didflow_chassis.kafka_clients import producer
from didflow_chassis.relay import Relay
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.settings import Settings

async def main():
    settings = Settings()
    sender = producer(settings, "relay")
    await sender.start()
    await Relay(settings.dsn, sender, Metrics(), application="stopped-relay", poll_s=0.2).run()

asyncio.run(main())
"""
HOLDS = """
SELECT 1 FROM pg_stat_activity a JOIN pg_locks l USING (pid)
WHERE a.application_name = $1 AND l.locktype = 'advisory' AND l.granted
"""


async def test_a_stopped_relay_loses_its_lease(
    processes: Processes, settings: Settings, database: Database, start_relay: StartRelay, tmp_path: Path
) -> None:
    """After SIGSTOP, the server ends the silent session, and the other relay publishes."""
    environment = {
        "DIDFLOW_KAFKA": settings.kafka,
        "DIDFLOW_POSTGRES": settings.dsn,
        "DIDFLOW_PRODUCTION": "false",
    }
    program = tmp_path / "relay.py"
    program.write_text(PROGRAM)
    stopped = processes.python("relay", str(program), env=environment)

    async def holds() -> bool:
        return bool(await database.fetch(HOLDS, "stopped-relay"))

    await until(holds, within=20, what="the first relay's lock")
    stopped.pause()
    await start_relay()
    await database.fetch(INSERT, f"{settings.topic_prefix}counter.counted")

    async def drained() -> bool:
        return not await database.fetch("SELECT FROM outbox LIMIT 1")

    await until(drained, within=15, what="an empty outbox, by the other relay")


async def test_a_session_that_stops_within_a_statement_loses_its_lock(
    settings: Settings, database: Database
) -> None:
    """A statement that is parsed and never bound is an open transaction. No idle timeout ends it.

    The test uses the settings of the lease with a tenth of each timeout.
    """
    quick = {
        name: str(int(value) // 10) if name.endswith("_timeout") else value
        for name, value in LEASE_SETTINGS.items()
    }
    silent = await asyncpg.connect(settings.dsn, server_settings={**quick, "application_name": "silent"})
    assert await silent.fetchval("SELECT pg_try_advisory_lock($1)", LEASE)
    await silent.prepare("SELECT id FROM outbox")
    assert await database.fetch(HOLDS, "silent")

    async def gone() -> bool:
        return not await database.fetch(HOLDS, "silent")

    async def closed() -> bool:
        return silent.is_closed()

    await until(gone, within=5, what="the end of a session that says nothing")
    await until(closed, within=5, what="the client that hears of it")
