"""Whether an installation is idle: nothing is to publish, retried or due, no job runs, all topics are read."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from didflow.embedded.wait import DeadlineMissedError, until
from didflow.errors import NotIdle
from didflow.services import SERVICES, service
from didflow.tail import partitions_of
from didflow_chassis.dead_letters import connect
from didflow_chassis.jobs.store import COUNT_UNFINISHED
from didflow_chassis.kafka_clients import connection
from didflow_chassis.parked import COUNT_HELD
from didflow_chassis.settings import Settings
from didflow_chassis.timers import count_due

PATIENCE_S: Final = 90.0
_PAUSE_S: Final = 0.1
Ends = dict[TopicPartition, int]
More = Callable[[], Iterable[str]]


@dataclass(kw_only=True)
class IdleCheck:
    """Checks the databases and the consumer groups of an installation."""

    databases: Mapping[str, Any]
    partitions: Mapping[str, list[TopicPartition]]
    consumer: AIOKafkaConsumer
    admin: Any
    prefix: str
    _ends: Ends = field(default_factory=dict)

    async def wait(self, *, more: More = tuple, but: Iterable[str] = (), within: float = PATIENCE_S) -> None:
        """Wait until two checks in a row find nothing to do and nothing was published between them.

        `more` returns other work in progress. Services in `but` are not checked.
        Raises NotIdle with the work that is still in progress.
        """
        busy: list[str] = []
        before: Ends | None = None

        async def quiet() -> bool:
            nonlocal busy, before
            self._ends = {}
            busy = [*await self.busy(but), *more()]
            still = not busy and self._ends == before
            before = None if busy else self._ends
            await asyncio.sleep(0 if still else _PAUSE_S)
            return still

        condition: Any = quiet
        try:
            await until(condition, within=within, what="quiet")
        except DeadlineMissedError:
            raise NotIdle(f"after {within:g} s: {', '.join(busy)}") from None

    async def busy(self, but: Iterable[str] = ()) -> list[str]:
        """Return the work in progress, without the services in `but`."""
        left_out = frozenset(but)
        names = [name for name in self.databases if name not in left_out]
        found = [reason for name in names for reason in await self._database(name)]
        return found or [reason for name in names for reason in await self._group(name)]

    async def _database(self, name: str) -> list[str]:
        outbox, parked, jobs, due = await self.databases[name].fetchrow(_waiting(name))
        counts = (
            (outbox, "to publish"),
            (parked, "parked"),
            (jobs, "jobs to finish"),
            (due, "timers due"),
        )
        return [f"{name}: {count} {what}" for count, what in counts if count]

    async def _group(self, name: str) -> list[str]:
        partitions = self.partitions[name]
        try:
            ends = await self.consumer.end_offsets(partitions)
            committed = await self.admin.list_consumer_group_offsets(
                self.prefix + name, partitions=partitions
            )
        except KafkaError as error:
            return [f"{name}: {type(error).__name__}"]
        self._ends |= ends
        lag = sum(max(0, end - max(0, committed[p].offset)) for p, end in ends.items() if end)
        return [f"{name}: {lag} to read"] if lag else []


@cache
def _waiting(name: str) -> str:
    """Return the statement that counts what the database of a service has to do."""
    due = count_due(service(name))
    return f"SELECT (SELECT count(*) FROM outbox), ({COUNT_HELD}), ({COUNT_UNFINISHED}), {due}"  # noqa: S608


def only_ask(consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]) -> None:
    """Assign these partitions to a consumer and pause them, so that it knows all topics before it is asked for ends.

    Without this, the consumer requests the metadata of one topic after the other.
    """
    known = set(partitions)
    consumer.assign(known)
    consumer.pause(*known)


@asynccontextmanager
async def idle_check(settings: Settings, dsns: Mapping[str, str]) -> AsyncIterator[IdleCheck]:
    """Open the connections that the check needs. Raises Outage."""
    async with AsyncExitStack() as exits:
        databases, partitions = {}, {}
        for name in SERVICES:
            databases[name] = await connect(dsns[name])
            exits.push_async_callback(databases[name].close)
            read = [settings.topic_prefix + topic for topic in service(name).topics_read]
            partitions[name] = await partitions_of(settings, read)
        consumer = AIOKafkaConsumer(**connection(settings), group_id=None)
        await consumer.start()
        exits.push_async_callback(consumer.stop)
        only_ask(consumer, chain(*partitions.values()))
        admin: Any = AIOKafkaAdminClient(**connection(settings))
        exits.push_async_callback(admin.close)
        await admin.start()
        yield IdleCheck(
            databases=databases,
            partitions=partitions,
            consumer=consumer,
            admin=admin,
            prefix=settings.topic_prefix,
        )
