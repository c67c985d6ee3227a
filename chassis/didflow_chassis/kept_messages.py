"""The messages that a service keeps for a while: stored answers, dead letters, parked messages and the outbox.

It is for a job that reads all of them, such as the search for the data of a person who is erased. A message is replaced
only if it still is as it was read, so nothing newer is overwritten.
"""

from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from didflow_chassis.database import Database
from didflow_chassis.jobs.kinds import Statement
from didflow_chassis.records import Headers, headers_from_json, headers_to_json

ANSWERS: Final = "idempotency"

_RECORDS: Final = {
    "dead_letters": ("uuid", str(UUID(int=0)), "detail"),
    "parked": ("bigint", "0", "last_error"),
    "outbox": ("bigint", "0", None),
}
"""The tables of records: the type of their ids, an id before the first one, and the column of the text, if any."""

TABLES: Final = (ANSWERS, *_RECORDS)
"""The tables, in the order in which they are read. A retried dead letter moves to a table that is read later."""

_READ_RECORDS: Final = """
SELECT id::text AS position, id, key, value, headers, {text} AS text FROM {table}
WHERE id > coalesce($1::text, '{first}')::{kind} ORDER BY id LIMIT $2
"""
_REPLACE_RECORD: Final = """
UPDATE {table} SET key = $2, value = $3, headers = $4::jsonb
WHERE id = $1 AND key IS NOT DISTINCT FROM $5 AND value IS NOT DISTINCT FROM $6
    AND headers IS NOT DISTINCT FROM $7::jsonb
"""
_REPLACE_WITH_TEXT: Final = """
UPDATE {table} SET key = $2, value = $3, headers = $4::jsonb, {text} = $8
WHERE id = $1 AND key IS NOT DISTINCT FROM $5 AND value IS NOT DISTINCT FROM $6
    AND headers IS NOT DISTINCT FROM $7::jsonb AND {text} IS NOT DISTINCT FROM $9
"""
_READ_ANSWERS: Final = """
SELECT created_at, account, subject, route, key, body FROM idempotency
WHERE created_at > coalesce($1::text::timestamptz, '-infinity')
ORDER BY created_at FETCH FIRST ($2) ROWS WITH TIES
"""
_REPLACE_ANSWER: Final = """
UPDATE idempotency SET body = $5
WHERE account = $1 AND subject = $2 AND route = $3 AND key = $4 AND body = $6
"""


class KeptMessage(Struct, frozen=True, kw_only=True):
    """One message. `position` sorts the messages of a table, and `row` names it there.

    A stored answer has only a value. `text` is what this service wrote about the message, such as its last error.
    """

    table: str
    position: str
    row: tuple[Any, ...]
    key: bytes | None = None
    value: bytes | None
    headers: Headers = ()
    text: str | None = None
    stored_headers: str | None = None


async def count(database: Database, table: str) -> int:
    """Return the number of messages in a table. Raises Outage."""
    rows = await database.fetch(f"SELECT count(*) FROM {table}")  # noqa: S608 - one of `TABLES`
    found: int = rows[0][0]
    return found


async def page(database: Database, table: str, after: str | None, limit: int) -> list[KeptMessage]:
    """Return the next messages of a table after a position. None: from the start. Raises Outage.

    A page of answers is longer than `limit` if several were stored in the same microsecond.
    """
    if table == ANSWERS:
        return [_answer(row) for row in await database.fetch(_READ_ANSWERS, after, limit)]
    kind, first, text = _RECORDS[table]
    statement = _READ_RECORDS.format(table=table, kind=kind, first=first, text=text or "NULL::text")
    return [_record(table, row) for row in await database.fetch(statement, after, limit)]


def replacement(message: KeptMessage, new: KeptMessage) -> Statement:
    """Return the statement that replaces a message with another one, unless it has changed."""
    if message.table == ANSWERS:
        return Statement(_REPLACE_ANSWER, (*message.row, new.value, message.value))
    headers = message.stored_headers if new.headers == message.headers else headers_to_json(new.headers)
    values = (*message.row, new.key, new.value, headers, message.key, message.value, message.stored_headers)
    text = _RECORDS[message.table][2]
    if text is None:
        return Statement(_REPLACE_RECORD.format(table=message.table), values)
    statement = _REPLACE_WITH_TEXT.format(table=message.table, text=text)
    return Statement(statement, (*values, new.text, message.text))


def _answer(row: Any) -> KeptMessage:
    position = row["created_at"].isoformat()
    identity = (row["account"], row["subject"], row["route"], row["key"])
    return KeptMessage(table=ANSWERS, position=position, row=identity, value=row["body"])


def _record(table: str, row: Any) -> KeptMessage:
    return KeptMessage(
        table=table,
        position=row["position"],
        row=(row["id"],),
        key=row["key"],
        value=row["value"],
        headers=headers_from_json(row["headers"]),
        text=row["text"],
        stored_headers=row["headers"],
    )
