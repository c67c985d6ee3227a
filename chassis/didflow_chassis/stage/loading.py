"""Loading a batch under its locks: one statement for each kind of state, one for the waiters, one for the inbox."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Any

from msgspec import Struct, field

from didflow_chassis.service import Ref, Service
from didflow_chassis.stage import sql
from didflow_chassis.stage.headers import from_json
from didflow_chassis.stage.lanes import Waiter
from didflow_chassis.stage.messages import Decoder, Message, Poison, Record, clock_message
from didflow_chassis.stage.work import Work

Connection = Any


class Seen(Struct):
    """Of the inbox: the digest by id, and the id by spot."""

    digests: dict[bytes, bytes] = field(default_factory=dict)
    spots: dict[int, bytes] = field(default_factory=dict)


async def load_states(connection: Connection, service: Service, work: Work, refs: Iterable[Ref]) -> None:
    """Load every named state."""
    keys: dict[type, set[Hashable]] = defaultdict(set)
    for ref in refs:
        keys[ref.model].add(ref.key)
    for kind in service.kinds:
        wanted = keys.get(kind.model)
        if wanted:
            rows = await connection.fetch(kind.load_sql, list(wanted))
            work.put_loaded(kind, [kind.from_row(tuple(row)) for row in rows], wanted)


async def load_seen(connection: Connection, ids: list[bytes], spots: list[int]) -> Seen:
    """Return what the inbox knows of these ids and spots."""
    if not ids:
        return Seen()
    rows = await connection.fetch(sql.SEEN, ids, spots)
    return Seen(digests={row[0]: row[1] for row in rows}, spots={row[2]: row[0] for row in rows if row[2]})


async def load_waiters(
    connection: Connection, service: Service, decoder: Decoder, entities: list[str], bare: list[int]
) -> tuple[list[tuple[str, Waiter]], list[Message | Poison]]:
    """Return the waiters of these entities in their order, and the rows that belong to none, decoded again."""
    waiters: list[tuple[str, Waiter]] = []
    loose: list[Message | Poison] = []
    for row in await connection.fetch(sql.WAITERS, entities, bare):
        decoded = _decoded(service, decoder, row)
        if isinstance(decoded, Poison) or row["entity"] == "":
            loose.append(decoded)
        else:
            waiters.append((row["entity"], Waiter(row["reason"], row["due_at"], decoded)))
    return waiters, loose


def _decoded(service: Service, decoder: Decoder, row: Any) -> Message | Poison:
    if row["topic"] is None:
        model = next(kind.model for kind in service.kinds if kind.model.__name__ == row["model"])
        kind = next(kind for kind in service.kinds if kind.model is model)
        message = clock_message(service, model, kind.parse_key(row["entity"]), row["subject"])
        message.parked_id, message.attempts = row["id"], row["attempts"]
        return message
    record = Record(
        row["topic"], row["partition"], row["offset"], row["key"], row["value"], from_json(row["headers"])
    )
    decoded = decoder.decode(record, parked_id=row["id"], attempts=row["attempts"])
    if isinstance(decoded, Message):
        decoded.waits_as = row["reason"]
    return decoded
