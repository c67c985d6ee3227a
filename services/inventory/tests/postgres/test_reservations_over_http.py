"""Reservations over HTTP on a real PostgreSQL, also many at the same time."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from harness.statements import statements_of

from didflow_chassis.retention import prune

PREFIX = "+35319600"
MASTER, SHOP = "master_reseller:master", "reseller:master/acme/shop"


async def reserve(inventory: Any, by: str = SHOP, **body: Any) -> Any:
    """Ask for a reservation."""
    return await inventory.call("POST", "/v1/reservations", by, json=body)


async def fill(inventory: Any, numbers: str = "100-149") -> None:
    """Add numbers to the stock of the master reseller."""
    body = {"numbers": numbers, "prefix": PREFIX}
    response = await inventory.call("POST", "/v1/stock", MASTER, json=body)
    assert response.json()["refused"] == 0, response.text


async def free(inventory: Any, by: str = SHOP) -> list[str]:
    """Return the numbers that can be had."""
    return [item["number"] for item in (await inventory.get("/v1/available", by, limit=1000))["items"]]


@pytest.mark.parametrize("is_named", [False, True])
async def test_of_200_that_reserve_the_last_50_numbers_at_once_50_get_one(
    inventory: Any, is_named: bool
) -> None:
    """The others are refused clearly, and nobody gets a number twice. The statements stay in proportion."""
    await fill(inventory)
    bodies = [
        {"numbers": [f"{PREFIX}{100 + n % 50}"]} if is_named else {"country": "IE", "count": 1}
        for n in range(200)
    ]
    async with statements_of(inventory.database) as statements:
        callers = ("reseller:master/acme", SHOP, MASTER)
        answers = await asyncio.gather(
            *(
                inventory.call("POST", "/v1/reservations", callers[n % 3], key=str(n), json=body)
                for n, body in enumerate(bodies)
            )
        )

    codes = Counter(answer.json().get("code", answer.status_code) for answer in answers)
    assert codes == {201: 50, "not_enough_numbers": 150}
    won = [number for answer in answers if answer.status_code == 201 for number in answer.json()["numbers"]]
    assert sorted(won) == [f"{PREFIX}{n}" for n in range(100, 150)]
    assert await free(inventory) == []
    assert len(statements) < 200 * 30


async def test_each_of_50_that_reserve_50_numbers_at_once_gets_one(inventory: Any) -> None:
    """Nobody is refused because somebody else was given the number that was chosen first."""
    await fill(inventory)
    answers = await asyncio.gather(*(reserve(inventory, country="IE", count=1) for _ in range(50)))

    assert Counter(answer.status_code for answer in answers) == {201: 50}
    assert await free(inventory) == []


async def test_a_reservation_of_1000_numbers_takes_as_many_statements_as_one_of_2(inventory: Any) -> None:
    """So does its end."""
    for first in (0, 500):
        numbers = f"{first:04}-{first + 501:04}" if first else "0000-0499"
        body = {"numbers": numbers, "prefix": "+3531961"}
        assert (await inventory.call("POST", "/v1/stock", MASTER, json=body)).json()["refused"] == 0
    found = set()
    for count in (2, 1000):
        async with statements_of(inventory.database) as statements:
            answer = await reserve(inventory, country="IE", count=count)
            assert answer.status_code == 201, answer.text
            path = f"/v1/reservations/{answer.json()['reservation_id']}"
            assert (await inventory.call("DELETE", path, SHOP)).status_code == 204
        found.add(len(statements))
    assert len(found) == 1
    assert len(await free(inventory)) == 1000


async def test_a_reservation_is_bought_by_its_account_and_ends_by_itself(inventory: Any, make: Any) -> None:
    """Over the movable clock: what was not bought is free at the instant, and the list shows it."""
    await fill(inventory, "100-102")
    answer = await reserve(inventory, country="IE", count=3, minutes=45)
    reservation = answer.json()
    until = datetime.fromisoformat(reservation["expires_at"])
    assert reservation["account"] == "master/acme/shop"
    assert timedelta(0) <= until - make.zero - timedelta(minutes=45) < timedelta(minutes=1)
    assert await free(inventory) == await free(inventory, "reseller:master/acme") == []
    listed = await inventory.get(
        "/v1/stock", MASTER, stock="held", reservation_id=reservation["reservation_id"]
    )
    assert [item["number"] for item in listed["items"]] == reservation["numbers"]

    body = {"number": reservation["numbers"][0], "order_id": "o-1"}
    by_another = await inventory.call("POST", "/v1/purchases", key="1", json=make_body(make, **body))
    assert (by_another.status_code, by_another.json()["code"]) == (409, "number_reserved")
    mine = make_body(make, **body, account="master/acme/shop")
    bought = await inventory.call("POST", "/v1/purchases", "service:master/acme/shop", key="2", json=mine)
    assert bought.status_code == 201, bought.text

    await inventory.set_time(until - timedelta(seconds=1))
    assert await free(inventory) == []
    await inventory.set_time(until)
    assert await free(inventory) == reservation["numbers"][1:]
    await inventory.run_due_timers()
    items = (await inventory.get("/v1/stock", MASTER, stock="in_stock"))["items"]
    assert [(item["number"], item["reservation_id"], item["until"]) for item in items] == [
        (number, None, None) for number in reservation["numbers"][1:]
    ]


async def test_an_ended_reservation_is_deleted_after_30_days_and_stays_in_the_audit_log(
    inventory: Any,
) -> None:
    """Canceled or over by itself. One whose end nobody has decided yet is kept, however old it is."""
    await fill(inventory, "100-103")
    canceled, over, undecided = [
        (await reserve(inventory, country="IE", count=1, minutes=minutes)).json() for minutes in (60, 60, 90)
    ]
    paths = [f"/v1/reservations/{one['reservation_id']}" for one in (canceled, over, undecided)]
    assert (await inventory.call("DELETE", paths[0], SHOP)).status_code == 204
    ended = datetime.fromisoformat(over["expires_at"])
    await inventory.set_time(ended)
    await inventory.run_due_timers()

    async def known() -> list[str]:
        await prune(inventory.database, inventory.service, 30)
        rows = await inventory.fetch("SELECT reservation_id::text FROM reservations ORDER BY created_at")
        return [f"/v1/reservations/{row[0]}" for row in rows]

    await inventory.set_time(ended + timedelta(days=30, minutes=-61))
    assert await known() == paths
    await inventory.set_time(ended + timedelta(days=30, minutes=-1))
    assert await known() == paths[1:]
    await inventory.set_time(ended + timedelta(days=30, minutes=1))
    assert await known() == paths[2:]
    answers = [await inventory.call("DELETE", path, SHOP) for path in paths]
    assert [answer.status_code for answer in answers] == [404, 404, 204]
    assert len(await free(inventory)) == 4
    (held,) = await inventory.fetch("SELECT held FROM held_numbers")
    assert held[0] == "{}"
    rows = await inventory.fetch("SELECT DISTINCT thing_id FROM history WHERE thing = 'reservation'")
    assert {f"/v1/reservations/{row[0]}" for row in rows} == set(paths)


def make_body(make: Any, **changes: Any) -> dict[str, Any]:
    """Return the body of a purchase."""
    body = make.purchase_data(**changes)
    return {name: value for name, value in body.items() if name != "did_id"}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"numbers": []}, 422, "too_few"),
        ({"numbers": [f"{PREFIX}{n}" for n in range(1001)]}, 422, "too_many"),
        ({"country": "IE"}, 422, "input_invalid"),
        ({"numbers": [f"{PREFIX}100"], "country": "IE", "count": 1}, 422, "input_invalid"),
        ({"country": "IE", "count": 1001}, 422, "input_invalid"),
        ({"country": "IE", "count": 1, "minutes": 1441}, 422, "input_invalid"),
        ({"country": "IE", "count": 1, "minutes": 0}, 422, "input_invalid"),
        ({"country": "GB", "count": 1}, 409, "not_enough_numbers"),
        ({"country": "IE", "count": 51}, 409, "not_enough_numbers"),
        ({"numbers": [f"{PREFIX}100", "no number"]}, 409, "not_enough_numbers"),
        ({"numbers": [f"{PREFIX}100", f"{PREFIX}150"]}, 409, "not_enough_numbers"),
    ],
)
async def test_a_reservation_that_cannot_be_made_takes_no_number(
    inventory: Any, body: Any, status: int, code: str
) -> None:
    """Each reason has its code."""
    await fill(inventory)
    response = await reserve(inventory, **body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert len(await free(inventory)) == 50


async def test_a_reservation_is_canceled_by_its_account_or_one_above(inventory: Any) -> None:
    """A foreign one and an unknown one are not found alike."""
    await fill(inventory)
    made = (await reserve(inventory, numbers=[f"{PREFIX}100", f"{PREFIX[1:]}100", f"{PREFIX}101"])).json()
    assert made["numbers"] == [f"{PREFIX}100", f"{PREFIX}101"]
    path = f"/v1/reservations/{made['reservation_id']}"
    foreign = await inventory.call("DELETE", path, "reseller:other")
    absent = await inventory.call("DELETE", f"/v1/reservations/{make_id()}", "reseller:other")
    assert (foreign.status_code, foreign.json()) == (absent.status_code, absent.json())
    for by in ("reseller:master/acme", SHOP):
        assert (await inventory.call("DELETE", path, by)).status_code == 204
    assert len(await free(inventory)) == 50


def make_id() -> str:
    """Return an id that nothing has."""
    return "0190a5b6-7c00-7000-8000-0000000000ff"


async def test_numbers_are_handed_out_and_come_back(inventory: Any, make: Any) -> None:
    """A hundred at once; each has a DID of the account below, without a term."""
    await fill(inventory, "100-199")
    numbers = [f"{PREFIX}{n}" for n in range(100, 200)]
    body = {"numbers": [*numbers, f"{PREFIX}300", "x"], "account": "master/acme"}
    response = await inventory.call("POST", "/v1/stock/batch/hand-out", MASTER, json=body)

    assert response.status_code == 200, response.text
    results = response.json()
    assert (results["done"], results["refused"]) == (100, 2)
    assert {result["code"] for result in results["results"][100:]} == {"not_found"}
    dids = (await inventory.get("/v1/dids", limit=1000))["items"]
    assert [did["number"] for did in dids] == numbers
    assert {(did["origin"], did["account"], did["payer"], did["stock"]) for did in dids} == {
        ("stock", "master/acme", "master/acme", "assigned")
    }
    assert await free(inventory) == []
    removed = make.event(
        make.removed(did_id=dids[0]["did_id"], number=numbers[0], reason="returned").data,
        "/didflow/billing",
        9,
    )
    await inventory.receive(removed)
    (item,) = (await inventory.get("/v1/stock", MASTER))["items"]
    assert (item["number"], item["stock"]) == (numbers[0], "in_stock")
