"""F22: a database loses its last second, and its service publishes different events under sequences that it has used.

The failover itself is a written procedure. These tests show what the consumers do afterwards.
"""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from faults.example_events import ACCOUNT, ExampleDid
from faults.services_in_process import ServicesInProcess, event_of, services_in_process
from harness.fixtures import DatabaseFor

from didflow_billing.domain.commands import SetCycles
from didflow_chassis.decision import Caller
from didflow_chassis.records import Record
from didflow_chassis.stage import Answer, HttpCall, IdempotencyKey
from didflow_contracts.topics import SOURCES

BEGIN: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
ONE: Final = ExampleDid(name="lost second", number="+353212000022", begin=BEGIN)
PAGE: Final = (Path(__file__).parents[2] / "docs" / "faults" / "F22.md").read_text()
PURCHASE: Final = ONE.event(0, "did.purchased", purchased_at=BEGIN)


def sql_of_page(beginning: str) -> str:
    """Return the SQL statement of the page that begins with this text."""
    statement = next(
        sql for sql in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL) if sql.startswith(beginning)
    )
    return str(statement)


def ids_by_sequence(records: list[Record]) -> dict[tuple[str, int | None], str]:
    """Return (topic, sequence) -> event id."""
    events = [(record.topic, event_of(record)) for record in records]
    return {(topic, event.sequence): event.id for topic, event in events}


def entry_ids(records: list[Record]) -> set[UUID]:
    """Return the ids of the published ledger entries."""
    return {event_of(record).data.entry_id for record in records if record.topic == "ledger.posted"}


async def set_cycles(services: ServicesInProcess, cycles: int) -> list[Record]:
    """Set the cycles of the term over HTTP. Return the records that billing publishes."""
    caller = Caller(subject="test", account=ACCOUNT, role="operator")
    command = SetCycles(entity_id=ONE.did_id, subject=ONE.number, caller=caller, billing_cycles=cycles)
    key = IdempotencyKey(account=ACCOUNT, subject="test", route="test", value=None, digest=bytes(32))
    done = Answer(status=200, body=b"")
    await services.stages["billing"].command(
        [command], HttpCall(key=key, actor="user:test", answer=lambda _: done)
    )
    return await services.publish()


async def conflicting_events(services: ServicesInProcess) -> list[tuple[Any, ...]]:
    """Run the page's query in inventory's database. Return number, topic and count."""
    rows = await services.stages["inventory"].database.fetch(sql_of_page("SELECT key"))
    return [(row["number"], row["topic"], row["events"]) for row in rows]


async def test_another_event_with_a_used_sequence_changes_nothing_and_can_be_found(
    database_for: DatabaseFor,
) -> None:
    """F22: another event under a used sequence of a DID is one dead letter, and the query of the page finds it."""
    async with services_in_process(database_for, "inventory", "billing") as services:
        await services.receive([PURCHASE])
        first = [
            record for record in await services.publish() if event_of(record).source == SOURCES["billing"]
        ]
        await services.receive(first, only="inventory")
        before = (await services.states("inventory"))[ONE.did_id].state
        assert await conflicting_events(services) == []
        async with services_in_process(database_for, "billing") as replica:
            await replica.receive([PURCHASE])
            second = await replica.publish()
            assert ids_by_sequence(first).keys() == ids_by_sequence(second).keys()
            assert not set(ids_by_sequence(first).values()) & set(ids_by_sequence(second).values())
            assert entry_ids(first) == entry_ids(second)
            await services.receive(second, only="inventory")
            assert (await services.states("inventory"))[ONE.did_id].state == before
            await services.receive(second, only="inventory")
            counts = Counter(topic for topic, _ in ids_by_sequence(second))
            assert await conflicting_events(services) == [
                (ONE.number, topic, counts[topic]) for topic in sorted(counts)
            ]


async def test_new_events_are_applied_after_the_sequences_are_raised(database_for: DatabaseFor) -> None:
    """F22: the replica's next event has a used sequence and is not applied. After the page's statement it is."""
    async with (
        services_in_process(database_for, "inventory", "billing") as services,
        services_in_process(database_for, "billing") as replica,
    ):
        await services.receive([PURCHASE])
        await services.receive([*await services.publish(), *await set_cycles(services, 3)], only="inventory")
        await replica.receive([PURCHASE])
        await replica.publish()
        await services.receive(await set_cycles(replica, 5), only="inventory")
        assert (await services.states("inventory"))[ONE.did_id].state.views.term.cycles_left == 3
        await replica.stages["billing"].database.fetch(sql_of_page("UPDATE terms"))
        await services.receive(await set_cycles(replica, 7), only="inventory")
        assert (await services.states("inventory"))[ONE.did_id].state.views.term.cycles_left == 7
