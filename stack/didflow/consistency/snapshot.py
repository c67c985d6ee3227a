"""A snapshot of the databases: one read-only, repeatable-read transaction in each, read in pages in the order of keys.

Memory does not grow with the number of DIDs. The snapshots of different databases are not of the same instant.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from didflow.consistency import rows
from didflow.consistency.rows import ENTRIES, KINDS, REQUESTS, DidRows
from didflow_chassis.database import read_only_snapshot

PAGE: Final = 500
"""How many rows of a table are in memory at a time."""

Read = tuple[str, str, Callable[[Any], Any]]
"""A service, the statement that selects from it, and the function that turns a row into a value."""


def _reads() -> Mapping[str, Read]:
    states = {name: (name, rows.select_states(kind), _state_of(kind)) for name, kind in KINDS.items()}
    return states | {
        ENTRIES: ("billing", rows.SELECT_ENTRIES, rows.to_entry),
        REQUESTS: ("verification", rows.SELECT_REQUESTS, rows.to_request),
    }


def _state_of(kind: Any) -> Callable[[Any], Any]:
    return lambda row: kind.from_row(tuple(row))


READS: Final = _reads()
_ORDER: Final = {ENTRIES: "did_id, position", REQUESTS: "did_id, requested_at"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Open transactions: service -> connection."""

    connections: Mapping[str, Any]

    @property
    def services(self) -> frozenset[str]:
        """The services whose databases are read."""
        return frozenset(self.connections)

    async def dids(self) -> AsyncIterator[DidRows]:
        """Read all DIDs in the order of their ids."""
        streams = {
            part: _grouped(self.connections[service].cursor(_ordered(part, select), prefetch=PAGE), value)
            for part, (service, select, value) in READS.items()
            if service in self.connections
        }
        heads = {part: head for part, stream in streams.items() if (head := await _next(stream))}
        while heads:
            did_id = min(found for found, _ in heads.values())
            here = {part: values for part, (found, values) in heads.items() if found == did_id}
            yield _did(did_id, here)
            for part in here:
                head = await _next(streams[part])
                if head is None:
                    del heads[part]
                else:
                    heads[part] = head

    async def some(self, did_ids: Sequence[UUID]) -> list[DidRows]:
        """Read some DIDs: one statement for each table. A DID that nobody knows is left out."""
        found: dict[UUID, dict[str, list[Any]]] = {}
        for part, (service, select, value) in READS.items():
            if service not in self.connections:
                continue
            joined = "AND" if " WHERE " in select else "WHERE"
            statement = f"{select} {joined} did_id = ANY($1::uuid[]) ORDER BY {_ORDER.get(part, 'did_id')}"
            for row in await self.connections[service].fetch(statement, did_ids):
                found.setdefault(row["did_id"], {}).setdefault(part, []).append(value(row))
        return [_did(did_id, parts) for did_id, parts in found.items()]

    async def fetch(self, service: str, statement: str, *values: Any) -> list[Any]:
        """Run one statement in a service's snapshot."""
        result: list[Any] = await self.connections[service].fetch(statement, *values)
        return result


@asynccontextmanager
async def snapshot(databases: Mapping[str, str]) -> AsyncIterator[Snapshot]:
    """Open a snapshot. Raises Outage if a database cannot be reached or refuses to be read."""
    async with AsyncExitStack() as exits:
        connections = {
            name: await exits.enter_async_context(read_only_snapshot(dsn, application="didflow-check"))
            for name, dsn in databases.items()
        }
        yield Snapshot(connections=connections)


def _ordered(part: str, select: str) -> str:
    return f"{select} ORDER BY {_ORDER.get(part, 'did_id')}"


async def _grouped(
    cursor: AsyncIterator[Any], value: Callable[[Any], Any]
) -> AsyncIterator[tuple[UUID, list[Any]]]:
    """Yield each DID of a cursor with its values."""
    did_id: UUID | None = None
    values: list[Any] = []
    async for row in cursor:
        found: UUID = row["did_id"]
        if did_id is not None and found != did_id:
            yield did_id, values
            values = []
        did_id = found
        values.append(value(row))
    if did_id is not None:
        yield did_id, values


async def _next(stream: AsyncIterator[tuple[UUID, list[Any]]]) -> tuple[UUID, list[Any]] | None:
    return await anext(stream, None)


def _did(did_id: UUID, parts: Mapping[str, Iterable[Any]]) -> DidRows:
    lists = {part: tuple(values) for part, values in parts.items()}
    states = {name: lists[name][0] for name in KINDS if name in lists}
    return DidRows(did_id=did_id, entries=lists.get(ENTRIES, ()), requests=lists.get(REQUESTS, ()), **states)
