"""Large parked messages: batches of records and commands do not read them, the timers do, and the order stays."""

from collections.abc import Iterable
from typing import Any, Final

import orjson
import toy
from harness.statements import statements_of
from toy_messages import add, added, command, count, opened, total
from toy_operator import Operator
from toy_records import named, padded, record

from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.records import Record
from didflow_chassis.stage import Stage

LARGE: Final = 900_000
DUE: Final = "SELECT id, entity, subject FROM parked WHERE due_at <= clock_timestamp() ORDER BY id"


def large(number: int, amounts: Iterable[int], size: int = LARGE) -> list[Record]:
    return [padded(record(added(number, amount), f"{number} {amount}"), size) for amount in amounts]


async def run_due(stage: Stage, database: Database) -> bool:
    """Try what is due, as the timers do."""
    rows = await database.fetch(DUE)
    return await stage.parked({row[1]: row[2] for row in rows if row[1]}, [r[0] for r in rows if not r[1]])


async def additions(database: Database, number: int) -> list[int]:
    rows = await database.fetch("SELECT additions FROM counters WHERE did_id = $1", named(number)[0])
    return list(orjson.loads(rows[0][0]))


async def loaded(database: Database, *numbers: int, is_tried: bool) -> list[Any]:
    async with database.transaction() as connection:
        return await parked.load(connection, [str(named(n)[0]) for n in numbers], is_tried=is_tried)


async def test_records_of_an_entity_that_has_large_early_messages_are_not_read(
    stage: Stage, database: Database
) -> None:
    """Small ones are read with the batch. A batch that makes large ones ready is not run twice."""
    await stage.records([record(opened(3), "o3"), *large(1, [1, 2]), record(added(2, 1), "2 1")])
    rows = await loaded(database, 1, 2, is_tried=False)
    assert [(row["is_read"], row["value"] is not None) for row in rows] == [
        (False, False),
        (False, False),
        (True, True),
    ]
    async with statements_of(database) as found:
        await stage.records([record(opened(1), "o1")])
    assert len(found) <= 9
    assert await count(database, "parked", "reason = 'early'") == 3


async def test_large_early_messages_are_decided_in_order_by_the_timers(
    stage: Stage, database: Database
) -> None:
    """What arrives after them, in the same batch or later, is decided after them. Commands do not wait."""
    await stage.records(large(1, range(1, 6)))
    await stage.records([record(opened(1), "o"), record(added(1, 6), "6")])
    await stage.records([record(added(1, 7), "7")])
    assert await total(database, 1) == 0
    await command(stage, add(1, 100))
    assert await run_due(stage, database)
    assert await additions(database, 1) == [100, 1, 2, 3, 4, 5, 6, 7]
    assert await count(database, "parked") == 0
    assert not await run_due(stage, database)


async def test_a_command_that_makes_large_early_messages_ready_leaves_them_to_the_timers(
    stage: Stage, database: Database
) -> None:
    """An API does not read them either."""
    await stage.records([record(opened(1), "o")])
    await park_as_early(stage, database, large(1, [1, 2]))
    await command(stage, add(1, 100))
    assert await total(database, 1) == 100
    assert await run_due(stage, database)
    assert await additions(database, 1) == [100, 1, 2]


async def park_as_early(stage: Stage, database: Database, records: list[Record]) -> None:
    """Park the messages of an entity that exists as early, as if something else was missing."""
    await database.fetch("ALTER TABLE counters RENAME TO hidden")
    await database.fetch("CREATE TABLE counters (LIKE hidden INCLUDING ALL)")
    await stage.records(records)
    await database.fetch("DROP TABLE counters")
    await database.fetch("ALTER TABLE hidden RENAME TO counters")


async def test_large_messages_that_are_still_too_early_wait_for_the_next_change(
    stage: Stage, database: Database
) -> None:
    """The timers try them once, and again only after the next decision about their entity."""
    await stage.records(large(1, [1, 2]))
    await database.fetch(
        "UPDATE parked SET due_at = clock_timestamp() WHERE id = (SELECT min(id) FROM parked)"
    )
    assert await run_due(stage, database)
    assert await count(database, "parked", "reason = 'early' AND due_at IS NULL") == 2
    await stage.records([record(opened(1), "o")])
    assert await run_due(stage, database)
    assert await additions(database, 1) == [1, 2]


async def test_the_timers_read_no_more_than_they_may_at_once(stage: Stage, database: Database) -> None:
    """Of five entities with 3.6 MB each, three are decided at once. Nothing of the others is read."""
    for number in range(5):
        await stage.records(large(number, range(1, 5)))
    await stage.records([record(opened(n), f"o{n}") for n in range(5)])
    rows = await loaded(database, *range(5), is_tried=True)
    assert sum(row["is_read"] for row in rows) == 12
    assert sum(len(row["value"] or b"") for row in rows) < parked.READ_BYTES + 5_000_000
    assert await run_due(stage, database)
    assert await count(database, "counters", "total = 10") == 3
    assert await run_due(stage, database)
    assert await count(database, "counters", "total = 10") == 5
    assert await count(database, "parked") == 0


async def test_a_large_message_whose_decision_raises_is_retried_by_the_timers(
    stage: Stage, database: Database
) -> None:
    """Later messages wait behind it, also when its instant has come and only the timers may read it."""
    await stage.records([record(opened(1), "o"), *large(1, [toy.POISONED])])
    for attempt in range(3):
        await database.fetch("UPDATE parked SET due_at = clock_timestamp() WHERE reason = 'retry'")
        await stage.records([record(added(1, attempt), f"a{attempt}")])
        assert await total(database, 1) == 0
        await run_due(stage, database)
    reasons = [row[0] for row in await database.fetch("SELECT reason FROM parked ORDER BY id")]
    assert reasons == ["dead", "behind", "behind", "behind"]
    operator = Operator(database)
    await operator.drop([letter.id for letter in await operator.oldest()])
    await run_due(stage, database)
    assert await additions(database, 1) == [0, 1, 2]


async def test_large_dead_letters_are_retried_some_at_a_time(stage: Stage, database: Database) -> None:
    """Twenty of 900 kB are read in parts, and all of them are decided."""
    for number in range(20):
        await stage.records([padded(record(added(number, 3), f"{number}"), LARGE)])
    await database.fetch("UPDATE parked SET reason = 'retry', entity = '', due_at = clock_timestamp()")
    await database.fetch("DELETE FROM inbox")
    await stage.records([record(opened(n), f"o{n}") for n in range(20)])
    await run_due(stage, database)
    assert 0 < await count(database, "counters", "total = 3") < 12
    while await count(database, "parked"):
        assert await run_due(stage, database)
    assert await count(database, "counters", "total = 3") == 20
