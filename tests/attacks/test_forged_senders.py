"""An outsider poses as a service, as another tenant and as another carrier. The victim loses nothing."""

from typing import Any, Final
from uuid import uuid4

from harness.outside_records import ATTACKER, BYSTANDER, numbers, purchase, record

from attacks.details import STRICT, approve, assign, created, succeeds
from attacks.target import Target
from didflow_chassis.records import Record

NUMBERS = numbers("+12124")
ROUTING: Final = "SELECT carrier_state FROM routings WHERE number = $1"
REGISTRATION: Final = "SELECT state FROM registrations WHERE number = $1"
KNOWN: Final = "SELECT count(*) FROM dids WHERE number = $1"
PAYER: Final = "SELECT payer FROM terms WHERE number = $1"
REFUSED: Final = "SELECT EXISTS (SELECT FROM history WHERE number = $1 AND code = 'not_yours')"
TERM: Final = "SELECT state FROM terms WHERE number = $1"
ACTIVATION: Final = "SELECT command_id FROM carrier_commands WHERE number = $1 AND action = 'activate'"
STOCK: Final = "SELECT stock FROM dids WHERE number = $1"
FREE: Final = {"amount": "0.00", "currency": "USD"}
FORGED_SEQUENCES: Final = range(1, 20)


def forgeries(victim: dict[str, Any]) -> list[Record]:
    """Return events about the victim's DID that are not from whom they name, or name what their source may not."""
    stolen = victim | {"account": ATTACKER}
    details = {
        **{name: victim[name] for name in ("did_id", "number", "account")},
        "identity_id": str(uuid4()),
        "address_id": None,
        "document_ids": [],
    }
    as_service = [
        record(topic, data, source="/didflow/inventory", sequence=str(n), actor="service:inventory")
        for n in FORGED_SEQUENCES
        for topic, data in (("did.purchased", stolen), ("enduser.assigned", details))
    ]
    return [
        *as_service,
        record("did.purchased", stolen, source="/didflow/inventory"),
        record("did.purchased", stolen, source="/didflow/inventory/x"),
        record("did.purchased", stolen, source="/didflow/billing", actor="user:operator"),
        record("did.purchased", victim, source="/orders/acme/../beta"),
        record("did.purchased", victim, source="/orders/acme"),
        record("did.purchased", victim, source="/orders/acme", sequence="900"),
        record("did.purchased", victim, source="/orders/beta", sequence="900"),
        record("enduser.assigned", details, source="/didflow/inventory/x"),
        record("enduser.assigned", details, source="/portals/acme"),
        record("enduser.assigned", details, source="/orders/acme"),
    ]


async def test_forged_events_change_nothing_and_the_victims_own_events_are_applied(target: Target) -> None:
    """Each is a dead letter `unexpected_source`. Then the victim's end-user details reach all services."""
    victim = purchase(next(STRICT), BYSTANDER)
    number = victim["number"]
    async with target.beside_bystanders("forged services, tenants and sequences"):
        await target.publish([record("did.purchased", victim, source="/orders/beta")])
        await target.becomes("verification", REGISTRATION, number, expected="awaiting")
        await target.becomes("inventory", KNOWN, number, expected=1)
        forged = forgeries(victim)
        for topic in ("did.purchased", "enduser.assigned"):
            places = await target.publish([each for each in forged if each.topic == topic])
            for of_service in (await target.fates(places)).values():
                assert of_service == {"dead unexpected_source": len(places)}, of_service
        await assign(target, [number], await created(target, BYSTANDER), account=BYSTANDER)
        await target.becomes("verification", REGISTRATION, number, expected="pending")
        await approve(target, [number])
        await target.becomes("provisioning", ROUTING, number, expected="active")
        assert await target.databases["billing"].fetchval(PAYER, number) == BYSTANDER


async def test_a_source_that_may_not_set_prices_buys_at_those_of_the_price_list(target: Target) -> None:
    """A price that it names is a dead letter `price_not_allowed` everywhere. The list is empty: the DID is removed."""
    web = "/orders/acme/web"
    for topic in ("did.purchased", "did.porting_started"):
        named = purchase(next(NUMBERS), price={"setup": FREE, "recurring": FREE})
        for of_service in (
            await target.fates(await target.publish([record(topic, named, source=web)]))
        ).values():
            assert of_service == {"dead price_not_allowed": 1}, of_service
    listed = purchase(next(NUMBERS), price=None)
    await target.publish([record("did.purchased", listed, source=web)])
    await target.becomes("billing", TERM, listed["number"], expected="closed")
    await target.becomes("inventory", STOCK, listed["number"], expected="removed")
    await target.becomes("provisioning", ROUTING, listed["number"], expected="released")


async def test_the_result_of_another_carrier_is_refused(target: Target) -> None:
    """A forged failure of the activation is decided and has no effect. The own carrier's next result is applied."""
    victim = purchase(next(NUMBERS), BYSTANDER)
    number = victim["number"]
    async with target.beside_bystanders("results of another carrier"):
        await target.publish([record("did.purchased", victim, source="/orders/beta")])
        await target.becomes("provisioning", ROUTING, number, expected="active")
        await target.becomes("billing", TERM, number, expected="active")
        result = {
            **{name: victim[name] for name in ("did_id", "number", "account")},
            "command_id": str(await target.databases["provisioning"].fetchval(ACTIVATION, number)),
            "attempt": 1,
            "outcome": "failed",
            "retryable": False,
            "code": "rejected",
        }
        places = await target.publish([record("provisioning.results", result, source="/carriers/other")])
        for of_service in (await target.fates(places)).values():
            assert of_service == {"decided": len(places)}, of_service
        await target.becomes("inventory", REFUSED, number, expected=True)
        await cancel(target, number)
        await target.becomes("provisioning", ROUTING, number, expected="suspended")


async def cancel(target: Target, number: str) -> None:
    """Cancel the victim's term, as the victim."""
    body = {"dids": [number]}
    await succeeds(target, "/v1/terms/batch/cancel", body, service="billing", account=BYSTANDER)
