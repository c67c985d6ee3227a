"""The evidence of a run: every record of every topic and the content of the databases, read once all is idle.

This module only reads. `invariants` finds the violations.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from faults.installation import Installation

from didflow.services import service
from didflow.tail import partitions_of
from didflow_chassis.kafka_clients import MAX_RECORD_BYTES, connection
from didflow_chassis.states import Kind, Stored
from didflow_contracts.envelope import BadEvent, Event, decode
from didflow_contracts.events import EVENT_TYPES
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS

Place = tuple[str, int, int]
"""Topic without its prefix, partition, offset."""


@dataclass(frozen=True, kw_only=True)
class PublishedEvent:
    """One event on its topic. `at` is the time of publishing in Unix seconds."""

    place: Place
    at: float
    event: Event[Any]

    @property
    def topic(self) -> str:
        """The topic without its prefix."""
        return self.place[0]

    @property
    def id(self) -> tuple[str, str]:
        """The identity of the event."""
        return self.event.source, self.event.id

    @property
    def did_id(self) -> UUID:
        """The DID of the event."""
        did_id: UUID = self.event.data.did_id
        return did_id


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One dead letter, or its copy on the topic: the reason, and the origin of the record."""

    reason: str
    origin: Place


@dataclass(frozen=True, kw_only=True)
class HistoryRow:
    """One row of inventory's history that has an event."""

    did_id: UUID
    type: str
    source: str
    event_id: str
    sequence: int | None


@dataclass(frozen=True, kw_only=True)
class ServiceData:
    """The content of one service's database: its main states by DID, and the tables of the chassis."""

    states: Mapping[UUID, Stored[Any]]
    inbox: frozenset[bytes]
    outbox: int = 0
    overdue: int = 0
    parked: Mapping[str, int] = field(default_factory=dict)
    dead_letters: tuple[DeadLetter, ...] = ()
    ledger: tuple[Any, ...] = ()
    history: tuple[HistoryRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The whole evidence. `undecodable`: places of records that are not events. `copies`: published dead letters."""

    records: tuple[PublishedEvent, ...]
    undecodable: tuple[Place, ...]
    copies: Mapping[str, tuple[DeadLetter, ...]]
    services: Mapping[str, ServiceData]
    unfinished_work: tuple[str, ...] = ()

    @property
    def repeats(self) -> int:
        """The number of records that repeat an earlier one."""
        return len(self.records) - len({event.id for event in self.records})


async def gather(installation: Installation, unfinished_work: Iterable[str] = ()) -> Evidence:
    """Read everything. `unfinished_work` names the work that was still in progress."""
    async with open_records(installation, (*TOPICS, *DEAD_LETTER_TOPICS.values())) as records:
        found = [(_place(installation, record), record) async for record in records]
    dead_letters = {topic: name for name, topic in DEAD_LETTER_TOPICS.items()}
    published: list[PublishedEvent] = []
    undecodable: list[Place] = []
    copies: dict[str, list[DeadLetter]] = {name: [] for name in installation.services}
    for place, record in found:
        if place[0] in dead_letters:
            copies.setdefault(dead_letters[place[0]], []).append(_copy(record))
            continue
        event = _event(record)
        if event is None:
            undecodable.append(place)
        else:
            published.append(PublishedEvent(place=place, at=record.timestamp / 1000, event=event))
    return Evidence(
        records=tuple(published),
        undecodable=tuple(undecodable),
        copies={name: tuple(copied) for name, copied in copies.items()},
        services={name: await _service_data(installation, name) for name in installation.services},
        unfinished_work=tuple(unfinished_work),
    )


@asynccontextmanager
async def open_records(
    installation: Installation, topics: Iterable[str]
) -> AsyncIterator[AsyncIterator[ConsumerRecord]]:
    """Open an iterator over all records of topics, which are named without their prefix."""
    settings = installation.settings
    partitions = await partitions_of(settings, [settings.topic_prefix + name for name in topics])
    consumer = AIOKafkaConsumer(
        **connection(settings), group_id=None, max_partition_fetch_bytes=MAX_RECORD_BYTES
    )
    await consumer.start()
    try:
        consumer.assign(
            partitions
        )  # one metadata request for all topics; end_offsets alone sends one per topic
        ends = await consumer.end_offsets(partitions)
        not_empty = [partition for partition in partitions if ends[partition]]
        consumer.assign(not_empty)
        await consumer.seek_to_beginning(*not_empty)
        yield _records(consumer, {partition: ends[partition] for partition in not_empty})
    finally:
        await consumer.stop()


async def _records(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord]:
    """Yield every record up to these end offsets. The records of a partition are in order."""
    unread = set(ends)
    while unread:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                yield record
        await asyncio.sleep(0)
        unread = {partition for partition in unread if await consumer.position(partition) < ends[partition]}


def _place(installation: Installation, record: ConsumerRecord) -> Place:
    return record.topic.removeprefix(installation.parts.topic_prefix), record.partition, record.offset


def _event(record: ConsumerRecord) -> Event[Any] | None:
    try:
        return decode(record.value, tuple(record.headers), types=EVENT_TYPES)
    except BadEvent:
        return None


def _copy(record: ConsumerRecord) -> DeadLetter:
    headers = {name: (text or b"").decode() for name, text in record.headers if name.startswith("dlq_")}
    origin = (headers["dlq_topic"], int(headers["dlq_partition"]), int(headers["dlq_offset"]))
    return DeadLetter(reason=headers["dlq_reason"], origin=origin)


async def _service_data(installation: Installation, name: str) -> ServiceData:
    here = service(name)
    main = next(kind for kind in here.kinds if kind.model is here.main)
    connection = await asyncpg.connect(installation.parts.postgres[name])
    try:
        parked = await connection.fetch("SELECT reason, count(*) FROM parked GROUP BY reason")
        dead_letters = await connection.fetch('SELECT reason, topic, partition, "offset" FROM dead_letters')
        return ServiceData(
            states={main.key_of(row.state): row for row in await _rows(connection, main)},
            inbox=frozenset(row[0] for row in await connection.fetch("SELECT id FROM inbox")),
            outbox=await connection.fetchval("SELECT count(*) FROM outbox"),
            overdue=await connection.fetchval(
                "SELECT count(*) FROM parked WHERE due_at < clock_timestamp() + (SELECT shift FROM clock)"
            ),
            parked={row[0]: row[1] for row in parked},
            dead_letters=tuple(
                DeadLetter(reason=row[0], origin=(row[1], row[2], row[3])) for row in dead_letters
            ),
            ledger=await _ledger(connection) if name == "billing" else (),
            history=await _history(connection) if name == "inventory" else (),
        )
    finally:
        await connection.close()


async def _rows(connection: Any, kind: Kind[Any]) -> list[Stored[Any]]:
    columns = ", ".join(f'"{column}"' for column in kind.columns)
    return [
        kind.from_row(tuple(row)) for row in await connection.fetch(f"SELECT {columns} FROM {kind.table}")
    ]


async def _ledger(connection: Any) -> tuple[Any, ...]:
    return tuple(await connection.fetch("SELECT entry_id, did_id, kind, amount FROM ledger"))


async def _history(connection: Any) -> tuple[HistoryRow, ...]:
    rows = await connection.fetch(
        "SELECT did_id, type, source, event_id, event_sequence AS sequence FROM history "
        "WHERE source IS NOT NULL ORDER BY position"
    )
    return tuple(HistoryRow(**row) for row in rows)
