"""F35: the data of one tenant makes decisions raise. Its own records are given up; nobody else waits."""

import time
from contextlib import AsyncExitStack
from typing import Final

import asyncpg
from aiokafka.partitioner import murmur2
from faults.installation import Install, Member, ready
from faults.recording_client import OpenClient, RecordingClient, SentPurchase
from harness.processes import until

from didflow import dead_letters
from didflow_chassis.parked import MAX_ATTEMPTS
from didflow_contracts.events import DidPurchased

TENANT: Final = "master/beta"
TENANTS_PREFIX: Final = "+13125"
"""The prefix of the tenant's numbers: every decision about one of them raises."""
PARTITION: Final = 0
RECORDS: Final = 30
OTHERS: Final = 10
SERVED_S: Final = 15.0
ATTEMPTS: Final = "SELECT count(*) FROM parked WHERE attempts >= $1"
GIVEN_UP: Final = "SELECT count(*) FROM dead_letters WHERE reason = 'defect'"
TERMS: Final = "SELECT count(*) FROM terms WHERE number = ANY($1::text[])"
NOW_DUE: Final = (
    "UPDATE parked SET due_at = clock_timestamp() + (SELECT shift FROM clock) WHERE due_at IS NOT NULL"
)


def on_partition(client: RecordingClient, *, prefix: str, account: str) -> SentPurchase:
    """Return a purchase that is on the partition by its key."""
    while True:
        purchase = client.make(prefix=prefix, account=account)
        if (murmur2(purchase.number.encode()) & 0x7FFFFFFF) % 12 == PARTITION:
            return purchase


async def send(client: RecordingClient, purchase: SentPurchase) -> None:
    """Publish a purchase on the partition, as an order system does."""
    await client.send(DidPurchased.topic, purchase.value, purchase.number)


async def post(client: RecordingClient, purchase: SentPurchase) -> None:
    """Purchase over HTTP. Inventory publishes it on the partition of its number."""
    body = purchase.data.model_dump(mode="json", exclude_unset=True)
    answer = await client.call("inventory", "/v1/purchases", body, key=purchase.key)
    assert answer.status == 201, answer


async def test_data_of_one_tenant_that_makes_decisions_raise_stops_nobody_else(
    install: Install, open_client: OpenClient, exits: AsyncExitStack
) -> None:
    """F35: 30 records on one partition, by event and over HTTP. Others on it are served; the breaker is closed.

    A release without the defect decides the tenant's records when they are retried.
    """
    installation = await install("inventory", "billing")
    client = await open_client(installation)
    worker, api, _ = await ready(
        installation.worker("billing", FAILPOINTS=f"stage.decide=raise~{TENANTS_PREFIX}"),
        installation.api("inventory"),
        installation.worker("inventory"),
    )
    client.apis["inventory"] = await exits.enter_async_context(installation.http_client(api))
    connection = await asyncpg.connect(installation.parts.postgres["billing"])
    bad = [on_partition(client, prefix=TENANTS_PREFIX, account=TENANT) for _ in range(RECORDS)]
    for n, purchase in enumerate(bad):
        await (post if n % 3 == 0 else send)(client, purchase)
    others = [on_partition(client, prefix="+12125", account="master/acme") for _ in range(OTHERS)]
    began = time.monotonic()
    for n, purchase in enumerate(others):
        await (post if n % 3 == 0 else send)(client, purchase)
    numbers = [purchase.number for purchase in others]
    await until(
        lambda: connection.fetchval(f"{TERMS} HAVING count(*) = {OTHERS}", numbers),
        within=60,
        what="the others' terms",
    )
    assert time.monotonic() - began < SERVED_S
    await until(
        lambda: connection.fetchval(f"{ATTEMPTS} HAVING count(*) = {RECORDS}", 1),
        within=30,
        what="the first attempt at each record of the tenant",
    )
    for attempts in range(2, MAX_ATTEMPTS + 1):
        await connection.execute(NOW_DUE)
        await until(
            lambda attempts=attempts: connection.fetchval(
                f"{ATTEMPTS} HAVING count(*) = {RECORDS}", attempts
            ),
            within=30,
            what=f"attempt {attempts}",
        )
    assert await connection.fetchval(GIVEN_UP) == RECORDS
    assert await is_closed(worker)
    await worker.process.stop()
    await installation.worker("billing").ready()
    dsns = {"billing": installation.parts.postgres["billing"]}
    letters = await dead_letters.listed(dsns, reason="defect", limit=RECORDS)
    await dead_letters.retry(dsns, [one.letter.id for one in letters])
    await until(
        lambda: connection.fetchval(f"{TERMS} HAVING count(*) = {RECORDS}", [one.number for one in bad]),
        within=60,
        what="the tenant's terms after a release without the defect",
    )
    await connection.close()


async def is_closed(worker: Member) -> bool:
    """Return True if the worker is ready and has never opened a breaker."""
    assert await worker.health_answer("/healthz/ready") is not None
    return "didflow_breaker_open{" not in (await worker.health_answer("/metrics") or "")
