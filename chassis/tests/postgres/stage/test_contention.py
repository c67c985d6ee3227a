"""Two protections of a state: locks keep other writers out, and the version finds a writer who came in without."""

import asyncio

import pytest
from toy_messages import added, opened, total
from toy_records import record

from didflow_chassis.database import Database, Transient
from didflow_chassis.stage import Stage, transaction, unit_of_work

WRITERS, EACH = 8, 15
UNLOCKED = """
WITH locked AS MATERIALIZED (SELECT k::text AS got FROM unnest($1::bigint[], $2::boolean[]) AS wanted (k, w))
SELECT clock_timestamp() + (SELECT shift FROM clock), count(got) FROM locked
"""


async def contend(stage: Stage) -> None:
    """Let many writers add to one counter at the same time."""
    await stage.records([record(opened(1), "o")])

    async def write(writer: int) -> None:
        for turn in range(EACH):
            await stage.records([record(added(1, 1), f"{writer}-{turn}")])

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))


@pytest.fixture
def conflicts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of conflicts that the version has found."""
    met: list[str] = []

    class Counted(Transient):
        def __init__(self, message: str) -> None:
            super().__init__(message)
            met.append(message)

    monkeypatch.setattr(unit_of_work, "Transient", Counted)
    return met


async def test_with_the_locks_no_write_conflicts(
    stage: Stage, database: Database, conflicts: list[str]
) -> None:
    """Many writers change one entity: all effects are stored, and no write had to be repeated."""
    await contend(stage)
    assert await total(database, 1) == WRITERS * EACH
    assert conflicts == []


async def test_without_the_locks_the_version_prevents_lost_effects(
    stage: Stage, database: Database, conflicts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without locks writers conflict. The second writer decides again, and no effect is lost."""
    monkeypatch.setattr(transaction, "LOCK", UNLOCKED)
    await contend(stage)
    assert await total(database, 1) == WRITERS * EACH
    assert conflicts
