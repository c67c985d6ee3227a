"""The query plans of the most frequent reads: each uses the index that was made for it."""

from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.database import compile_statement
from didflow_chassis.decision import Caller
from didflow_inventory.store import queries, stock
from didflow_inventory.store.tables import dids

RESELLER = Caller(subject="ann", account="master/acme", role="reseller")


async def plan_of(inventory: Any, statement: Any, *disabled: str) -> str:
    """Return PostgreSQL's plan for a statement if reading whole tables, and all of `disabled`, is expensive."""
    text, values = compile_statement(statement)
    async with inventory.database.pool.acquire() as connection, connection.transaction():
        for method in ("seqscan", *disabled):
            await connection.execute(f"SET LOCAL enable_{method} = off")
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {text}", *values))


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (queries.summary(RESELLER), "dids_account"),
        (queries.account_tree(RESELLER), "accounts_pkey"),
        (queries.history_of(UUID(int=1)), "history_did_id"),
        (queries.history_of_thing(RESELLER, "stock", "+35319609036"), "history_thing_id"),
        (stock.free_numbers(RESELLER, "IE", 10), "numbers_free"),
        (stock.stock(RESELLER), "numbers_stock"),
        (queries.one_did(RESELLER, "+35319609036"), "dids_in_all"),
        (queries.my_numbers(RESELLER, "expiring_soon"), "dids_in_expiring_soon"),
        (queries.dids_after(UUID(int=1), 100), "dids_pkey"),
    ],
)
async def test_a_frequent_read_uses_its_index(inventory: Any, statement: Any, index: str) -> None:
    """The summary, the accounts, a history, one number and a quick filter each have an index."""
    plan = await plan_of(inventory, statement)
    assert index in plan
    assert "Seq Scan on" not in plan.replace("Seq Scan on clock", "")


async def test_a_page_is_read_in_the_order_of_its_index(inventory: Any) -> None:
    """The first page of a quick filter does not sort all its DIDs."""
    statement = queries.my_numbers(RESELLER, "awaiting_registration")
    page = statement.order_by(dids.c.number, dids.c.did_id).limit(51)
    plan = await plan_of(inventory, page, "bitmapscan", "sort")
    assert "dids_in_awaiting_registration" in plan
    assert "Sort" not in plan
