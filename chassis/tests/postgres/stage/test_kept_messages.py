"""Messages that a service keeps: all are found, and one that has changed since is not replaced."""

from collections.abc import Callable
from typing import Any

import pytest
import toy
from msgspec.structs import replace
from toy_messages import add, added, command, count, opened
from toy_records import raw, record

from didflow_chassis import kept_messages
from didflow_chassis.database import Database
from didflow_chassis.kept_messages import KeptMessage
from didflow_chassis.stage import Stage
from didflow_contracts.envelope import CONTENT_TYPE

HEADERS = (("content-type", CONTENT_TYPE.encode()), ("x", b"\xff"), ("empty", None))


@pytest.fixture
async def kept(stage: Stage, database: Database) -> Database:
    """Five messages in each table: answers, dead letters with their copies in the outbox, failed messages."""
    await stage.records([record(opened(n), f"o{n}") for n in range(5)])
    await database.fetch("DELETE FROM outbox")
    for n in range(5):
        await command(stage, add(n, 1), key=f"k{n}")
    await database.fetch("DELETE FROM outbox")
    await stage.records([raw(b"\xff%d" % n, key=b"\x00k", headers=HEADERS) for n in range(5)])
    await stage.records([record(added(n, toy.POISONED), f"a{n}") for n in range(5)])
    return database


async def all_messages(database: Database, table: str, limit: int) -> list[KeptMessage]:
    found: list[KeptMessage] = []
    while page := await kept_messages.page(database, table, found[-1].position if found else None, limit):
        found += page
    return found


async def replace_with(database: Database, message: KeptMessage, new: KeptMessage) -> int:
    statement = kept_messages.replacement(message, new)
    async with database.transaction() as connection:
        return int((await connection.execute(statement.sql, *statement.values)).rpartition(" ")[2])


@pytest.mark.parametrize("table", kept_messages.TABLES)
async def test_pages_have_each_message_of_a_table_once(kept: Database, table: str) -> None:
    """In pages of two and in one page, the same five messages, with the bytes that are stored."""
    messages = await all_messages(kept, table, 2)
    assert len(messages) == await kept_messages.count(kept, table) == 5
    assert messages == await all_messages(kept, table, 100)
    values = [row[0] for row in await kept.fetch(f"SELECT {_value(table)} FROM {table}")]
    assert sorted(message.value for message in messages) == sorted(values)


async def test_answers_of_the_same_instant_are_in_one_page(kept: Database) -> None:
    """No answer is left out between two pages."""
    await kept.fetch("UPDATE idempotency SET created_at = clock_timestamp() WHERE key > 'k0'")
    await kept.fetch("UPDATE idempotency i SET created_at = (SELECT max(created_at) FROM idempotency)")
    assert len(await kept_messages.page(kept, "idempotency", None, 2)) == 5


@pytest.mark.parametrize("table", kept_messages.TABLES)
async def test_a_message_is_replaced_as_a_whole(kept: Database, table: str) -> None:
    """What is read afterwards is what was written. The other messages do not change."""
    first, *others = await all_messages(kept, table, 100)
    new = replace(first, value=b"masked")
    if table != kept_messages.ANSWERS:
        new = replace(new, key=b"*", headers=(("x", b"*"),), text="*" if first.text else None)
    assert await replace_with(kept, first, new) == 1
    assert await all_messages(kept, table, 100) == [
        replace(new, stored_headers='[["x", "Kg=="]]' if new.headers else None),
        *others,
    ]


CHANGES: dict[str, Callable[[str], str]] = {
    "value": lambda table: f"UPDATE {table} SET {_value(table)} = 'newer'",
    "headers": lambda table: f"UPDATE {table} SET headers = '[]'",
    "key": lambda table: f"UPDATE {table} SET key = 'newer'",
    "text": lambda table: (
        f"UPDATE {table} SET {'detail' if table == 'dead_letters' else 'last_error'} = 'newer'"
    ),
    "removal": lambda table: f"DELETE FROM {table}",
}
POSSIBLE = [
    (table, change)
    for table in kept_messages.TABLES
    for change in CHANGES
    if not (table == "idempotency" and change in {"headers", "text"})
    and (table, change) != ("outbox", "text")
]


@pytest.mark.parametrize(("table", "change"), POSSIBLE)
async def test_a_message_that_has_changed_is_not_replaced(kept: Database, table: str, change: str) -> None:
    """Whatever was written between the read and the replacement stays."""
    first, *_ = await all_messages(kept, table, 100)
    if (table, change) == ("idempotency", "key"):
        await kept.fetch("UPDATE idempotency SET key = key || '-newer'")
    else:
        await kept.fetch(CHANGES[change](table))
    before: Any = await all_messages(kept, table, 100)
    assert await replace_with(kept, first, replace(first, value=b"masked")) == 0
    assert await all_messages(kept, table, 100) == before
    assert await count(kept, table, f"{_value(table)} = 'masked'") == 0


def _value(table: str) -> str:
    return "body" if table == kept_messages.ANSWERS else "value"
