"""The query plans of the most frequent reads: each uses the index that was made for it."""

import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from harness.deadline import eventually
from harness.postgres import owner_dsn_of

from didflow_chassis.commit_order import Place
from didflow_chassis.database import compile_statement
from didflow_chassis.decision import Caller
from didflow_inventory.api.bodies import AuditLogQuery
from didflow_inventory.store import did_changes, queries, stock
from didflow_inventory.store.tables import CARRIER_USES, OPERATOR_USES, dids, history

PLACE, LATER = Place(5, 1), Place(90, 0)
OPERATOR = Caller(subject="olga", account="root", role="operator")
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
        (queries.history_of(RESELLER, UUID(int=1)), "history_did_id"),
        (queries.history_of_thing(RESELLER, "stock", "+35319609036"), "history_thing_id"),
        (stock.free_numbers(RESELLER, "IE", 10), "numbers_free"),
        (did_changes.next_rows(PLACE), "did_changes_pkey"),
        (did_changes.missed_changes(OPERATOR, None, PLACE, LATER, 500), "did_changes_pkey"),
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


ENTRIES = """
INSERT INTO history (thing, thing_id, account, at, recorded_at, type, actor, outcome, changes, extra)
SELECT 'account', n::text, $1 || CASE WHEN $4 THEN '/e' || n % 50 ELSE '' END, now(), now(),
    'type' || n % 10, 'actor' || n % 10, 'applied', '{}', '{}'
FROM generate_series($2::int, $3::int) n
"""
OTHERS, OWN, PAGE = 30_000, 1_000, 51
READ = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")


def read_in(node: dict[str, Any]) -> int:
    """Return how many rows the scans of a plan have read."""
    below = sum(map(read_in, node.get("Plans", ())))
    is_scan = "Scan" in node["Node Type"] and node["Node Type"] != "Bitmap Index Scan"
    return below + (int(node["Actual Loops"] * sum(node.get(name, 0) for name in READ)) if is_scan else 0)


async def first_page(inventory: Any, caller: Caller, **parameters: Any) -> tuple[int, int, int]:
    """Read a page of the audit log. Return how many entries it has, and how many rows and blocks were read."""
    query = AuditLogQuery(**parameters)
    statement = queries.audit_log(caller, query.account, *query.conditions())
    text, values = compile_statement(
        statement.order_by(history.c.transaction_id, history.c.position).limit(PAGE)
    )
    (row,) = await inventory.database.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}", *values)
    plan = json.loads(row[0])[0]["Plan"]
    return plan["Actual Rows"], read_in(plan), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.fixture
async def long_log(inventory: Any) -> Any:
    """Inventory with many entries of some accounts, and few of others, which were written before, among and after."""
    small = (
        "tiny",
        "master/small",
        "master/acme/small",
        "master/acme/shop/deep",
        "master/acme/shop/deep/deeper",
    )
    connection = await asyncpg.connect(owner_dsn_of(inventory.database.dsn))
    try:
        await connection.execute("DELETE FROM history")
        for part in range(10):
            if part in (0, 5, 9):
                for account in small:
                    await connection.execute(ENTRIES, account, part * 100, part * 100 + OWN // 3, True)
            for account in ("master/big", "master/acme/big"):
                await connection.execute(ENTRIES, account, 1, OTHERS // 20, False)
        await connection.execute("ANALYZE history")
    finally:
        await connection.close()

    async def is_settled() -> bool:
        counted = await inventory.database.fetch(
            "SELECT count(*) FROM history WHERE transaction_id >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
        )
        return bool(counted[0][0] == 0)

    await eventually(is_settled)
    return inventory


async def test_a_page_of_the_audit_log_reads_its_entries_alone(long_log: Any) -> None:
    """Whatever the others have: the own account, one below, one above, one elsewhere. An operator has no account."""
    unbounded = {}
    for account, asked in (
        ("tiny", None),
        ("master/small", None),
        ("master/small/e7", None),
        ("master/acme/small", None),
        ("master/acme/small/e7", None),
        ("master", "master/small"),
        ("master/small", "master"),
        ("master", "tiny"),
        ("master/acme", None),
        ("master", None),
        ("", None),
        ("", "master/acme/small"),
    ):
        caller = Caller(subject="ann", account=account, role="reseller" if account else "operator")
        entries, read, blocks = await first_page(long_log, caller, account=asked)
        is_whole = entries == (0 if asked == "tiny" else 21 if "e7" in account else PAGE)
        if not is_whole or read > entries or blocks > 4 * PAGE:
            unbounded[account, asked] = entries, read, blocks
    assert unbounded == {}


async def test_a_filter_of_the_audit_log_reads_the_entries_of_the_account_alone(long_log: Any) -> None:
    """It may read all of them, if few match or none."""
    small = Caller(subject="ann", account="master/small", role="reseller")
    unbounded = {}
    for name, value in (
        ("actor", "actor3"),
        ("type", "type3"),
        ("actor", "nobody"),
        ("since", "2100-01-01T00:00:00Z"),
        ("until", "2000-01-01T00:00:00Z"),
    ):
        _, read, blocks = await first_page(long_log, small, **{name: value})
        if read > OWN + 3 or blocks > OWN:
            unbounded[name, value] = read, blocks
    assert unbounded == {}


async def test_an_account_far_below_the_root_reads_no_more_than_the_account_above_it_has(
    long_log: Any,
) -> None:
    """The index knows the first four levels of the tree."""
    deep = Caller(subject="ann", account="master/acme/shop/deep/e7", role="reseller")
    entries, read, _ = await first_page(long_log, deep)
    assert (entries >= 20, read <= 2 * OWN + 6) == (True, True)


async def test_the_use_of_a_carrier_is_found_by_indexes_if_all_numbers_name_another(inventory: Any) -> None:
    """The stock is not read from its beginning in the hope of a row that is not there."""
    await inventory.fetch("""
        INSERT INTO numbers (number, releasing, stock, uploaded_by, carrier, operator, features, version)
        SELECT '+3531' || n, false, 'in_stock', 'master', 'net', 'Telco', '[]', 1 FROM generate_series(1, 20000) n""")
    await inventory.fetch("ANALYZE numbers")
    for kind, index in ((CARRIER_USES, "numbers_carrier"), (OPERATOR_USES, "numbers_operator")):
        rows = await inventory.fetch(f"EXPLAIN {kind.load_sql}", [UUID(int=1)])
        plan = "\n".join(row[0] for row in rows)
        assert index in plan
        assert "Seq Scan on numbers" not in plan


async def test_a_small_account_reads_only_its_own_of_the_changes_that_it_has_missed(inventory: Any) -> None:
    """Between its changes there are many of others. An account whose changes are most of all reads them in order."""
    await inventory.fetch(
        "INSERT INTO did_changes (did_id, number, account) SELECT gen_random_uuid(), n::text, "
        "CASE WHEN n % 1000 = 0 THEN 'master/acme/shop' ELSE 'master/big/a' || n % 50 END "
        "FROM generate_series(1, 20000) n"
    )
    await inventory.fetch("ANALYZE did_changes")
    everything = Place(0, 0), Place(2**62, 0)
    statement = did_changes.missed_changes(RESELLER, None, *everything, 500)
    plan = await plan_of(inventory, statement)
    assert "did_changes_account" in plan
    assert "did_changes_former_account" in plan
    assert "did_changes_pkey" not in plan
    large = Caller(subject="ann", account="master/big", role="reseller")
    plan = await plan_of(inventory, did_changes.missed_changes(large, None, *everything, 500))
    assert "did_changes_pkey" in plan
    assert "Sort" not in plan
