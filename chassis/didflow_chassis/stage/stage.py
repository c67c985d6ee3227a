"""The stage: the only code that opens a transaction.

One for each batch: inbox rows, states, outbox rows, dead letters and waiting messages commit together.
Whoever calls it sees one of three things: it is done, nothing happened (`Outage`), or, over HTTP, a conflict.
"""

import asyncio
import random
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from didflow_chassis import failpoints
from didflow_chassis.backlog import Backlog
from didflow_chassis.database import Database, Outage, Rejected, Transient
from didflow_chassis.decision import Command, Unchanged
from didflow_chassis.service import Ref, Service
from didflow_chassis.stage.batch import Batch, halves, required_refs
from didflow_chassis.stage.breaker import Breaker
from didflow_chassis.stage.events import Emitter
from didflow_chassis.stage.loading import load_states
from didflow_chassis.stage.messages import Decoder, Message, Poison, Record, clock_message, command_message
from didflow_chassis.stage.once import Answer, Once, Result, claim, store
from didflow_chassis.stage.transaction import Setting, TooWide, attempt
from didflow_chassis.stage.watching import Watching
from didflow_chassis.stage.work import MoreNeeded, Work, with_subject
from didflow_contracts.ids import derived_id, uuid7

MAX_ATTEMPTS = 20
MAX_FOLLOWED = 8
"""A batch that finds so often that it needs more is halved; one message alone may, since each time it has more."""


class Stage:
    """Takes batches of records, of what is due or waits, and of HTTP commands. Safe to call concurrently."""

    def __init__(
        self,
        service: Service,
        database: Database,
        watching: Watching,
        *,
        prefix: str = "",
        backlog: Backlog | None = None,
    ) -> None:
        self.service = service
        self._watching = watching
        self.database = database
        self._prefix = prefix
        self._decoder = Decoder(service)
        self._breaker = Breaker()
        self._backlog = backlog
        self._setting = Setting(service, self._decoder, self._breaker)

    async def records(self, records: Sequence[Record]) -> None:
        """Take a batch of records; returns when all is committed.

        Raises Outage when nothing more could be, and BreakerOpen when one decision after another fails.
        """
        self._check_backlog()
        decoded = self._decoder.decode_all(records)
        messages = tuple(m for m in decoded if isinstance(m, Message))
        await self._run(
            Batch(
                origin="kafka", messages=messages, poisons=tuple(p for p in decoded if isinstance(p, Poison))
            )
        )

    async def due(self, model: type, keys: Sequence[tuple[Hashable, str]]) -> None:
        """Let the clock strike for states of one kind, named by key and subject; busy ones are left."""
        messages = (clock_message(self.service, model, key, subject or "") for key, subject in keys)
        await self._run(Batch(messages=tuple(messages), struck=True, origin="clock"))

    async def waiting(self, opened: Mapping[str, str], bare: Sequence[int] = ()) -> None:
        """Try the waiters of entities (entity to subject) and single rows that belong to none."""
        await self._run(Batch(opened=dict(opened), bare=tuple(bare), struck=True, origin="clock"))

    async def command(
        self,
        commands: Sequence[Command],
        *,
        once: Once,
        actor: str,
        answer: Callable[[Sequence[Result]], Answer],
    ) -> Answer:
        """Run commands in one transaction with their stored answer.

        Raises Outage (nothing happened, or it is not known: ask again under the same key) and
        IdempotencyConflict. What a decision raises by defect comes out as it is, and nothing was written.
        """
        self._check_backlog()
        batch = Batch(messages=tuple(command_message(self.service, c) for c in commands), origin="http")
        request = derived_id(once.account, once.route, once.key) if once.key else uuid7()
        emitter = Emitter(self.service, self._prefix, once, actor, str(request))
        refs = required_refs(self.service, batch.messages)
        turn = 0
        while turn < MAX_ATTEMPTS:
            try:
                with self._watching.batch("http", (), batch.size):
                    async with self.database.transaction() as connection:
                        stored = await claim(connection, once)
                        if stored is not None:
                            return stored
                        refs |= await self._followed(connection, batch, refs)
                        taken, work = await attempt(connection, self._setting, batch, refs, emitter.fresh())
                        said = answer([_result(message) for message in taken])
                        await store(connection, once, said)
                        await failpoints.hit("stage.commit")
                await failpoints.hit("stage.answer")
                self._watching.done("http", work, taken)
                return said
            except MoreNeeded as more:
                refs |= more.refs
            except Transient:
                await _pause(turn)
                turn += 1
        raise Outage("contended")

    async def _run(self, batch: Batch) -> None:
        if not batch.size:
            return
        try:
            await self._attempts(batch)
        except Rejected as error:
            if batch.size == 1:
                await self._attempts(replace(batch, rejected=str(error) or type(error).__name__))
                return
            for half in halves(batch):
                await self._run(half)

    async def _attempts(self, batch: Batch) -> None:
        emitter = Emitter(self.service, self._prefix)
        refs = required_refs(self.service, batch.messages)
        turn = followed = 0
        while turn < MAX_ATTEMPTS:
            try:
                await self._attempt(batch, refs, emitter)
            except MoreNeeded as more:
                refs |= more.refs
                followed += 1
                if followed > MAX_FOLLOWED and batch.size > 1:
                    raise TooWide(f"{followed} times more states were needed") from None
            except Transient:
                if batch.struck:
                    return
                await _pause(turn)
                turn += 1
            else:
                return
        raise Outage("contended")

    async def _attempt(self, batch: Batch, refs: set[Ref], emitter: Emitter) -> None:
        work: Work | None = None
        try:
            with self._watching.batch(batch.origin, batch.messages, batch.size):
                async with self.database.transaction() as connection:
                    refs |= await self._followed(connection, batch, refs)
                    taken, work = await attempt(connection, self._setting, batch, refs, emitter)
                    await failpoints.hit("stage.commit")
        except BaseException:
            if work is not None:
                self._breaker.undo(work.failures)
            raise
        self._watching.done(batch.origin, work, taken)

    def _check_backlog(self) -> None:
        if self._backlog is not None:
            self._backlog.check()

    async def _followed(self, connection: Any, batch: Batch, refs: set[Ref]) -> set[Ref]:
        """Find what only stored states tell, by an unlocked read; it is checked again under the locks."""
        asking = [
            message
            for message in batch.messages
            if message.on.state_needs and not message.on.state_needs_are_rare
        ]
        if not asking:
            return set()
        work = Work(self.service, None, frozenset(refs))  # type: ignore[arg-type]
        await load_states(connection, self.service, work, refs)
        found: set[Ref] = set()
        for message in asking:
            follow = message.on.state_needs
            if follow is not None:
                named = follow(work.state(message.model, message.entity), message.body, work.known)
                found |= {with_subject(self.service, ref, message) for ref in named}
        return found


def _result(message: Message) -> Result:
    return Result(message.outcome if message.outcome is not None else Unchanged())  # type: ignore[arg-type]


async def _pause(turn: int) -> None:
    await asyncio.sleep(random.uniform(0, min(0.5, 0.01 * 2**turn)))  # noqa: S311
