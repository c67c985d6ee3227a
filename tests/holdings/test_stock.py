"""Numbers in stock over all four services: handed out, returned, reserved and sold by an order system."""

from typing import Any

import pytest_asyncio
from harness.fixtures import OnPostgres
from holdings.four_services import ACME, MASTER, FourServices, four_services, order

NUMBER = "+12125550136"
SHOP = "reseller:master/acme/shop"


@pytest_asyncio.fixture
async def services(on_postgres: OnPostgres) -> FourServices:
    """The four services."""
    return await four_services(on_postgres)


async def free(services: FourServices, by: str = SHOP) -> list[str]:
    """Return the numbers that an account can have."""
    found = (await services.call("inventory", "GET", "/v1/available", by)).json()["items"]
    return [each["number"] for each in found]


async def test_a_number_is_handed_out_without_a_charge_returned_reserved_and_sold(
    services: FourServices,
) -> None:
    """It is active without a term, its carrier keeps it for us, and then the reserver alone purchases it."""
    stocked = {"numbers": [NUMBER], "number_type": "local", "features": ["voice_out"], "tag": "gold"}
    await services.done("inventory", "POST", "/v1/stock", ACME, stocked)
    given = {"numbers": [NUMBER], "account": "master/acme/shop"}
    await services.done("inventory", "POST", "/v1/stock/batch/hand-out", ACME, given)

    shown = await services.shown(NUMBER, SHOP)
    assert (shown["status"], shown["term"]["state"], shown["origin"], shown["tags"]) == (
        "active",
        "none",
        "stock",
        ["gold"],
    )
    assert (await services.charges(), services.actions, await free(services)) == ([], ["activate"], [])
    renewal = {"dids": [NUMBER], "billing_period": 1}
    refused = await services.call("billing", "POST", "/v1/terms/batch/renew", SHOP, renewal)
    assert refused.json()["results"][0]["code"] == "no_term"

    await services.done("inventory", "POST", "/v1/dids/batch/return", SHOP, {"dids": [NUMBER]})
    assert services.actions == ["activate", "release"]
    assert services.commands[-1].parameters.keep is True
    assert (await free(services), await free(services, MASTER)) == ([NUMBER], [])

    wanted = {"numbers": [NUMBER], "minutes": 5}
    await services.done("inventory", "POST", "/v1/reservations", SHOP, wanted)
    for account, is_sold in (("master/acme", False), ("master/acme/shop", True)):
        did = f"0190a5b6-7c00-7000-8000-0000000000{is_sold:02}"
        await services.say("did.purchased", **order(NUMBER, did_id=did, account=account))
        found = await services.call("inventory", "GET", f"/v1/dids/{NUMBER}", SHOP)
        assert (found.status_code == 200) is is_sold
    sold: Any = await services.shown(NUMBER, SHOP)
    assert (sold["status"], sold["term"]["state"], sold["payer"]) == ("active", "active", "master/acme/shop")
    charges = await services.charges()
    assert [kind for kind, _, payer in charges if payer == "master/acme/shop"] == ["recurring", "setup"]
    assert [kind for kind, _, payer in charges if payer == "master/acme"] == [
        "recurring",
        "refund",
        "refund",
        "setup",
    ]


async def test_a_number_has_the_region_in_stock_that_verification_says_later(services: FourServices) -> None:
    """In the stock, among what can be had, and from the first instant of the DID. A mobile number has none."""
    regions = {"+12125550136": "New York, NY", "+353851234567": None, "+4930901820": "Berlin"}
    regions |= {"+35319609036": "Dublin"}
    stocked = {"numbers": list(regions), "features": ["voice_out"]}
    await services.done("inventory", "POST", "/v1/stock", ACME, stocked)

    async def shown(path: str, by: str = SHOP, field: str = "region") -> dict[str, Any]:
        found = (await services.call("inventory", "GET", path, by)).json()["items"]
        return {each["number"]: each[field] for each in found}

    assert await shown("/v1/stock", ACME) == await shown("/v1/available") == regions
    *handed_out, sold = regions
    given = {"numbers": handed_out, "account": "master/acme/shop"}
    await services.call("inventory", "POST", "/v1/stock/batch/hand-out", ACME, given)
    bought = order(sold, account="master/acme/shop", number_type="local")
    await services.call("inventory", "POST", "/v1/purchases", "service:master/acme/shop", bought)
    assert await shown("/v1/dids") == regions
    assert set((await shown("/v1/dids", field="area")).values()) == {None}
    await services.deliver()
    assert await shown("/v1/dids") == await shown("/v1/dids", field="area") == regions
