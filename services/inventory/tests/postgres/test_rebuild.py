"""The job `rebuild` on PostgreSQL: after a rule of showing has changed, old rows are shown by the present rules."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from didflow_chassis.decision import Caller, NewJob
from didflow_chassis.jobs.job import Job, StartJob
from didflow_chassis.service import Handler
from didflow_contracts.events import VerificationNotRequired
from didflow_contracts.ids import uuid7
from didflow_inventory.domain.my_numbers import listing
from didflow_inventory.jobs import Rebuild

OPERATOR = Caller(subject="ops", account="", role="operator")


async def rebuilt(inventory: Any) -> Job:
    """Run a rebuild to its end and return the job."""
    job = await start(inventory)
    await inventory.run_jobs()
    return await inventory.state(Job, job.job_id)


async def start(inventory: Any) -> NewJob:
    now = await inventory.now()
    job = NewJob(
        job_id=uuid7(), kind="rebuild", created_by="service:inventory", created_at=now, parameters=Rebuild()
    )
    command = StartJob(entity_id=job.job_id, subject="", caller=OPERATOR, job=job)
    await inventory.run(command)
    return job


@pytest.fixture
async def numbers(inventory: Any, make: Any) -> list[str]:
    """230 numbers, so that a rebuild takes three chunks."""
    found = [f"+353196{n:05d}" for n in range(230)]
    events = [make.purchased(number=number, did_id=uuid7(), order_id=number) for number in found]
    await inventory.receive(*events)
    return found


@pytest.fixture
def changed_rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A release in which `expiring_soon` has the numbers without details."""
    monkeypatch.setitem(listing.QUICK_FILTERS, "expiring_soon", lambda c: c.registration == "awaiting")
    listing.matches_of.cache_clear()
    yield
    listing.matches_of.cache_clear()


async def test_a_rebuild_of_rows_of_the_present_rules_changes_nothing(
    inventory: Any, numbers: list[str]
) -> None:
    """No row is written, no event is published and no result is listed."""
    before = await inventory.fetch("SELECT did_id, version FROM dids ORDER BY did_id")
    published = len(await inventory.published())
    job = await rebuilt(inventory)
    assert (job.state, job.total, job.done, job.refused) == ("done", 230, 230, 0)
    assert await inventory.fetch("SELECT did_id, version FROM dids ORDER BY did_id") == before
    assert len(await inventory.published()) == published
    assert await inventory.count("job_results") == 0


async def test_the_counts_follow_a_changed_rule(
    inventory: Any, numbers: list[str], request: pytest.FixtureRequest
) -> None:
    """Before the rebuild the old rows are counted by the old rule, afterwards by the new one."""
    operator = "operator:master"
    assert (await inventory.get("/v1/dids/summary", operator)).get("expiring_soon", 0) == 0
    request.getfixturevalue("changed_rule")
    job = await rebuilt(inventory)
    assert (await inventory.get("/v1/dids/summary", operator))["expiring_soon"] == 230
    assert job.done == 230
    assert await inventory.count("job_results", "outcome = 'done'") == 230
    again = await rebuilt(inventory)
    assert await inventory.count("job_results", f"job_id = '{again.job_id}'") == 0


async def test_a_did_whose_rebuild_raises_is_refused_alone(
    inventory: Any, numbers: list[str], make: Any
) -> None:
    """Its status was published by a release with other statuses. The job goes on with the other DIDs."""
    statement = "UPDATE dids SET published_status = 'of another release' WHERE number = $1"
    ((did_id,),) = await inventory.fetch("SELECT did_id FROM dids WHERE number = $1", numbers[7])
    await inventory.receive(make.registration("not_required", did_id=did_id, number=numbers[7]))
    await inventory.fetch(statement, numbers[7])
    job = await rebuilt(inventory)
    assert (job.state, job.done, job.refused) == ("done", 229, 1)
    rows = await inventory.fetch("SELECT item, outcome, code FROM job_results")
    assert [tuple(row) for row in rows] == [(numbers[7], "refused", "internal_error")]


async def test_a_number_that_changes_during_a_rebuild_keeps_its_change(
    inventory: Any, numbers: list[str], request: pytest.FixtureRequest, make: Any
) -> None:
    """Live traffic between and beside the chunks: the rows end as the present rules show the present facts."""
    dids = await inventory.fetch("SELECT did_id, number FROM dids ORDER BY did_id")
    request.getfixturevalue("changed_rule")
    await start(inventory)
    events = [
        make.registration("not_required", did_id=row["did_id"], number=row["number"]) for row in dids[::7]
    ]

    async def live() -> None:
        for event in events:
            await inventory.receive(event)

    await asyncio.gather(inventory.run_jobs(), live())
    changed = {row["did_id"] for row in dids[::7]}
    for row in await inventory.fetch("SELECT did_id, in_expiring_soon, registration FROM dids"):
        assert row["in_expiring_soon"] == (row["did_id"] not in changed)


async def test_a_did_with_a_message_that_failed_is_shown_by_the_present_rules_too(
    inventory: Any,
    numbers: list[str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    *,
    make: Any,
) -> None:
    """A listing depends on stored values only. The failed message waits as before, and the version of the row rises."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    (did,) = await inventory.fetch("SELECT did_id, number FROM dids ORDER BY did_id LIMIT 1")
    with monkeypatch.context() as patch:
        patch.setitem(inventory.service.events, VerificationNotRequired, Handler(decide=broken))
        await inventory.receive(make.registration("not_required", did_id=did["did_id"], number=did["number"]))
    request.getfixturevalue("changed_rule")
    job = await rebuilt(inventory)
    assert (job.done, job.refused) == (230, 0)
    assert await inventory.count("dids", f"did_id = '{did['did_id']}' AND in_expiring_soon") == 1
    assert await inventory.count("parked", f"entity = '{did['did_id']}' AND reason = 'retry'") == 1
