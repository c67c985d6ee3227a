"""Tier K: the four services under a steady load while a nemesis breaks whatever there is, and then quiet.

`DIDFLOW_FAULT_MINUTES` says for how long (default 3), `DIDFLOW_SEED` which faults come. The report comes at the end.
"""

import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from faults.carrier import Carry
from faults.customers import Customers, acting
from faults.evidence import gather
from faults.installation import Installation, InstallOn, ready
from faults.ledger import Ledger
from faults.nemesis import Nemesis
from faults.oracle import Ask, Oracle
from faults.report import reported
from faults.servers import DatabaseServer, database_server
from harness.broker import Broker

from didflow_contracts.topics import SERVICES

MINUTES = float(os.environ.get("DIDFLOW_FAULT_MINUTES") or 3)

SLOW = ";".join(
    f"{place}=sleep:0.05"
    for place in ("stage.commit", "stage.answer", "consumer.taken", "relay.read", "relay.acked")
)
"""Every process rests where it would be worst to be killed, so that more kills come just there."""


@dataclass(kw_only=True)
class Run:
    """Everything under load, and what breaks it."""

    at: Installation
    oracle: Oracle
    nemesis: Nemesis


@pytest.fixture
async def server() -> AsyncIterator[DatabaseServer]:
    """A database server of this test's own."""
    async with database_server() as running:
        yield running


@pytest.fixture
async def run(
    server: DatabaseServer, install_on: InstallOn, ask: Ask, carrier: Carry, exits: AsyncExitStack
) -> Run:
    """Four services with a worker and an API each, a carrier, and clients of all of them."""
    at = install_on(await server.databases(SERVICES))
    oracle = await ask(at)
    slow: dict[str, Any] = {"FAILPOINTS": SLOW}
    starting = [start(name, **slow) for name in SERVICES for start in (at.worker, at.api)]
    members = {member.name: member for member in await ready(*starting)}
    for name in SERVICES:
        oracle.apis[name] = await exits.enter_async_context(at.http_client(members[f"{name}-api-0"]))
    reviewer = at.http_client(members["verification-api-0"], "reviewer")
    oracle.apis["reviewer"] = await exits.enter_async_context(reviewer)
    await carrier(at)
    return Run(at=at, oracle=oracle, nemesis=Nemesis(at=at, server=server, members=members))


@pytest.mark.faults
async def test_nothing_is_lost_doubled_or_out_of_order_whatever_breaks(
    run: Run, kafka_broker: Broker, ledger: Ledger, seed: int, tally: Any
) -> None:
    """Tier K: kills, freezes, rebalances, restarts of broker and database under load: I1 to I8 hold after quiet."""
    nemesis = run.nemesis
    async with acting(run.oracle, every=0.4, at_once=4, pause_s=0.6) as customers:
        await nemesis.rage(kafka_broker, random.Random(seed), seconds=MINUTES * 60)
    unrest = await quiet(run.at, customers)
    await nemesis.calm()
    tally.report = report = reported(
        seed=seed,
        ledger=ledger,
        evidence=await gather(run.at, unrest),
        faults=nemesis.faults,
        duplicates=nemesis.duplicates,
        odd=(*nemesis.odd, *run.oracle.odd),
    )
    assert report.passed, str(report)


async def quiet(at: Installation, customers: Customers) -> list[str]:
    """Let the reviewer decide what is left, and everything come to rest."""
    unrest = await at.unrest()
    while not unrest and await customers.review():
        unrest = await at.unrest()
    return unrest
