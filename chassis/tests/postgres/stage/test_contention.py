"""Two fences around a state: the key locks, which let nobody else in, and the version, which catches who came in."""

import asyncio

import pytest
from toy_messages import added, opened, total
from toy_records import record

from didflow_chassis.database import Database, Transient
from didflow_chassis.stage import Stage, transaction

WRITERS, EACH = 8, 15
UNLOCKED = """
WITH locked AS MATERIALIZED (SELECT k::text AS got FROM unnest($1::bigint[], $2::boolean[]) AS wanted (k, w))
SELECT clock_timestamp() + (SELECT shift FROM clock), count(got) FROM locked
"""


async def contend(stage: Stage) -> None:
    """Let many writers add to one counter at once."""
    await stage.records([record(opened(1), "o")])

    async def write(writer: int) -> None:
        for turn in range(EACH):
            await stage.records([record(added(1, 1), f"{writer}-{turn}")])

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))


@pytest.fixture
def conflicts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conflicts that the version fence met."""
    met: list[str] = []

    class Counted(Transient):
        def __init__(self, message: str) -> None:
            super().__init__(message)
            met.append(message)

    monkeypatch.setattr(transaction, "Transient", Counted)
    return met


async def test_under_contention_the_locks_leave_the_fence_nothing_to_do(
    stage: Stage, database: Database, conflicts: list[str]
) -> None:
    """Many writers on one entity: all effects are there, and not one write was turned away."""
    await contend(stage)
    assert await total(database, 1) == WRITERS * EACH
    assert conflicts == []


async def test_without_the_locks_the_fence_still_loses_nothing(
    stage: Stage, database: Database, conflicts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the locks off writers do meet, and whoever comes second decides again: no effect is lost."""
    monkeypatch.setattr(transaction, "LOCK", UNLOCKED)
    await contend(stage)
    assert await total(database, 1) == WRITERS * EACH
    assert conflicts
