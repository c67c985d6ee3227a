"""Commands of different rooms about the same number at the same instant, over HTTP on a real PostgreSQL."""

import asyncio
from collections import Counter
from typing import Any

PREFIX = "+35319600"
RESELLER, SHOP, FIRM = "reseller:master/acme", "master/acme/shop", "master/acme/firm"


def is_done(answer: Any) -> bool:
    """Return True if a call, or the only item of a batch, was done."""
    assert answer.status_code < 500, answer.text
    body = answer.json()
    return body["done"] == 1 if "results" in body else answer.status_code == 201


async def test_a_number_is_had_in_one_of_all_ways_and_once(inventory: Any, body_of: Any) -> None:
    """By purchase, hand-out, pick, reservation by another account, port-in, or as the default of a user."""
    enterprise = {"path": FIRM, "name": "Firm", "kind": "enterprise", "allow_external_numbers": True}
    assert (await inventory.call("POST", "/v1/accounts", json=enterprise)).status_code == 201
    body = {"numbers": "100-111", "prefix": PREFIX}
    assert (await inventory.call("POST", "/v1/stock", json=body)).json()["done"] == 12
    package = (await inventory.call("POST", "/v1/packages", json={"name": "P", "count": 5})).json()
    path = f"/v1/packages/{package['package_id']}"
    assert (await inventory.call("POST", f"{path}/clients", json={"account": FIRM})).status_code == 201

    async def ways(number: str) -> int:
        order = body_of(number=number, order_id=f"o {number}")
        porting = {k: v for k, v in order.items() if k != "price"} | {"order_id": f"p {number}"}
        numbers = {"numbers": [number]}
        calls = [
            ("/v1/purchases", RESELLER, order),
            ("/v1/portings", RESELLER, porting),
            ("/v1/stock/batch/hand-out", RESELLER, numbers | {"account": FIRM}),
            ("/v1/reservations", f"reseller:{SHOP}", numbers),
            (f"{path}/picks", f"enterprise_admin:{FIRM}", numbers),
            ("/v1/users", f"enterprise_admin:{FIRM}", {"name": "u", "kind": "pbx", "default_did": number}),
        ]
        answers = await asyncio.gather(
            *(inventory.call("POST", where, by, f"{where} {number}", json=json) for where, by, json in calls)
        )
        return sum(map(is_done, answers))

    found = await asyncio.gather(*(ways(f"{PREFIX}{n}") for n in range(100, 112)))
    assert found == [1] * 12
    dids = (await inventory.get("/v1/dids"))["items"]
    held = (await inventory.get("/v1/stock", stock="held"))["items"]
    got = Counter(item["number"] for item in (*dids, *held))
    assert got == Counter(f"{PREFIX}{n}" for n in range(100, 112))


async def test_an_account_holds_1000_numbers_however_many_it_asks_for_at_once(inventory: Any) -> None:
    """The lock of its count lets one reservation after another decide."""
    for first in ("0000-0599", "0600-1199"):
        body = {"numbers": first, "prefix": "+3531961"}
        assert (await inventory.call("POST", "/v1/stock", json=body)).json()["done"] == 600
    answers = await asyncio.gather(
        *(
            inventory.call("POST", "/v1/reservations", key=str(n), json={"country": "IE", "count": 250})
            for n in range(6)
        )
    )
    codes = Counter(answer.json().get("code", answer.status_code) for answer in answers)
    assert codes[201] == 4
    assert codes["reservation_limit"] + codes["not_enough_numbers"] == 2
    held = (await inventory.get("/v1/stock", stock="held", limit=1000))["items"]
    assert len(held) == 1000
