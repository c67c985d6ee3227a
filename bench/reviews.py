"""Reviewers beside a long queue: what their calls take at the database, for an operator and for three reviewers.

Each call goes through HTTP and the stage in this process. The time is that of its statements, commits included, as
PostgreSQL reports it (`log_duration`). Reads run as the reader, with the policies of the tables.
"""

import asyncio
import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from harness.migrations import migration_of
from harness.postgres import TemplateDatabases, reader_for
from harness.waiting_reviews import LARGE, NEWEST, SMALL, fill

from bench.rounds import Tell
from bench.statement_times import StatementTimes, report_durations
from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder
from didflow_chassis.testing import ServiceOnPostgres
from didflow_verification.service import service
from didflow_verification.settings import VerificationSettings

ROWS: Final = 100_000
GROUPS: Final = (100, 50_000)
REPEATS: Final = 30
CALLERS: Final = {
    "operator": ("elsewhere", "operator"),
    "reviewer of a large account": (LARGE, "reviewer"),
    "reviewer of a small account": (SMALL, "reviewer"),
    "reviewer of the newest numbers": (NEWEST, "reviewer"),
}


@dataclass(kw_only=True)
class Took:
    """What one kind of call took at the database, each time, in milliseconds."""

    what: str
    ms: list[float] = field(default_factory=list)

    @property
    def numbers(self) -> dict[str, float]:
        """The median and the slowest."""
        return {"median": round(statistics.median(self.ms), 2), "slowest": round(max(self.ms), 2)}


async def measure(admin_dsn: str, *, rows: int, tell: Tell) -> list[tuple[int, list[Took]]]:
    """Measure with so many pending verifications, once for each number of groups of the same details."""
    found = []
    databases = TemplateDatabases(admin_dsn=admin_dsn)
    for groups in GROUPS:
        dsn = await databases.copy("verification", migration_of("verification"))
        await report_durations(admin_dsn, urlsplit(dsn).username or "")
        about = service(VerificationSettings.placeholder())
        async with ServiceOnPostgres.open(about, dsn, migrate=False, reader=reader_for(dsn)) as running:
            await fill(running, rows=rows, groups=groups)
            found.append((groups, await _calls(running)))
            for took in found[-1][1]:
                tell(f"{rows:,} pending in {groups:,} groups: {took.what}: {took.numbers}")
        await databases.drop(dsn)
    return found


async def _calls(running: ServiceOnPostgres) -> list[Took]:
    database, found = StatementTimes(), []
    database.watch()
    for who, (account, role) in CALLERS.items():
        client = running.client(account=account, role=role, subject="olga")
        for what, path in (
            ("first page of the queue", "/v1/verifications"),
            ("first page of the groups", "/v1/verifications?group_by=details"),
        ):
            read = Took(what=f"{what}, {who}")
            await _repeat(read, database, lambda path=path, client=client: client.get(path), REPEATS)
            found.append(read)
    for who in ("reviewer of a large account", "reviewer of a small account"):
        found += await _decisions(running, database, who)
    return found


async def _decisions(running: ServiceOnPostgres, database: StatementTimes, who: str) -> list[Took]:
    account, role = CALLERS[who]
    client = running.client(account=account, role=role, subject="rita")
    page = (await client.get("/v1/verifications", params={"limit": str(REPEATS)})).json()["items"]
    ids = [item["verification_id"] for item in page]
    found = []
    for action in ("claim", "approve"):
        took = Took(what=f"{action}, {who}")
        paths = [f"/v1/verifications/{one}/{action}" for one in ids]
        calls = iter(paths)
        await _repeat(took, database, lambda calls=calls: client.post(next(calls)), len(paths))
        found.append(took)
    return found


async def _repeat(
    took: Took, database: StatementTimes, call: Callable[[], Awaitable[Any]], times: int
) -> None:
    for _ in range(times):
        before = database.ms
        answer = await call()
        if answer.status_code != 200:
            raise RuntimeError(answer.text)
        took.ms.append(await database.since(before))


async def _main(rows: int = ROWS) -> None:
    with temporary_folder() as folder:
        async with await EmbeddedPostgres.start(folder / "postgres", durable=True) as postgres:
            await measure(postgres.dsn, rows=rows, tell=print)


if __name__ == "__main__":
    asyncio.run(_main())
