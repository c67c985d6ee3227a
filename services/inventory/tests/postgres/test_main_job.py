"""The events of one DID in batches on a real PostgreSQL: in any order, more than once, at the same time."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from didflow_contracts.ids import derived_id
from didflow_inventory.store import METADATA


def main_job(make: Any) -> list[Any]:
    """Return the events from the purchase, which is left out, until the DID is Active."""
    details = {"identity_id": make.identity_id, "verification_id": make.other_id}
    return [
        make.registration("awaiting"),
        make.term("active"),
        make.ledger_posted(),
        make.registration("pending", 2, **details),
        make.registration("approved", 3, **details, reference="V-1"),
        make.routing("activating", voice=None, capacity=None),
        make.result(),
        make.activated(2, voice=None, capacity=None),
        make.routing("active", 3),
    ]


async def test_the_main_job_ends_active(inventory: Any, make: Any) -> None:
    """Every step is in the history, and every status is published once."""
    await inventory.receive(make.purchased(), *main_job(make))

    did = await inventory.get(f"/v1/dids/{make.number}")
    assert (did["status"], did["circle"], did["next_step"]["action"]) == ("active", "green", "none")
    assert (did["registration"]["icon"], did["registration"]["reference"]) == ("active", "V-1")
    assert (did["routing"]["capacity"], did["routing"]["voice"]["name"]) == (2, "Dublin")
    assert did["identity"]["identity_id"] == str(make.identity_id)
    assert await inventory.get("/v1/dids/summary") == {"all": 1, "active": 1}
    statuses = [event.data.status for event in await inventory.published("did.status_changed")]
    assert statuses == ["awaiting_registration", "not_configured", "active"]

    entries = (await inventory.get(f"/v1/dids/{make.number}/history"))["items"]
    assert len(entries) == 10
    assert entries[0]["cause"]["source"] == "/orders/acme"
    assert entries[5]["changes"]["registration.state"] == {"before": "pending", "after": "approved"}
    assert entries[5]["changes"]["status"]["after"] == "not_configured"
    assert entries[5]["actor"] == "service:verification"


@pytest.mark.parametrize("in_one_batch", [True, False])
async def test_events_before_the_purchase_end_in_the_same_did(
    inventory: Any, make: Any, in_one_batch: bool
) -> None:
    """All events arrive in the reverse order, in one batch or in many; no message is left parked."""
    events = [*reversed(main_job(make)), make.purchased()]
    if in_one_batch:
        await inventory.receive(*events)
    else:
        for event in events:
            await inventory.receive(event)

    did = await inventory.get(f"/v1/dids/{make.number}")
    assert (did["status"], did["registration"]["state"], did["term"]["state"]) == (
        "active",
        "approved",
        "active",
    )
    assert (await inventory.published("did.status_changed"))[-1].data.status == "active"
    assert await inventory.parked() == []


async def test_a_batch_that_is_delivered_twice_has_its_effect_once(inventory: Any, make: Any) -> None:
    """The second delivery publishes nothing and adds nothing to the history."""
    events = [make.purchased(), *main_job(make)]
    await inventory.receive(*events)
    published = await inventory.published()
    history = await inventory.get(f"/v1/dids/{make.number}/history")
    await inventory.receive(*events)

    assert await inventory.published() == published
    assert await inventory.get(f"/v1/dids/{make.number}/history") == history


async def test_the_events_of_http_calls_are_repeats_when_inventory_receives_them(
    inventory: Any, make: Any
) -> None:
    """`did.purchased` and `enduser.assigned` from Kafka change nothing and have no second entry."""
    body = make.purchase().data.model_dump(mode="json")
    await inventory.call("POST", "/v1/purchases", key="k", json=body)
    details = {"dids": [make.number], "identity_id": str(make.identity_id)}
    await inventory.call("POST", "/v1/dids/batch/assign-end-user", json=details)
    before = await inventory.get(f"/v1/dids/{make.number}/history")
    await inventory.receive(*await inventory.published("did.purchased"))
    await inventory.receive(*await inventory.published("enduser.assigned"))

    assert await inventory.get(f"/v1/dids/{make.number}/history") == before
    assert len(before["items"]) == 2


async def test_of_two_purchases_of_one_number_at_the_same_time_one_is_refused(
    inventory: Any, make: Any
) -> None:
    """The other one gets the number, however close the two are."""
    numbers = [f"+353196090{digits:02}" for digits in range(20)]
    purchases = [
        make.purchased(
            did_id=derived_id(number, account), order_id=f"{account} {number}", number=number, account=account
        )
        for number in numbers
        for account in ("master/acme", "other")
    ]
    await asyncio.gather(*(inventory.receive(purchase) for purchase in purchases))

    refused = await inventory.published("purchase.refused")
    assert sorted(event.subject for event in refused) == numbers
    assert {event.data.code for event in refused} == {"number_taken"}
    assert (await inventory.get("/v1/dids/summary", "operator:root"))["all"] == len(numbers)


async def test_a_removed_number_is_sold_again_as_another_did(inventory: Any, make: Any) -> None:
    """Removal, release and purchase come in one batch. The former DID is read by its id."""
    again = make.purchased(did_id=make.other_id, order_id="o-2")
    await inventory.receive(make.purchased(), *main_job(make))
    await inventory.receive(make.removed(), make.routing("released", 9), again)

    assert (await inventory.get(f"/v1/dids/{make.number}"))["did_id"] == str(make.other_id)
    former = await inventory.get(f"/v1/dids/{make.did_id}")
    assert (former["stock"], former["status"], former["time_left_days"]) == ("removed", None, None)
    assert (await inventory.get("/v1/dids/summary"))["all"] == 1


async def test_a_refused_did_is_read_by_its_id_and_is_in_no_list(inventory: Any, make: Any) -> None:
    """Its history has the code of the refusal."""
    await inventory.receive(make.purchased(number="+35319999999999"))

    assert (await inventory.get("/v1/dids"))["items"] == []
    assert (await inventory.get(f"/v1/dids/{make.did_id}"))["stock"] == "refused"
    entries = (await inventory.get(f"/v1/dids/{make.did_id}/history"))["items"]
    assert [(entry["outcome"], entry["code"]) for entry in entries] == [("applied", "invalid_number")]


async def test_the_migrated_tables_have_the_columns_of_the_code(inventory: Any) -> None:
    """Names and nullability are the same, and no table has another column."""
    rows = await inventory.fetch(
        sa.text(
            "SELECT table_name, column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
    )
    migrated = {(row["table_name"], row["column_name"], row["nullable"]) for row in rows}
    expected = {(t.name, c.name, c.nullable) for t in METADATA.sorted_tables for c in t.columns}
    assert {column for column in migrated if column[0] in METADATA.tables} == expected
