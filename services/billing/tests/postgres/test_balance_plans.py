"""A page of balances reads a small part of a large ledger, whoever asks and whatever the span is."""

import json
from typing import Any, Final

import pytest
import pytest_asyncio
from harness.large_ledger import fill
from harness.migrations import migration_of
from harness.postgres import TemplateDatabases, reader_for

from didflow.services import service
from didflow_chassis.database import compile_statement
from didflow_chassis.row_access import SETTING, reach_of
from didflow_chassis.testing import ServiceOnPostgres

ENTRIES: Final = 50_000
MOST: Final = {"account": 5_000, "order": 5_000, "did": 1_500}
"""Rows that a page of 50 may read: totals of about 100 periods, and entries of two hours, two days or 51 DIDs."""
SPAN: Final = {"since": "2024-02-10T00:30:00Z", "until": "2025-11-20T23:10:00Z"}
RESELLERS: Final = (
    "SELECT substring(payer FROM '^master/[^/]+') FROM ledger GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
)
LEAVES: Final = "SELECT payer FROM ledger WHERE payer LIKE '%/%/%' GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
CALLERS: Final = {
    "operator": ("SELECT 'elsewhere'", "operator"),
    "reseller": (RESELLERS, "reseller"),
    "leaf": (LEAVES, "enterprise_admin"),
}
"""The callers: a statement that selects the account, the largest of its kind, and the role."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def large(template_databases: TemplateDatabases) -> Any:
    """Return the DSN of a database with a large ledger. No test writes into it."""
    dsn = await template_databases.copy("billing", migration_of("billing"))
    await fill(dsn, entries=ENTRIES)
    yield dsn
    await template_databases.drop(dsn)


class Explained:
    """The reads of a service. Each is run and explained within the same reach; `rows` counts what its scans read."""

    def __init__(self, reads: Any) -> None:
        self._reads, self._read = reads, reads.read
        self.rows, self.scanned = 0, set[str]()

    async def read(self, statement: Any, caller: Any) -> list[Any]:
        """Run a statement, and count the rows that its scans read."""
        text, values = compile_statement(statement)
        async with self._reads.pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute(f"SELECT set_config('{SETTING}', $1, true)", reach_of(caller))
            plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", *values)
        self._add(json.loads(plan)[0]["Plan"])
        return await self._read(statement, caller)

    def _add(self, node: dict[str, Any]) -> None:
        if "Scan" in node["Node Type"] and "Relation Name" in node:
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            self.rows += read * node["Actual Loops"]
            if node["Node Type"] == "Seq Scan":
                self.scanned.add(node["Relation Name"])
        for inner in node.get("Plans", ()):
            self._add(inner)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("by", ["account", "order", "did"])
@pytest.mark.parametrize("who", CALLERS)
async def test_a_page_of_balances_reads_a_small_part_of_the_ledger(
    large: str, who: str, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator, a reseller in the middle and a leaf; with and without a span; the first page and the second."""
    largest, role = CALLERS[who]
    async with ServiceOnPostgres.open(
        service("billing"), large, migrate=False, reader=reader_for(large)
    ) as billing:
        ((account,),) = await billing.fetch(largest)
        client = billing.client(account, role)
        explained = Explained(billing.reads)
        monkeypatch.setattr(billing.reads, "read", explained.read)
        for query in ({}, SPAN):
            cursor: dict[str, str] = {}
            for _ in range(2):
                explained.rows = 0
                answer = (await client.get("/v1/balances", params={"by": by, **query, **cursor})).json()
                assert answer["items"]
                assert 0 < explained.rows <= MOST[by]
                assert "ledger" not in explained.scanned
                if answer["next"] is None:
                    break
                cursor = {"cursor": answer["next"]}
