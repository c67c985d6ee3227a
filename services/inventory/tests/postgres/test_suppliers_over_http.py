"""Carriers and operators over HTTP on a real PostgreSQL: what names them is found by the database."""

from typing import Any

import pytest

MASTER = "master_reseller:master"


async def send(inventory: Any, method: str, path: str, by: str = MASTER, **body: Any) -> tuple[int, Any]:
    """Return status and body, or code, of the answer."""
    answer = await inventory.call(method, f"/v1{path}", by, json=body or None)
    found = answer.json() if answer.content else None
    return answer.status_code, found if answer.is_success else found["code"]


async def test_a_carrier_is_named_by_its_name_or_its_id(inventory: Any) -> None:
    """The accounts below see it, and cannot change it. A sibling tree does not see it."""
    status, made = await send(inventory, "POST", "/carriers", name="net")
    assert (status, made["account"], made["kind"]) == (201, "master", "both")
    assert (await send(inventory, "POST", "/carriers", name="net"))[0] == 200
    below = "enterprise_admin:master/acme/shop"
    for name in ("net", made["carrier_id"]):
        assert await send(inventory, "GET", f"/carriers/{name}", below) == (200, made)
        assert (await send(inventory, "GET", f"/carriers/{name}", "reseller:other"))[0] == 404
    assert (await inventory.get("/v1/carriers", below))["items"] == [made]
    assert (await inventory.get("/v1/carriers", "reseller:other"))["items"] == []
    acme = "master_reseller:master/acme"
    assert await send(inventory, "PATCH", "/carriers/net", acme, kind="sms") == (404, "not_found")
    assert (await send(inventory, "PATCH", "/carriers/net", kind="sms"))[1]["kind"] == "sms"
    assert (await send(inventory, "DELETE", "/carriers/net", acme))[0] == 404
    assert (await send(inventory, "DELETE", "/carriers/net"))[0] == 204
    assert (await send(inventory, "GET", "/carriers/net"))[0] == 404


@pytest.mark.parametrize("used", ["did", "sms", "stock", "account", "account for messages"])
async def test_a_carrier_is_not_deleted_while_something_names_it(
    inventory: Any, make: Any, used: Any
) -> None:
    """A live DID, a number in stock, or an account, for calls or for messages."""
    await send(inventory, "POST", "/carriers", name="net")
    if used == "did":
        await inventory.purchase(make, make.number, carrier="net")
    if used == "sms":
        await inventory.purchase(make, make.number, sms_carrier="net")
    if used == "stock":
        body = {"numbers": [make.number], "carrier": "net"}
        added = await inventory.call("POST", "/v1/stock", json=body)
        assert added.json()["done"] == 1, added.text
    if used.startswith("account"):
        field = "default_carrier" if used == "account" else "default_sms_carrier"
        assert (await send(inventory, "PATCH", "/accounts/master", **{field: "net"}))[0] == 200
    assert await send(inventory, "DELETE", "/carriers/net") == (409, "in_use")


async def test_a_purchase_or_an_upload_with_an_unknown_carrier_is_refused(
    inventory: Any, body_of: Any, make: Any
) -> None:
    """The code and the field are in the answer, for each number of an upload."""
    await send(inventory, "POST", "/carriers", "master_reseller:other", name="theirs")
    for name in ("theirs", "nobodys"):
        body = body_of(number=make.number, carrier=name)
        bought = await inventory.call("POST", "/v1/purchases", key=f"k {name}", json=body)
        assert (bought.status_code, bought.json()["code"]) == (409, "carrier_unknown")
        added = await inventory.call("POST", "/v1/stock", json={"numbers": [make.number], "carrier": name})
        assert added.json()["results"][0]["code"] == "carrier_unknown"


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
    assert await send(inventory, "DELETE", path) == (409, "in_use")


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


async def test_a_name_that_looks_like_another_one_is_refused(inventory: Any) -> None:
    """Adapters and uploads find a carrier or an operator by the exact name."""
    for path in ("/v1/carriers", "/v1/operators"):
        for name in (" net", "net ", "a\nb", "a\u0007b", "Cafe\u0301", "\u200bnet", "  "):
            answer = await inventory.call("POST", path, MASTER, json={"name": name})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name"), name
        accepted = await inventory.call("POST", path, MASTER, json={"name": "Café Télécom 2"})
        assert accepted.status_code == 201, accepted.text
