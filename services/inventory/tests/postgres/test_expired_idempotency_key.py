"""A stored answer can expire. A purchase is still made once, because it is also recognized by its order."""

from typing import Any


async def forget_answers(inventory: Any) -> None:
    """Delete the stored answers, as happens when they are too old."""
    await inventory.fetch("DELETE FROM idempotency")


async def test_a_purchase_whose_key_has_expired_is_answered_with_the_did_that_it_made(
    inventory: Any, body_of: Any
) -> None:
    """The call is decided again: the answer is 200 without a mark, and nothing is published."""
    body = body_of()
    first = await inventory.call("POST", "/v1/purchases", key="k", json=body)
    await forget_answers(inventory)
    again = await inventory.call("POST", "/v1/purchases", key="k", json=body)

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["did_id"] == first.json()["did_id"]
    assert "Idempotent-Replayed" not in again.headers
    assert len(await inventory.published("did.purchased")) == 1
    assert len((await inventory.get("/v1/dids"))["items"]) == 1


async def test_an_expired_key_does_not_buy_a_number_that_is_taken(inventory: Any, body_of: Any) -> None:
    """Under the expired key another order, and another account, are refused."""
    assert (await inventory.call("POST", "/v1/purchases", key="k", json=body_of())).status_code == 201
    await forget_answers(inventory)
    other_order = body_of(order_id="o-2")
    other_account = other_order | {"account": "other"}
    for body, by in ((other_order, "reseller:master/acme"), (other_account, "service:other")):
        refused = await inventory.call("POST", "/v1/purchases", by, key="k", json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "number_taken")
    assert len(await inventory.published("did.purchased")) == 1
