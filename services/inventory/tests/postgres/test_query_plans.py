"""What is read is read by an index: the plans of the questions that people ask most."""

from typing import Any
from uuid import UUID

import pytest

from didflow_chassis.database import compile_statement
from didflow_chassis.decision import Caller
from didflow_inventory import store

RESELLER = Caller(subject="ann", account="master/acme", role="reseller")


async def plan_of(inventory: Any, statement: Any, *dear: str) -> str:
    """Ask how PostgreSQL would run a statement where whole tables, and what is `dear`, cost as with many rows."""
    text, values = compile_statement(statement)
    async with inventory.database.pool.acquire() as connection, connection.transaction():
        for way in ("seqscan", *dear):
            await connection.execute(f"SET LOCAL enable_{way} = off")
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {text}", *values))


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (store.summary(RESELLER), "dids_account"),
        (store.account_tree(RESELLER), "accounts_pkey"),
        (store.story(UUID(int=1)), "history_did_id"),
        (store.one_did(RESELLER, "+35319609036"), "dids_in_all"),
        (store.my_numbers(RESELLER, "expiring_soon"), "dids_in_expiring_soon"),
    ],
)
async def test_the_usual_questions_are_answered_by_an_index(
    inventory: Any, statement: Any, index: str
) -> None:
    """A subtree, a filter, a number, a story, the tree: each by the index made for it."""
    plan = await plan_of(inventory, statement)
    assert index in plan
    assert "Seq Scan on" not in plan.replace("Seq Scan on clock", "")


async def test_a_page_is_read_in_the_order_of_its_index(inventory: Any) -> None:
    """No sorting of all that a filter shows in order to give the first page of it."""
    numbers = store.dids.c.number
    statement = store.my_numbers(RESELLER, "awaiting_registration")
    page = statement.order_by(numbers, store.dids.c.did_id).limit(51)
    plan = await plan_of(inventory, page, "bitmapscan", "sort")
    assert "dids_in_awaiting_registration" in plan
    assert "Sort" not in plan
