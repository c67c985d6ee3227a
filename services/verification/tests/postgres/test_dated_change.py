"""A version with `reverify` that many approved DIDs are under: planned by a job, warned and ended in bounded chunks."""

from collections import Counter
from dataclasses import replace as replace_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from harness.statements import statements_of
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided
from didflow_chassis.pacing import MAX_CHUNK
from didflow_chassis.states import Stored
from didflow_contracts.ids import uuid7
from didflow_verification.catalogue.load_plan import current_rules
from didflow_verification.domain.axes.registration import Registration
from didflow_verification.domain.commands import LoadRules
from didflow_verification.domain.registration.lapse import WARNED_BEFORE
from didflow_verification.store import REGISTRATIONS

MANY = 250
BEGINS = datetime(2027, 2, 1, tzinfo=UTC)
LATER = datetime(2027, 3, 1, tzinfo=UTC)
OPERATOR = Caller(subject="op", account="", role="operator")
PLANNED = "due_at IS NOT NULL"
DUE = "SELECT did_id, number FROM registrations WHERE due_at <= $1 LIMIT $2"


@pytest.fixture
async def approved(running: Any, build: Any, rita: Any, pending_id: str) -> Any:
    """Many approved DIDs, of which one is made from its messages and the others are copies of it."""
    await rita.post(f"/v1/verifications/{pending_id}/approve")
    one = await running.stored(REGISTRATIONS, build.did)
    copies = [replace(one, did_id=uuid4(), number=f"+3531961{n:04}") for n in range(MANY - 1)]
    rows = [Stored(copy, 1, 3, str(copy.did_id)) for copy in copies]
    await running.fetch(REGISTRATIONS.save_sql, *REGISTRATIONS.to_columns(rows))
    await running.fetch("DELETE FROM outbox")
    return one


async def load(running: Any, begins: datetime | None) -> None:
    """Load the rules of Ireland with a second version that begins at this instant, or without a second version."""
    ireland = (await current_rules(running.database))["IE"]
    rows = ireland.requirements[:1]
    if begins is not None:
        day = begins.date()
        second = {"effective_from": day, "reverify": True, "grace_until": day + timedelta(days=20)}
        rows = (*rows, replace_dataclass(rows[0], version=2, **second))
    rules = replace_dataclass(ireland, requirements=rows)
    command = LoadRules(entity_id="IE", subject="", caller=OPERATOR, change_id=uuid7(), rules=rules)
    assert isinstance(await running.run(command), Decided)


async def published(running: Any) -> Counter[str]:
    """Return how many events of each topic wait to be published."""
    return Counter(await running.axis_topics())


async def test_a_version_that_is_removed_before_its_warnings_warns_nobody(
    running: Any, approved: Any
) -> None:
    """It is removed while DIDs are planned. The warnings become due before the second job has reached them."""
    assert approved.due_at is None
    await load(running, BEGINS)
    for _ in range(2):
        await running.run_job_chunk()
    assert await running.count("registrations", PLANNED) == 200
    await load(running, None)
    await running.set_time(BEGINS - WARNED_BEFORE)
    await running.run_due_timers()
    assert await published(running) == {}
    assert await running.count("registrations", PLANNED) == 0
    await running.run_jobs()
    await running.set_time(BEGINS)
    await running.run_due_timers()
    assert await published(running) == {}
    assert await running.count("jobs", "state = 'done' AND refused = 0") == 2


async def test_dids_that_were_warned_of_a_removed_version_are_warned_of_the_next_one(
    running: Any, approved: Any
) -> None:
    """Some are warned when the version is removed. Nobody expires on its date. The next version warns all of them."""
    assert approved.due_at is None
    await load(running, BEGINS)
    await running.run_jobs()
    await running.set_time(BEGINS - WARNED_BEFORE)
    await running.timers.run_due()
    assert await published(running) == {"expiring": MAX_CHUNK}
    await load(running, None)
    await running.run_jobs()
    await running.run_due_timers()
    assert await published(running) == {"expiring": MAX_CHUNK}
    await load(running, LATER)
    await running.run_jobs()
    await running.set_time(BEGINS)
    await running.run_due_timers()
    assert await published(running) == {"expiring": MAX_CHUNK + MANY}
    await running.set_time(LATER)
    await running.run_due_timers()
    assert await published(running) == {"expiring": MAX_CHUNK + MANY, "expired": MANY}


async def test_the_statements_of_a_wave_do_not_grow_with_its_dids_and_a_chunk_publishes_few_events(
    running: Any, approved: Any
) -> None:
    """Warnings and ends: one statement for each table, one event for each DID. The DIDs are read once."""
    assert approved.due_at is None
    await load(running, BEGINS)
    await running.run_jobs()
    for topic, instant in (("expiring", BEGINS - WARNED_BEFORE), ("expired", BEGINS)):
        await running.fetch("DELETE FROM outbox")
        await running.set_time(instant)
        counts = []
        for chunk in (10, MAX_CHUNK):
            rows = await running.fetch(DUE, instant, chunk)
            async with statements_of(running.database) as statements:
                assert await running.stage.due(Registration, [tuple(row) for row in rows])
            counts.append(len(statements))
            assert sum("FROM registrations WHERE" in each for each in statements) == 1
        assert counts[0] == counts[1] <= 11, counts
        assert await published(running) == {topic: 10 + MAX_CHUNK}
        await running.run_due_timers()
        assert await published(running) == {topic: MANY}
