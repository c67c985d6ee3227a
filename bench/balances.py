"""Balances of a large ledger over HTTP: by account, order and DID, with and without a span, for three callers.

Each call goes through the application of billing in this process: token, query, rendering. Reads run as the reader,
with the policies of the tables.
"""

import random
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from harness.large_ledger import LEAF, RESELLER, fill
from harness.migrations import migration_of
from harness.postgres import TemplateDatabases, reader_for

from bench.rounds import Tell
from bench.statement_times import StatementTimes, report_durations
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.testing import ServiceOnPostgres

CALLS: Final = 60
"""Calls of each kind. The first three are not counted: they open connections."""
LIMIT_MS: Final = 20.0
CALLERS: Final = {
    "operator": ("elsewhere", "operator"),
    "reseller": (RESELLER, "reseller"),
    "leaf": (LEAF, "enterprise_admin"),
}
FIRST: Final = datetime(2024, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(kw_only=True)
class Took:
    """What one kind of call took, each time, in milliseconds."""

    what: str
    ms: list[float] = field(default_factory=list)
    at_database: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    @property
    def numbers(self) -> dict[str, float]:
        """The median and the 95th percentile of the calls and of their statements, and our processor time for one."""
        return {
            "p50": round(statistics.median(self.ms), 1),
            "p95": round(statistics.quantiles(self.ms, n=20)[-1], 1),
            "database_p50": round(statistics.median(self.at_database), 1),
            "database_p95": round(statistics.quantiles(self.at_database, n=20)[-1], 1),
            "processor_p50": round(statistics.median(self.processor), 1),
        }


async def measure(databases: TemplateDatabases, *, entries: int, tell: Tell) -> list[Took]:
    """Fill a ledger with so many entries, and measure each kind of call."""
    dsn = await databases.copy("billing", migration_of("billing"))
    await report_durations(databases.admin_dsn, urlsplit(dsn).username or "")
    database = StatementTimes()
    database.watch()
    try:
        began = time.perf_counter()
        await fill(dsn, entries=entries)
        tell(f"{entries:,} entries in {time.perf_counter() - began:.0f} s")
        about = service(BillingSettings.placeholder())
        async with ServiceOnPostgres.open(about, dsn, migrate=False, reader=reader_for(dsn)) as running:
            found = [await _took(running, database, *kind) for kind in _kinds()]
    finally:
        await databases.drop(dsn)
    for took in found:
        tell(f"{took.what}: {took.numbers}")
    return found


def _kinds() -> Iterator[tuple[str, str, bool]]:
    for who in CALLERS:
        for by in ("account", "order", "did"):
            yield who, by, False
            yield who, by, True


async def _took(
    running: ServiceOnPostgres, database: StatementTimes, who: str, by: str, has_span: bool
) -> Took:
    account, role = CALLERS[who]
    took = Took(what=f"{who}, by {by}, {'with' if has_span else 'without'} a span")
    chosen = random.Random(took.what)
    async with running.client(account=account, role=role, subject="ann") as client:
        for number in range(CALLS + 3):
            query = _query(by, has_span, chosen)
            before, began, used = database.ms, time.perf_counter(), time.process_time()
            answer = await client.get("/v1/balances", params=query)
            ms = (time.perf_counter() - began) * 1_000
            if answer.status_code != 200 or not answer.json()["items"]:
                raise RuntimeError(answer.text)
            used = (time.process_time() - used) * 1_000
            at_database = await database.since(before)
            if number >= 3:
                took.ms.append(ms)
                took.at_database.append(at_database)
                took.processor.append(used)
    return took


def _query(by: str, has_span: bool, chosen: random.Random) -> Mapping[str, Any]:
    """Return a query. Its span begins and ends at any second of two years, and is at least a day long."""
    if not has_span:
        return {"by": by}
    seconds = (LAST - FIRST).total_seconds() - 86_400
    since = FIRST + timedelta(seconds=chosen.randrange(int(seconds)))
    until = since + timedelta(
        seconds=86_400 + chosen.randrange(int((LAST - since).total_seconds()) - 86_400 + 1)
    )
    return {"by": by, "since": since.isoformat(), "until": until.isoformat()}
