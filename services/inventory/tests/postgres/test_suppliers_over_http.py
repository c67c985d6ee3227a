"""Carriers and operators over HTTP on a real PostgreSQL: what names them is found by the database."""

from typing import Any

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


async def test_a_name_that_looks_like_another_one_is_refused(inventory: Any) -> None:
    """Adapters and uploads find a carrier or an operator by the exact name."""
    for path in ("/v1/carriers", "/v1/operators"):
        for name in (" net", "net ", "a\nb", "a\u0007b", "Cafe\u0301", "\u200bnet", "  "):
            answer = await inventory.call("POST", path, MASTER, json={"name": name})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "name"), name
        accepted = await inventory.call("POST", path, MASTER, json={"name": "Café Télécom 2"})
        assert accepted.status_code == 201, accepted.text
