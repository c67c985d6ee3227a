"""The four services in one process, each on its own database, without a broker.

The test passes what one service publishes to those who read it, in any order that it chooses.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from faults.installation import PREPARE
from harness.fault_journal import JOURNAL
from harness.fixtures import DatabaseFor

from didflow.services import service
from didflow_chassis.database import Database
from didflow_chassis.records import Record, headers_from_json
from didflow_chassis.stage import Stage
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.states import Stored
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.envelope import CONTENT_TYPE, Event, decode, encode
from didflow_contracts.event_data import EventData
from didflow_contracts.events import EVENT_TYPES, ResultReported
from didflow_contracts.topics import SERVICES

CARRIER: Final = "/carriers/simulator"
STANDARD: Final = (("content-type", CONTENT_TYPE.encode()),)
READS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(model.topic for model in service(name).events) for name in SERVICES
}
_TAKE: Final = "DELETE FROM outbox RETURNING id, topic, key, value, headers"
_OFFSETS = itertools.count()


@dataclass(kw_only=True)
class Four:
    """The stages of some or all services. `said` has what each one has published so far, in order."""

    stages: Mapping[str, Stage]
    said: dict[str, list[Record]] = field(default_factory=dict)

    async def receive(self, records: Iterable[Record], *, only: str | None = None) -> None:
        """Pass records to all services that read their topics, as one batch for each service."""
        records = list(records)
        for name, stage in self.stages.items():
            heard = [record for record in records if record.topic in READS[name]]
            if heard and only in (None, name):
                await stage.records(heard)

    async def publish(self) -> list[Record]:
        """Return the rows of the services' outboxes as Kafka would have them."""
        found: list[Record] = []
        for name, stage in self.stages.items():
            rows = sorted(await stage.database.fetch(_TAKE), key=lambda row: row["id"])
            records = [_published(row) for row in rows]
            self.said.setdefault(name, []).extend(records)
            found += records
        return found

    async def states(self, name: str) -> dict[UUID, Stored[Any]]:
        """Return a service's main states by DID."""
        here = service(name)
        kind = next(kind for kind in here.kinds if kind.model is here.main)
        columns = ", ".join(f'"{column}"' for column in kind.columns)
        rows = await self.stages[name].database.fetch(f"SELECT {columns} FROM {kind.table.name}")
        found = (kind.from_row(tuple(row)) for row in rows)
        return {row.state.did_id: row for row in found}

    async def count(self, name: str, table: str, where: str = "true") -> int:
        """Count rows."""
        rows = await self.stages[name].database.fetch(f"SELECT count(*) FROM {table} WHERE {where}")
        counted: int = rows[0][0]
        return counted


@asynccontextmanager
async def four(database_for: DatabaseFor, *names: str) -> AsyncIterator[Four]:
    """Open the stages of these services, or of all."""
    async with AsyncExitStack() as exits:
        stages = {}
        for name in names or SERVICES:
            database = Database(await database_for(name, PREPARE[name]), application="test", size=10)
            await database.start()
            exits.push_async_callback(database.stop)
            metrics = Metrics()
            exits.callback(_note_repeats, metrics)
            telemetry = StageTelemetry(metrics, start_tracing(service=name, process="test", endpoint=None))
            stages[name] = Stage(service(name), database, telemetry)
        yield Four(stages=stages)


def record(
    data: EventData, event_id: str, *, source: str, time: datetime, sequence: int | None = None
) -> Record:
    """Return the record of an event as its source would publish it."""
    event: Event[EventData] = Event(id=event_id, source=source, time=time, data=data, sequence=sequence)
    return raw(encode(event), data.topic, data.subject.encode())


def raw(value: bytes | None, topic: str, key: bytes | None = b"k", headers: Any = STANDARD) -> Record:
    """Return a record of any bytes with its own offset."""
    return Record(topic, 0, next(_OFFSETS), key, value, headers)


def event_of(record: Record) -> Event[Any]:
    """Return the event of a record."""
    return decode(record.value, record.headers, types=EVENT_TYPES)


def answers(records: Iterable[Record], at: datetime) -> list[Record]:
    """Return the results for the carrier commands among these records. All succeed."""
    orders = [event_of(one) for one in records if one.topic == "provisioning.commands"]
    return [
        record(
            ResultReported(
                did_id=order.data.did_id,
                number=order.data.number,
                account=order.data.account,
                command_id=order.data.command_id,
                attempt=order.data.attempt,
                outcome="succeeded",
                completed_at=at,
            ),
            f"answer to {order.id}",
            source=CARRIER,
            time=at,
        )
        for order in orders
    ]


def _note_repeats(metrics: Metrics) -> None:
    counted = metrics.registry.get_sample_value("didflow_duplicates_total", {"origin": "kafka"})
    JOURNAL.duplicates += int(counted or 0)


def _published(row: asyncpg.Record) -> Record:
    headers = STANDARD if row["headers"] is None else headers_from_json(row["headers"])
    return raw(row["value"], row["topic"], row["key"], headers)


async def together(*works: Any) -> Sequence[Any]:
    """Run coroutines at the same time and return their results. Raise the first error once all have ended."""
    found = await asyncio.gather(*works, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return found
