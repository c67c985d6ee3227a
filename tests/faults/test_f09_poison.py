"""F09: deciding about one number always raises. It is tried again, then given up; nobody else notices."""

import time
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
from faults.four import record
from faults.installation import Install, Installation
from faults.lives import EXAMPLES
from faults.oracle import Ask, Oracle, OraclePurchase
from harness.processes import until

from didflow import dead_letters
from didflow_chassis.parked import MAX_ATTEMPTS
from didflow_contracts.events import DidChanged

PARKED: Final = """
SELECT reason, attempts, extract(epoch FROM due_at - (clock_timestamp() + (SELECT shift FROM clock)))::float8 AS due_in
FROM parked ORDER BY id
"""
SKIP: Final = "UPDATE clock SET shift = shift + make_interval(secs => $1)"
HEARD: Final = "SELECT count(*) = $1 FROM inbox"
TERMS: Final = "SELECT count(*) = $1 FROM terms"


async def parked(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Read what waits, in order."""
    return [dict(row) for row in await connection.fetch(PARKED)]


def holding(one: OraclePurchase, sequence: int) -> bytes:
    """Say that somebody else holds a DID."""
    own = {"did_id": one.did_id, "number": one.number, "account": "master"}
    data = DidChanged.model_validate(EXAMPLES["did.changed"]["data"] | own)
    said = record(
        data, f"held {sequence}", source="/didflow/inventory", time=datetime.now(UTC), sequence=sequence
    )
    return said.value or b""


async def test_poison_is_tried_with_backoff_then_given_up_alone(install: Install, ask: Ask) -> None:
    """F09: tried again after 1, 4, 16 s and more, then a letter; others lose under 1 s; its followers wait in order."""
    at: Installation = await install("billing")
    oracle = await ask(at)
    sick = oracle.make()
    worker = await at.worker("billing", FAILPOINTS=f"stage.decide=raise~{sick.number}").ready()
    connection = await asyncpg.connect(at.parts.postgres["billing"])
    usual = await taken(oracle, connection, 1)
    await oracle.publish(sick)
    await until(lambda: connection.fetchval(HEARD, 2), within=10, what="the first attempt")
    for attempt in range(1, MAX_ATTEMPTS):
        await until(lambda attempt=attempt: tried(connection, attempt), within=5, what=f"attempt {attempt}")
        (row,) = await parked(connection)
        assert row["reason"] == "retry"
        assert 4 ** (attempt - 1) - 1 < row["due_in"] <= 1.5 * 4 ** (attempt - 1)
        assert await taken(oracle, connection, 1 + attempt) < usual + 1
        (row,) = await parked(connection)
        await connection.execute(SKIP, max(0.0, row["due_in"] or 0))
    await until(lambda: letter(connection), within=5, what="the letter")
    for sequence in (1, 2, 3):
        await oracle.send(DidChanged.topic, holding(sick, sequence), sick.number)
    await until(lambda: connection.fetchval(HEARD, 1 + 4 + 3), within=5, what="what follows")
    assert [row["reason"] for row in await parked(connection)] == ["dead", "behind", "behind", "behind"]
    assert await connection.fetchval(TERMS, 4)
    await mend(at, worker)
    await until(lambda: connection.fetchval("SELECT count(*) = 0 FROM parked"), within=10, what="all of it")
    account = await connection.fetchval("SELECT account FROM terms WHERE number = $1", sick.number)
    assert account == "master"
    await connection.close()


async def taken(oracle: Oracle, connection: asyncpg.Connection, terms: int) -> float:
    """Sell one more number; return the seconds until billing has so many terms."""
    began = time.monotonic()
    await oracle.purchase(1)
    await until(lambda: connection.fetchval(TERMS, terms), within=10, what="another number's purchase")
    return time.monotonic() - began


async def tried(connection: asyncpg.Connection, attempts: int) -> bool:
    """Whether the sick number was tried so often."""
    return [row["attempts"] for row in await parked(connection)] == [attempts]


async def letter(connection: asyncpg.Connection) -> bool:
    """Whether it was given up, with its cause and its place."""
    rows = await connection.fetch("SELECT reason, detail, entity IS NOT NULL FROM dead_letters")
    return [tuple(row) for row in rows] == [("defect", rows[0]["detail"], True)] if rows else False


async def mend(at: Installation, worker: Any) -> None:
    """Put a release in place that can decide, and retry the letter."""
    await worker.process.stop()
    await at.worker("billing").ready()
    dsns = {"billing": at.parts.postgres["billing"]}
    found = await dead_letters.listed(dsns, reason="defect", limit=10)
    handled = await dead_letters.retry(dsns, [one.letter.id for one in found])
    assert [one.outcome for one in handled] == ["retried"]
