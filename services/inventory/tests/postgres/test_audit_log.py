"""The audit log on a real PostgreSQL: complete for a reader that pages while others write, and within the reach."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from harness.deadline import eventually

INSERT = """
    INSERT INTO history (thing, thing_id, account, at, recorded_at, type, actor, outcome, changes, extra)
    VALUES ('account', $1, 'master/acme', now(), now(), 'test', 'test', 'applied', '{}', '{}')
    RETURNING position
"""


@pytest.fixture
async def connections(inventory: Any) -> AsyncIterator[list[Any]]:
    """Three connections to the database of inventory."""
    opened = [await asyncpg.connect(inventory.database.dsn) for _ in range(3)]
    yield opened
    for connection in opened:
        await connection.close()


async def page(inventory: Any, cursor: str | None = None, limit: int = 1) -> tuple[list[str], str | None]:
    """Return the ids of one page of the test's entries, and the next cursor."""
    params: dict[str, Any] = {"type": "test", "limit": limit} | ({"cursor": cursor} if cursor else {})
    body = await inventory.get("/v1/history", **params)
    return [entry["thing_id"] for entry in body["items"]], body["next"]


async def read(inventory: Any) -> list[str]:
    """Return the ids of the test's entries."""
    return (await page(inventory, limit=50))[0]


async def written(inventory: Any, *ids: str) -> None:
    """Wait until the log has exactly these entries. Other databases of the server can delay them."""

    async def found() -> bool:
        return await read(inventory) == list(ids)

    await eventually(found)


async def test_a_reader_that_pages_by_cursor_misses_no_entry_of_a_transaction_that_commits_late(
    inventory: Any, connections: list[Any]
) -> None:
    """Two transactions commit in the reverse order of their positions. The reader has passed the later position."""
    early, late, plain = connections
    for name in ("a", "b"):
        await plain.execute(INSERT, name)
    await written(inventory, "a", "b")
    seen, cursor = await page(inventory)
    assert seen == ["a"]

    slow, fast = early.transaction(), late.transaction()
    await slow.start()
    first = await early.fetchval(INSERT, "slow")
    await fast.start()
    second = await late.fetchval(INSERT, "fast")
    assert first < second
    await fast.commit()

    seen, _ = await page(inventory, cursor, limit=10)
    assert seen == ["b"]
    await slow.commit()
    await written(inventory, "a", "b", "slow", "fast")
    assert await page(inventory, cursor, limit=10) == (["b", "slow", "fast"], None)


async def test_an_older_transaction_that_writes_last_comes_first_and_is_not_passed_by(
    inventory: Any, connections: list[Any]
) -> None:
    """The id of a transaction can be lower and its position higher. The order of the log is that of the ids."""
    older, newer, _ = connections
    slow, fast = older.transaction(), newer.transaction()
    await slow.start()
    await older.fetchval("SELECT pg_current_xact_id()::text")
    await fast.start()
    low = await newer.fetchval(INSERT, "newer")
    high = await older.fetchval(INSERT, "older")
    assert low < high
    await fast.commit()
    assert await read(inventory) == []
    await slow.commit()
    await written(inventory, "older", "newer")


async def test_the_log_has_the_entries_of_the_callers_accounts_and_takes_its_parameters(
    inventory: Any, make: Any
) -> None:
    """Accounts and DIDs are in one log. A sibling sees nothing of it, and the role user may not read it."""
    await inventory.purchase(make, make.number)
    body = {"path": "master/acme/new", "name": "New"}
    assert (await inventory.call("POST", "/v1/accounts", json=body)).status_code == 201

    async def types(by: str = "reseller:master/acme", **params: Any) -> list[str]:
        entries = (await inventory.get("/v1/history", by, **params))["items"]
        return [entry["type"] for entry in entries]

    async def are_written() -> bool:
        return (await types())[-2:] == ["http.purchase", "http.create_account"]

    await eventually(are_written)
    assert await types("reseller:other") == ["http.create_account"]
    assert await types("reseller:other", account="master/acme") == []
    assert await types(account="master/acme/new") == ["http.create_account"]
    assert await types(type="http.purchase", actor="user:ann") == ["http.purchase"]
    assert await types(type="http.purchase", actor="user:eve") == []
    now = await inventory.now()
    day = timedelta(days=1)
    assert len(await types(since=(now - day).isoformat(), until=(now + day).isoformat())) >= 2
    assert await types(since=(now + day).isoformat()) == []
    assert await types(until=(now - day).isoformat()) == []
    assert (await inventory.call("GET", "/v1/history", "user:master/acme")).status_code == 403


async def test_an_entry_names_its_thing(inventory: Any, make: Any) -> None:
    """A DID by its id and number, an account by its path, with what was set."""
    did = await inventory.purchase(make, make.number)

    async def entries() -> Any:
        return (await inventory.get("/v1/history", "operator:root"))["items"]

    async def is_written() -> bool:
        return bool((await entries())[-1]["did_id"] == did["did_id"])

    await eventually(is_written)
    first, last = (await entries())[0], (await entries())[-1]
    assert (first["thing"], first["thing_id"], first["did_id"]) == ("account", "master", None)
    assert first["changes"]["name"] == {"before": None, "after": "master"}
    assert (last["thing"], last["thing_id"], last["number"]) == ("did", None, make.number)


async def test_what_a_did_costs_its_payer_is_shown_to_nobody_below_and_to_no_role_without_the_ledger(
    inventory: Any, make: Any
) -> None:
    """In the history of the DID and in the audit log. The entries are there; the amounts are not."""
    await inventory.receive(make.purchased(), make.ledger_posted())
    given = {"dids": [make.number], "account": "master/acme/shop"}
    handed = await inventory.call("POST", "/v1/dids/batch/assign-account", json=given)
    assert handed.json()["done"] == 1
    await inventory.receive(make.again(make.ledger_posted()))

    async def amounts(path: str, by: str) -> list[Any]:
        entries = (await inventory.get(path, by))["items"]
        return [
            entry["extra"][name] for entry in entries for name in ("price", "money") if name in entry["extra"]
        ]

    money = {"amount": "1.00", "currency": "EUR"}
    price = {"setup": money, "recurring": {"amount": "2.00", "currency": "EUR"}}
    of_did = f"/v1/dids/{make.did_id}/history"
    for by in ("reseller:master/acme", "master_reseller:master", "operator:root"):
        assert await amounts(of_did, by) == [price, money, money]
    assert await amounts(of_did, "reviewer:master") == ["***"] * 3
    assert await amounts(of_did, "enterprise_admin:master/acme/shop") == ["***"]

    async def is_written() -> bool:
        return await amounts("/v1/history", "reseller:master/acme") == [price, money, money]

    await eventually(is_written)
    assert await amounts("/v1/history", "reseller:master/acme/shop") == ["***"]
