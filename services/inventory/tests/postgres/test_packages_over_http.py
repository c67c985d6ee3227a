"""Packages over HTTP on a real PostgreSQL: picks, holds when a package ends, and the way back."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from harness.statements import statements_of

PREFIX = "+35319600"
MASTER, RESELLER, SHOP = "master_reseller:master", "reseller:master/acme", "enterprise_admin:master/acme/shop"
CLIENT = "master/acme/shop"


async def fill(inventory: Any, numbers: str = "100-119", **more: Any) -> None:
    """Put numbers into the stock of the reseller."""
    body = {"numbers": numbers, "prefix": PREFIX, "tag": "gold"} | more
    answer = (await inventory.call("POST", "/v1/stock", RESELLER, json=body)).json()
    assert answer["refused"] == 0, answer


@pytest.fixture
async def path(inventory: Any) -> str:
    """The path of a package of 10 golden numbers of Ireland, with one client."""
    await fill(inventory)
    selection = {"country": "IE", "number_type": "local", "tag": "gold"}
    body = {"name": "Ten", "count": 10, "selection": selection, "hold_days": 5}
    made = await inventory.call("POST", "/v1/packages", RESELLER, json=body)
    assert made.status_code == 201, made.text
    found = f"/v1/packages/{made.json()['package_id']}"
    added = await inventory.call("POST", f"{found}/clients", RESELLER, json={"account": CLIENT})
    assert (added.status_code, added.json()["active"]) == (201, True)
    return found


async def pick(inventory: Any, path: str, by: str = SHOP, key: str | None = None, **body: Any) -> Any:
    """Pick numbers for the caller's account."""
    return await inventory.call("POST", f"{path}/picks", by, key, json=body)


async def outcomes(answer: Any) -> list[str]:
    """Return the outcome or the code of each number."""
    assert answer.status_code == 200, answer.text
    return [result["code"] or result["outcome"] for result in answer.json()["results"]]


async def stocks(inventory: Any) -> Counter[str]:
    """Count the DIDs of the client by the state of their stock axis."""
    return Counter(did["stock"] for did in (await inventory.get("/v1/dids", SHOP, limit=1000))["items"])


async def switch(inventory: Any, path: str, action: str, by: str = RESELLER) -> Any:
    """Activate or deactivate a package, and run its job."""
    answer = await inventory.call("POST", f"{path}/{action}", by)
    assert answer.status_code == 202, answer.text
    await inventory.run_jobs()
    return (await inventory.get(answer.headers["location"], by)) if "location" in answer.headers else None


async def test_30_picks_at_once_of_a_package_of_10_give_10_numbers(inventory: Any, path: str) -> None:
    """The others are told that the package is full. Each winner has a DID of its own, without a price.

    A number that is picked by its name is unchanged if a pick with a count has already made it a DID of the client.
    """
    answers = await asyncio.gather(
        *(pick(inventory, path, key=str(n), count=1) for n in range(15)),
        *(pick(inventory, path, key=str(n), numbers=[f"{PREFIX}{100 + n}"]) for n in range(15, 20)),
        *(pick(inventory, path, key=str(n), count=1) for n in range(20, 30)),
    )

    found = Counter([(await outcomes(answer))[0] for answer in answers])
    assert (found["done"], sum(found.values())) == (10, 30)
    assert found["package_full"] + found["number_taken"] + found["unchanged"] == 20, found
    picked = [answer.json()["results"][0] for answer in answers]
    assert all(result["outcome"] != "unchanged" for result in picked[:15] + picked[20:])
    ids = {result["did_id"] for result in picked if result["outcome"] == "done"}
    dids = (await inventory.get("/v1/dids", SHOP))["items"]
    assert ids == {did["did_id"] for did in dids}
    assert len(ids) == 10
    purchases = await inventory.published_data("did.purchased")
    assert {(data.acquired, data.price) for data in purchases} == {("package", None)}


async def test_numbers_are_picked_by_name_or_by_count_and_a_repeat_picks_none(
    inventory: Any, path: str
) -> None:
    """A number outside the selection is not found, and a number of another DID is taken."""
    await fill(inventory, "500-501", tag="silver")
    names = [f"{PREFIX}100", f"{PREFIX}100", f"{PREFIX}500", "+35319699999", "no number"]
    answer = await pick(inventory, path, numbers=names)
    assert await outcomes(answer) == ["done", "unchanged", "not_found", "not_found", "not_found"]
    assert [bool(result["did_id"]) for result in answer.json()["results"]] == [
        True,
        False,
        False,
        False,
        False,
    ]
    repeated = await pick(inventory, path, numbers=names[:1])
    assert await outcomes(repeated) == ["unchanged"]
    assert repeated.json()["results"][0]["did_id"] == answer.json()["results"][0]["did_id"]

    assert await outcomes(await pick(inventory, path, count=9)) == ["done"] * 9
    assert await outcomes(await pick(inventory, path, count=1)) == ["package_full"]
    too_many = await pick(inventory, path, count=100)
    assert (too_many.status_code, too_many.json()["code"]) == (409, "not_enough_numbers")
    free = (await inventory.get(f"{path}/numbers", SHOP))["items"]
    assert len(free) == 10
    clients = (await inventory.get(f"{path}/clients", RESELLER))["items"]
    assert [(client["account"], client["dids"]) for client in clients] == [(CLIENT, 10)]


async def test_an_inactive_package_holds_its_numbers_and_brings_them_back(inventory: Any, path: str) -> None:
    """Calls stop, and nobody picks meanwhile. A hold by hand is left alone."""
    await pick(inventory, path, count=3)
    first = (await inventory.get("/v1/dids", SHOP))["items"][0]
    held = {"dids": [first["number"]], "days": 9}
    assert (await inventory.call("POST", "/v1/dids/batch/hold", RESELLER, json=held)).json()["done"] == 1

    job = await switch(inventory, path, "deactivate")
    assert (job["state"], job["total"]) == ("done", 3)
    assert await stocks(inventory) == {"on_hold": 3}
    shown = (await inventory.get("/v1/dids", SHOP))["items"][-1]
    assert (shown["hold"]["held_by"], shown["next_step"]["action"]) == ("package", "reactivate_package")
    assert await outcomes(await pick(inventory, path, count=1)) == ["package_inactive"]

    await switch(inventory, path, "activate")
    assert await stocks(inventory) == {"assigned": 2, "on_hold": 1}
    entries = (await inventory.get(f"/v1/dids/{shown['did_id']}/history", SHOP))["items"]
    assert [(entry["type"], entry["actor"]) for entry in entries] == [
        ("http.pick", "user:ann"),
        ("job.follow_package", "user:ann"),
        ("job.follow_package", "user:ann"),
    ]
    assert await outcomes(await pick(inventory, path, count=1)) == ["done"]


async def test_the_numbers_of_a_client_that_ended_are_held_and_return_when_the_hold_runs_out(
    inventory: Any, path: str
) -> None:
    """What comes after the hold is what the stock says. The package has room again for the client's next numbers."""
    edited = {"numbers": [f"{PREFIX}{n}" for n in range(100, 120)], "after_hold": "archived"}
    await inventory.call("POST", "/v1/stock/batch/edit", RESELLER, json=edited)
    await pick(inventory, path, count=10)
    ended = await inventory.call("DELETE", f"{path}/clients/{CLIENT}", RESELLER)
    assert ended.status_code == 202, ended.text
    await inventory.run_jobs()
    assert await stocks(inventory) == {"on_hold": 10}
    assert (await pick(inventory, path, count=1)).status_code == 404

    await inventory.set_time(await inventory.now() + timedelta(days=5))
    await inventory.run_due_timers()
    assert await stocks(inventory) == {}
    archived = (await inventory.get("/v1/stock", RESELLER, stock="archived"))["items"]
    assert len(archived) == 10
    again = await inventory.call("POST", f"{path}/clients", RESELLER, json={"account": CLIENT})
    assert (again.status_code, again.json()["active"]) == (201, True)
    assert await outcomes(await pick(inventory, path, count=1)) == ["done"]


async def test_a_package_gives_away_nothing_of_the_stock_above(inventory: Any, path: str) -> None:
    """The account above sells those numbers, or hands them out. The package has those of its own account."""
    body = {"numbers": "300-301", "prefix": PREFIX, "tag": "gold"}
    assert (await inventory.call("POST", "/v1/stock", MASTER, json=body)).json()["done"] == 2
    listed = (await inventory.get(f"{path}/numbers", SHOP, limit=1000))["items"]
    assert [number["number"] for number in listed] == [f"{PREFIX}{n}" for n in range(100, 120)]
    assert await outcomes(await pick(inventory, path, numbers=[f"{PREFIX}300"])) == ["not_found"]
    assert await outcomes(await pick(inventory, path, count=10)) == ["done"] * 10
    assert len((await inventory.get("/v1/stock", MASTER, stock="in_stock"))["items"]) == 12


async def test_a_package_is_seen_by_its_account_and_its_clients_alone(inventory: Any, path: str) -> None:
    """For a sibling it does not exist, in no route. A client manages nothing."""
    for by, status in ((MASTER, 200), (RESELLER, 200), (SHOP, 200), ("reseller:other", 404)):
        assert (await inventory.call("GET", path, by)).status_code == status
        assert (await inventory.call("GET", f"{path}/numbers", by)).status_code == status
    assert (await inventory.get("/v1/packages", "reseller:other"))["items"] == []
    assert len((await inventory.get("/v1/packages", SHOP))["items"]) == 1
    assert (await pick(inventory, path, "reseller:other", count=1)).status_code == 404
    for method, where in (("POST", "/activate"), ("DELETE", f"/clients/{CLIENT}"), ("PATCH", "")):
        body = {"json": {}} if method == "PATCH" else {}
        foreign = await inventory.call(method, path + where, "reseller:other", **body)
        assert foreign.status_code == 404, (method, foreign.text)
        forbidden = await inventory.call(method, path + where, SHOP, **body)
        assert (forbidden.status_code, forbidden.json()["code"]) == (403, "role_not_allowed")


async def test_a_package_is_changed_and_its_history_tells_it(inventory: Any, path: str) -> None:
    """Numbers that were picked before stay. A client must be an account below that of the package."""
    await pick(inventory, path, count=2)
    changed = await inventory.call("PATCH", path, RESELLER, json={"count": 1, "name": "One"})
    assert (changed.json()["count"], changed.json()["name"]) == (1, "One")
    assert await outcomes(await pick(inventory, path, count=1)) == ["package_full"]
    above = await inventory.call("POST", f"{path}/clients", MASTER, json={"account": "master"})
    assert (above.status_code, above.json()["code"]) == (409, "not_below")
    log = (await inventory.get("/v1/history", RESELLER, limit=1000))["items"]
    assert [entry["type"] for entry in log if entry["thing"] == "package"] == [
        "http.create_package",
        "http.add_client",
        "http.change_package",
    ]


async def test_a_pick_of_100_numbers_takes_as_many_statements_as_one_of_2(inventory: Any, path: str) -> None:
    """So does the job that holds them."""
    await fill(inventory, "200-399")
    await inventory.call("PATCH", path, RESELLER, json={"count": 1000})
    found = []
    for count in (2, 100):
        async with statements_of(inventory.database) as statements:
            assert (await pick(inventory, path, count=count)).json()["done"] == count
        found.append(len(statements))
    assert found[0] == found[1]
