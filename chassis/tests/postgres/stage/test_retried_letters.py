"""What has become of a dead letter after its retry, and many dead letters at once, with the real stage."""

import asyncio
from typing import Any

import pytest
import toy
from toy_messages import added, count, opened, total
from toy_operator import Operator
from toy_records import named, raw, record

from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.dead_letter_operations import MAX_AT_ONCE
from didflow_chassis.dead_letters import DeadLetter, Outcome
from didflow_chassis.records import headers_from_json
from didflow_chassis.stage import Stage
from didflow_contracts.event_data import EventData

DUE_NOW = "UPDATE parked SET due_at = clock_timestamp() WHERE due_at IS NOT NULL"


@pytest.fixture
def dead_letters(database: Database) -> Operator:
    return Operator(database)


async def run_due(stage: Stage, database: Database) -> None:
    """Try the parked messages that have an instant, as if it had come."""
    await database.fetch(DUE_NOW)
    rows = await database.fetch("SELECT id, entity, subject FROM parked WHERE due_at <= clock_timestamp()")
    await stage.parked({r[1]: r[2] for r in rows if r[1]}, [r[0] for r in rows if not r[1]])


async def outcome(dead_letters: Operator, letter: DeadLetter) -> Outcome:
    return (await dead_letters.outcomes([letter]))[letter.id]


async def unreadable(stage: Stage, dead_letters: Operator, data: EventData) -> DeadLetter:
    """Return the dead letter of an event that the service could not read when it came, and can read now."""
    known, stage._decoder._types = stage._decoder._types, {}
    await stage.records([record(data, "unreadable")])
    stage._decoder._types = known
    (letter,) = await dead_letters.oldest()
    return letter


async def test_a_retried_letter_is_pending_until_it_is_decided(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """Before the timers have run it is `pending`. Then nothing of it is left in either table: it is `decided`."""
    await stage.records([record(opened(1), "1")])
    letter = await unreadable(stage, dead_letters, added(1, 5))
    await dead_letters.retry([letter.id])
    assert await outcome(dead_letters, letter) == Outcome(state="pending")
    await run_due(stage, database)
    assert await total(database, 1) == 5
    assert await outcome(dead_letters, letter) == Outcome(state="decided")


async def test_a_retried_letter_that_is_early_now_is_parked_again(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """It waits for what is missing."""
    letter = await unreadable(stage, dead_letters, added(2, 5))
    await dead_letters.retry([letter.id])
    await run_due(stage, database)
    found = await outcome(dead_letters, letter)
    assert (found.state, found.letter) == ("early", None)
    assert found.missing


async def test_a_retried_letter_that_still_cannot_be_read_is_dead_again(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """The outcome has the new dead letter. An older letter of the same position is not taken for it."""
    bad = raw(b"\xff")
    await stage.records([bad])
    (letter,) = await dead_letters.oldest()
    await dead_letters.retry([letter.id])
    await run_due(stage, database)
    found = await outcome(dead_letters, letter)
    assert (found.state, found.letter) == ("dead", (await dead_letters.oldest())[0])
    assert found.letter is not None
    await dead_letters.retry([found.letter.id])
    assert await outcome(dead_letters, found.letter) == Outcome(state="pending")


async def test_retried_letters_that_die_again_are_no_more_than_before_with_several_workers(
    stage: Stage, database: Database, dead_letters: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four workers load the same rows at once. Each record becomes one dead letter again, with one copy."""
    await stage.records([raw(b"%d" % n) for n in range(100)])
    await dead_letters.retry([letter.id for letter in await dead_letters.oldest()])
    ids = [row[0] for row in await database.fetch("SELECT id FROM parked")]
    load, loaded = parked.load, asyncio.Barrier(4)

    async def load_together(*arguments: Any, **options: Any) -> list[Any]:
        rows = await load(*arguments, **options)
        await loaded.wait()
        return rows

    monkeypatch.setattr(parked, "load", load_together)
    await asyncio.gather(*(stage.parked({}, ids) for _ in range(4)))
    assert await count(database, "dead_letters") == 100
    assert await count(database, "outbox") == 200


async def test_a_retried_letter_whose_decision_raises_is_retried_and_then_dead_again(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """After each failed attempt it is `retry` with the next instant, after the last one `dead`."""
    await stage.records([record(opened(1), "1"), record(added(1, toy.POISONED), "2")])
    for _ in range(3):
        await run_due(stage, database)
    (letter,) = await dead_letters.oldest()
    await dead_letters.retry([letter.id])
    states = []
    for _ in range(4):
        await run_due(stage, database)
        found = await outcome(dead_letters, letter)
        states.append((found.state, found.attempts, found.due_at is not None))
    assert states == [("retry", 1, True), ("retry", 2, True), ("retry", 3, True), ("dead", 0, False)]


async def test_letters_at_the_position_of_another_service_s_letter_are_found(
    stage: Stage, dead_letters: Operator
) -> None:
    """So a record that is dead in several services is recognized as one record."""
    await stage.records([raw(b"\xff"), raw(b"\xfe")])
    first, second = await dead_letters.oldest()
    assert await dead_letters.at_places([first]) == {first.id: [first]}
    assert await dead_letters.between(first.id, first.id, limit=9) == [first]
    assert await dead_letters.between(first.id, second.id, limit=1) == [first]


async def test_more_letters_than_one_transaction_takes_are_retried_in_order(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """Each one is retried once, in the order in which they became dead letters. An id may be given twice."""
    many = [raw(b"%d" % n) for n in range(MAX_AT_ONCE + 10)]
    for start in range(0, len(many), 500):
        await stage.records(many[start : start + 500])
    letters = await dead_letters.oldest(limit=2 * MAX_AT_ONCE)
    done = await dead_letters.retry([letter.id for letter in [*letters, letters[0]]])
    assert list(done) == [letter.id for letter in letters]
    assert set(done.values()) == {"done"}
    rows = await database.fetch("SELECT value FROM parked ORDER BY id")
    assert [row[0] for row in rows] == [record.value for record in many]
    assert await count(database, "dead_letters") == 0


async def test_many_letters_are_dropped_and_what_waits_behind_each_is_due(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """Dropping the dead letters of two entities releases the messages behind both, in one call."""
    for number in (1, 2):
        await stage.records([record(opened(number), f"{number}-1")])
        await stage.records([record(added(number, toy.POISONED), f"{number}-2")])
        await stage.records([record(added(number, 7), f"{number}-3")])
    for _ in range(3):
        await run_due(stage, database)
    letters = await dead_letters.oldest()
    assert {letter.entity for letter in letters} == {str(named(number)[0]) for number in (1, 2)}
    await dead_letters.drop([letter.id for letter in letters])
    await run_due(stage, database)
    assert [await total(database, number) for number in (1, 2)] == [7, 7]
    assert await count(database, "parked") == 0


async def test_times_of_dead_letters_are_in_the_service_s_time(
    stage: Stage, database: Database, dead_letters: Operator
) -> None:
    """`at` and the header `dlq_at` of the copy are the same instant of the moved clock."""
    await database.fetch("UPDATE clock SET shift = interval '31 days'")
    await stage.records([raw(b"{")])
    (letter,) = await dead_letters.oldest()
    (row,) = await database.fetch("SELECT $1 - clock_timestamp() > interval '30 days'", letter.at)
    assert row[0]
    (copy,) = await database.fetch("SELECT headers FROM outbox WHERE topic = 'counting.dlq'")
    assert dict(headers_from_json(copy["headers"]))["dlq_at"] == letter.at.isoformat().encode()
