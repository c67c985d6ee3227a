"""F30: a dead letter is retried twice, and when newer versions have been applied meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
import pytest
from faults.four import Four, four, raw, together
from faults.lives import Life
from harness.fixtures import DatabaseFor
from msgspec.structs import replace

from didflow import dead_letters
from didflow.dead_letters import Handled

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = Life(name="retried", number="+353212000001", begin=BEGIN)
CASES: Final = {
    "inventory": lambda state: state.registration.state,
    "billing": lambda state: state.registration,
    "provisioning": lambda state: state.registration,
}
"""Who hears of registrations -> where what it has heard last is kept."""


async def retried(house: Four, name: str) -> list[Handled]:
    """Do what `didflow dlq retry --all` does, for letters named before."""
    dsns = {name: house.stages[name].database.dsn}
    found = await dead_letters.listed(dsns, reason=None, limit=10)
    once = await dead_letters.retry(dsns, [one.letter.id for one in found])
    return once + await dead_letters.retry(dsns, [one.letter.id for one in found])


async def strike(house: Four, name: str) -> None:
    """Let the clock try what waits without an entity."""
    rows = await house.stages[name].database.fetch("SELECT id FROM parked WHERE entity = ''")
    await house.stages[name].parked({}, [row["id"] for row in rows])


@pytest.mark.parametrize("name", CASES)
async def test_a_letter_older_than_what_was_applied_changes_nothing(
    database_for: DatabaseFor, name: str
) -> None:
    """F30: pending could not be read, approved was applied; pending retried twice is one stale event, and no more."""
    pending = ONE.event(2, "verification.pending", 2)
    unreadable = replace(pending, value=pending.value.replace(b'"pending"', b'"perhaps"'))
    async with four(database_for, name) as house:
        await house.receive(
            [ONE.event(0, "did.purchased"), ONE.event(1, "verification.required", 1), unreadable]
        )
        await house.receive([ONE.event(3, "verification.approved", 3)])
        assert await house.count(name, "dead_letters", "reason = 'invalid_data'") == 1
        await house.stages[name].database.fetch(
            "UPDATE dead_letters SET value = $1", pending.value
        )  # as if this release could now read it
        before = await house.publish(), await house.states(name)
        assert [one.outcome for one in await retried(house, name)] == ["retried", "absent"]
        await strike(house, name)
        state = (await house.states(name))[ONE.did_id]
        assert CASES[name](state.state) == "approved"
        assert (await house.publish(), {ONE.did_id: state}) == ([], before[1])
        assert await house.count(name, "parked") + await house.count(name, "dead_letters") == 0
        decisions = await house.stages[name].database.fetch("SELECT decision FROM inbox ORDER BY seen_at")
        assert decisions[-1]["decision"] in ("refused:outdated", "unchanged")


async def test_a_letter_that_came_again_by_itself_is_a_repeat(database_for: DatabaseFor) -> None:
    """The producer sent it anew meanwhile: the retry of the letter finds it in the inbox."""
    bought = ONE.event(0, "did.purchased")
    async with four(database_for, "billing") as house:
        await house.receive([replace(bought, value=bought.value.replace(b'"local"', b'"lunar"'))])
        await house.receive([bought])
        said = await house.publish()
        await house.stages["billing"].database.fetch("UPDATE dead_letters SET value = $1", bought.value)
        await retried(house, "billing")
        await strike(house, "billing")
        assert len(said) > 1
        assert await house.publish() == []
        assert await house.count("billing", "ledger") == 2


async def test_two_operators_retrying_everything_at_once_retry_each_once(database_for: DatabaseFor) -> None:
    """Thirty letters, two sweeps side by side: thirty retried, thirty absent, thirty effects."""
    lives = [Life(name=f"swept {n}", number=f"+35321200{n:04}", begin=BEGIN) for n in range(30)]
    async with four(database_for, "billing") as house:
        bought = [one.event(0, "did.purchased") for one in lives]
        await house.receive(raw(one.value.replace(b'"local"', b'"lunar"'), one.topic) for one in bought)
        connection = await asyncpg.connect(house.stages["billing"].database.dsn)
        await mend(connection)
        dsns = {"billing": house.stages["billing"].database.dsn}
        ids = [one.letter.id for one in await dead_letters.listed(dsns, reason=None, limit=100)]
        handled = [one.outcome for one in (await both(dsns, ids))]
        assert (handled.count("retried"), handled.count("absent")) == (30, 30)
        await strike(house, "billing")
        assert len(await house.states("billing")) == 30
        await connection.close()


async def mend(connection: asyncpg.Connection) -> None:
    """Let this release read what it could not, as an upgrade does."""
    rows = await connection.fetch("SELECT id, value FROM dead_letters")
    values = [(row["id"], row["value"].replace(b'"lunar"', b'"local"')) for row in rows]
    await connection.executemany("UPDATE dead_letters SET value = $2 WHERE id = $1", values)


async def both(dsns: dict[str, str], ids: list[Any]) -> list[Handled]:
    """Retry the same letters twice at the same time."""
    return [
        one
        for some in await together(dead_letters.retry(dsns, ids), dead_letters.retry(dsns, ids))
        for one in some
    ]
