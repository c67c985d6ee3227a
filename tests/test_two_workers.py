"""Two workers of a service decide on one new DID at the same instant, a thousand times over.

A row that is not there yet cannot be locked; if its key were not, one of the two effects would be gone.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from harness.fixtures import DatabaseFor
from harness.migrated import migrated

from didflow.services import service
from didflow_chassis.database import Database
from didflow_chassis.decision import Caller
from didflow_chassis.records import Record
from didflow_chassis.stage import Answer, IdempotencyKey, Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_contracts.event_data import EventData
from didflow_contracts.events import DidPurchased, VerificationApproved
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.commands import CreateAccount

TIMES = 1_000
SAMPLES = {
    "inventory": "SELECT count(*) FROM dids WHERE registration->>'state' = 'approved'",
    "billing": "SELECT count(*) FROM terms WHERE registration = 'approved'",
    "provisioning": "SELECT count(*) FROM routings WHERE registration = 'approved'",
}
"""What shows that both effects are there: the purchase's row, with the approval in it."""

_OFFSETS = count()


def record(data: EventData, source: str, event_id: str, sequence: int | None = None) -> Record:
    event = Event(id=event_id, source=source, time=datetime.now(UTC), data=data, sequence=sequence)
    headers = (("content-type", CONTENT_TYPE.encode()),)
    return Record(data.topic, 0, next(_OFFSETS), data.subject.encode(), encode(event), headers)


def purchase(n: int) -> Record:
    data: dict[str, Any] = {
        "did_id": derived_id("two", str(n)),
        "number": f"+442079460{n:03d}",
        "account": "master",
        "number_type": "local",
        "features": ["voice_in"],
        "order_id": f"order-{n}",
        "end_user_type": "business",
        "price": {money: {"amount": "1.00", "currency": "GBP"} for money in ("setup", "recurring")},
        "billing_period": 1,
    }
    return record(DidPurchased.model_validate(data), "/orders/two", f"purchase-{n}")


def approval(n: int) -> Record:
    data = VerificationApproved(
        did_id=derived_id("two", str(n)),
        number=f"+442079460{n:03d}",
        account="master",
        registration="approved",
    )
    return record(data, "/didflow/verification", f"approval-{n}", sequence=2)


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.mark.parametrize("name", SAMPLES)
async def test_purchase_and_approval_at_once_are_both_there(
    name: str, database_for: DatabaseFor, exits: AsyncExitStack
) -> None:
    """One worker takes the purchase while the other takes the approval: both effects, always, nothing waits."""
    dsn = await database_for(name, migrated(name))
    first, second = [await worker(name, dsn, exits) for _ in range(2)]
    if name == "inventory":
        await make_account(first)
    for n in range(TIMES):
        await asyncio.gather(first.records([purchase(n)]), second.records([approval(n)]))
    rows = await first.database.fetch(SAMPLES[name])
    assert rows[0][0] == TIMES
    assert not await first.database.fetch("SELECT FROM parked")


async def make_account(stage: Stage) -> None:
    """Make the account that buys; inventory sells to no other."""
    caller = Caller(subject="test", account="master", role="operator")
    wish = CreateAccount(entity_id="master", subject="", caller=caller, path="master", name="Master")
    key = IdempotencyKey(account="master", route="test", value=None, digest=bytes(32))
    await stage.command([wish], key=key, actor="user:test", answer=lambda _: Answer(status=201, body=b""))


async def worker(name: str, dsn: str, exits: AsyncExitStack) -> Stage:
    """The stage of one worker, with connections of its own."""
    database = Database(dsn, application="worker", size=2)
    await database.start()
    exits.push_async_callback(database.stop)
    tracing = start_tracing(service=name, process="test", endpoint=None)
    return Stage(service(name), database, StageTelemetry(Metrics(), tracing))
