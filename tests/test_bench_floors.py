"""The floor of the bench writes and publishes what the service writes and publishes for the same events.

Only the inbox differs: the floor notes the ids of events, and not their digests and sequences.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from harness.fixtures import DatabaseFor, OnPostgres
from harness.migrations import migration_of

from bench.databases import fill
from bench.floor import write
from bench.floor_rows import WRITTEN
from bench.holdings import holding, registration
from bench.purchases import purchase
from bench.stages import OURS
from didflow.services import service, settings_class
from didflow_contracts.envelope import Event, encode

COUNT = 3
TABLES = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL($1::text[]) ORDER BY 1"
)
OTHERS = ["alembic_version", "clock", "inbox", "outbox"]
"""Tables that are not compared row by row."""
OF_A_SESSION = ("transaction_id", "stripe")
"""Columns whose values differ from session to session."""


def before(name: str) -> list[Event[Any]]:
    """Return the events that the service has taken before."""
    if name != "provisioning":
        return []
    return [make(index) for make in (purchase, registration) for index in range(COUNT)]


def measured(name: str) -> list[Event[Any]]:
    """Return the events that the bench measures."""
    return [(holding if name == "provisioning" else purchase)(index) for index in range(COUNT)]


def without_own_values(value: Any, known: frozenset[str]) -> Any:
    """Return a value with the type in place of each instant and each id that differs from run to run."""
    if isinstance(value, Mapping):
        named = {name: each for name, each in value.items() if name not in OF_A_SESSION}
        return {name: without_own_values(each, known) for name, each in named.items()}
    if isinstance(value, list):
        return [without_own_values(each, known) for each in value]
    if isinstance(value, datetime) or (isinstance(value, str) and is_instant(value)):
        return "an instant"
    if isinstance(value, UUID) or (isinstance(value, str) and is_id(value)):
        return str(value) if str(value) in known else "an id"
    return str(value) if isinstance(value, Decimal) else value


def is_instant(text: str) -> bool:
    """Return True for the text of an instant."""
    try:
        return "T" in text and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def is_id(text: str) -> bool:
    """Return True for the text of a UUID."""
    try:
        return UUID(text) is not None
    except ValueError:
        return False


def comparable(rows: Iterable[Any], known: frozenset[str]) -> list[Any]:
    """Return rows in an order that is the same in both databases."""
    found = [without_own_values(dict(row), known) for row in rows]
    return sorted(found, key=lambda row: orjson.dumps(row, option=orjson.OPT_SORT_KEYS, default=str))


async def contents(connection: Any, known: frozenset[str]) -> dict[str, Any]:
    """Return all rows of all tables, the ids in the inbox, and the records in the outbox."""
    await connection.set_type_codec("jsonb", encoder=orjson.dumps, decoder=orjson.loads, schema="pg_catalog")
    found = {}
    for (table,) in await connection.fetch(TABLES, OTHERS):
        rows = await connection.fetch(f"SELECT * FROM {table}")
        found[table] = comparable(rows, known)
    found["inbox"] = sorted(row[0] for row in await connection.fetch("SELECT id FROM inbox"))
    rows = await connection.fetch("SELECT topic, key, value, headers FROM outbox ORDER BY id")
    records = [{**row, "key": row["key"].decode(), "value": orjson.loads(row["value"])} for row in rows]
    found["outbox"] = comparable(records, known)
    return found


def differences(place: str, service: Any, floor: Any) -> Iterator[str]:
    """Yield where what the floor writes differs from what the service writes."""
    if isinstance(service, Mapping) and isinstance(floor, Mapping):
        for name in sorted({*service, *floor}):
            yield from differences(f"{place}.{name}", service.get(name), floor.get(name))
    elif isinstance(service, list) and isinstance(floor, list) and len(service) == len(floor):
        for number, (one, other) in enumerate(zip(service, floor, strict=True)):
            yield from differences(f"{place}[{number}]", one, other)
    elif service != floor:
        yield f"{place}: the service writes {service!r}, the floor {floor!r}"


@pytest.mark.parametrize("name", OURS)
async def test_the_floor_writes_what_the_service_writes(
    on_postgres: OnPostgres, database_for: DatabaseFor, name: str
) -> None:
    """Table by table and column by column, and event by event. Ids and instants of a run's own are not compared."""
    about = service(name, settings_class(name).placeholder())
    ours = await on_postgres(about)
    await fill(ours.database.dsn, name)
    for event in before(name):
        await ours.receive(event)
    taken = await ours.fetch("SELECT id FROM inbox")
    await ours.receive(*measured(name))
    by_floor = await database_for(name, migration_of(name))
    await fill(by_floor, name, COUNT)
    floor = await asyncpg.connect(by_floor)
    events = [orjson.loads(encode(event)) for event in measured(name)]
    await write(floor, events, "", WRITTEN[name])
    known = frozenset(str(event.data.did_id) for event in measured(name))
    reader = await asyncpg.connect(ours.database.dsn)
    try:
        wrote, by_hand = await contents(reader, known), await contents(floor, known)
    finally:
        await floor.close()
        await reader.close()
    earlier = {row[0] for row in taken}
    wrote["inbox"] = [each for each in wrote["inbox"] if each not in earlier]
    found = "\n".join(differences(name, wrote, by_hand))
    assert not found, found
