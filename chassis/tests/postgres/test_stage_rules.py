"""The stage on PostgreSQL follows every rule of the stage, and so the stage in memory is its equal."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from harness.fixtures import OnPostgres
from rules_service import RULES_SERVICE, Note, prepare
from stage_rules import NOW, SCENARIOS, Scenario

from didflow_chassis.testing import ServiceOnPostgres


class Awaited:
    """The service with every method awaited, also those that look at nothing but memory."""

    def __init__(self, service: ServiceOnPostgres) -> None:
        self._service = service
        self.record = service.record

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._service, name)

        async def awaited(*arguments: Any, **options: Any) -> Any:
            result = method(*arguments, **options)
            return await result if hasattr(result, "__await__") else result

        return awaited


@pytest.fixture
async def stage(on_postgres: OnPostgres) -> Awaited:
    """The toy service on a database of its own, at `NOW`."""
    return Awaited(await on_postgres(RULES_SERVICE, prepare=prepare, now=NOW))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_a_rule_holds_on_postgres(stage: Awaited, scenario: Scenario) -> None:
    """Each scenario of `stage_rules`, on a real database."""
    await scenario(stage)


async def test_append_only_rows_are_read_in_order_after_a_save_was_rolled_back(
    on_postgres: OnPostgres,
) -> None:
    """The last row takes the place that the rolled back one left between the others."""
    service = await on_postgres(RULES_SERVICE, prepare=prepare, now=NOW)
    notes = [Note(id=uuid4(), did_id=uuid4(), decision=str(number)) for number in range(3)]
    connection = await asyncpg.connect(service.database.dsn)
    try:
        await service.store(notes[0])
        await connection.execute(
            "BEGIN; INSERT INTO notes SELECT gen_random_uuid(), did_id, decision FROM notes"
        )
        await service.store(notes[1])
        await connection.execute("ROLLBACK")
        await connection.execute("VACUUM notes")
        await service.store(notes[2])
    finally:
        await connection.close()
    assert await service.rows(Note) == notes
