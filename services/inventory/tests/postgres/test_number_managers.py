"""What resellers and the administrators of enterprises do with numbers every day, over HTTP on a real PostgreSQL.

The README lists it with all its tests, in "What number managers expect".
"""

from typing import Any

import pytest

PREFIX = "+35319600"
RESELLER, FIRM, SHOP = "reseller:master/acme", "master/acme/firm", "master/acme/shop"
ADMIN = f"enterprise_admin:{FIRM}"


async def do(inventory: Any, path: str, by: str = RESELLER, /, **body: Any) -> Any:
    """Send a POST that must succeed, and return the answer."""
    answer = await inventory.call("POST", f"/v1/{path}", by, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def results(inventory: Any, path: str, by: str = RESELLER, /, **body: Any) -> list[Any]:
    """Return the outcome or the code of each item of a batch."""
    found = (await do(inventory, path, by, **body))["results"]
    return [each["code"] or each["outcome"] for each in found]


async def listed(inventory: Any, path: str, by: str = RESELLER, /, **query: Any) -> list[str]:
    """Return the last three digits of the numbers of a list."""
    return [item["number"][-3:] for item in (await inventory.get(f"/v1/{path}", by, **query))["items"]]


def numbers(*last: int) -> list[str]:
    """Return the numbers with these last three digits."""
    return [f"{PREFIX}{n}" for n in last]


@pytest.fixture
async def firm(inventory: Any) -> Any:
    """An inventory with an enterprise of the reseller, which may not add numbers of its own."""
    await do(inventory, "accounts", path=FIRM, name="Firm", kind="enterprise")
    return inventory


async def test_what_an_upload_says_about_its_numbers_is_shown_and_found(inventory: Any) -> None:
    """Operator, each of the three states, what comes after a hold, tag, notes. One number or many."""
    await do(inventory, "operators", name="Telco", countries=["IE"])
    for n, status in enumerate(("in_stock", "reserved", "archived"), 101):
        said = {"operator": "Telco", "status": status, "after_hold": status, "tag": "gold", "notes": "box 7"}
        assert await results(inventory, "stock", numbers=numbers(n)[0], **said) == ["done"]
        (item,) = (await inventory.get("/v1/stock", number_contains=f"00{n}"))["items"]
        assert {name: item[name] for name in said if name != "status"} | {"status": item["stock"]} == said
    assert await results(inventory, "stock", numbers=["201", "203"], prefix=PREFIX) == ["done", "done"]
    assert await listed(inventory, "stock", operator="Telco", tag="gold") == ["101", "102", "103"]
    assert await listed(inventory, "stock", stock="reserved") == ["102"]
    assert await listed(inventory, "stock", tag="silver") == []


async def test_the_tag_of_a_number_in_stock_finds_its_did(inventory: Any) -> None:
    """Whoever gets it finds the DIDs of a group by it."""
    await do(inventory, "stock", numbers=numbers(101, 102), tag="gold")
    await do(inventory, "stock", numbers=numbers(103))
    await do(inventory, "stock/batch/hand-out", numbers=numbers(101, 102, 103), account=SHOP)
    assert await listed(inventory, "dids", f"reseller:{SHOP}", tag="gold") == ["101", "102"]


async def test_selected_numbers_are_edited_together(inventory: Any) -> None:
    """In stock and as DIDs. Those that are not selected stay as they are, and the audit log has each change."""
    await do(inventory, "stock", numbers="101-104", prefix=PREFIX, tag="old")
    edited = await results(inventory, "stock/batch/edit", numbers=numbers(101, 102), tag="new", notes="n")
    assert edited == ["done", "done"]
    assert await listed(inventory, "stock", tag="new") == ["101", "102"]
    assert await listed(inventory, "stock", tag="old") == ["103", "104"]
    await do(inventory, "stock/batch/hand-out", numbers=numbers(101, 102, 103), account=SHOP)
    edit = {"dids": numbers(101, 102), "description": "Main", "add_tags": ["vip"], "remove_tags": ["new"]}
    assert await results(inventory, "dids/batch/edit", **edit) == ["done", "done"]
    shown = (await inventory.get("/v1/dids"))["items"]
    assert [(did["description"], did["tags"]) for did in shown] == [
        ("Main", ["vip"]),
        ("Main", ["vip"]),
        (None, ["old"]),
    ]
    log = (await inventory.get(f"/v1/dids/{PREFIX}101/history"))["items"]
    assert log[-1]["changes"]["description"] == {"before": None, "after": "Main"}
    assert log[-1]["actor"] == "user:ann"


@pytest.mark.parametrize("by", [RESELLER, f"enterprise_admin:{SHOP}"])
async def test_only_numbers_in_stock_are_picked_by_a_client_or_for_it(inventory: Any, by: str) -> None:
    """What is reserved or archived is not offered. The reseller can pick in the client's name."""
    await do(inventory, "stock", numbers="101-104", prefix=PREFIX)
    await do(inventory, "stock/batch/reserve", numbers=numbers(101))
    await do(inventory, "stock/batch/archive", numbers=numbers(102))
    package = f"packages/{(await do(inventory, 'packages', name='Three', count=3))['package_id']}"
    await do(inventory, f"{package}/clients", account=SHOP)
    assert await listed(inventory, f"{package}/numbers", by) == ["103", "104"]
    wanted = {"numbers": numbers(101, 102, 103), "account": SHOP}
    picked = await results(inventory, f"{package}/picks", by, **wanted)
    assert picked == ["number_reserved", "number_archived", "done"]
    assert await listed(inventory, "dids", f"enterprise_admin:{SHOP}") == ["103"]


async def test_each_capability_without_a_carrier_gets_the_default_carrier(inventory: Any) -> None:
    """Calls and messages have one each, and fax goes with calls. A carrier that is selected comes first."""
    for name, kind in (("calls", "voice"), ("texts", "sms"), ("own", "both")):
        await do(inventory, "carriers", "master_reseller:master", name=name, kind=kind)
    defaults = {"default_carrier": "calls", "default_sms_carrier": "texts"}
    await inventory.call("PATCH", "/v1/accounts/master", "master_reseller:master", json=defaults)

    async def carriers(n: int, *features: str, **selected: str) -> tuple[Any, Any]:
        assert await results(inventory, "stock", numbers=numbers(n), features=features, **selected) == [
            "done"
        ]
        (item,) = (await inventory.get("/v1/stock", number_contains=f"{n}"))["items"]
        return item["carrier"], item["sms_carrier"]

    assert await carriers(101, "voice_in") == await carriers(102, "fax") == ("calls", None)
    assert await carriers(103, "sms_in") == (None, "texts")
    assert await carriers(104, "voice_in", "sms_in", "fax") == ("calls", "texts")
    assert await carriers(105, "voice_in", "sms_in", carrier="own") == ("own", "texts")
    assert await carriers(106, "voice_in", "sms_in", sms_carrier="own") == ("calls", "own")


async def test_capabilities_and_carriers_change_until_a_user_has_the_number(firm: Any) -> None:
    """In stock and at the enterprise. A capability that is taken away takes its default carrier with it."""
    await do(firm, "carriers", "master_reseller:master", name="net")
    await do(firm, "stock", numbers=numbers(101), features=["voice_in", "sms_in"])
    await do(firm, "stock/batch/edit", numbers=numbers(101), features=["voice_in"])
    (item,) = (await firm.get("/v1/stock"))["items"]
    assert (item["features"], item["carrier"], item["sms_carrier"]) == (["voice_in"], "simulator", None)
    await do(firm, "stock/batch/hand-out", numbers=numbers(101), account=FIRM)

    path = f"/v1/dids/{PREFIX}101"
    changed = await firm.call("PATCH", path, ADMIN, json={"features": ["sms_in"], "sms_carrier": "net"})
    assert (changed.status_code, changed.json()["sms_carrier"]) == (200, "net")
    changed = await firm.call("PATCH", path, ADMIN, json={"features": ["voice_in"], "carrier": "net"})
    assert (changed.json()["carrier"], changed.json()["sms_carrier"]) == ("net", None)
    user = await do(firm, "users", ADMIN, name="Desk", kind="pbx", default_did=numbers(101)[0])
    for change in ({"features": ["sms_in"]}, {"carrier": "simulator"}):
        refused = await firm.call("PATCH", path, RESELLER, json=change)
        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    await do(firm, "dids/batch/assign-user", ADMIN, dids=numbers(101), user_id=None)
    assert (await firm.call("PATCH", path, RESELLER, json={"carrier": "simulator"})).status_code == 200
    assert (await firm.get(f"/v1/users/{user['user_id']}", ADMIN))["default_did"] is None


async def test_an_enterprise_sees_the_numbers_that_it_was_given_and_no_others(firm: Any) -> None:
    """Neither the stock of the reseller nor what its other accounts have."""
    await do(firm, "stock", numbers="101-105", prefix=PREFIX)
    await do(firm, "stock/batch/hand-out", numbers=numbers(101, 102), account=FIRM)
    await do(firm, "stock/batch/hand-out", numbers=numbers(103), account=SHOP)
    assert await listed(firm, "dids", ADMIN) == ["101", "102"]
    assert await listed(firm, "stock", ADMIN) == []
    assert (await firm.call("GET", f"/v1/dids/{PREFIX}103", ADMIN)).status_code == 404
    assert await listed(firm, "dids") == ["101", "102", "103"]
    assert await listed(firm, "stock") == ["104", "105"]


@pytest.mark.parametrize("kind", ["pbx", "trunk"])
async def test_a_new_user_brings_a_number_of_its_own_where_the_reseller_allows_it(
    firm: Any, kind: str
) -> None:
    """The reseller switches it on and off. What was added before stays, and no number of the stock is taken."""
    await do(firm, "stock", numbers=numbers(101))

    async def create(n: int) -> Any:
        body = {"name": "Desk", "kind": kind, "default_did": numbers(n)[0]}
        answer = await firm.call("POST", "/v1/users", ADMIN, json=body)
        return answer.json().get("code", answer.status_code)

    async def allow(allowed: bool) -> None:
        body = {"allow_external_numbers": allowed}
        assert (await firm.call("PATCH", f"/v1/accounts/{FIRM}", RESELLER, json=body)).is_success

    assert await create(201) == "external_numbers_not_allowed"
    await allow(True)
    assert await create(201) == 201
    assert await create(101) == "number_taken"
    await allow(False)
    assert await create(202) == "external_numbers_not_allowed"
    assert await listed(firm, "dids", ADMIN) == ["201"]


async def test_what_an_enterprise_uploads_is_in_its_own_stock(firm: Any) -> None:
    """Where the reseller allows it. The enterprise alone deletes it, and nothing of the reseller's."""
    await do(firm, "stock", numbers=numbers(101))
    assert await results(firm, "stock", ADMIN, numbers=numbers(201)) == ["external_numbers_not_allowed"]
    await firm.call("PATCH", f"/v1/accounts/{FIRM}", RESELLER, json={"allow_external_numbers": True})
    assert await results(firm, "stock", ADMIN, numbers=numbers(201, 202)) == ["done", "done"]
    assert await listed(firm, "stock", ADMIN) == ["201", "202"]
    assert await listed(firm, "stock", account=FIRM) == ["201", "202"]

    user = await do(firm, "users", ADMIN, name="Desk", kind="pbx")
    await do(firm, "stock/batch/hand-out", ADMIN, numbers=numbers(201), user_id=user["user_id"])
    delete = "stock/batch/delete"
    assert await results(firm, delete, RESELLER, numbers=numbers(202)) == ["not_uploader"]
    assert await results(firm, delete, ADMIN, numbers=numbers(101)) == ["not_uploader"]
    assert await results(firm, delete, ADMIN, numbers=numbers(201, 202)) == ["in_use", "done"]


async def test_a_trunk_user_has_the_exact_number_and_an_earlier_one_keeps_its_extension(firm: Any) -> None:
    """An extension is a plus sign, the calling code and the extension."""
    body = {"name": "Trunk", "kind": "trunk", "account": FIRM, "extension": "+14312345678"}
    refused = await firm.call("POST", "/v1/users", ADMIN, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "extension_not_allowed")
    new = await do(firm, "users", ADMIN, **(body | {"extension": None}))
    refused = await firm.call("PATCH", f"/v1/users/{new['user_id']}", ADMIN, json={"extension": "+14311"})
    assert refused.json()["code"] == "extension_not_allowed"

    earlier = await do(firm, "users", "service:master/acme", **body)
    path = f"/v1/users/{earlier['user_id']}"
    changed = await firm.call("PATCH", path, ADMIN, json={"extension": "+14312345679"})
    assert changed.status_code == 200, changed.text
    assert (await firm.get(path, ADMIN))["extension"] == "+14312345679"
    for wrong in ("14312345678", "+04312345678", "5678", "+1431 2345678", "+1" * 9):
        refused = await firm.call("PATCH", path, ADMIN, json={"extension": wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "extension"), wrong


@pytest.mark.parametrize("kind", ["sms", "pbx"])
async def test_numbers_for_messages_move_between_unassigned_and_assigned(firm: Any, kind: str) -> None:
    """Several at once, for a user with messages switched on. Those without a user can be given to others."""
    await do(firm, "stock", numbers="101-104", prefix=PREFIX, features=["voice_in", "sms_in"])
    await do(firm, "stock/batch/hand-out", numbers=numbers(101, 102, 103, 104), account=FIRM)
    user = await do(firm, "users", ADMIN, name="Team", kind=kind)
    path = "dids/batch/assign-user"
    if kind == "pbx":
        given = await results(firm, path, ADMIN, dids=numbers(101, 102), user_id=user["user_id"])
        assert given == ["done", "user_has_default"]
    switched = await firm.call("PATCH", f"/v1/users/{user['user_id']}", ADMIN, json={"sms_enabled": True})
    assert switched.json()["sms_enabled"] is True
    given = await results(firm, path, ADMIN, dids=numbers(102, 103, 104), user_id=user["user_id"])
    assert given == ["done"] * 3
    assert await results(firm, path, ADMIN, dids=numbers(103, 104), user_id=None) == ["done"] * 2
    dids = (await firm.get("/v1/dids", ADMIN))["items"]
    unassigned = [did["number"][-3:] for did in dids if did["user"] is None]
    assert unassigned == (["101"] if kind == "sms" else []) + ["103", "104"]
