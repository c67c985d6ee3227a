"""The stage: the only code that opens a transaction.

States, inbox, outbox, parked messages and dead letters of a batch are committed together. A caller of the stage sees
one of three results: it is committed, nothing happened (`Outage`), or, for an HTTP call, a conflict.
"""

import asyncio
import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from didflow_chassis import failpoints
from didflow_chassis.backlog import Backlog
from didflow_chassis.database import Database, Outage, Rejected, Transient
from didflow_chassis.decision import Command, Unchanged
from didflow_chassis.internal_errors import internal_error
from didflow_chassis.records import Record
from didflow_chassis.service import Ref, Service
from didflow_chassis.sources import InForce, open_sources
from didflow_chassis.stage.breaker import Breaker
from didflow_chassis.stage.call import Call, CommandDecision
from didflow_chassis.stage.events import EventWriter
from didflow_chassis.stage.messages import (
    Batch,
    Decoder,
    Message,
    MoreNeeded,
    Poison,
    TooWide,
    command_message,
    halves,
    required_refs,
    timer_message,
    with_subject,
)
from didflow_chassis.stage.operations import Operation, operate
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.stage.transaction import Context, attempt, load_states, lock
from didflow_chassis.stage.unit_of_work import UnitOfWork

MAX_ATTEMPTS = 20
MAX_DISCOVERIES = 8
"""If a batch discovers states it has not loaded more often than this, it is split in half.

A single message is retried without this limit, because each attempt loads more.
"""

R = TypeVar("R")


class Stage:
    """Processes batches of messages: records, due timers, parked messages, commands. Safe to call concurrently."""

    def __init__(
        self,
        service: Service,
        database: Database,
        telemetry: StageTelemetry,
        *,
        prefix: str = "",
        backlog: Backlog | None = None,
        sources: InForce = open_sources,
    ) -> None:
        self.service = service
        self.database = database
        self._telemetry = telemetry
        self._prefix = prefix
        self._decoder = Decoder(service, sources)
        self._breaker = Breaker(telemetry.breaker)
        self._backlog = backlog
        self._context = Context(service, self._decoder, self._breaker)

    @property
    def open_breakers(self) -> tuple[str, ...]:
        """The types of messages for which the breaker of this process is open."""
        return self._breaker.open_types

    def refresh_breakers(self) -> None:
        """Close the breakers whose failures are too long ago. Call it now and then."""
        self._breaker.refresh()

    async def records(self, records: Sequence[Record]) -> None:
        """Process a batch of records. Returns when all of it is committed.

        Raises Outage if the database cannot commit it.
        """
        self._check_backlog()
        decoded = self._decoder.decode_all(records)
        messages = tuple(m for m in decoded if isinstance(m, Message))
        poisons = tuple(p for p in decoded if isinstance(p, Poison))
        await self._run(Batch(origin="kafka", messages=messages, poisons=poisons))

    async def due(self, model: type, keys: Sequence[tuple[Hashable, str]]) -> bool:
        """Run the due timers of states of one kind, named by key and subject. Return False if nothing was done.

        A timer that needs a state which someone else has locked is left for later, alone.
        """
        messages = tuple(timer_message(self.service, model, key, subject or "") for key, subject in keys)
        return await self._run(Batch(origin="timers", messages=messages, from_timers=True))

    async def parked(self, entities: Mapping[str, str], row_ids: Sequence[int] = ()) -> bool:
        """Try the parked messages of entities (entity to subject), and single parked rows without an entity.

        Return False if nothing was done. An entity that needs a locked state is left for later, alone.
        """
        return await self._run(
            Batch(origin="timers", entities=dict(entities), row_ids=tuple(row_ids), from_timers=True)
        )

    async def command(self, commands: Sequence[Command], call: Call[R], *, is_batch: bool = False) -> R:
        """Run the commands of a call in one transaction, together with the result that the call stores.

        With `is_batch`, a command whose decision raises, or whose row the database refuses, is refused as
        `internal_error` and has no effect; the others are done. Otherwise the error is raised, and neither an effect
        nor a result is stored.

        Raises what `call.claim` raises, and Outage: nothing happened or the result is unknown, so the caller must
        repeat the same call.
        """
        self._check_backlog()
        messages = tuple(command_message(self.service, command) for command in commands)
        batch = Batch(origin=call.origin, messages=messages)
        events = EventWriter(self.service, self._prefix, call.key, call.actor, call.correlation_id)
        refs = required_refs(self.service, messages)
        attempts, is_split = 0, False
        while attempts < MAX_ATTEMPTS:
            try:
                return await self._command(batch, refs, events, call, is_batch=is_batch, is_split=is_split)
            except MoreNeeded as more:
                refs |= more.refs
            except Transient:
                await _pause(attempts)
                attempts += 1
            except Rejected as error:
                if not is_batch or is_split or isinstance(error, TooWide):
                    raise
                is_split = True
        raise Outage("other writers changed the same states too often")

    async def operate(self, operation: Operation, call: Call[R]) -> R:
        """Run an operation in one transaction, together with the result that the call stores.

        It writes nothing to the outbox, so it runs while the outbox is full. Raises what `operations.operate` raises.
        """
        return await operate(self.database, operation, call)

    async def _command(
        self,
        batch: Batch,
        refs: set[Ref],
        events: EventWriter,
        call: Call[R],
        *,
        is_batch: bool,
        is_split: bool,
    ) -> R:
        """Run commands and store the result in one transaction. `refs` gets the states that are discovered."""
        events.ids.clear()
        with self._telemetry.batch(batch.origin, (), batch.size):
            async with self.database.transaction() as connection:
                stored = await call.claim(connection)
                if stored is not None:
                    return stored
                refs |= await self._discovered(connection, batch, refs)
                if is_split:
                    # A rollback to a savepoint releases the locks that were taken behind it. These are kept.
                    await lock(connection, self.service, batch, refs)
                    works = await self._in_parts(connection, batch, refs, events)
                else:
                    works = [await attempt(connection, self._context, batch, refs, events, is_batch=is_batch)]
                result = await call.finish(connection, [_decision(message) for message in batch.messages])
                await failpoints.hit("stage.commit", batch.origin)
        await failpoints.hit("stage.answer")
        self._committed(batch.origin, works, batch.messages)
        return result

    async def _in_parts(
        self, connection: Any, batch: Batch, refs: set[Ref], events: EventWriter
    ) -> list[UnitOfWork]:
        """Run the commands of a batch of which the database refuses a row, each part behind a savepoint.

        A part that is refused is split in half until one command is left. That command is refused.
        """
        ids = dict(events.ids)
        try:
            async with self.database.savepoint(connection):
                return [await attempt(connection, self._context, batch, refs, events, is_batch=True)]
        except Rejected as error:
            if batch.size == 1:
                batch.messages[0].decision = internal_error(error)
                return []
            events.ids = ids
            first, second = halves(batch)
            return [
                *await self._in_parts(connection, first, refs, events),
                *await self._in_parts(connection, second, refs, events),
            ]

    async def _run(self, batch: Batch) -> bool:
        """Run a batch. If the database refuses a row, split the batch until the message of that row is alone.

        Return False if nothing was done because others hold the locks.
        """
        if not batch.size:
            return False
        try:
            return await self._attempts(batch)
        except Rejected as error:
            if batch.size == 1:
                return await self._attempts(replace(batch, rejected=str(error) or type(error).__name__))
            return any([await self._run(half) for half in halves(batch)])

    async def _attempts(self, batch: Batch) -> bool:
        events = EventWriter(self.service, self._prefix)
        refs = required_refs(self.service, batch.messages)
        attempts = discoveries = 0
        while attempts < MAX_ATTEMPTS:
            try:
                return await self._attempt(batch, refs, events)
            except MoreNeeded as more:
                refs |= more.refs
                batch.discover(more.by_entity)
                discoveries += 1
                if discoveries > MAX_DISCOVERIES and batch.size > 1:
                    raise TooWide(f"the batch needed more states {discoveries} times") from None
            except Transient:
                if batch.from_timers:
                    return False
                await _pause(attempts)
                attempts += 1
        raise Outage("other writers changed the same states too often")

    async def _attempt(self, batch: Batch, refs: set[Ref], events: EventWriter) -> bool:
        with self._telemetry.batch(batch.origin, batch.messages, batch.size):
            async with self.database.transaction() as connection:
                refs |= await self._discovered(connection, batch, refs)
                work = await attempt(connection, self._context, batch, refs, events)
                await failpoints.hit("stage.commit", batch.origin)
        self._committed(batch.origin, [work], work.messages)
        return work.has_decided

    def _committed(self, origin: str, works: Sequence[UnitOfWork], messages: Sequence[Message]) -> None:
        for work in works:
            self._breaker.add(work.outcomes)
        self._telemetry.committed(origin, works, messages)

    def _check_backlog(self) -> None:
        if self._backlog is not None:
            self._backlog.check()

    async def _discovered(self, connection: Any, batch: Batch, refs: set[Ref]) -> set[Ref]:
        """Return the states that only stored states name, by a read without locks. It is checked under the locks."""
        messages = [
            message
            for message in batch.messages
            if message.handler.state_needs and not message.handler.state_needs_are_rare
        ]
        if not messages:
            return set()
        work = UnitOfWork(self.service, None, frozenset(refs))  # type: ignore[arg-type]
        await load_states(connection, self.service, work, refs)
        found: set[Ref] = set()
        for message in messages:
            state_needs = message.handler.state_needs
            if state_needs is not None:
                named = state_needs(work.state(message.model, message.entity), message.body, work.known)
                needed = {with_subject(self.service, ref, message) for ref in named}
                batch.discover({str(message.entity): needed})
                found |= needed
        return found


def _decision(message: Message) -> CommandDecision:
    return message.decision if message.decision is not None else Unchanged()  # type: ignore[return-value]


async def _pause(attempts: int) -> None:
    await asyncio.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempts)))  # noqa: S311
