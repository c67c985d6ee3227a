"""F22: a database comes back without its last second, and its service says other things under numbers it has used.

The failover itself is a written procedure; this is what consumers do with what comes of it.
"""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from faults.four import Four, event_of, four
from faults.lives import ACCOUNT, Life
from harness.fixtures import DatabaseFor

from didflow_billing.domain.commands import SetCycles
from didflow_chassis.decision import Caller
from didflow_chassis.records import Record
from didflow_chassis.stage import Answer, IdempotencyKey
from didflow_contracts.topics import SOURCES

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = Life(name="lost second", number="+353212000022", begin=BEGIN)
PAGE: Final = (Path(__file__).parents[2] / "docs" / "faults" / "F22.md").read_text()
PURCHASE: Final = ONE.event(0, "did.purchased", purchased_at=BEGIN)


def statement(beginning: str) -> str:
    """Take a statement from the page, as it stands there."""
    found = next(one for one in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL) if one.startswith(beginning))
    return str(found)


def said(records: list[Record]) -> dict[tuple[str, int | None], str]:
    """Group what was said: (topic, sequence) -> event id."""
    events = [(one.topic, event_of(one)) for one in records]
    return {(topic, event.sequence): event.id for topic, event in events}


def entries(records: list[Record]) -> set[UUID]:
    """The ids of the ledger entries that were posted."""
    return {event_of(one).data.entry_id for one in records if one.topic == "ledger.posted"}


async def wish(house: Four, cycles: int) -> list[Record]:
    """Set how often a term renews over HTTP, and return what billing says of it."""
    caller = Caller(subject="test", account=ACCOUNT, role="operator")
    wanted = SetCycles(entity_id=ONE.did_id, subject=ONE.number, caller=caller, billing_cycles=cycles)
    key = IdempotencyKey(account=ACCOUNT, route="test", value=None, digest=bytes(32))
    done = Answer(status=200, body=b"")
    await house.stages["billing"].command([wanted], key=key, actor="user:test", answer=lambda _: done)
    return await house.publish()


async def forked(house: Four) -> list[tuple[Any, ...]]:
    """Ask inventory as the page says: number, topic and how often."""
    rows = await house.stages["inventory"].database.fetch(statement("SELECT key"))
    return [(row["number"], row["topic"], row["events"]) for row in rows]


async def test_what_is_said_again_under_a_used_number_overwrites_nothing_and_can_be_found(
    database_for: DatabaseFor,
) -> None:
    """F22: another event under a DID's used sequence is a dead letter, told once, and the page's statement finds it."""
    async with four(database_for, "inventory", "billing") as house:
        await house.receive([PURCHASE])
        first = [one for one in await house.publish() if event_of(one).source == SOURCES["billing"]]
        await house.receive(first, only="inventory")
        before = (await house.states("inventory"))[ONE.did_id].state
        assert await forked(house) == []
        async with four(database_for, "billing") as replica:
            await replica.receive([PURCHASE])
            second = await replica.publish()
            assert said(first).keys() == said(second).keys()
            assert not set(said(first).values()) & set(said(second).values())
            assert entries(first) == entries(second)
            await house.receive(second, only="inventory")
            assert (await house.states("inventory"))[ONE.did_id].state == before
            await house.receive(second, only="inventory")
            heard = Counter(topic for topic, _ in said(second))
            assert await forked(house) == [(ONE.number, topic, heard[topic]) for topic in sorted(heard)]


async def test_new_facts_are_taken_once_the_numbers_were_raised(database_for: DatabaseFor) -> None:
    """F22: what the replica says next has a used number and is refused; raised as the page says, it is taken."""
    async with four(database_for, "inventory", "billing") as house, four(database_for, "billing") as replica:
        await house.receive([PURCHASE])
        await house.receive([*await house.publish(), *await wish(house, 3)], only="inventory")
        await replica.receive([PURCHASE])
        await replica.publish()
        await house.receive(await wish(replica, 5), only="inventory")
        assert (await house.states("inventory"))[ONE.did_id].state.term.cycles_left == 3
        await replica.stages["billing"].database.fetch(statement("UPDATE terms"))
        await house.receive(await wish(replica, 7), only="inventory")
        assert (await house.states("inventory"))[ONE.did_id].state.term.cycles_left == 7
