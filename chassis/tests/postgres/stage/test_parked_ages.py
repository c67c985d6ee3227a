"""The ages of parked messages are measured in one time, that of the service, also when its clock is advanced."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from toy_messages import added
from toy_records import raw, record

from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.dead_letters import DeadLetters, connect
from didflow_chassis.stage import Stage

ADVANCE = "UPDATE clock SET shift = shift + $1"
MONTH = timedelta(days=31)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def connection(dsn: str, database: Database) -> AsyncIterator[asyncpg.Connection]:
    opened = await connect(dsn)
    yield opened
    await opened.close()


async def ages(connection: asyncpg.Connection) -> tuple[timedelta, timedelta]:
    """Return the age of the only parked message: as an operator sees it, and as the metric has it."""
    (row,) = await parked.find(connection, reason=None, entity=None, subject=None, limit=9)
    (counted,) = await connection.fetch(parked.COUNT, timedelta(minutes=15))
    return row["age"], timedelta(seconds=counted["oldest"])


async def rows(connection: asyncpg.Connection) -> list[Any]:
    return await parked.find(connection, reason=None, entity=None, subject=None, limit=9)


async def test_a_message_that_is_parked_after_an_advance_is_new(
    stage: Stage, connection: asyncpg.Connection
) -> None:
    """On a clock that is a month ahead, a message that was parked just now has no age: it is not a month old."""
    await connection.execute(ADVANCE, MONTH)
    await stage.records([record(added(1, 7), "1")])
    assert all(timedelta(0) <= age < MINUTE for age in await ages(connection))


async def test_an_advance_ages_what_is_parked(stage: Stage, connection: asyncpg.Connection) -> None:
    """The list and the metric agree: a month has passed."""
    await stage.records([record(added(1, 7), "1")])
    await connection.execute(ADVANCE, MONTH)
    assert all(MONTH <= age < MONTH + MINUTE for age in await ages(connection))


async def test_a_retried_dead_letter_is_parked_and_due_in_the_same_time(
    stage: Stage, connection: asyncpg.Connection
) -> None:
    """`since` and `due_at` of its row are the same instant, a month ahead."""
    await connection.execute(ADVANCE, MONTH)
    await stage.records([raw(b"{")])
    dead_letters = DeadLetters(connection)
    (letter,) = await dead_letters.oldest()
    await dead_letters.retry([letter.id])
    (row,) = await rows(connection)
    assert row["since"] == row["due_at"] >= letter.at
    assert timedelta(0) <= row["age"] < MINUTE
