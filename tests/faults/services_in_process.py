"""The four services in one process, each on its own database, without a broker.

The test passes the published records to the services that read them, in the order that it chooses.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from faults import consistency
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
from didflow_contracts.topics import SERVICES, topic_for, topics_of

CARRIER: Final = "/carriers/simulator"
STANDARD: Final = (("content-type", CONTENT_TYPE.encode()),)
READS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(topic for model in service(name).events for topic in topics_of(model))
    for name in SERVICES
}
_TAKE_OUTBOX: Final = "DELETE FROM outbox RETURNING id, topic, key, value, headers"
_OFFSETS = itertools.count()
_SHUFFLED: Final = 60
"""How many shuffled deliveries are made at once."""


@dataclass(kw_only=True)
class ServicesInProcess:
    """The stages of some or all services. `published`: service -> the records that it has published, in order."""

    stages: Mapping[str, Stage]
    dsns: Mapping[str, str]
    published: dict[str, list[Record]] = field(default_factory=dict)

    async def receive(self, records: Iterable[Record], *, only: str | None = None) -> None:
        """Pass records to all services that read their topics, as one batch for each service."""
        records = list(records)
        for name, stage in self.stages.items():
            read = [record for record in records if record.topic in READS[name]]
            if read and only in (None, name):
                await stage.records(read)

    async def publish(self) -> list[Record]:
        """Empty the outboxes. Return their rows as Kafka records."""
        found: list[Record] = []
        for name, stage in self.stages.items():
            rows = sorted(await stage.database.fetch(_TAKE_OUTBOX), key=lambda row: row["id"])
            records = [_published(row) for row in rows]
            self.published.setdefault(name, []).extend(records)
            found += records
        return found

    async def states(self, name: str) -> dict[UUID, Stored[Any]]:
        """Return a service's main states by DID."""
        described = service(name)
        kind = next(kind for kind in described.kinds if kind.model is described.main)
        columns = ", ".join(f'"{column}"' for column in kind.columns)
        rows = await self.stages[name].database.fetch(f"SELECT {columns} FROM {kind.table.name}")
        found = (kind.from_row(tuple(row)) for row in rows)
        return {kind.key_of(row.state): row for row in found}

    async def count(self, name: str, table: str, where: str = "true") -> int:
        """Count rows."""
        rows = await self.stages[name].database.fetch(f"SELECT count(*) FROM {table} WHERE {where}")
        value: int = rows[0][0]
        return value


@asynccontextmanager
async def services_in_process(database_for: DatabaseFor, *names: str) -> AsyncIterator[ServicesInProcess]:
    """Open the stages of these services, or of all."""
    async with AsyncExitStack() as exits:
        stages, dsns = {}, {}
        for name in names or SERVICES:
            dsns[name] = await database_for(name, PREPARE[name])
            database = Database(dsns[name], application="test", size=10)
            await database.start()
            exits.push_async_callback(database.stop)
            metrics = Metrics()
            exits.callback(_note_repeats, metrics)
            telemetry = StageTelemetry(metrics, start_tracing(service=name, process="test", endpoint=None))
            stages[name] = Stage(service(name), database, telemetry)
        consistency.remember(dsns, is_running=False)
        yield ServicesInProcess(stages=stages, dsns=dsns)


def event_record(
    data: EventData, event_id: str, *, source: str, time: datetime, sequence: int | None = None
) -> Record:
    """Return the record of an event as its source would publish it."""
    event: Event[EventData] = Event(id=event_id, source=source, time=time, data=data, sequence=sequence)
    return raw_record(encode(event), topic_for(source, type(data)), data.subject.encode())


def raw_record(value: bytes | None, topic: str, key: bytes | None = b"k", headers: Any = STANDARD) -> Record:
    """Return a record of any bytes with its own offset."""
    return Record(topic, 0, next(_OFFSETS), key, value, headers)


def event_of(record: Record) -> Event[Any]:
    """Return the event of a record."""
    return decode(record.value, record.headers, types=EVENT_TYPES)


def carrier_results(records: Iterable[Record], at: datetime) -> list[Record]:
    """Return the results for the carrier commands among these records. All succeed."""
    commands = [event_of(record) for record in records if record.topic == "provisioning.commands"]
    return [
        event_record(
            ResultReported(
                did_id=command.data.did_id,
                number=command.data.number,
                account=command.data.account,
                command_id=command.data.command_id,
                attempt=command.data.attempt,
                outcome="succeeded",
                completed_at=at,
            ),
            f"result of {command.id}",
            source=CARRIER,
            time=at,
        )
        for command in commands
    ]


async def deliver_until_idle(
    services: ServicesInProcess, first: Iterable[Record], shuffler: random.Random | None
) -> None:
    """Deliver all published records until no service publishes more: in order, or shuffled. The carrier answers."""
    waiting = [(name, record) for record in first for name in READS if record.topic in READS[name]]
    while waiting:
        if shuffler is not None:
            shuffler.shuffle(waiting)
        size = len(waiting) if shuffler is None else _SHUFFLED
        batch, waiting = waiting[:size], waiting[size:]
        for name in READS:
            await services.receive((record for reader, record in batch if reader == name), only=name)
        published = await services.publish()
        published += carrier_results(published, datetime.now(UTC))
        waiting += [(name, record) for record in published for name in READS if record.topic in READS[name]]


def _note_repeats(metrics: Metrics) -> None:
    value = metrics.registry.get_sample_value("didflow_duplicates_total", {"origin": "kafka"})
    JOURNAL.duplicates += int(value or 0)


def _published(row: asyncpg.Record) -> Record:
    headers = STANDARD if row["headers"] is None else headers_from_json(row["headers"])
    return raw_record(row["value"], row["topic"], row["key"], headers)


async def run_together(*coroutines: Any) -> Sequence[Any]:
    """Run coroutines at the same time and return their results. Raise the first error once all have ended."""
    found = await asyncio.gather(*coroutines, return_exceptions=True)
    for result in found:
        if isinstance(result, BaseException):
            raise result
    return found
