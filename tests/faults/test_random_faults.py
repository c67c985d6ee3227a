"""Random faults: the four services run under a steady load while faults are injected, and then become idle.

`DIDFLOW_FAULT_MINUTES` sets the duration (default 0.75), `DIDFLOW_SEED` the faults. The report comes at the end.
"""

import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from faults.carrier import StartCarrier
from faults.customers import Customers, customer_load
from faults.database_server import DatabaseServer, database_server
from faults.evidence import gather
from faults.installation import Installation, InstallOn, ready
from faults.ledger import Ledger
from faults.random_faults import RandomFaults
from faults.recording_client import OpenClient, RecordingClient
from faults.report import report_of
from harness.broker import Broker

from didflow_contracts.topics import SERVICES

MINUTES = float(os.environ.get("DIDFLOW_FAULT_MINUTES") or 0.75)

PAUSES = ";".join(
    f"{place}=sleep:0.05"
    for place in ("stage.commit", "stage.answer", "consumer.taken", "relay.read", "relay.acked")
)
"""Every process pauses where a kill is most dangerous, so that more kills happen there."""


@dataclass(kw_only=True)
class Run:
    """An installation under load, and the faults that are injected into it."""

    installation: Installation
    client: RecordingClient
    random_faults: RandomFaults


@pytest.fixture
async def server() -> AsyncIterator[DatabaseServer]:
    """Run a database server for this test."""
    async with database_server() as running:
        yield running


@pytest.fixture
async def run(
    server: DatabaseServer,
    install_on: InstallOn,
    open_client: OpenClient,
    start_carrier: StartCarrier,
    exits: AsyncExitStack,
) -> Run:
    """Start four services with a worker and an API each, a carrier, and clients of all of them."""
    installation = install_on(await server.databases(SERVICES))
    client = await open_client(installation)
    settings: dict[str, Any] = {"FAILPOINTS": PAUSES}
    starting = [
        start(name, **settings) for name in SERVICES for start in (installation.worker, installation.api)
    ]
    members = {member.name: member for member in await ready(*starting)}
    for name in SERVICES:
        client.apis[name] = await exits.enter_async_context(
            installation.http_client(members[f"{name}-api-0"])
        )
    reviewer = installation.http_client(members["verification-api-0"], "reviewer")
    client.apis["reviewer"] = await exits.enter_async_context(reviewer)
    await start_carrier(installation)
    return Run(
        installation=installation,
        client=client,
        random_faults=RandomFaults(installation=installation, server=server, members=members),
    )


@pytest.mark.faults
async def test_nothing_is_lost_doubled_or_out_of_order_under_random_faults(
    run: Run, kafka_broker: Broker, ledger: Ledger, seed: int, tally: Any
) -> None:
    """Random faults: kills, freezes, rebalances, restarts of broker and database under load. Then I1 to I8 hold."""
    random_faults = run.random_faults
    async with customer_load(run.client, every=0.4, at_once=4, pause_s=0.6) as customers:
        await random_faults.inject(kafka_broker, random.Random(seed), seconds=MINUTES * 60)
    unfinished_work = await wait_until_idle(run.installation, customers)
    if unfinished_work and await random_faults.restart_failing():
        unfinished_work = await wait_until_idle(run.installation, customers)
    await random_faults.count_repeats()
    tally.report = report = report_of(
        seed=seed,
        ledger=ledger,
        evidence=await gather(run.installation, unfinished_work),
        faults=random_faults.faults,
        duplicates=random_faults.duplicates,
        unexpected=(*random_faults.unexpected, *run.client.unexpected),
    )
    assert report.passed, str(report)


async def wait_until_idle(installation: Installation, customers: Customers) -> list[str]:
    """Let the reviewer decide all open verifications, and wait until all is idle. Return the unfinished work."""
    unfinished_work = await installation.unfinished_work()
    while not unfinished_work and await customers.review():
        unfinished_work = await installation.unfinished_work()
    return unfinished_work
