"""Changes of DIDs by their holders over HTTP, on a real PostgreSQL."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from harness.statements import statements_of

from didflow_contracts.ids import derived_id
from didflow_inventory.domain.stock.number import Number

SHOP = "master/acme/shop"
MASTER = "master_reseller:master"


async def batch(
    inventory: Any, action: str, dids: list[str], by: str = "reseller:master/acme", **body: Any
) -> Any:
    """Run a batch action, and return its results as pairs of outcome and code."""
    answer = await inventory.call("POST", f"/v1/dids/batch/{action}", by, json={"dids": dids, **body})
    assert answer.status_code == 200, answer.text
    return [(each["outcome"], each["code"]) for each in answer.json()["results"]]


async def test_a_number_is_edited_and_a_user_changes_its_description_alone(inventory: Any, make: Any) -> None:
    """A user that sends more is refused before its number is looked up."""
    await inventory.receive(make.purchased())
    path = f"/v1/dids/{make.number}"
    answer = await inventory.call("PATCH", path, json={"notes": "n", "tags": ["a"], "description": "Main"})
    assert answer.status_code == 200, answer.text
    shown = await inventory.get(path)
    assert (shown["notes"], shown["tags"], shown["description"]) == ("n", ["a"], "Main")
    assert answer.json() == shown

    user = "user:master/acme"
    refused = await inventory.call(
        "PATCH", "/v1/dids/+35310000000", user, json={"notes": "n", "description": "x"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_allowed")
    absent = await inventory.call("PATCH", "/v1/dids/+35310000000", user, json={"description": "x"})
    assert (absent.status_code, absent.json()["code"]) == (404, "not_found")
    unknown = await inventory.call("PATCH", path, json={"account": SHOP})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_field")


async def test_each_number_of_a_batch_has_its_own_result(inventory: Any, make: Any) -> None:
    """Absent and foreign numbers are answered alike, and never fail the others."""
    own = (await inventory.purchase(make, "+35319609036"))["number"]
    foreign = make.purchased(
        number="+35319609037",
        account="other",
        order_id="o-2",
        did_id=make.other_id,
        price=None,
        acquired="external",
    )
    await inventory.receive(foreign)
    for action in ("hold", "unhold", "block", "unblock", "return", "edit"):
        results = await batch(inventory, action, ["+35319609037", "+35319609038", own])
        assert results[:2] == [("refused", "not_found")] * 2, action
    assert await batch(inventory, "port-out", [own, own]) == [("done", None), ("unchanged", None)]


async def test_a_number_is_handed_down_and_taken_back(inventory: Any, make: Any) -> None:
    """The former holder does not see it any more."""
    number = (await inventory.purchase(make, "+35319609036"))["number"]
    assert await batch(inventory, "assign-account", [number], account=SHOP) == [("done", None)]
    shown = await inventory.get(f"/v1/dids/{number}", f"enterprise_admin:{SHOP}")
    assert (shown["account"], shown["payer"]) == (SHOP, "master/acme")
    assert await batch(inventory, "take-back", [number], MASTER) == [("done", None)]
    for by in ("reseller:master/acme", f"enterprise_admin:{SHOP}"):
        assert (await inventory.call("GET", f"/v1/dids/{number}", by)).status_code == 404
    assert (await inventory.get(f"/v1/dids/{number}", MASTER))["account"] == "master"


async def test_the_next_holder_reads_nothing_of_what_the_former_one_wrote_or_did(
    inventory: Any, make: Any
) -> None:
    """Neither in the row nor in the history. The account above both reads it all."""
    other = "master/acme/stall"
    account = {"path": other, "name": "Stall", "kind": "enterprise"}
    assert (await inventory.call("POST", "/v1/accounts", json=account)).status_code == 201
    number = (await inventory.purchase(make, "+35319609036"))["number"]
    assert await batch(inventory, "assign-account", [number], account=SHOP) == [("done", None)]
    written = {"description": "private line", "notes": "private note", "tags": ["private"]}
    edited = await inventory.call("PATCH", f"/v1/dids/{number}", f"enterprise_admin:{SHOP}", json=written)
    assert edited.status_code == 200
    assert await batch(inventory, "assign-account", [number], account=other) == [("done", None)]

    read = {}
    for by in (f"enterprise_admin:{other}", "reseller:master/acme"):
        row = await inventory.get(f"/v1/dids/{number}", by)
        assert (row["account"], row["notes"], row["tags"]) == (other, None, [])
        read[by] = await inventory.get(f"/v1/dids/{number}/history", by)
    new_holder, above = map(str, read.values())
    assert "private" not in new_holder
    assert SHOP not in new_holder
    assert "private note" in above


@pytest.mark.parametrize(
    ("after_hold", "stock"),
    [("back", None), ("in_stock", "in_stock"), ("reserved", "reserved"), ("archived", "archived")],
)
async def test_my_numbers_shows_a_hold_until_its_instant(
    inventory: Any, make: Any, after_hold: Any, stock: Any
) -> None:
    """A second before its end it is shown with its deadline; then it is back, or gone. The history folds to the row."""
    await inventory.store(Number(number="+35319609036", stock="in_stock", uploaded_by="master/acme"))
    did = await inventory.purchase(make, "+35319609036")
    path = f"/v1/dids/{did['did_id']}"
    await inventory.receive(make.registration("not_required", did_id=did["did_id"], number=did["number"]))
    assert await batch(inventory, "hold", [did["number"]], days=2, after_hold=after_hold) == [("done", None)]
    until = datetime.fromisoformat((await inventory.get(path))["hold"]["until"])
    await inventory.advance(until - timedelta(seconds=1) - await inventory.now())
    shown = await inventory.get(path)
    assert (shown["status"], shown["circle"]) == ("hold", "red")
    assert (shown["hold"]["held_by"], shown["hold"]["after_hold"]) == ("hand", after_hold)
    assert (shown["next_step"]["action"], shown["next_step"]["by"]) == (
        "await_hold_end",
        shown["hold"]["until"],
    )
    await inventory.advance(timedelta(seconds=1))

    shown = await inventory.get(path)
    entries = (await inventory.get(f"{path}/history"))["items"]
    assert (entries[-1]["type"], entries[-1]["at"]) == ("timer.hold_end", entries[-1]["recorded_at"])
    folded: dict[str, Any] = {}
    for entry in entries:
        folded |= {name: change["after"] for name, change in entry["changes"].items()}
    assert folded["stock"] == shown["stock"] == ("assigned" if stock is None else "removed")
    number = await inventory.state(Number, did["number"])
    assert (number.stock, number.did_id is None) == (stock, stock is not None)
    withdrawn = [event.data.reason for event in await inventory.published("did.withdrawn")]
    assert withdrawn == ([] if stock is None else ["hold_ended"])


async def test_a_hundred_numbers_are_handed_over_in_as_many_statements_as_two(
    inventory: Any, make: Any
) -> None:
    """The number of statements does not grow with the number of DIDs. The same holds for a return."""
    counts = {"assign-account": set(), "port-out": set()}
    for first, size in ((0, 2), (100, 100)):
        numbers = [f"+353196{first + n:05}" for n in range(size)]
        await inventory.receive(
            *(make.purchased(number=number, did_id=derived_id(number), order_id=number) for number in numbers)
        )
        for action, found in counts.items():
            async with statements_of(inventory.database) as statements:
                body = {"account": SHOP} if action == "assign-account" else {}
                results = await batch(inventory, action, numbers, **body)
            assert results == [("done", None)] * size
            found.add(len(statements))
    assert {len(found) for found in counts.values()} == {1}, counts


async def test_holds_that_end_together_need_as_many_statements_as_two(inventory: Any, make: Any) -> None:
    """A chunk of timers is one transaction, and each table is read and written once."""
    counts = set()
    for first, size in ((0, 2), (100, 40)):
        numbers = [f"+353196{first + n:05}" for n in range(size)]
        await inventory.receive(
            *(make.purchased(number=number, did_id=derived_id(number), order_id=number) for number in numbers)
        )
        assert (
            await batch(inventory, "hold", numbers, days=1, after_hold="archived") == [("done", None)] * size
        )
        await inventory.set_time(await inventory.now() + timedelta(days=1))
        async with statements_of(inventory.database) as statements:
            await inventory.run_due_timers()
        counts.add(len(statements))
        removed = [await inventory.get(f"/v1/dids/{derived_id(number)}") for number in numbers]
        assert {did["stock"] for did in removed} == {"removed"}
    assert len(counts) == 1, counts


async def test_the_numbers_of_an_enterprise_are_assigned_to_its_users(inventory: Any, make: Any) -> None:
    """A PBX gets one, an SMS user many. A user with numbers is not deleted, and its number is not taken back."""
    firm, admin = "master/acme/firm", "enterprise_admin:master/acme/firm"
    body = {"path": firm, "name": "Firm", "kind": "enterprise"}
    assert (await inventory.call("POST", "/v1/accounts", json=body)).status_code == 201
    numbers = [
        (await inventory.purchase(make, number))["number"] for number in ("+35319609036", "+35319609037")
    ]
    users = {}
    for kind in ("pbx", "sms"):
        answer = await inventory.call(
            "POST", "/v1/users", admin, json={"name": kind, "kind": kind, "account": firm}
        )
        users[kind] = answer.json()["user_id"]
    assert (
        await batch(inventory, "assign-user", numbers, user_id=users["pbx"])
        == [("refused", "not_an_enterprise")] * 2
    )
    assert await batch(inventory, "assign-account", numbers, account=firm) == [("done", None)] * 2
    assert await batch(inventory, "assign-user", numbers, admin, user_id=users["pbx"]) == [
        ("done", None),
        ("refused", "user_has_default"),
    ]
    assert (await inventory.get(f"/v1/users/{users['pbx']}", admin))["default_number"] == numbers[0]
    assert await batch(inventory, "take-back", numbers) == [("refused", "in_use"), ("done", None)]
    assert await batch(inventory, "assign-account", numbers[1:], account=firm) == [("done", None)]
    assert await batch(inventory, "assign-user", numbers, admin, user_id=users["sms"]) == [("done", None)] * 2
    assert (await inventory.call("DELETE", f"/v1/users/{users['sms']}", admin)).json()["code"] == "in_use"
    assert await batch(inventory, "assign-user", numbers, admin, user_id=None) == [("done", None)] * 2
    assert (await inventory.call("DELETE", f"/v1/users/{users['sms']}", admin)).status_code == 204
    own = await inventory.call(
        "POST", "/v1/users", admin, json={"name": "d", "kind": "sms", "subject": "ann"}
    )
    assert await batch(inventory, "assign-user", numbers[:1], admin, user_id=own.json()["user_id"]) == [
        ("done", None)
    ]
    described = [
        await inventory.call("PATCH", f"/v1/dids/{number}", f"user:{firm}", json={"description": "Desk"})
        for number in numbers
    ]
    assert [answer.status_code for answer in described] == [200, 404]
    missing = await inventory.call("POST", "/v1/dids/batch/assign-user", admin, json={"dids": numbers})
    assert (missing.status_code, missing.json()["code"]) == (422, "input_invalid")
