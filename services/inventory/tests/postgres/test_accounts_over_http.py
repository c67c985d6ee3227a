"""Accounts, and the caller itself, over HTTP on a real PostgreSQL."""

from typing import Any

import pytest


async def test_accounts_are_created_below_the_callers_own_and_listed(inventory: Any) -> None:
    """201 is a new account, 200 a repeat, 409 other properties, 404 out of reach, 403 a role, 422 a wrong path."""

    async def create(path: str, by: str = "reseller:master/acme", **more: Any) -> int:
        response = await inventory.call("POST", "/v1/accounts", by, json={"path": path, "name": "n"} | more)
        return int(response.status_code)

    net = {"account": "master", "name": "net"}
    assert (await inventory.call("POST", "/v1/carriers", "operator:root", json=net)).status_code == 201
    assert await create("master/acme/new", default_carrier="net") == 201
    assert await create("master/acme/new", default_carrier="net") == 200
    assert await create("master/acme/new") == 409
    assert await create("other/new") == 404
    assert await create("master/acme/new/x", "enterprise_admin:master/acme/new") == 403
    assert await create("Not A Path") == 422

    listed = (await inventory.get("/v1/accounts"))["items"]
    assert [account["path"] for account in listed] == ["master/acme", "master/acme/new", "master/acme/shop"]


@pytest.mark.parametrize(("role", "status"), [("user", 403), ("reviewer", 200), ("enterprise_admin", 200)])
async def test_a_user_cannot_list_accounts(inventory: Any, role: str, status: int) -> None:
    """The other roles list the accounts in their reach."""
    response = await inventory.call("GET", "/v1/accounts", f"{role}:master/acme")
    assert response.status_code == status


async def test_a_caller_reads_who_it_is_and_what_its_role_may_do(inventory: Any) -> None:
    """The permissions are the actions of the role."""
    assert await inventory.get("/v1/me", "user:master/acme") == {
        "sub": "ann",
        "account": "master/acme",
        "role": "user",
        "permissions": ["see_numbers", "edit_description", "read_requirements"],
    }


async def test_an_account_is_changed_by_its_path(inventory: Any) -> None:
    """Slashes can be escaped. Unknown fields, also the kind and the path, are refused."""

    async def change(path: str, by: str = "reseller:master/acme", **body: Any) -> Any:
        return await inventory.call("PATCH", f"/v1/accounts/{path}", by, json=body)

    texts = {"account": "master/acme", "name": "texts", "kind": "sms"}
    assert (await inventory.call("POST", "/v1/carriers", "operator:root", json=texts)).status_code == 201
    answer = await change("master/acme/shop", allow_external_numbers=True, default_sms_carrier="texts")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["allow_external_numbers"], answer.json()["kind"]) == (True, "reseller")
    assert (await change("master%2Facme%2Fshop", default_sms_carrier=None)).json()[
        "default_sms_carrier"
    ] is None
    assert (await change("master/acme", may_set_prices=False)).json()["code"] == "own_account"
    assert (await change("master/acme/shop", kind="enterprise")).json()["code"] == "unknown_field"
    assert (await change("other", name="x")).status_code == 404
    assert (await change("master/acme", "enterprise_admin:master/acme", name="x")).status_code == 403


@pytest.mark.parametrize(("path", "kind"), [("new", "enterprise"), ("master/acme/new", "master_reseller")])
async def test_a_kind_that_the_account_cannot_have_is_refused(inventory: Any, path: Any, kind: Any) -> None:
    """422 names the field."""
    body = {"path": path, "name": "n", "kind": kind}
    answer = await inventory.call("POST", "/v1/accounts", "operator:root", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "kind")


@pytest.mark.parametrize("field", ["default_carrier", "default_sms_carrier"])
async def test_an_account_cannot_have_a_carrier_that_does_not_serve_it(inventory: Any, field: str) -> None:
    """Another tree's carrier, an unknown one and one of the wrong kind are answered alike, with the field."""
    wrong = {"default_carrier": "sms", "default_sms_carrier": "voice"}[field]
    for account, name, kind in (("other", "theirs", "both"), ("master", "wrong", wrong)):
        carrier = {"account": account, "name": name, "kind": kind}
        made = await inventory.call("POST", "/v1/carriers", "operator:root", json=carrier)
        assert made.status_code == 201, made.text
    for name in ("theirs", "nobodys", "wrong"):
        body = {"path": f"master/acme/{name}", "name": "n", field: name}
        for answer in (
            await inventory.call("POST", "/v1/accounts", json=body),
            await inventory.call("PATCH", "/v1/accounts/master/acme", json={field: name}),
        ):
            found = answer.json()
            assert (answer.status_code, found.get("code")) == (409, "carrier_unknown"), name
            assert [error["field"] for error in found["errors"]] == [field]
    listed = (await inventory.get("/v1/accounts"))["items"]
    assert [account["path"] for account in listed] == ["master/acme", "master/acme/shop"]
