"""F09: the decision about one number always raises. It is retried, then given up. Other numbers are not affected."""

import time
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg
from faults.example_events import EXAMPLES
from faults.installation import Install, Installation
from faults.recording_client import OpenClient, RecordingClient, SentPurchase
from faults.services_in_process import event_record
from harness.processes import until

from didflow import dead_letters
from didflow_chassis.parked import MAX_ATTEMPTS
from didflow_contracts.events import DidChanged

PARKED: Final = """
SELECT reason, attempts, extract(epoch FROM due_at - (clock_timestamp() + (SELECT shift FROM clock)))::float8 AS due_in
FROM parked ORDER BY id
"""
SKIP: Final = "UPDATE clock SET shift = shift + make_interval(secs => $1)"
INBOX_ROWS: Final = "SELECT count(*) = $1 FROM inbox"
TERMS: Final = "SELECT count(*) = $1 FROM terms"


async def parked(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Return the parked messages, in order."""
    return [dict(row) for row in await connection.fetch(PARKED)]


def changed_holder(purchase: SentPurchase, sequence: int) -> bytes:
    """Return an event in which another account holds the DID."""
    own = {"did_id": purchase.did_id, "number": purchase.number, "account": "master"}
    data = DidChanged.model_validate(EXAMPLES["did.changed"]["data"] | own)
    record = event_record(
        data, f"held {sequence}", source="/didflow/inventory", time=datetime.now(UTC), sequence=sequence
    )
    return record.value or b""


async def test_a_failing_message_is_retried_with_backoff_and_then_given_up(
    install: Install, open_client: OpenClient
) -> None:
    """F09: retried after 1, 4, 16 s and more, then dead. Others lose under 1 s; later messages wait in order."""
    installation: Installation = await install("billing")
    client = await open_client(installation)
    failing = client.make()
    worker = await installation.worker("billing", FAILPOINTS=f"stage.decide=raise~{failing.number}").ready()
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    usual = await time_of_purchase(client, connection, 1)
    await client.publish(failing)
    await until(lambda: connection.fetchval(INBOX_ROWS, 2), within=10, what="the first attempt")
    for attempt in range(1, MAX_ATTEMPTS):
        await until(
            lambda attempt=attempt: was_tried(connection, attempt), within=5, what=f"attempt {attempt}"
        )
        (row,) = await parked(connection)
        assert row["reason"] == "retry"
        assert 4 ** (attempt - 1) - 1 < row["due_in"] <= 1.5 * 4 ** (attempt - 1)
        assert await time_of_purchase(client, connection, 1 + attempt) < usual + 1
        (row,) = await parked(connection)
        await connection.execute(SKIP, max(0.0, row["due_in"] or 0))
    await until(lambda: is_dead_letter(connection), within=5, what="the dead letter")
    for sequence in (1, 2, 3):
        await client.send(DidChanged.topic, changed_holder(failing, sequence), failing.number)
    await until(lambda: connection.fetchval(INBOX_ROWS, 1 + 4 + 3), within=5, what="the later messages")
    assert [row["reason"] for row in await parked(connection)] == ["dead", "behind", "behind", "behind"]
    assert await connection.fetchval(TERMS, 4)
    await deploy_fixed_release(installation, worker)
    await until(
        lambda: connection.fetchval("SELECT count(*) = 0 FROM parked"),
        within=10,
        what="an empty table of parked messages",
    )
    account = await connection.fetchval("SELECT account FROM terms WHERE number = $1", failing.number)
    assert account == "master"
    await connection.close()


async def time_of_purchase(client: RecordingClient, connection: asyncpg.Connection, terms: int) -> float:
    """Buy one more number. Return the seconds until billing has this many terms."""
    began = time.monotonic()
    await client.purchase(1)
    await until(lambda: connection.fetchval(TERMS, terms), within=10, what="another number's purchase")
    return time.monotonic() - began


async def was_tried(connection: asyncpg.Connection, attempts: int) -> bool:
    """Return True if the failing message had this many attempts."""
    return [row["attempts"] for row in await parked(connection)] == [attempts]


async def is_dead_letter(connection: asyncpg.Connection) -> bool:
    """Return True if the failing message is a dead letter with its cause and its entity."""
    rows = await connection.fetch("SELECT reason, detail, entity IS NOT NULL FROM dead_letters")
    return [tuple(row) for row in rows] == [("defect", rows[0]["detail"], True)] if rows else False


async def deploy_fixed_release(installation: Installation, worker: Any) -> None:
    """Start a worker of a release without the defect, and retry the dead letter."""
    await worker.process.stop()
    await installation.worker("billing").ready()
    dsns = {"billing": installation.parts.postgres["billing"]}
    listed = await dead_letters.listed(dsns, reason="defect", limit=10)
    handled = await dead_letters.retry(dsns, [item.letter.id for item in listed])
    assert [item.outcome for item in handled] == ["retried"]
