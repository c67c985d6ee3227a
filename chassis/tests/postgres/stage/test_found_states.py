"""States that only stored states name, and that are found under the locks of a batch."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import pytest
import toy
from harness.fixtures import OnPostgres
from harness.statements import statements_of
from rules_service import RULES_SERVICE, ReadOwnLimit, prepare
from stage_rules import NOW, about, event, limited, set_limit
from toy_messages import opened

from didflow_chassis.database import hash64
from didflow_chassis.decision import Unchanged
from didflow_chassis.testing import ServiceOnPostgres


@pytest.fixture
async def running(on_postgres: OnPostgres) -> ServiceOnPostgres:
    """The toy service with ten counters, each of which names a limit. The limit is found under the locks."""
    handler = replace(RULES_SERVICE.commands[ReadOwnLimit], state_needs_are_rare=True)
    service = replace(RULES_SERVICE, commands={**RULES_SERVICE.commands, ReadOwnLimit: handler})
    found = await on_postgres(service, prepare=prepare, now=NOW)
    await found.run(set_limit(10))
    for number in range(1, 11):
        await found.receive(event(opened(number)), event(limited(number)))
    return found


async def read(running: ServiceOnPostgres) -> list[Any]:
    """Let all counters read their limit in one batch."""
    return await running.run_batch([ReadOwnLimit(**about(number)) for number in range(1, 11)])


async def test_a_state_that_is_found_under_the_locks_is_read_in_the_same_transaction(
    running: ServiceOnPostgres,
) -> None:
    """The batch does not begin again, and reads no state twice."""
    async with statements_of(running.database) as found:
        assert await read(running) == [Unchanged(answer=10)] * 10
    assert sum(statement.startswith("BEGIN") for statement in found) == 1
    assert sum("FROM counters" in statement for statement in found) == 1
    assert sum("FROM limits" in statement for statement in found) == 1


async def test_a_batch_begins_again_when_others_hold_what_it_finds(running: ServiceOnPostgres) -> None:
    """It does not wait while it holds locks, so nothing can deadlock. It then takes all locks in order, and waits."""
    other = await asyncpg.connect(running.database.dsn)
    async with statements_of(running.database) as found:
        async with other.transaction():
            kind = running.service.kind_of[toy.Limit]
            await other.execute("SELECT pg_advisory_xact_lock($1)", hash64(kind.lock_of("default")))
            reading = asyncio.create_task(read(running))
            done, _ = await asyncio.wait({reading}, timeout=0.3)
            assert not done
        assert await reading == [Unchanged(answer=10)] * 10
    await other.close()
    assert sum(statement.startswith("BEGIN") for statement in found) == 2
