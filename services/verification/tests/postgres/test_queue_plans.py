"""The queue beside many accounts: its reads use their indexes and read a page of rows, whoever the reviewer is."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from harness.waiting_reviews import LARGE, NEWEST, SMALL, fill

from didflow_chassis.database import compile_statement
from didflow_chassis.decision import Caller
from didflow_chassis.row_access import SETTING, reach_of
from didflow_verification.domain.verifications.coverage import OthersPending
from didflow_verification.store import KINDS, VERIFICATIONS

PENDING = 20_000
GROUPS = 5_000
PAGE = 51
"""Rows of a page, and the one that shows whether another page follows."""

CALLERS = {
    "an operator": Caller(subject="olga", account="elsewhere", role="operator"),
    "a reviewer of a large account": Caller(subject="rita", account=LARGE, role="reviewer"),
    "a reviewer of a small account": Caller(subject="rita", account=SMALL, role="reviewer"),
    "a reviewer of the newest numbers": Caller(subject="rita", account=NEWEST, role="reviewer"),
}


@pytest.fixture
async def waiting(running: Any) -> Any:
    """Verification with a long queue of a large account and many small ones."""
    await fill(running, rows=PENDING, groups=GROUPS)
    return running


class Plans:
    """The plans of the statements that HTTP runs, as the reader of a caller gets them."""

    def __init__(self, running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self._running = running
        self._seen: list[tuple[Any, Caller]] = []
        read = running.reads.read

        async def watched(statement: Any, caller: Caller) -> Any:
            self._seen.append((statement, caller))
            return await read(statement, caller)

        monkeypatch.setattr(running.reads, "read", watched)

    async def of(self, caller: Caller, query: str) -> tuple[list[Any], list[dict[str, Any]]]:
        """Return the items of a list, and the scans of tables in the plans of its statements."""
        self._seen.clear()
        client = self._running.client(caller.account, caller.role, caller.subject)
        answer = await client.get(f"/v1/verifications{query}")
        assert answer.status_code == 200, answer.text
        scans = []
        for statement, reader in list(self._seen):
            scans += await self._scans(*compile_statement(statement), reader)
        return answer.json()["items"], scans

    async def _scans(self, text: str, values: list[Any], reader: Caller) -> list[dict[str, Any]]:
        async with self._running.reads.pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute("SELECT set_config($1, $2, true)", SETTING, reach_of(reader))
            plan = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", *values)
        scans = [node for node in nodes_of(orjson.loads(plan)[0]["Plan"]) if "Relation Name" in node]
        return [node for node in scans if node["Relation Name"] != "clock"]


def nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)


def rows_read(scans: list[dict[str, Any]]) -> int:
    """Return how many rows of tables were read, also those that were left out."""
    return sum(int(s["Actual Rows"]) + int(s.get("Rows Removed by Filter", 0)) for s in scans)


@pytest.fixture
def plans(waiting: Any, monkeypatch: pytest.MonkeyPatch) -> Plans:
    """The plans of the reads of a long queue."""
    return Plans(waiting, monkeypatch)


async def test_the_first_page_of_the_queue_reads_a_page_of_rows_for_every_reviewer(plans: Plans) -> None:
    """Neither the numbers of other accounts nor the decided ones are read. No table is scanned."""
    found = {}
    for who, caller in CALLERS.items():
        items, scans = await plans.of(caller, "")
        assert len(items) == (
            10 if caller.account == NEWEST else 2 if caller.account == SMALL else PAGE - 1
        ), who
        assert [scan["Node Type"] for scan in scans if scan["Node Type"] == "Seq Scan"] == [], who
        found[who] = rows_read(scans)
    assert {who: read for who, read in found.items() if read > 2 * PAGE} == {}, found


async def test_groups_are_counted_from_an_index_without_the_rows_of_the_queue(plans: Plans) -> None:
    """Only the first verification of each group on the page is read whole."""
    for who, caller in CALLERS.items():
        items, scans = await plans.of(caller, "?group_by=details")
        assert items, who
        whole = [scan for scan in scans if scan["Node Type"] != "Index Only Scan"]
        assert rows_read(whole) <= 2 * PAGE, (who, scans)
        counted = [scan for scan in scans if scan["Node Type"] == "Index Only Scan"]
        assert {scan["Index Name"] for scan in counted} <= {"verifications_groups"}, (who, scans)
        assert sum(scan["Heap Fetches"] for scan in counted) == 0, who


async def test_a_list_that_is_read_often_is_still_planned_for_its_caller(waiting: Any) -> None:
    """A plan for any caller suits neither large accounts nor small ones. PostgreSQL tries one at the sixth read."""
    client = waiting.client(LARGE, "reviewer", "rita")
    for _ in range(10):
        assert (await client.get("/v1/verifications?group_by=details")).status_code == 200
    plans = "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements WHERE starts_with(statement, $1)"
    found = []
    connections = [await waiting.reads.pool.acquire() for _ in range(20)]
    for connection in connections:
        found.append(tuple(await connection.fetchrow(plans, "SELECT count(*) AS count")))
        await waiting.reads.pool.release(connection)
    assert sum(custom or 0 for _, custom in found) == 10
    assert sum(generic or 0 for generic, _ in found) == 0


async def test_a_group_is_opened_by_an_index(plans: Plans) -> None:
    """Its own verifications are read, and no others."""
    for who, caller in CALLERS.items():
        (group, *_), _ = await plans.of(caller, "?group_by=details")
        names = ("identity_id", "address_id", "requirement", "area")
        query = "&".join(f"{name}={group[name]}" for name in names)
        items, scans = await plans.of(caller, f"?status=pending&{query}")
        assert len(items) == group["count"], who
        assert rows_read(scans) <= 2 * PAGE, (who, scans)


async def test_a_claim_and_a_decision_read_their_verification_and_whether_others_wait(waiting: Any) -> None:
    """By their keys: the verification, and one more of the same details, however many wait."""
    rows = await waiting.fetch("SELECT verification_id FROM verifications WHERE status = 'pending' LIMIT 5")
    keys = [row["verification_id"] for row in rows]
    others = next(kind for kind in KINDS if kind.model is OthersPending)
    for kind in (VERIFICATIONS, others):
        plan = await waiting.database.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {kind.load_sql}", keys)
        scans = [node for node in nodes_of(orjson.loads(plan[0][0])[0]["Plan"]) if "Relation Name" in node]
        assert [scan["Node Type"] for scan in scans if scan["Node Type"] == "Seq Scan"] == []
        assert rows_read(scans) <= 4 * len(keys), scans
