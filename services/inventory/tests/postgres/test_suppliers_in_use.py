"""Carriers and operators that something uses, on a real PostgreSQL: their kind stays, and they are not deleted.

Also while a number or an account begins to use them in another transaction.
"""

from typing import Any, Final
from uuid import uuid4

import pytest
from harness.two_transactions import in_this_order

MASTER: Final = "master_reseller:master"
ACME: Final = "reseller:master/acme"
USES: Final = {
    "calls of a DID": "voice",
    "messages of a DID": "sms",
    "calls of a number in stock": "voice",
    "messages of a number in stock": "sms",
    "calls of an account": "voice",
    "messages of an account": "sms",
    "calls and messages of an account": "both",
}
"""Who uses a carrier, and which kind it needs."""
IN_USE: Final = (409, "in_use")
UNKNOWN: Final = (409, "carrier_unknown")


async def send(inventory: Any, method: str, route: str, by: str = MASTER, **body: Any) -> tuple[int, Any]:
    """Return status and body of the answer, or its code. Of a batch, return the code of the item, or None."""
    answer = await inventory.call(method, f"/v1{route}", by, json=body or None, key=str(uuid4()))
    found = answer.json() if answer.content else None
    if answer.is_success and "results" in (found or {}):
        return (answer.status_code if found["done"] else 409), found["results"][0].get("code")
    return answer.status_code, found if answer.is_success else found["code"]


async def carriers(inventory: Any, *names: str) -> None:
    """Create carriers for calls and messages that serve `master` and those below."""
    for name in names:
        assert (await send(inventory, "POST", "/carriers", name=name))[0] == 201


async def use(inventory: Any, body_of: Any, make: Any, carrier: str, what: str) -> tuple[int, Any]:
    """Let a DID, a number in stock or an account use a carrier."""
    who = what.rpartition(" of ")[2]
    field = "sms_carrier" if what.startswith("messages") else "carrier"
    if who == "a DID":
        body = body_of(number=make.number, **{field: carrier})
        return await send(inventory, "POST", "/purchases", ACME, **body)
    if who == "a number in stock":
        return await send(inventory, "POST", "/stock", ACME, numbers=[make.number], **{field: carrier})
    others: dict[str, Any] = {"default_sms_carrier": "simulator"} if what.startswith("calls of") else {}
    return await send(inventory, "PATCH", "/accounts/master/acme", **others, **{f"default_{field}": carrier})


@pytest.mark.parametrize("what", USES)
async def test_a_carrier_keeps_the_kind_that_something_uses(
    inventory: Any, body_of: Any, make: Any, what: str
) -> None:
    """It is not deleted either. The other kind is taken away and given back."""
    await carriers(inventory, "net")
    status, found = await use(inventory, body_of, make, "net", what)
    assert status in (200, 201), found

    needed = {"voice", "sms"} if USES[what] == "both" else {USES[what]}
    for kind in ("voice", "sms"):
        changed = await send(inventory, "PATCH", "/carriers/net", kind=kind)
        assert (changed == IN_USE) is (needed != {kind}), (kind, changed)
        assert (await send(inventory, "PATCH", "/carriers/net", kind="both"))[0] == 200
    assert await send(inventory, "DELETE", "/carriers/net") == IN_USE


async def test_a_carrier_that_nothing_uses_any_more_gets_any_kind(inventory: Any, make: Any) -> None:
    """A number that is in no stock, an account with another default and a removed DID do not count."""
    await carriers(inventory, "net")
    await inventory.receive(make.purchased(carrier="net"), make.removed())
    for body in ({"numbers": [make.in_stock], "carrier": "net"}, {"numbers": [make.in_stock]}):
        path = "/stock/batch/delete" if len(body) == 1 else "/stock"
        assert await send(inventory, "POST", path, ACME, **body) in ((200, None), (201, None))
    for name in ("net", None):
        changed = await send(inventory, "PATCH", "/accounts/master/acme", default_carrier=name)
        assert changed[0] == 200
    for kind in ("sms", "voice", "both"):
        assert (await send(inventory, "PATCH", "/carriers/net", kind=kind))[1]["kind"] == kind
    assert (await send(inventory, "DELETE", "/carriers/net"))[0] == 204


def taking(inventory: Any, body_of: Any, make: Any, carrier: str, what: str) -> Any:
    """Return the call by which something begins to use a carrier for calls. Its result is status and code."""
    if what == "a new account":
        account = {"path": f"master/acme/{carrier}", "name": "n", "default_carrier": carrier}
        return send(inventory, "POST", "/accounts", **account)
    if what == "the edit of a DID":
        return send(inventory, "PATCH", f"/dids/{make.number}", ACME, carrier=carrier)
    if what == "the edit of a number in stock":
        return send(inventory, "POST", "/stock/batch/edit", ACME, numbers=[make.in_stock], carrier=carrier)
    return use(inventory, body_of, make, carrier, what)


@pytest.mark.parametrize(
    "what",
    [
        "calls of a DID",
        "calls of a number in stock",
        "calls of an account",
        "a new account",
        "the edit of a DID",
        "the edit of a number in stock",
    ],
)
async def test_what_takes_a_carrier_and_what_takes_the_carrier_away_wait_for_each_other(
    inventory: Any, body_of: Any, make: Any, what: str
) -> None:
    """Whichever is first is done, and the other one is refused: never does something use a carrier that is gone."""
    await carriers(inventory, "one", "two", "three", "four")
    await send(inventory, "POST", "/stock", ACME, numbers=[make.in_stock])
    if what == "the edit of a DID":
        await inventory.purchase(make, make.number)

    def take(carrier: str) -> Any:
        return taking(inventory, body_of, make, carrier, what)

    def delete(carrier: str) -> Any:
        return send(inventory, "DELETE", f"/carriers/{carrier}")

    def narrow(carrier: str) -> Any:
        return send(inventory, "PATCH", f"/carriers/{carrier}", kind="sms")

    for carrier, lose in (("one", delete), ("two", narrow)):
        lost, taken, has_waited = await in_this_order(inventory, lose(carrier), take(carrier))
        assert (lost[0] in (200, 204), taken[1], has_waited) == (True, "carrier_unknown", True), carrier
    for carrier, lose in (("three", delete), ("four", narrow)):
        if carrier == "four" and what in ("calls of a DID", "calls of a number in stock"):
            continue  # the number is taken now
        taken, lost, has_waited = await in_this_order(inventory, take(carrier), lose(carrier))
        assert (taken[0] in (200, 201), lost, has_waited) == (True, IN_USE, True), (carrier, taken)


async def test_a_default_carrier_is_not_deleted_while_a_purchase_takes_it(
    inventory: Any, body_of: Any, make: Any
) -> None:
    """The account cannot give it up before the purchase is committed, and then the DID uses it."""
    await carriers(inventory, "net")
    assert (await send(inventory, "PATCH", "/accounts/master/acme", default_carrier="net"))[0] == 200
    bought, changed, has_waited = await in_this_order(
        inventory,
        send(inventory, "POST", "/purchases", ACME, **body_of(number=make.number)),
        send(inventory, "PATCH", "/accounts/master/acme", default_carrier=None),
    )
    assert (bought[0], changed[0], has_waited) == (201, 200, True)
    assert await send(inventory, "DELETE", "/carriers/net") == IN_USE


async def test_an_operator_is_not_deleted_while_a_number_in_stock_names_it(inventory: Any, make: Any) -> None:
    """Only numbers in the stock of its accounts count."""
    status, made = await send(inventory, "POST", "/operators", name="Telco", countries=["IE"])
    assert (status, made["countries"]) == (201, ["IE"])
    path = f"/operators/{made['operator_id']}"
    assert await send(inventory, "GET", path, "reseller:master/acme") == (200, made)
    assert (await send(inventory, "GET", path, "reseller:other"))[0] == 404
    assert (await send(inventory, "PATCH", path, notes="n"))[1]["notes"] == "n"
    body = {"numbers": [make.number], "operator": "Telco"}
    for by in ("operator:other", "reseller:master/acme"):
        added = await inventory.call("POST", "/v1/stock", by, json=body)
        if by == "operator:other":
            assert added.json()["done"] == 1, added.text
            assert (await send(inventory, "DELETE", path))[0] == 204
            assert (await send(inventory, "POST", "/operators", name="Telco"))[0] == 201
            assert (await inventory.call("DELETE", f"/v1/stock/{make.number}", by)).status_code == 204
    assert await send(inventory, "DELETE", path) == IN_USE


async def test_what_a_number_names_when_it_returns_is_not_deleted_while_it_is_a_did(
    inventory: Any, make: Any
) -> None:
    """Its operator, and the carrier of messages that the DID does not use. What the DID replaced can go."""
    for name in ("net", "texts", "other"):
        await send(inventory, "POST", "/carriers", name=name)
    _, operator = await send(inventory, "POST", "/operators", "reseller:master/acme", name="Telco")
    body = {"numbers": [make.number], "features": ["voice_in", "sms_in"], "operator": "Telco"}
    added = await inventory.call("POST", "/v1/stock", json=body | {"carrier": "net", "sms_carrier": "texts"})
    assert added.json()["done"] == 1, added.text
    to = {"numbers": [make.number], "account": "master/acme/shop"}
    assert (await inventory.call("POST", "/v1/stock/batch/hand-out", json=to)).json()["done"] == 1
    edit = {"features": ["voice_in"], "carrier": "other"}
    assert (await inventory.call("PATCH", f"/v1/dids/{make.number}", json=edit)).is_success

    assert await send(inventory, "DELETE", "/carriers/texts") == (409, "in_use")
    assert await send(inventory, "DELETE", f"/operators/{operator['operator_id']}") == (409, "in_use")
    assert (await send(inventory, "DELETE", "/carriers/net"))[0] == 204
    returned = await inventory.call("POST", "/v1/dids/batch/return", json={"dids": [make.number]})
    assert returned.json()["done"] == 1
    (item,) = (await inventory.get("/v1/stock"))["items"]
    assert (item["operator"], item["carrier"], item["sms_carrier"]) == ("Telco", "other", "texts")


async def operator(inventory: Any) -> str:
    """Create an operator, and return its path."""
    made = await send(inventory, "POST", "/operators", name="Telco")
    return f"/operators/{made[1]['operator_id']}"


@pytest.mark.parametrize("action", ["upload", "edit"])
async def test_the_deletion_of_an_operator_waits_for_the_number_that_names_it(
    inventory: Any, make: Any, action: str
) -> None:
    """Then it is refused."""
    path, body = await operator(inventory), {"numbers": [make.in_stock], "operator": "Telco"}
    if action == "edit":
        await send(inventory, "POST", "/stock", ACME, numbers=[make.in_stock])
    naming = send(inventory, "POST", "/stock/batch/edit" if action == "edit" else "/stock", ACME, **body)
    named, deleted, has_waited = await in_this_order(inventory, naming, send(inventory, "DELETE", path))
    assert (named, deleted, has_waited) == ((200, None), IN_USE, True)
