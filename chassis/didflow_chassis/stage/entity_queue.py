"""Decides the messages of one batch in memory: entity by entity in order, each decision applied before the next.

Nothing here calls the database. If a decision raises, only its own message fails: none of its effects is applied.
"""

import logging
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from didflow_chassis import failpoints, parked
from didflow_chassis.decision import Decided, Decision, Refused, TooEarly, Unchanged, refusal_of
from didflow_chassis.internal_errors import internal_error
from didflow_chassis.service import Handler, Ref, Service
from didflow_chassis.stage.breaker import Breaker, Outcome
from didflow_chassis.stage.events import EventWithJson, EventWriter, message_refused
from didflow_chassis.stage.messages import Message, MoreNeeded, uncovered, with_subject
from didflow_chassis.stage.unit_of_work import NewEvents, StateKey, UnitOfWork
from didflow_contracts.envelope import Event

MAX_SETTLED = 100
"""How many due timers of one entity run in one transaction. The rest is due again in the next one."""

UNSETTLED = "due timers"
"""What a message waits for if more timers were due before it."""
_LOG = logging.getLogger(__name__)


class NoProgress(Exception):
    """The decision on a due timer left the state as due as before: a defect in the domain."""


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A row of `parked` with its message, or without it if the record was not read."""

    id: int
    entity: str
    reason: str
    attempts: int
    due_at: datetime | None
    message: Message | None


@dataclass(slots=True)
class EntityQueue:
    """The queue of one entity in a batch. `early` are the messages that came too early for it.

    `unread` are rows of early messages whose records were not read. If `is_deferred`, the timers will try them, and
    later events are parked behind them. `settled` counts the timers that have run in this batch. If `is_held`, later
    messages are parked behind a failed one. If `is_incomplete`, a message needs states that are not loaded: the pass
    decides nothing more for this entity and only collects what the batch needs.
    """

    early: list[Message] = field(default_factory=list)
    unread: list[ParkedMessage] = field(default_factory=list)
    settled: int = 0
    is_deferred: bool = False
    is_held: bool = False
    is_incomplete: bool = False


class EntityQueues:
    """One pass over a batch. Call `add_parked` first, `take` for each message in order, then `finish`.

    The results are in the unit of work and in each message's `decision`. `rejected` is the reason why the database
    refused the only message of the batch: that message then fails without a decision. If `is_batch`, a command
    whose decision raises is refused as `internal_error`; otherwise the exception of a command is raised.
    """

    def __init__(
        self,
        work: UnitOfWork,
        events: EventWriter,
        breaker: Breaker,
        *,
        rejected: str | None = None,
        is_batch: bool = False,
    ) -> None:
        self.work = work
        self._breaker = breaker
        self.service: Service = work.service
        self._events = events
        self._rejected = rejected
        self._is_batch = is_batch
        self._queues: dict[str, EntityQueue] = {}
        self._parked: dict[str, list[ParkedMessage]] = {}
        self._missing: dict[str, set[Ref]] = {}

    def add_parked(self, row: ParkedMessage) -> None:
        """Add a parked message. Rows come in the order in which they were parked."""
        self._parked.setdefault(row.entity, []).append(row)

    def open(self, entity: Hashable) -> EntityQueue:
        """Return the entity's queue. The first call in a batch decides the parked messages that are not held."""
        name = str(entity)
        if name in self._queues:
            return self._queues[name]
        queue = self._queues[name] = EntityQueue()
        rows = self._parked.get(name, ())
        tries_early = any(row.reason == parked.EARLY and row.due_at is not None for row in rows)
        for row in rows:
            if parked.holds(row.reason, row.due_at, self.work.now):
                queue.is_held = True
            elif row.message is None:
                self._leave(queue, row, tries_early=tries_early)
            elif row.reason != parked.EARLY or tries_early:
                self._try(queue, row, row.message)
            else:
                queue.early.append(row.message)
        return queue

    def take(self, message: Message) -> None:
        """Decide a new message, or park it if its entity is held. Commands `when_held` are decided in any case."""
        queue = self.open(message.entity)
        is_event = isinstance(message.body, Event)
        if message.handler.when_held or not (queue.is_held or (queue.is_deferred and is_event)):
            self._run(queue, message)
        elif is_event:
            self.work.park(message, parked.BEHIND)
        else:
            message.decision = Refused(
                "held_back",
                "An earlier message of this entity failed. An operator must retry or drop it first.",
            )

    def finish(self) -> None:
        """End the pass. Raises MoreNeeded with all states that its messages need and that are not loaded."""
        if self._missing:
            raise MoreNeeded(self._missing)

    def _try(self, queue: EntityQueue, row: ParkedMessage, message: Message) -> None:
        """Decide a parked message that is due, unless an earlier one holds its entity."""
        if row.reason == parked.EARLY and row.due_at is not None:
            message.parked_as = ""  # if it is too early again, its instant is removed
        if not queue.is_held:
            self._run(queue, message)
        elif row.reason == parked.EARLY:
            self.work.park(message, parked.BEHIND)

    def _leave(self, queue: EntityQueue, row: ParkedMessage, *, tries_early: bool) -> None:
        """Leave a parked message whose record was not read to the timers. Later events wait behind it if it is due."""
        if row.reason == parked.EARLY:
            queue.unread.append(row)
            queue.is_deferred = queue.is_deferred or tries_early
        elif not queue.is_held and not (queue.is_deferred and row.reason == parked.BEHIND):
            queue.is_held = True
            if row.due_at is None:
                self._make_due(row)

    def _make_due(self, row: ParkedMessage) -> None:
        self.work.parked_changes.append(parked.Change(row.id, row.reason, row.attempts, self.work.now))

    def _run(self, queue: EntityQueue, message: Message) -> None:
        """Decide a message, then the early ones again as long as something changes."""
        if self._rejected is not None:
            self._fail(queue, message, self._rejected)
            return
        has_changed = self._decide(queue, message)
        if has_changed and queue.unread:
            if not queue.is_deferred:
                queue.is_deferred = True
                self._make_due(queue.unread[0])
            return
        while has_changed and queue.early and not queue.is_held:
            early, queue.early = queue.early, []
            has_changed = self._decide_early(queue, early)

    def _decide_early(self, queue: EntityQueue, early: Sequence[Message]) -> bool:
        """Decide early messages again. After one that fails, the later ones are parked behind it, in order."""
        has_changed = False
        for message in early:
            if queue.is_held:
                message.parked_as = parked.BEHIND
                self.work.park(message, parked.BEHIND)
            else:
                has_changed = self._decide(queue, message) or has_changed
        return has_changed

    def _decide(self, queue: EntityQueue, message: Message) -> bool:
        """Decide one message. Return True if something changed, so that early messages are worth another try."""
        if queue.is_incomplete:
            return False
        try:
            decision = self._decision(queue, message)
        except MoreNeeded as more:
            queue.is_incomplete = True
            self._missing.setdefault(str(message.entity), set()).update(more.refs)
            return False
        except Exception as error:  # noqa: BLE001 - only this message fails
            self._on_exception(queue, message, error)
            return False
        message.decision = decision
        if isinstance(decision, TooEarly):
            self._park_early(queue, message, decision)
        else:
            self.work.finish(message, _noted(decision))
            if isinstance(message.body, Event | None):
                self.work.outcomes.append(Outcome(_type(message), message.entity))
        return isinstance(decision, Decided)

    def _on_exception(self, queue: EntityQueue, message: Message, error: Exception) -> None:
        if isinstance(message.body, Event | None):
            _LOG.exception("A decision failed", extra={"entity": str(message.entity)})
            self._fail(queue, message, f"{type(error).__name__}: {error}"[:500])
        elif self._is_batch:
            message.decision = internal_error(error)
        else:
            raise error

    def _fail(self, queue: EntityQueue, message: Message, error: str) -> None:
        """Park a message that failed. While the breaker is open for its type, that uses up no attempt."""
        queue.is_held = True
        message.failed = True
        type_ = _type(message)
        self.work.outcomes.append(Outcome(type_, message.entity, failed=True, account=self._account(message)))
        is_open = self._breaker.is_open(type_, self.work.outcomes)
        self.work.park_failed(message, error, self._breaker.pause(type_) if is_open else None)

    def _account(self, message: Message) -> str | None:
        """Return the account of an event, or that of the state whose timer is due, if it has one."""
        if isinstance(message.body, Event):
            return str(message.body.data.account)
        account = getattr(self.work.state(message.model, message.entity), "account", None)
        return account if isinstance(account, str) else None

    def _park_early(self, queue: EntityQueue, message: Message, decision: TooEarly) -> None:
        if message.record is None:
            message.decision = Refused("not_ready", _still(decision))
            return
        queue.early.append(message)
        if message.parked_as != parked.EARLY:
            message.parked_as = parked.EARLY
            self.work.park(message, parked.EARLY, decision.missing)

    def _decision(self, queue: EntityQueue, message: Message) -> Decision:
        failpoints.hit_now("stage.decide", message.subject)
        is_settled = queue.is_held or self._settle(queue, message)
        if message.body is None:
            return Decided()
        if not is_settled:
            return TooEarly(UNSETTLED)
        return self._decide_at(message.handler, message, message.body, self.work.now)

    def _settle(self, queue: EntityQueue, message: Message) -> bool:
        """Run the entity's timers that were due before this message, each at its own instant or `at_present`.

        Return False if the batch has run `MAX_SETTLED` of them and more are due: after a long stop. The message then
        waits for the next batch of timers. Source: spec lifecycle, "Settle first".
        """
        handler = self.service.due.get(message.model)
        column = self.service.kind_of[message.model].due
        if handler is None or column is None:
            return True
        until = min(message.time, self.work.now) if message.time else self.work.now
        while True:
            state = self.work.state(message.model, message.entity)
            due = getattr(state, column) if state is not None else None
            if due is None or due > until:
                return True
            if queue.settled >= MAX_SETTLED:
                return False
            self._decide_at(handler, message, None, self.work.now if handler.at_present else due)
            if self.work.state(message.model, message.entity) == state:
                raise NoProgress(f"{message.model.__name__} {message.entity} is still due at {due}")
            queue.settled += 1

    def _decide_at(self, handler: Handler, message: Message, body: Any, at: datetime) -> Decision:
        """Call one decision and apply its result. `body` is None for a due timer."""
        state = self.work.state(message.model, message.entity)
        arguments = (state, body, at) if body is not None else (state, at)
        if handler.state_needs:
            self._require(handler.state_needs(state, body, self.work.known), message)
        known = (self.work.known,) if handler.needs or handler.state_needs else ()
        decision: Decision = handler.decide(*arguments, *known)
        if isinstance(decision, Decided):
            events = self._events.with_json(decision.events) if decision.events else []
            if events is not None:
                self._apply(decision, events, message=message, state=state, body=body, at=at)
                self._publish_refusal(decision, message, state, body, at)
                return decision
            decision = Refused("too_large", "An event of this change would be larger than a record may be.")
        self.work.appended += self._history(body, decision, state, at)
        self._publish_refusal(decision, message, state, body, at)
        return decision

    def _require(self, refs: Iterable[Ref], message: Message) -> None:
        missing = uncovered((with_subject(self.service, ref, message) for ref in refs), self.work.refs)
        if missing:
            raise MoreNeeded({str(message.entity): missing})

    def _apply(
        self,
        decided: Decided[Any],
        events: Sequence[EventWithJson],
        *,
        message: Message,
        state: Any,
        body: Any,
        at: datetime,
    ) -> None:
        """Apply a decision: its states, rows and events, all or nothing. All that can raise comes first.

        Raises KeyError for a state that the handler did not declare as written: a defect in `handlers.py` or
        `needs.py`.
        """
        changes, rows = self._changes(decided, message)
        correlation_id = self._events.correlation_id(message)
        new_events: NewEvents | None = None
        if events:
            new_events = self._events.write(
                self.work, events, body, at, changes=changes, correlation_id=correlation_id
            )
        rows += self._history(body, decided, state, at)
        for key, value in changes.items():
            self.work.change(key, value, correlation_id)
        self.work.appended += rows
        if new_events is not None:
            self.work.add_events(new_events)

    def _changes(self, decided: Decided[Any], message: Message) -> tuple[dict[StateKey, Any], list[Any]]:
        """Return the new values of states, and the rows of append-only kinds."""
        kinds = self.service.kind_of
        changes: dict[StateKey, Any] = {}
        rows: list[Any] = []
        if decided.state is not None:
            own = kinds[message.model]
            if own.key_of(decided.state) != message.entity:
                raise KeyError(f"the decision is about another {own.model.__name__} than {message.entity}")
            changes[own.model, message.entity] = decided.state
        for other in decided.also:
            kind = kinds[type(other)]
            if kind.append_only:
                rows.append(other)
                continue
            key = (kind.model, kind.key_of(other))
            if key not in self.work.writable:
                raise KeyError(f"{kind.model.__name__} {key[1]} was not declared with write=True")
            changes[key] = other
        return changes, rows

    def _publish_refusal(
        self, decision: Decision, message: Message, state: Any, body: Any, at: datetime
    ) -> None:
        """Publish `message.refused` for a refused event, if this service publishes refusals and knows the entity."""
        refused, holder, is_main = (
            refusal_of(decision),
            self.service.holder,
            message.model is self.service.main,
        )
        is_known = holder is not None and state is not None and is_main and isinstance(body, Event)
        if refused is None or holder is None or not is_known:
            return
        data = message_refused(message, refused, holder(state))
        events = self._events.with_json((data,)) if data is not None else None
        if events:
            self.work.add_events(self._events.write(self.work, events, body, at))

    def _history(self, body: Any, decision: Decision, state: Any, at: datetime) -> list[Any]:
        history = self.service.history
        return list(history(body, decision, state, at, self.work.known)) if history else []


def _still(decision: TooEarly) -> str:
    """Return what a caller is told who cannot wait for it."""
    if decision.missing == UNSETTLED:
        return "What was due before is still being worked off. Try again in a minute."
    return decision.missing


def _type(message: Message) -> str:
    """Return what the breaker calls a message: the type of its event, or the timer of its state."""
    return message.body.type if isinstance(message.body, Event) else f"timer {message.model.__name__}"


def _noted(decision: Decision) -> str:
    """Return what the inbox notes about a decision."""
    refused = refusal_of(decision)
    if refused is not None:
        return f"refused:{refused.code}"
    return "unchanged" if isinstance(decision, Unchanged) else "decided"
