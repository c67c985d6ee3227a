"""The ages of parked messages are measured in one time, that of the service, also when its clock is advanced."""

from datetime import timedelta
from typing import Any

from toy_messages import added
from toy_operator import Operator
from toy_records import raw, record

from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.stage import Stage

ADVANCE = "UPDATE clock SET shift = shift + $1"
MONTH = timedelta(days=31)
MINUTE = timedelta(minutes=1)


async def ages(database: Database) -> tuple[timedelta, timedelta]:
    """Return the age of the only parked message: as an operator sees it, and as the metric has it."""
    (row,) = await rows(database)
    (counted,) = await database.fetch(parked.COUNT, timedelta(minutes=15))
    return row["age"], timedelta(seconds=counted["oldest"])


async def rows(database: Database) -> list[Any]:
    return await database.fetch(parked.select())


async def test_a_message_that_is_parked_after_an_advance_is_new(stage: Stage, database: Database) -> None:
    """On a clock that is a month ahead, a message that was parked just now has no age: it is not a month old."""
    await database.fetch(ADVANCE, MONTH)
    await stage.records([record(added(1, 7), "1")])
    assert all(timedelta(0) <= age < MINUTE for age in await ages(database))


async def test_an_advance_ages_what_is_parked(stage: Stage, database: Database) -> None:
    """The list and the metric agree: a month has passed."""
    await stage.records([record(added(1, 7), "1")])
    await database.fetch(ADVANCE, MONTH)
    assert all(MONTH <= age < MONTH + MINUTE for age in await ages(database))


async def test_a_retried_dead_letter_is_parked_and_due_in_the_same_time(
    stage: Stage, database: Database
) -> None:
    """`since` and `due_at` of its row are the same instant, a month ahead."""
    await database.fetch(ADVANCE, MONTH)
    await stage.records([raw(b"{")])
    dead_letters = Operator(database)
    (letter,) = await dead_letters.oldest()
    await dead_letters.retry([letter.id])
    (row,) = await rows(database)
    assert row["since"] == row["due_at"] >= letter.at
    assert timedelta(0) <= row["age"] < MINUTE
