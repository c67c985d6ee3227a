"""F30: a dead letter is retried twice, also after newer events have been applied."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import pytest
from faults.example_events import ExampleDid
from faults.services_in_process import ServicesInProcess, raw_record, run_together, services_in_process
from harness.fixtures import DatabaseFor
from msgspec.structs import replace

from didflow import dead_letters
from didflow.dead_letters import Handled

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = ExampleDid(name="retried", number="+353212000001", begin=BEGIN)
REGISTRATION_OF: Final = {
    "inventory": lambda did: did.views.registration.state,
    "billing": lambda state: state.registration,
    "provisioning": lambda state: state.registration,
}
"""Service that receives registrations -> the registration that it has stored."""


async def retry_twice(services: ServicesInProcess, name: str) -> list[Handled]:
    """Retry all dead letters twice, as `didflow dlq retry --all` does."""
    dsns = {name: services.stages[name].database.dsn}
    found = await dead_letters.listed(dsns, reason=None, limit=10)
    first = await dead_letters.retry(dsns, [item.letter.id for item in found])
    return first + await dead_letters.retry(dsns, [item.letter.id for item in found])


async def process_parked(services: ServicesInProcess, name: str) -> None:
    """Process the parked messages that have no entity, as a due timer does."""
    rows = await services.stages[name].database.fetch("SELECT id FROM parked WHERE entity = ''")
    await services.stages[name].parked({}, [row["id"] for row in rows])


@pytest.mark.parametrize("name", REGISTRATION_OF)
async def test_a_retried_dead_letter_older_than_the_state_changes_nothing(
    database_for: DatabaseFor, name: str
) -> None:
    """F30: `pending` was unreadable, `approved` was applied. Retried twice, `pending` is stale and changes nothing."""
    pending = ONE.event(2, "verification.pending", 2)
    unreadable = replace(pending, value=pending.value.replace(b'"pending"', b'"perhaps"'))
    async with services_in_process(database_for, name) as services:
        await services.receive(
            [ONE.event(0, "did.purchased"), ONE.event(1, "verification.required", 1), unreadable]
        )
        await services.receive([ONE.event(3, "verification.approved", 3)])
        assert await services.count(name, "dead_letters", "reason = 'invalid_data'") == 1
        await services.stages[name].database.fetch(
            "UPDATE dead_letters SET value = $1", pending.value
        )  # as if this release could read it now
        before = await services.publish(), await services.states(name)
        assert [item.outcome for item in await retry_twice(services, name)] == ["retried", "unchanged"]
        await process_parked(services, name)
        state = (await services.states(name))[ONE.did_id]
        assert REGISTRATION_OF[name](state.state) == "approved"
        assert (await services.publish(), {ONE.did_id: state}) == ([], before[1])
        assert await services.count(name, "parked") + await services.count(name, "dead_letters") == 0
        decisions = await services.stages[name].database.fetch("SELECT decision FROM inbox ORDER BY seen_at")
        assert decisions[-1]["decision"] in ("refused:outdated", "unchanged")


async def test_a_dead_letter_that_the_producer_sent_again_is_a_repeat(database_for: DatabaseFor) -> None:
    """F30: the producer has sent the event again. The retry finds it in the inbox."""
    purchase = ONE.event(0, "did.purchased")
    async with services_in_process(database_for, "billing") as services:
        await services.receive([replace(purchase, value=purchase.value.replace(b'"local"', b'"lunar"'))])
        await services.receive([purchase])
        published = await services.publish()
        await services.stages["billing"].database.fetch("UPDATE dead_letters SET value = $1", purchase.value)
        await retry_twice(services, "billing")
        await process_parked(services, "billing")
        assert len(published) > 1
        assert await services.publish() == []
        assert await services.count("billing", "ledger") == 2


async def test_two_operators_who_retry_everything_at_once_retry_each_dead_letter_once(
    database_for: DatabaseFor,
) -> None:
    """F30: two operators retry thirty dead letters at once. Each is retried once, with one effect."""
    dids = [ExampleDid(name=f"swept {n}", number=f"+35321200{n:04}", begin=BEGIN) for n in range(30)]
    async with services_in_process(database_for, "billing") as services:
        purchases = [did.event(0, "did.purchased") for did in dids]
        await services.receive(
            raw_record(one.value.replace(b'"local"', b'"lunar"'), one.topic) for one in purchases
        )
        connection = await asyncpg.connect(services.stages["billing"].database.dsn)
        await make_readable(connection)
        dsns = {"billing": services.stages["billing"].database.dsn}
        ids = [item.letter.id for item in await dead_letters.listed(dsns, reason=None, limit=100)]
        handled = [item.outcome for item in (await retry_concurrently(dsns, ids))]
        assert (handled.count("retried"), handled.count("unchanged")) == (30, 30)
        await process_parked(services, "billing")
        assert len(await services.states("billing")) == 30
        await connection.close()


async def make_readable(connection: asyncpg.Connection) -> None:
    """Make the dead letters readable, as an upgrade does."""
    rows = await connection.fetch("SELECT id, value FROM dead_letters")
    values = [(row["id"], row["value"].replace(b'"lunar"', b'"local"')) for row in rows]
    await connection.executemany("UPDATE dead_letters SET value = $2 WHERE id = $1", values)


async def retry_concurrently(dsns: dict[str, str], ids: list[Any]) -> list[Handled]:
    """Retry the same dead letters twice at the same time."""
    return [
        item
        for results in await run_together(dead_letters.retry(dsns, ids), dead_letters.retry(dsns, ids))
        for item in results
    ]
