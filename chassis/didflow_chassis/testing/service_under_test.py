"""A service in a test, on any database: receive events, run commands, move time, and read the effects."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from didflow_chassis.database import Database
from didflow_chassis.decision import Command, Decision, refusal_of
from didflow_chassis.pacing import Pacing
from didflow_chassis.records import Headers, Record, headers_from_json
from didflow_chassis.service import Service
from didflow_chassis.stage import Answer, CommandDecision, HttpCall, IdempotencyKey, Stage
from didflow_chassis.states import Kind, Stored
from didflow_chassis.telemetry.queues import QueueMetrics
from didflow_chassis.testing import statements
from didflow_chassis.testing.decision_log import DecisionLog, LoggedDecision
from didflow_chassis.timers import Timers
from didflow_contracts.envelope import CONTENT_TYPE, Event, decode, encode
from didflow_contracts.event_data import EventData
from didflow_contracts.sources import OPEN, RegisteredSource, Sources
from didflow_contracts.topics import topic_for

M = TypeVar("M")

HEADERS: Headers = (("content-type", CONTENT_TYPE.encode()),)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParkedMessage:
    """A message that waits. `reason` is early, retry, behind or dead; `event` is None for a due timer."""

    entity: str
    reason: str
    missing: str | None
    attempts: int
    due_at: datetime | None
    last_error: str | None
    event: Event[Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadRecord:
    """A dead letter. `reason` is its stable code; `entity` is set if later messages wait behind it."""

    reason: str
    detail: str
    topic: str | None
    value: bytes | None
    entity: str | None


class ServiceUnderTest:
    """One service with its stage, its timers and its tables. No timer runs by itself.

    `sources` are the registered sources in force.
    """

    def __init__(self, service: Service, database: Database) -> None:
        self._log = DecisionLog()
        self.service = self._log.observed(service)
        self.database = database
        telemetry = self._log.telemetry()
        self.sources: Sources = OPEN
        self.stage = Stage(self.service, database, telemetry, sources=lambda: self.sources)
        queues = QueueMetrics(telemetry.metrics, database)
        pacing = Pacing(database)
        self.timers = Timers(self.service, self.stage, database, queues, pacing, interval_s=1, days=30)
        self._offsets = count()
        self._published: list[Event[Any]] = []
        self._outbox_id = 0

    def register(self, *sources: RegisteredSource) -> None:
        """Let these registered sources be in force. Others may still say everything that their topics allow."""
        self.sources = Sources(sources, unregistered="open")

    async def receive(self, *events: Event[Any]) -> Decision | None:
        """Receive events as one batch of records from Kafka. Return the decision about the last one.

        The result is None if no decision was taken: the event is a repeat, it waits behind another message, it became
        a dead letter, or its decision raised an error.
        """
        before = len(self._log.committed)
        await self.stage.records([self.record(event) for event in events])
        last = events[-1]
        for entry in reversed(self._log.committed[before:]):
            message = entry.message
            if isinstance(message, Event) and (message.source, message.id) == (last.source, last.id):
                return entry.decision
        return None

    async def receive_record(
        self, topic: str, value: bytes | None, *, key: bytes | None = None, headers: Headers = HEADERS
    ) -> None:
        """Receive one record as given, for example bytes that are no event."""
        await self.stage.records([Record(topic, 0, next(self._offsets), key, value, headers)])

    async def receive_twice(self, *events: Event[Any]) -> None:
        """Receive events as one batch, and the same records again, as after a lost commit of their offsets."""
        records = [self.record(event) for event in events]
        await self.stage.records(records)
        await self.stage.records(records)

    def record(self, event: Event[Any]) -> Record:
        """Return the record in which another service would publish the event. Each call gives a new offset."""
        key = event.subject.encode()
        model: type[EventData] = type(event.data)
        return Record(topic_for(event.source, model), 0, next(self._offsets), key, encode(event), HEADERS)

    async def run(self, command: Command) -> Decision:
        """Run one command, as an HTTP request would. Raises what its decision raises."""
        return (await self._run([command], is_batch=False))[0]

    async def run_batch(self, commands: Sequence[Command]) -> list[Decision]:
        """Run commands in one transaction, as an HTTP batch would. Return one decision for each command, in order.

        A command whose decision raises is refused as `internal_error`.
        """
        return await self._run(commands, is_batch=True)

    async def _run(self, commands: Sequence[Command], *, is_batch: bool) -> list[Decision]:
        decisions: list[Decision] = []

        def answer(results: Sequence[CommandDecision]) -> Answer:
            decisions[:] = results
            return Answer(status=200, body=b"")

        caller = commands[0].caller
        key = IdempotencyKey(
            account=caller.account, subject=caller.subject, route="test", value=None, digest=b""
        )
        call = HttpCall(key=key, actor=caller.actor, answer=answer)
        await self.stage.command(commands, call, is_batch=is_batch)
        return decisions

    async def now(self) -> datetime:
        """Return the service's time."""
        found: datetime = await self.database.now()
        return found

    async def set_time(self, instant: datetime) -> None:
        """Set the service's time. No timer runs, as if all workers were stopped until then."""
        await self.database.fetch(statements.SET_TIME, instant)

    async def advance(self, by: timedelta) -> None:
        """Advance the time. Each timer and retry that becomes due runs at its own instant, the earliest first."""
        reached = await self.now()
        target = reached + by
        await self.run_due_timers()
        while later := [due for due in await self._due(target) if due[2] > reached]:
            reached = min(due[2] for due in later)
            await self.set_time(reached)
            await self.run_due_timers()
        await self.set_time(target)

    async def run_due_timers(self) -> None:
        """Run all timers and retries that are due now, as a worker does, until none is left that can run."""
        due = await self._due(await self.now())
        while due:
            await self.timers.run_due()
            before, due = due, await self._due(await self.now())
            if due == before:
                return

    async def run_timer(self, model: type, key: Hashable) -> None:
        """Run the due timers of one state only."""
        kind = self.service.kind_of[model]
        stored = await self._load(kind, key)
        subject = kind.subject_of(stored.state) if stored is not None else ""
        await self.stage.due(model, [(key, subject)])

    async def store(self, *states: Any) -> None:
        """Store states and append-only rows directly, as earlier decisions would have left them."""
        for state in states:
            kind = self.service.kind_of[type(state)]
            stored = None if kind.append_only else await self._load(kind, kind.key_of(state))
            row = stored or Stored(state, 0)
            row.state, row.version = state, row.version + 1
            await self.database.fetch(kind.save_sql, *kind.to_columns([row]))

    async def state(self, model: type[M], key: Hashable) -> M | None:
        """Return the state of this key, or None."""
        stored = await self._load(self.service.kind_of[model], key)
        return None if stored is None else stored.state

    async def states(self, model: type[M]) -> list[M]:
        """Return all states of a kind, in the order of their keys."""
        return await self._all(self.service.kind_of[model])

    async def all_states(self) -> dict[tuple[type, Hashable], Any]:
        """Return the states of all kinds by model class and key."""
        kinds = [kind for kind in self.service.kinds if not kind.append_only]
        return {(kind.model, kind.key_of(state)): state for kind in kinds for state in await self._all(kind)}

    async def rows(self, model: type[M]) -> list[M]:
        """Return all rows of an append-only kind, in the order in which they were inserted."""
        return await self._all(self.service.kind_of[model])

    async def published(self, topic: str | None = None) -> list[Event[Any]]:
        """Return the published events in order, of one topic or of all. Copies of dead letters are not included."""
        rows = await self.database.fetch(statements.OUTBOX, self._outbox_id)
        if rows:
            types = _event_types()
            events = [row for row in rows if row["topic"] != f"{self.service.name}.dlq"]
            self._published += [decode(row["value"], HEADERS, types=types) for row in events]
            self._outbox_id = rows[-1]["id"]
        return [event for event in self._published if topic in (None, event.data.topic)]

    async def published_data(self, topic: str | None = None) -> list[Any]:
        """Return the data of the published events in order, of one topic or of all."""
        return [event.data for event in await self.published(topic)]

    async def topics(self) -> list[str]:
        """Return the topics of the published events, in order."""
        return [event.data.topic for event in await self.published()]

    async def parked(self) -> list[ParkedMessage]:
        """Return the parked messages in the order in which they were parked."""
        return [self._parked(row) for row in await self.database.fetch(statements.PARKED)]

    async def dead_letters(self) -> list[DeadRecord]:
        """Return the dead letters, the oldest first."""
        rows = await self.database.fetch(statements.DEAD_RECORDS)
        names = ("reason", "detail", "topic", "value", "entity")
        return [DeadRecord(**{name: row[name] for name in names}) for row in rows]

    def decisions(self) -> list[LoggedDecision]:
        """Return all committed decisions in order: of events, of commands and of due timers."""
        return list(self._log.committed)

    def refusals(self) -> list[str]:
        """Return the codes of all refused messages, in order."""
        refused = (refusal_of(entry.decision) for entry in self._log.committed)
        return [each.code for each in refused if each is not None]

    async def _load(self, kind: Kind[Any], key: Hashable) -> Stored[Any] | None:
        rows = await self.database.fetch(kind.load_sql, [key])
        return self._row(kind, rows[0]) if rows else None

    async def _all(self, kind: Kind[Any]) -> list[Any]:
        rows = await self.database.fetch(statements.all_rows(kind))
        return [self._row(kind, row).state for row in rows]

    def _row(self, kind: Kind[Any], row: Any) -> Stored[Any]:
        return kind.from_row((*row, 0) if kind.append_only else tuple(row))

    async def _due(self, until: datetime) -> list[tuple[str, str, datetime]]:
        due = [tuple(row) for row in await self.database.fetch(statements.DUE_PARKED, until)]
        for kind in self.service.kinds:
            if kind.due and kind.model in self.service.due:
                due += [tuple(row) for row in await self.database.fetch(statements.due_states(kind), until)]
        return sorted(due)

    def _parked(self, row: Any) -> ParkedMessage:
        event = None
        if row["topic"] is not None:
            types = {model.type(): model for model in self.service.events}
            event = decode(row["value"], headers_from_json(row["headers"]), types=types)
        names = ("entity", "reason", "missing", "attempts", "due_at", "last_error")
        return ParkedMessage(**{name: row[name] for name in names}, event=event)


def _event_types() -> dict[str, type[EventData]]:
    """Return every imported event model by its type. If a subclass has the same type, the base class is returned."""
    found: dict[str, type[EventData]] = {}
    models = EventData.__subclasses__()
    for model in models:
        models.extend(model.__subclasses__())
        if hasattr(model, "topic"):
            found.setdefault(model.type(), model)
    return found
