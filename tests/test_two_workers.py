"""Two workers of a service decide about one new DID at the same time, a thousand times.

A row that does not exist cannot be locked. The stage locks the key instead, so neither effect is lost.
"""

from asyncio import gather
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from harness.fixtures import DatabaseFor
from harness.migrations import migration_of

from didflow.services import service
from didflow_chassis.decision import Caller
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.envelope import Event
from didflow_contracts.events import DidPurchased, VerificationApproved
from didflow_contracts.ids import derived_id
from didflow_inventory.api.bodies import AccountBody
from didflow_inventory.domain.accounts.commands import CreateAccount

TIMES = 1_000
BOTH_EFFECTS = {
    "inventory": "SELECT count(*) FROM dids WHERE registration->>'state' = 'approved'",
    "billing": "SELECT count(*) FROM terms WHERE registration = 'approved'",
    "provisioning": "SELECT count(*) FROM routings WHERE registration = 'approved'",
}
"""Counts the rows that a purchase created and that have the approval."""


def purchase(n: int) -> Event[DidPurchased]:
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
    purchased = DidPurchased.model_validate(data)
    return Event(id=f"purchase-{n}", source="/orders/two", time=datetime.now(UTC), data=purchased)


def approval(n: int) -> Event[VerificationApproved]:
    approved = VerificationApproved(
        did_id=derived_id("two", str(n)),
        number=f"+442079460{n:03d}",
        account="master",
        registration="approved",
    )
    source = "/didflow/verification"
    return Event(id=f"approval-{n}", source=source, time=datetime.now(UTC), data=approved, sequence=2)


@pytest.fixture
async def exits() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.mark.parametrize("name", BOTH_EFFECTS)
async def test_a_purchase_and_an_approval_at_the_same_time_both_take_effect(
    name: str, database_for: DatabaseFor, exits: AsyncExitStack
) -> None:
    """One worker receives the purchase while the other receives the approval. Nothing is lost or parked."""
    dsn = await database_for(name, migration_of(name))
    first, second = [
        await exits.enter_async_context(ServiceOnPostgres.open(service(name), dsn, migrate=False))
        for _ in range(2)
    ]
    if name == "inventory":
        await create_account(first)
    for n in range(TIMES):
        await gather(first.receive(purchase(n)), second.receive(approval(n)))
    rows = await first.fetch(BOTH_EFFECTS[name])
    assert rows[0][0] == TIMES
    assert await first.parked() == []


async def create_account(inventory: ServiceOnPostgres) -> None:
    """Create the account that buys. Inventory sells only to accounts that exist."""
    caller = Caller(subject="test", account="master", role="operator")
    properties = AccountBody(path="master", name="Master").properties()
    await inventory.run(
        CreateAccount(entity_id="master", subject="", caller=caller, path="master", properties=properties)
    )
