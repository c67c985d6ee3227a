"""Numbers in stock over HTTP on a real PostgreSQL."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from harness.statements import statements_of

PREFIX = "+35319600"
RESELLER, MASTER, SHOP = "reseller:master/acme", "master_reseller:master", "reseller:master/acme/shop"


async def add(inventory: Any, numbers: Any, by: str = RESELLER, **more: Any) -> Any:
    """Add numbers to a stock."""
    return await inventory.call("POST", "/v1/stock", by, json={"numbers": numbers} | more)


async def act(inventory: Any, action: str, numbers: Any, by: str = RESELLER, **more: Any) -> list[Any]:
    """Do a batch action. Return the outcome or the code of each number."""
    body = {"numbers": numbers} | more
    response = await inventory.call("POST", f"/v1/stock/batch/{action}", by, json=body)
    assert response.status_code == 200, response.text
    return [result["code"] or result["outcome"] for result in response.json()["results"]]


async def test_a_range_adds_112_numbers_in_order_and_a_repeat_adds_none(inventory: Any) -> None:
    """Each number has its result. What is said about them is said about all."""
    body = {"features": ["voice_in", "sms_in"], "tag": "gold", "notes": "from a box"}
    response = await add(inventory, "111-222", prefix=PREFIX, **body)

    assert response.status_code == 200, response.text
    results = response.json()
    assert (results["done"], results["unchanged"], results["refused"]) == (112, 0, 0)
    names = [result["number"] for result in results["results"]]
    assert names == [f"{PREFIX}{n}" for n in range(111, 223)]
    again = (await add(inventory, None, prefix=PREFIX, **{"from": "111", "to": "222"}, **body)).json()
    assert (again["done"], again["unchanged"]) == (0, 112)
    listed = await inventory.get("/v1/stock", limit=1000)
    assert [item["number"] for item in listed["items"]] == names
    assert listed["items"][0] | {"uploaded_at": None} == {
        "number": f"{PREFIX}111",
        "stock": "in_stock",
        "country": "IE",
        "region": "Dublin",
        "number_type": "local",
        "features": ["voice_in", "sms_in"],
        "uploaded_by": "master/acme",
        "uploaded_at": None,
        "operator": None,
        "carrier": "simulator",
        "sms_carrier": "simulator",
        "reservation_id": None,
        "until": None,
        "tag": "gold",
        "notes": "from a box",
        "after_hold": None,
    }
    assert await inventory.published() == []


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ("222-111", "range_reversed"),
        ("11-222", "range_width_differs"),
        ("00000-10000", "too_many"),
        ([], "too_few"),
    ],
)
async def test_a_wrong_range_is_refused_and_adds_nothing(inventory: Any, numbers: Any, code: str) -> None:
    """The error names the field."""
    response = await add(inventory, numbers, prefix=PREFIX)

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert response.json()["errors"][0]["field"] == "numbers"
    assert (await inventory.get("/v1/stock"))["items"] == []


@pytest.mark.parametrize("prefix", ["abc", "+35 3", "++353", "-353", "\u0663"])
async def test_a_prefix_that_is_not_made_of_digits_is_refused(inventory: Any, prefix: str) -> None:
    """A plus sign may be in front."""
    response = await add(inventory, "111-112", prefix=prefix)
    assert (response.status_code, response.json()["code"]) == (422, "input_invalid")
    assert response.json()["errors"][0]["field"] == "prefix"


async def test_a_bad_number_does_not_fail_the_others(inventory: Any) -> None:
    """Single numbers, with and without the plus sign, and what is no number at all."""
    response = await add(
        inventory, ["+35319609036", "35319609037", "no number", "+35300000000", "+35319609036"]
    )

    results = [result["code"] or result["outcome"] for result in response.json()["results"]]
    assert results == ["done", "done", "invalid_number", "invalid_number", "unchanged"]


async def test_more_than_1000_numbers_are_added_by_a_job(inventory: Any) -> None:
    """The job has one result for each number, and its refusal comes before it starts."""
    allowed = {"name": "e", "allow_external_numbers": False, "path": "master/acme/ent"}
    assert (await inventory.call("POST", "/v1/accounts", json=allowed)).status_code == 201
    refused = await add(inventory, "0000-1000", "enterprise_admin:master/acme/ent", prefix="+3531960")
    assert (refused.status_code, refused.json()["code"]) == (409, "external_numbers_not_allowed")

    response = await add(inventory, "0000-1000", prefix="+3531960", tag="gold")
    assert response.status_code == 202, response.text
    await inventory.run_jobs()
    job = await inventory.get(response.headers["Location"])
    assert (job["kind"], job["state"], job["total"], job["done"]) == ("add_numbers", "done", 1001, 1001)
    listed = await inventory.get("/v1/stock", sort="-number", limit=1, tag="gold")
    assert listed["items"][0]["number"] == "+35319601000"


async def test_an_account_sees_its_stock_and_that_below_and_may_have_that_above(inventory: Any) -> None:
    """A sibling sees nothing. What is reserved or archived can be had by nobody."""
    await add(inventory, "111-113", prefix=PREFIX)
    await add(inventory, "211-212", MASTER, prefix=PREFIX, features=[])

    async def seen(path: str, by: str, **params: Any) -> list[str]:
        items = (await inventory.get(path, by, **params))["items"]
        return [item["number"].removeprefix(PREFIX) for item in items]

    assert await seen("/v1/stock", RESELLER) == ["111", "112", "113"]
    assert await seen("/v1/stock", MASTER) == ["111", "112", "113", "211", "212"]
    assert await seen("/v1/stock", MASTER, account="master/acme") == ["111", "112", "113"]
    assert await seen("/v1/stock", SHOP) == await seen("/v1/stock", "reseller:other") == []
    assert await seen("/v1/available", SHOP) == ["111", "112", "113", "211", "212"]
    assert await seen("/v1/available", MASTER) == ["211", "212"]
    assert await seen("/v1/available", "reseller:other") == []
    assert await seen("/v1/available", "operator:root", contains="21") == ["211", "212"]
    assert await act(inventory, "reserve", [f"{PREFIX}111"]) == ["done"]
    assert await act(inventory, "archive", [f"{PREFIX}112"]) == ["done"]
    assert await seen("/v1/available", SHOP, country="IE", number_type="local") == ["113", "211", "212"]
    assert await seen("/v1/stock", RESELLER, stock="archived") == ["112"]
    assert await act(inventory, "release", [f"{PREFIX}111", f"{PREFIX}113"]) == ["done", "unchanged"]
    item = (await inventory.get("/v1/available", SHOP, contains="111"))["items"][0]
    assert item == {
        "number": f"{PREFIX}111",
        "country": "IE",
        "region": "Dublin",
        "number_type": "local",
        "features": ["voice_in"],
    }


async def test_neither_tier_deletes_what_the_other_one_has_added(inventory: Any) -> None:
    """A sibling is answered as if the number did not exist."""
    await add(inventory, "111-112", prefix=PREFIX)
    await add(inventory, "211-212", MASTER, prefix=PREFIX)
    ours, theirs = f"{PREFIX}111", f"{PREFIX}211"

    async def delete(number: str, by: str) -> Any:
        response = await inventory.call("DELETE", f"/v1/stock/{number}", by)
        return response.status_code, response.content and response.json()["code"]

    assert await delete(ours, MASTER) == (409, "not_uploader")
    assert await delete(theirs, RESELLER) == (409, "not_uploader")
    assert await delete(ours, "reseller:other") == await delete("+35319609999", "reseller:other")
    assert await delete(ours, "reseller:other") == (404, "not_found")
    assert await delete(ours, RESELLER) == (204, b"")
    assert await delete(ours, RESELLER) == (404, "not_found")
    assert await act(inventory, "delete", [f"{PREFIX}112", theirs, "x"]) == [
        "done",
        "not_uploader",
        "not_found",
    ]
    assert await delete(theirs, "operator:root") == (204, b"")


async def test_a_number_in_stock_is_edited_and_exported(inventory: Any) -> None:
    """What is not named stays, and null empties a field."""
    await add(inventory, "111-112", prefix=PREFIX, tag="gold", notes="=1+1")
    edited = await act(
        inventory, "edit", [f"{PREFIX}111", f"{PREFIX}119"], tag=None, features=["sms_in", "voice_in"]
    )
    assert edited == ["done", "not_found"]
    response = await inventory.call("GET", "/v1/stock.csv")
    header, first, second = response.text.splitlines()
    assert header.startswith("number,stock,country,region,number_type,features,uploaded_by,uploaded_at,")
    assert first.startswith(f"{PREFIX}111,in_stock,IE,Dublin,local,voice_in sms_in,master/acme,")
    assert first.endswith(",simulator,simulator,,,,'=1+1,")
    assert second.endswith(",simulator,,,,gold,'=1+1,")


async def test_a_number_from_stock_is_purchased_and_comes_back(inventory: Any, make: Any) -> None:
    """While it is a DID, it is in no stock."""
    await add(inventory, make.number, MASTER)
    did = await inventory.purchase(make, make.number)

    assert (did["origin"], did["account"]) == ("stock", "master/acme")
    assert (await inventory.get("/v1/stock", MASTER))["items"] == []
    assert await act(inventory, "archive", [make.number], MASTER) == ["in_use"]
    removed = make.removed(did_id=did["did_id"])
    await inventory.receive(removed)
    (item,) = (await inventory.get("/v1/stock", MASTER))["items"]
    assert item["stock"] == "in_stock"
    assert (await inventory.get("/v1/available"))["items"] == []


async def test_the_history_of_a_number_is_shown_to_those_in_whose_stock_it_was(inventory: Any) -> None:
    """Also after its deletion. A foreign number and one that never was are not found alike."""
    await add(inventory, "111-112", prefix=PREFIX)
    await act(inventory, "reserve", [f"{PREFIX}111"])
    await act(inventory, "delete", [f"{PREFIX}111"], MASTER)
    await act(inventory, "delete", [f"{PREFIX}111"])

    for by in (RESELLER, MASTER):
        items = (await inventory.get(f"/v1/stock/{PREFIX[1:]}111/history", by))["items"]
        assert [(item["type"], item["outcome"], item["code"]) for item in items] == [
            ("http.add_number", "applied", None),
            ("http.move_number", "applied", None),
            ("http.delete_number", "refused", "not_uploader"),
            ("http.delete_number", "applied", None),
        ]
        assert items[1]["changes"] == {"stock": {"before": "in_stock", "after": "reserved"}}
        assert items[1]["actor"] == "user:ann"
    foreign = await inventory.call("GET", f"/v1/stock/{PREFIX}111/history", "reseller:other")
    absent = await inventory.call("GET", f"/v1/stock/{PREFIX}119/history", RESELLER)
    assert foreign.status_code == 404
    assert foreign.json() == absent.json()


@pytest.mark.parametrize("action", ["add", "archive", "hand-out", "delete"])
async def test_a_thousand_numbers_take_as_many_statements_as_two(inventory: Any, action: str) -> None:
    """The number of statements does not grow with the number of numbers."""
    found = set()
    for first, last in (("0000", "0001"), ("0002", "1001")):
        texts = {"numbers": f"{first}-{last}", "prefix": "+3531960"}
        numbers = [f"+3531960{n:04}" for n in range(int(first), int(last) + 1)]
        body = texts if action == "add" else {"numbers": numbers}
        path = "/v1/stock" if action == "add" else f"/v1/stock/batch/{action}"
        if action != "add":
            assert (await inventory.call("POST", "/v1/stock", json=texts)).json()["refused"] == 0
        more = {"account": "master/acme/shop"} if action == "hand-out" else {}
        async with statements_of(inventory.database) as statements:
            answer = await inventory.call("POST", path, json=body | more)
        assert answer.json()["done"] == len(numbers), answer.text
        found.add(len(statements))
    assert len(found) == 1


@pytest.mark.parametrize("after_hold", ["in_stock", "reserved", "archived", "back"])
async def test_a_hold_that_runs_out_ends_in_the_state_that_was_given_with_the_upload(
    inventory: Any, make: Any, after_hold: str
) -> None:
    """At its instant, over the movable clock. It can be had again only when its carrier has released it."""
    added = await add(inventory, make.number, MASTER, after_hold=after_hold)
    assert added.json()["done"] == 1
    assert await act(inventory, "hand-out", [make.number], MASTER, account="master/acme") == ["done"]
    did = await inventory.get(f"/v1/dids/{make.number}")
    await inventory.receive(make.registration("not_required", did_id=did["did_id"]))
    held = {"dids": [make.number], "days": 3}
    answer = await inventory.call("POST", "/v1/dids/batch/hold", json=held)
    assert answer.json()["done"] == 1, answer.text
    until = datetime.fromisoformat((await inventory.get(f"/v1/dids/{make.number}"))["hold"]["until"])

    await inventory.set_time(until - timedelta(seconds=1))
    await inventory.run_due_timers()
    assert (await inventory.get(f"/v1/dids/{make.number}"))["status"] == "hold"
    await inventory.set_time(until)
    await inventory.run_due_timers()
    listed = (await inventory.get("/v1/stock", MASTER))["items"]
    if after_hold == "back":
        assert (await inventory.get(f"/v1/dids/{make.number}"))["stock"] == "assigned"
        assert listed == []
        return
    assert (await inventory.call("GET", f"/v1/dids/{make.number}")).status_code == 404
    assert [item["stock"] for item in listed] == [after_hold]
    (withdrawn,) = await inventory.published("did.withdrawn")
    assert withdrawn.data.reason == "hold_ended"
    assert (await inventory.get("/v1/available"))["items"] == []
    await inventory.receive(make.removed(did_id=did["did_id"], reason="hold_ended"))
    await inventory.receive(make.routing("released", 5, did_id=did["did_id"]))
    free = [item["number"] for item in (await inventory.get("/v1/available"))["items"]]
    assert free == ([make.number] if after_hold == "in_stock" else [])
    assert [item["stock"] for item in (await inventory.get("/v1/stock", MASTER))["items"]] == [after_hold]
