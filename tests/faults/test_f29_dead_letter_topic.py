"""F29: the dead-letter topic cannot be written to while poison arrives.

The dead letters are in the table, offsets are committed, and only the copies wait in the outbox.
"""

import asyncpg
from faults.installation import Install, Installation
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from harness.processes import until
from harness.topics import create_topics, delete_topics

from didflow_contracts.events import DidPurchased

COUNTS = """
SELECT (SELECT count(*) FROM dead_letters) AS letters, (SELECT count(*) FROM terms) AS terms,
    (SELECT count(*) FROM outbox WHERE topic LIKE '%.dlq') AS copies,
    (SELECT count(*) FROM outbox WHERE topic NOT LIKE '%.dlq') AS others
"""


async def query(installation: Installation, sql: str) -> dict[str, int]:
    """Return one row of billing's database."""
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    try:
        return dict(await connection.fetchrow(sql) or {})
    finally:
        await connection.close()


async def wait_for_counts(installation: Installation, *, within: float, **expected: int) -> None:
    """Wait until the database has these counts."""

    async def reached() -> bool:
        found = await query(installation, COUNTS)
        return {name: found[name] for name in expected} == expected

    await until(reached, within=within, what=f"{expected}, not {await query(installation, COUNTS)}")


async def test_only_the_copies_wait_for_the_missing_topic(
    install: Install, open_client: OpenClient, check_invariants: CheckInvariants, kafka: str
) -> None:
    """F29: the topic is missing, then deleted in use. Everything else continues; the copies follow when it is back."""
    installation = await install("billing")
    client = await open_client(installation)
    topic = f"{installation.parts.topic_prefix}billing.dlq"
    await delete_topics(kafka, [topic])
    worker = await installation.worker("billing").ready()
    for n in range(5):
        await client.send(DidPurchased.topic, b"{", f"+1212200000{n}")
    await client.purchase(20)
    await wait_for_counts(installation, letters=5, copies=5, terms=20, others=0, within=10)
    await create_topics(kafka, [topic])
    await wait_for_counts(installation, copies=0, within=20)
    await query(installation, "DELETE FROM dead_letters")
    await delete_topics(kafka, [topic])
    await client.poison()
    await client.purchase(20)
    await wait_for_counts(installation, copies=1, letters=1, terms=40, others=0, within=10)
    await create_topics(kafka, [topic])
    await wait_for_counts(installation, copies=0, within=20)
    await check_invariants(installation)
    assert worker.process.exit_code is None
