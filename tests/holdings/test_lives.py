"""Portings, port-outs, holds, blocks and handovers over all four services: what is shown, charged and commanded."""

from typing import Any

import pytest
import pytest_asyncio
from harness.fixtures import OnPostgres
from holdings.four_services import ACME, MASTER, FourServices, four_services, order

NUMBER = "+12125550136"
IRISH = "+35319609036"
CHARGED = [("recurring", "2.50", "master/acme"), ("setup", "2.50", "master/acme")]


@pytest_asyncio.fixture
async def services(on_postgres: OnPostgres) -> FourServices:
    """The four services."""
    return await four_services(on_postgres)


async def purchase(services: FourServices, **changes: Any) -> str:
    """Purchase the number, and return its did_id."""
    body = order(NUMBER) | changes
    return (await services.done("inventory", "POST", "/v1/purchases", json=body))["did_id"]


async def port_in(services: FourServices) -> str:
    """Start the porting of the number, and return its did_id. Nothing is charged and no carrier is told anything."""
    body = order(NUMBER, price=None, billing_period=None)
    did = (await services.done("inventory", "POST", "/v1/portings", json=body))["did_id"]
    shown = await services.shown(did)
    assert (shown["status"], shown["registration"]["state"]) == ("porting_in_progress", "not_required")
    assert (shown["term"]["state"], shown["next_step"]["action"]) == ("none", "await_porting")
    assert (await services.charges(), services.actions) == ([], [])
    return did


async def batch(services: FourServices, action: str, did: str, by: str = ACME, **body: Any) -> None:
    """Run an action on one DID."""
    await services.done("inventory", "POST", f"/v1/dids/batch/{action}", by, {"dids": [did], **body})


async def removed(services: FourServices, did: str, by: str = ACME) -> Any:
    """Return the DID, which must be removed in all services, with its carrier released."""
    shown = await services.shown(did, by)
    assert (shown["stock"], shown["status"], shown["term"]["state"]) == ("removed", None, "closed")
    assert shown["routing"]["carrier_state"] == "released"
    found = await services.call("inventory", "GET", f"/v1/dids/{NUMBER}", by)
    assert found.status_code == 404
    return shown


@pytest.mark.parametrize("over", ["http", "event"])
async def test_a_ported_number_is_charged_and_activated_when_its_purchase_completes_it(
    services: FourServices, over: Any
) -> None:
    """From Porting in Progress to Active. Not before it, and once."""
    did = await port_in(services)
    bought = order(NUMBER, acquired="ported_in", did_id=did)
    if over == "http":
        await services.done("inventory", "POST", "/v1/purchases", json=bought)
    else:
        await services.say("did.purchased", **bought)
    shown = await services.shown(did)
    assert (shown["status"], shown["term"]["state"]) == ("active", "active")
    assert (await services.charges(), services.actions) == (CHARGED, ["activate"])


@pytest.mark.parametrize("end", ["failed", "canceled", "canceled over HTTP"])
async def test_a_porting_that_ends_charges_nothing_and_commands_nothing(
    services: FourServices, end: Any
) -> None:
    """The DID is gone, and the number can be had again."""
    did = await port_in(services)
    if end == "canceled over HTTP":
        await services.done("inventory", "POST", f"/v1/portings/{NUMBER}/cancel")
    else:
        await services.say("did.porting_ended", did_id=did, number=NUMBER, account="master/acme", outcome=end)
    await removed(services, did)
    assert (await services.charges(), services.actions) == ([], [])
    history = (await services.call("inventory", "GET", f"/v1/dids/{did}/history")).json()["items"]
    assert "didflow.did.removed.v1" in [entry["type"] for entry in history]
    await purchase(services, order_id="again")
    assert (await services.shown(NUMBER))["status"] == "active"


async def test_a_number_that_is_ported_out_is_released_without_a_refund(services: FourServices) -> None:
    """Its carrier need not keep it."""
    did = await purchase(services)
    await batch(services, "port-out", did)
    await removed(services, did)
    assert (await services.charges(), services.actions) == (CHARGED, ["activate", "release"])
    assert services.commands[-1].parameters.keep is False


async def test_a_block_suspends_calls_and_the_term_goes_on(services: FourServices) -> None:
    """Unblocked, the number is active again."""
    did = await purchase(services)
    await batch(services, "block", did, MASTER)
    shown = await services.shown(did)
    assert (shown["status"], shown["routing"]["carrier_state"], shown["term"]["state"]) == (
        "blocked",
        "suspended",
        "active",
    )
    await batch(services, "unblock", did, MASTER)
    assert (await services.shown(did))["status"] == "active"
    assert services.actions == ["activate", "suspend", "resume"]


async def test_a_number_of_another_subtree_loses_its_details_and_targets_and_keeps_its_payer(
    services: FourServices,
) -> None:
    """Verification awaits details again, provisioning clears the trunk, billing goes on charging who purchased."""
    body = order(IRISH, features=["voice_in"])
    did = (await services.done("inventory", "POST", "/v1/purchases", json=body))["did_id"]
    trunk = {"name": "PBX", "sip": {"uri": "sip:pbx.example.com"}}
    made = await services.done("provisioning", "POST", "/v1/voice-trunks", json=trunk)
    voice = {"dids": [did], "voice_trunk_id": made["voice_trunk_id"]}
    await services.done("provisioning", "POST", "/v1/routing/batch/set-voice", json=voice)
    company = {"type": "business", "company_name": "Bakery"}
    identity = (await services.done("verification", "POST", "/v1/identities", json=company))["identity_id"]
    place = {"street": "7 Lane", "city": "Dublin", "country": "IE", "identity_id": identity}
    address = (await services.done("verification", "POST", "/v1/addresses", json=place))["address_id"]
    details = {"dids": [did], "identity_id": identity, "address_id": address}
    await services.done("inventory", "POST", "/v1/dids/batch/assign-end-user", json=details)
    shown = await services.shown(did)
    assert (shown["registration"]["state"], shown["routing"]["voice"]["name"]) == ("pending", "PBX")

    await batch(services, "assign-account", did, account="master/acme/shop")
    shown = await services.shown(did)
    assert (shown["registration"]["state"], shown["routing"]["voice"]["name"]) == ("pending", "PBX")
    await batch(services, "take-back", did, MASTER)
    await batch(services, "assign-account", did, MASTER, account="master/beta")
    shown = await services.shown(did, "reseller:master/beta")
    assert (shown["registration"]["state"], shown["routing"]["voice"]) == ("awaiting", None)
    assert (shown["account"], shown["payer"]) == ("master/beta", "master/acme")
    assert (await services.call("inventory", "GET", f"/v1/dids/{did}")).status_code == 404
    assert {payer for _, _, payer in await services.charges()} == {"master/acme"}
