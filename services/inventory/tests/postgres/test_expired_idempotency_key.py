"""H5: a stored answer may be gone, the order that it answered is not: business uniqueness outlives the key."""

import json
from typing import Any


async def forget(inventory: Any) -> None:
    """Prune the stored answers, as happens when they are older than they are kept."""
    await inventory.database.fetch("DELETE FROM idempotency")


async def test_a_purchase_whose_key_has_expired_finds_the_did_that_it_made(inventory: Any, say: Any) -> None:
    """The call is decided anew: 200 with the same DID, unmarked, nothing said, nothing twice."""
    order = json.loads(json.dumps(say.order(), default=str))
    first = await inventory.call("POST", "/v1/purchases", key="k", json=order)
    await forget(inventory)
    anew = await inventory.call("POST", "/v1/purchases", key="k", json=order)

    assert (first.status_code, anew.status_code) == (201, 200)
    assert anew.json()["did_id"] == first.json()["did_id"]
    assert "Idempotent-Replayed" not in anew.headers
    assert len(await inventory.said("did.purchased")) == 1
    assert len((await inventory.get("/v1/dids"))["items"]) == 1


async def test_an_expired_key_buys_nobody_a_number_that_is_taken(inventory: Any, say: Any) -> None:
    """One number, one owner: under the free key another order, and another account, are refused."""
    order = json.loads(json.dumps(say.order(), default=str))
    del order["did_id"]
    assert (await inventory.call("POST", "/v1/purchases", key="k", json=order)).status_code == 201
    await forget(inventory)
    second = order | {"order_id": "o-2"}
    foreign = second | {"account": "other"}
    for body, who in ((second, "reseller:master/acme"), (foreign, "reseller:other")):
        refused = await inventory.call("POST", "/v1/purchases", who, key="k", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "number_taken")
    assert len(await inventory.said("did.purchased")) == 1
