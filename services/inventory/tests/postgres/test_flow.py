"""The main job as inventory lives it: events in batches on a real PostgreSQL, in any order, more than once."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from didflow_contracts.ids import derived_id
from didflow_inventory.store import METADATA


def main_job(say: Any) -> list[Any]:
    """What inventory hears of one number until it is Active, but for the purchase."""
    return [
        say.registration("awaiting"),
        say.term("active"),
        say.posted(),
        say.registration("pending", 2, identity_id=say.identity, verification_id=say.other),
        say.registration("approved", 3, identity_id=say.identity, verification_id=say.other, reference="V-1"),
        say.routing("activating", voice=None, capacity=None),
        say.result(),
        say.activated(2, voice=None, capacity=None),
        say.routing("active", 3),
    ]


async def test_the_main_job_ends_active(inventory: Any, say: Any) -> None:
    """Purchase to Active, with every step in the story and every status said once."""
    await inventory.hear(say.purchased(), *main_job(say))

    did = await inventory.get(f"/v1/dids/{say.number}")
    assert (did["status"], did["circle"], did["next_step"]["action"]) == ("active", "green", "none")
    assert (did["registration"]["icon"], did["registration"]["reference"]) == ("active", "V-1")
    assert (did["routing"]["capacity"], did["routing"]["voice"]["name"]) == (2, "Dublin")
    assert did["identity"]["identity_id"] == str(say.identity)
    assert await inventory.get("/v1/dids/summary") == {"all": 1, "active": 1}
    statuses = [e["data"]["status"] for e in await inventory.said("did.status_changed")]
    assert statuses == ["awaiting_registration", "not_configured", "active"]

    story = (await inventory.get(f"/v1/dids/{say.number}/history"))["items"]
    assert len(story) == 10
    assert story[0]["cause"]["source"] == "/orders/acme"
    assert story[5]["changes"]["registration.state"] == {"before": "pending", "after": "approved"}
    assert story[5]["changes"]["status"]["after"] == "not_configured"
    assert story[5]["actor"] == "service:verification"


@pytest.mark.parametrize("apart", [False, True])
async def test_what_comes_before_the_purchase_waits_and_ends_the_same(
    inventory: Any, say: Any, apart: bool
) -> None:
    """In one batch or in many, backwards: the same DID, and nothing left waiting."""
    events = [*reversed(main_job(say)), say.purchased()]
    if apart:
        for event in events:
            await inventory.hear(event)
    else:
        await inventory.hear(*events)

    did = await inventory.get(f"/v1/dids/{say.number}")
    assert (did["status"], did["registration"]["state"], did["term"]["state"]) == (
        "active",
        "approved",
        "active",
    )
    assert (await inventory.said("did.status_changed"))[-1]["data"]["status"] == "active"
    assert await inventory.database.fetch("SELECT 1 FROM parked") == []


async def test_a_batch_delivered_twice_is_taken_once(inventory: Any, say: Any) -> None:
    """The same events again, from the first to the last: not a row, not an event more."""
    events = [say.purchased(), *main_job(say)]
    await inventory.hear(*events)
    said = await inventory.said()
    story = await inventory.get(f"/v1/dids/{say.number}/history")
    await inventory.hear(*events)

    assert await inventory.said() == said
    assert await inventory.get(f"/v1/dids/{say.number}/history") == story


async def test_what_inventory_said_over_http_comes_back_as_a_repeat(inventory: Any, say: Any) -> None:
    """The copies of did.purchased and enduser.assigned from Kafka change nothing and are told nowhere."""
    command = say.purchase()
    order = command.data.model_dump(mode="json")
    await inventory.call("POST", "/v1/purchases", key="k", json=order)
    wish = {"dids": [say.number], "identity_id": str(say.identity)}
    await inventory.call("POST", "/v1/dids/batch/assign-end-user", json=wish)
    before = await inventory.get(f"/v1/dids/{say.number}/history")
    await inventory.hear_again("did.purchased")
    await inventory.hear_again("enduser.assigned")

    assert await inventory.get(f"/v1/dids/{say.number}/history") == before
    assert len(before["items"]) == 2


async def test_two_purchases_of_one_number_at_one_instant_have_one_winner(inventory: Any, say: Any) -> None:
    """However close, one gets the number and the other is refused."""
    numbers = [f"+353196090{two:02}" for two in range(20)]
    rivals = [
        say.purchased(did_id=derived_id(number, who), order_id=f"{who} {number}", number=number, account=who)
        for number in numbers
        for who in ("master/acme", "other")
    ]
    await asyncio.gather(*(inventory.hear(rival) for rival in rivals))

    refused = await inventory.said("purchase.refused")
    assert sorted(e["subject"] for e in refused) == numbers
    assert {e["data"]["code"] for e in refused} == {"number_taken"}
    assert (await inventory.get("/v1/dids/summary", "operator:root"))["all"] == len(numbers)


async def test_a_removed_number_is_sold_again_as_another_did(inventory: Any, say: Any) -> None:
    """In one batch: removed, released, bought anew. The former life is read by its id."""
    again = say.purchased(did_id=say.other, order_id="o-2")
    await inventory.hear(say.purchased(), *main_job(say))
    await inventory.hear(say.removed(), say.routing("released", 9), again)

    assert (await inventory.get(f"/v1/dids/{say.number}"))["did_id"] == str(say.other)
    former = await inventory.get(f"/v1/dids/{say.did}")
    assert (former["stock"], former["status"], former["time_left_days"]) == ("removed", None, None)
    assert (await inventory.get("/v1/dids/summary"))["all"] == 1


async def test_a_refused_purchase_is_read_by_its_id_and_listed_nowhere(inventory: Any, say: Any) -> None:
    """Its story says why."""
    await inventory.hear(say.purchased(number="+35319999999999"))

    assert (await inventory.get("/v1/dids"))["items"] == []
    assert (await inventory.get(f"/v1/dids/{say.did}"))["stock"] == "refused"
    story = (await inventory.get(f"/v1/dids/{say.did}/history"))["items"]
    assert [(line["outcome"], line["code"]) for line in story] == [("applied", "invalid_number")]


async def test_the_tables_are_what_the_code_expects(inventory: Any) -> None:
    """Every column of the store is in the migrated database with its type and nullability, and no other."""
    rows = await inventory.database.fetch(
        sa.text(
            "SELECT table_name, column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns "
            "WHERE table_schema = 'public'"
        )
    )
    found = {(row["table_name"], row["column_name"], row["nullable"]) for row in rows}
    ours = {(t.name, c.name, c.nullable) for t in METADATA.sorted_tables for c in t.columns}
    assert {one for one in found if one[0] in METADATA.tables} == ours
