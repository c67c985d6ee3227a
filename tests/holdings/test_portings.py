"""Portings that meet something else: over all four services, what My Numbers shows, what is charged and commanded."""

from typing import Any

import pytest
import pytest_asyncio
from harness.fixtures import OnPostgres
from holdings.four_services import ACME, FourServices, four_services, order

NUMBER = "+12125550136"
BETA = "reseller:master/beta"
ENDED = {"number": NUMBER, "account": "master/acme", "outcome": "failed", "reason": "The name differs."}
CHARGED = [("recurring", "2.50", "master/acme"), ("setup", "2.50", "master/acme")]
REFUNDED = sorted((*CHARGED, *[("refund", "-2.50", "master/acme")] * 2))


@pytest_asyncio.fixture
async def services(on_postgres: OnPostgres) -> FourServices:
    """The four services."""
    return await four_services(on_postgres)


def porting(**changes: Any) -> dict[str, Any]:
    """Return the body of a porting of the number by acme. It names no price."""
    return order(NUMBER, price=None, billing_period=None, **changes)


async def start(services: FourServices, by: str = ACME, **changes: Any) -> str:
    """Start a porting, and return its did_id."""
    made = await services.done("inventory", "POST", "/v1/portings", by, porting(**changes))
    return str(made["did_id"])


async def counts(services: FourServices) -> Any:
    """Return how many DIDs of acme each quick filter shows, without `all`."""
    summary = (await services.call("inventory", "GET", "/v1/dids/summary")).json()
    return {name: count for name, count in summary.items() if name != "all"}


async def code_of(services: FourServices, path: str, by: str = ACME, body: Any = None) -> tuple[int, Any]:
    """Send a POST, and return its status and the code of its refusal."""
    answer = await services.call("inventory", "POST", path, by, body)
    return answer.status_code, answer.json().get("code")


async def entries(services: FourServices, did: str, kind: str) -> list[Any]:
    """Return the entries of the history of a DID with a type."""
    found = (await services.call("inventory", "GET", f"/v1/dids/{did}/history?limit=1000")).json()["items"]
    return [entry for entry in found if entry["type"] == f"didflow.{kind}.v1"]


async def test_a_porting_is_configured_before_its_number_comes_and_completed_once(
    services: FourServices,
) -> None:
    """The trunk reaches the carrier with the activation. The same purchase again, by both ways, changes nothing."""
    features = ["voice_in"]
    did = await start(services, features=features)
    assert await counts(services) == {"porting": 1, "not_configured": 1}
    made = {"name": "PBX", "sip": {"uri": "sip:pbx.example.com"}}
    trunk = (await services.done("provisioning", "POST", "/v1/voice-trunks", ACME, made))["voice_trunk_id"]
    for action, value in (("set-voice", {"voice_trunk_id": trunk}), ("set-capacity", {"capacity": 2})):
        await services.done(
            "provisioning", "POST", f"/v1/routing/batch/{action}", ACME, {"dids": [did], **value}
        )
    shown = await services.shown(did)
    assert (shown["status"], shown["next_step"]["action"]) == ("porting_in_progress", "await_porting")
    assert (await counts(services), services.actions) == ({"porting": 1}, [])
    renewal = {"dids": [did], "billing_period": 1}
    renewed = await services.call("billing", "POST", "/v1/terms/batch/renew", ACME, renewal)
    assert renewed.json()["results"][0]["code"] == "no_term"

    bought = order(NUMBER, features=features, acquired="ported_in", did_id=did)
    await services.done("inventory", "POST", "/v1/purchases", ACME, bought)
    first = await services.shown(did)
    assert (first["status"], first["origin"], first["next_step"]["action"]) == ("active", "ported_in", "none")
    assert (await counts(services), await services.charges()) == ({"active": 1}, CHARGED)
    (activation,) = services.commands
    assert (activation.action, activation.parameters.voice.name) == ("activate", "PBX")

    assert await code_of(services, "/v1/purchases", ACME, bought) == (200, None)
    await services.say("did.purchased", **bought)
    await services.say("did.purchased", **bought | {"order_id": "again"})
    await services.say("did.porting_ended", did_id=did, **ENDED)
    assert await code_of(services, f"/v1/portings/{did}/cancel") == (409, "porting_completed")
    assert (await services.shown(did), await services.charges()) == (first, CHARGED)
    assert services.actions == ["activate"]
    (refused,) = await entries(services, did, "did.porting_ended")
    assert (refused["outcome"], refused["code"]) == ("refused", "porting_completed")


@pytest.mark.parametrize("first", ["failed", "canceled"])
async def test_a_porting_that_is_canceled_while_its_end_is_on_the_way_ends_once(
    services: FourServices, first: Any
) -> None:
    """Whichever comes first. A purchase that was sent before the end was known costs nothing."""
    did = await start(services)
    ended = await services.event("did.porting_ended", did_id=did, **ENDED)
    bought = order(NUMBER, acquired="ported_in", did_id=did)
    purchased = await services.event("did.purchased", **bought)
    if first == "canceled":
        canceled = await services.call("inventory", "POST", f"/v1/portings/{did}/cancel")
        assert canceled.json()["stock"] == "removed"
    await services.say("did.porting_ended", ended, purchased, did_id=did, **ENDED)
    assert await code_of(services, f"/v1/portings/{did}/cancel") == (200, None)
    await services.deliver()

    shown = await services.shown(did)
    assert (shown["stock"], shown["status"], shown["next_step"]["action"]) == ("removed", None, "none")
    assert (shown["term"]["state"], shown["routing"]["carrier_state"]) == ("closed", "released")
    assert (await counts(services), services.actions) == ({}, [])
    assert await services.charges() == REFUNDED
    (removed,) = await entries(services, did, "did.removed")
    assert removed["extra"] == {"reason": "porting_failed", "refunded": True}
    outcomes = [
        (each["outcome"], each["extra"]["reason"])
        for each in await entries(services, did, "did.porting_ended")
    ]
    reason = "The name differs."
    assert outcomes == [("applied" if first == "failed" else "unchanged", reason), ("unchanged", reason)]
    assert await code_of(services, "/v1/purchases", ACME, bought) == (409, "did_id_taken")
    assert await start(services, order_id="again") != did
    assert await counts(services) == {"porting": 1}


@pytest.mark.parametrize("owner", ["master/beta", "master/acme"])
async def test_a_number_in_a_stock_is_not_ported_in_and_what_was_begun_is_undone(
    services: FourServices, owner: Any
) -> None:
    """Its own stock or that of another. The number stays there, and its stock's history tells nothing of it."""
    by = f"reseller:{owner}"
    stocked = {"numbers": [NUMBER], "number_type": "local", "features": ["voice_out"]}
    await services.done("inventory", "POST", "/v1/stock", by, stocked)
    assert await code_of(services, "/v1/portings", ACME, porting()) == (409, "number_taken")

    did = "0190a5b6-7c00-7000-8000-000000000001"
    started = await services.event("did.porting_started", **porting(did_id=did))
    await services.say("did.purchased", started, **order(NUMBER, acquired="ported_in", did_id=did))
    assert (await services.call("inventory", "GET", f"/v1/dids/{NUMBER}")).status_code == 404
    shown = await services.shown(did)
    assert (shown["stock"], shown["status"], shown["term"]["state"]) == ("refused", None, "none")
    assert (await services.charges(), services.actions, await counts(services)) == (REFUNDED, [], {})
    history = await services.call("inventory", "GET", f"/v1/stock/{NUMBER}/history", by)
    assert [entry["type"] for entry in history.json()["items"]] == ["http.add_number"]
    (row,) = (await services.call("inventory", "GET", "/v1/stock", by)).json()["items"]
    assert (row["number"], row["stock"]) == (NUMBER, "in_stock")


async def test_nobody_but_its_account_completes_or_ends_a_porting(services: FourServices) -> None:
    """Over HTTP the did_id of others is like one that nobody has. By events it is not theirs, or another number's."""
    did = await start(services, BETA, account="master/beta", order_id="of beta")
    bought = order(NUMBER, acquired="ported_in", did_id=did)
    assert await code_of(services, "/v1/purchases", ACME, bought) == (404, "not_found")
    assert await code_of(services, f"/v1/portings/{did}/cancel") == (404, "not_found")
    assert await code_of(services, "/v1/portings", ACME, porting(order_id="mine")) == (409, "number_taken")
    await services.say("did.purchased", **bought)
    await services.say("did.porting_ended", did_id=did, **ENDED)
    await services.say("did.purchased", **bought | {"number": "+12125550137"})
    shown = await services.shown(did, BETA)
    assert (shown["number"], shown["status"], shown["term"]["state"]) == (
        NUMBER,
        "porting_in_progress",
        "none",
    )
    assert (await services.charges(), services.actions) == ([], [])
    own = order(NUMBER, acquired="ported_in", did_id=did, account="master/beta", order_id="of beta")
    await services.done("inventory", "POST", "/v1/purchases", BETA, own)
    assert (await services.shown(did, BETA))["status"] == "active"


async def test_a_number_of_the_stock_that_is_ported_out_while_held_is_in_no_stock_and_can_come_back(
    services: FourServices,
) -> None:
    """The term ends without a refund, the carrier need not keep the number. Another account ports it in later."""
    stocked = {"numbers": [NUMBER], "number_type": "local", "features": ["voice_out"]}
    await services.done("inventory", "POST", "/v1/stock", ACME, stocked)
    did = (await services.done("inventory", "POST", "/v1/purchases", ACME, order(NUMBER)))["did_id"]
    held = {"dids": [did], "days": 9, "after_hold": "in_stock"}
    await services.done("inventory", "POST", "/v1/dids/batch/hold", ACME, held)
    assert services.actions == ["activate", "suspend"]

    ended = await services.call("inventory", "POST", "/v1/dids/batch/port-out", ACME, {"dids": [did]})
    assert ended.json()["done"] == 1
    shown = await services.shown(did)
    assert (shown["stock"], shown["status"], shown["hold"]) == ("removed", None, None)
    too_early = porting(account="master/beta", order_id="of beta")
    assert await code_of(services, "/v1/portings", BETA, too_early) == (409, "number_releasing")
    await services.deliver()
    shown = await services.shown(did)
    assert (shown["term"]["state"], shown["routing"]["carrier_state"]) == ("closed", "released")
    assert (await counts(services), await services.charges()) == ({}, CHARGED)
    assert services.actions == ["activate", "suspend", "release"]
    assert services.commands[-1].parameters.keep is False
    assert (await services.call("inventory", "GET", "/v1/stock")).json()["items"] == []
    (removed,) = await entries(services, did, "did.removed")
    assert removed["extra"] == {"reason": "ported_out", "refunded": False}

    await start(services, BETA, account="master/beta", order_id="of beta")
    assert (await services.shown(NUMBER, BETA))["status"] == "porting_in_progress"
