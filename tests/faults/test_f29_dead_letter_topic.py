"""F29: the topic of dead letters cannot be written to, while poison comes.

The table is the truth: letters are there, offsets go on, and their copies wait without keeping anything else waiting.
"""

import asyncpg
from faults.installation import Install, Installation
from faults.invariants import Judge
from faults.oracle import Ask
from harness.processes import until
from harness.topics import create_topics, delete_topics

from didflow_contracts.events import DidPurchased

COUNTS = """
SELECT (SELECT count(*) FROM dead_letters) AS letters, (SELECT count(*) FROM terms) AS terms,
    (SELECT count(*) FROM outbox WHERE topic LIKE '%.dlq') AS copies,
    (SELECT count(*) FROM outbox WHERE topic NOT LIKE '%.dlq') AS others
"""


async def asked(at: Installation, sql: str) -> dict[str, int]:
    """Ask billing's database for one row."""
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    try:
        return dict(await connection.fetchrow(sql) or {})
    finally:
        await connection.close()


async def come_to(at: Installation, *, within: float, **expected: int) -> None:
    """Wait until these counts are so."""

    async def are() -> bool:
        found = await asked(at, COUNTS)
        return {name: found[name] for name in expected} == expected

    await until(are, within=within, what=f"{expected}, not {await asked(at, COUNTS)}")


async def test_copies_wait_and_nothing_else_does(
    install: Install, ask: Ask, judge: Judge, kafka: str
) -> None:
    """F29: the topic was never there, then vanishes in use: all else goes on, the copies leave when it is back."""
    at = await install("billing")
    oracle = await ask(at)
    topic = f"{at.parts.topic_prefix}billing.dlq"
    await delete_topics(kafka, [topic])
    worker = await at.worker("billing").ready()
    for n in range(5):
        await oracle.send(DidPurchased.topic, b"{", f"+1212200000{n}")
    await oracle.purchase(20)
    await come_to(at, letters=5, copies=5, terms=20, others=0, within=10)
    await create_topics(kafka, [topic])
    await come_to(at, copies=0, within=20)
    await asked(at, "DELETE FROM dead_letters")
    await delete_topics(kafka, [topic])
    await oracle.poison()
    await oracle.purchase(20)
    await come_to(at, copies=1, letters=1, terms=40, others=0, within=10)
    await create_topics(kafka, [topic])
    await come_to(at, copies=0, within=20)
    await judge(at)
    assert worker.process.exit_code is None
