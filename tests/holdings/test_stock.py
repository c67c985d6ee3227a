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
