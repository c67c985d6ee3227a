"""Deciding a batch in memory: messages in order, waiters first, each outcome applied before the next decision.

Nothing here touches the database; a decision that raises is set aside alone.
"""

import logging
from collections.abc import Hashable, Iterable
from datetime import datetime
from typing import Any

from didflow_chassis import failpoints
from didflow_chassis.decision import Decided, Decision, Refused, TooEarly, Unchanged
from didflow_chassis.service import Handler, Ref, Service
from didflow_chassis.stage.applying import apply
from didflow_chassis.stage.events import Emitter
from didflow_chassis.stage.lanes import BEHIND, EARLY, Lane, Waiter, held_by
from didflow_chassis.stage.messages import Message
from didflow_chassis.stage.parking import Parking
from didflow_chassis.stage.refusals import message_refused
from didflow_chassis.stage.work import MoreNeeded, Work, uncovered, with_subject
from didflow_contracts.envelope import Event

MAX_SETTLED = 10_000
_LOG = logging.getLogger(__name__)


class NoProgress(Exception):
    """The clock's decision left its state as due as before: a defect in the domain."""


class Deciding:
    """One pass over a batch. Call `take` for each message in order, then `finish`; what came of it is in `work`."""

    def __init__(self, work: Work, emitter: Emitter, rejected: str | None = None) -> None:
        self.work = work
        self._rejected = rejected
        self.service: Service = work.service
        self._emitter = emitter
        self._parking = Parking(work)
        self._lanes: dict[str, Lane] = {}
        self._waiters: dict[str, list[Waiter]] = {}
        self._missing: set[Ref] = set()

    def wait(self, entity: str, waiter: Waiter) -> None:
        """Tell of a parked row that was loaded; rows come in the order in which they were parked."""
        self._waiters.setdefault(entity, []).append(waiter)

    def open(self, entity: Hashable) -> Lane:
        """Open an entity's lane: run what may run of its waiters, once in a batch."""
        name = str(entity)
        if name in self._lanes:
            return self._lanes[name]
        lane = self._lanes[name] = Lane()
        for waiter in self._waiters.get(name, ()):
            if held_by(waiter, self.work.now):
                lane.held = True
            elif waiter.reason == EARLY:
                lane.early.append(waiter.message)
            elif not lane.held:
                self._run(lane, waiter.message)
        return lane

    def take(self, message: Message) -> None:
        """Decide a new message, or park it where its entity is held back."""
        lane = self.open(message.entity)
        if not lane.held:
            self._run(lane, message)
        elif isinstance(message.body, Event):
            self._parking.park(message, BEHIND)
        else:
            message.outcome = Refused("held_back", "an earlier message waits for an operator")

    def finish(self) -> None:
        """End the pass. Raises MoreNeeded with what all of its messages follow to that is not loaded."""
        if self._missing:
            raise MoreNeeded(self._missing)

    def _run(self, lane: Lane, message: Message) -> None:
        if self._rejected is not None:
            self._set_aside(lane, message, self._rejected)
            return
        progress = self._decide(lane, message)
        while progress and lane.early and not lane.held:
            waiting, lane.early = lane.early, []
            progress = False
            for early in waiting:
                progress = self._decide(lane, early) or progress

    def _decide(self, lane: Lane, message: Message) -> bool:
        """Decide one message; True when something changed, so that those too early may try again."""
        if lane.lost:
            return False
        try:
            outcome = self._outcome(message)
        except MoreNeeded as more:
            lane.lost = True
            self._missing |= more.refs
            return False
        except Exception as error:
            if not isinstance(message.body, Event | None):
                raise
            _LOG.exception("a decision failed")
            self._set_aside(lane, message, f"{type(error).__name__}: {error}"[:500])
            return False
        message.outcome = outcome
        if isinstance(outcome, TooEarly):
            self._too_early(lane, message, outcome)
        else:
            self._parking.done(message, _label(outcome))
        return isinstance(outcome, Decided)

    def _set_aside(self, lane: Lane, message: Message, error: str) -> None:
        lane.held = True
        message.failed = True
        self._parking.set_aside(message, error)

    def _too_early(self, lane: Lane, message: Message, outcome: TooEarly) -> None:
        if message.record is None:
            message.outcome = Refused("not_ready", outcome.missing)
            return
        lane.early.append(message)
        if message.waits_as != EARLY:
            message.waits_as = EARLY
            self._parking.await_others(message, outcome.missing)

    def _outcome(self, message: Message) -> Decision:
        failpoints.hit_now("stage.decide", message.subject)
        self._settle(message)
        if message.body is None:
            return Decided()
        return self._ask(message.on, message, message.body, self.work.now)

    def _ask(self, on: Handler, message: Message, body: Any, at: datetime) -> Decision:
        """Ask one decision and apply its answer; `body` None is the clock's question."""
        state = self.work.state(message.model, message.entity)
        question = (state, body, at) if body is not None else (state, at)
        if on.state_needs:
            self._require(on.state_needs(state, body, self.work.known), message)
        extra = (self.work.known,) if on.needs or on.state_needs else ()
        outcome: Decision = on.decide(*question, *extra)
        if isinstance(outcome, Decided):
            outcome = apply(self.work, self._emitter, outcome, message, at)
        if isinstance(outcome, Refused) and isinstance(body, Event):
            self._publish_refusal(message, body, outcome, state, at)
        if self.service.history:
            self.work.appended.extend(self.service.history(body, outcome, state, at))
        return outcome

    def _publish_refusal(
        self, message: Message, event: Event[Any], refused: Refused, state: Any, at: datetime
    ) -> None:
        """Publish `message.refused` if this service publishes refusals and knows the entity."""
        if self.service.holder is None or state is None or message.model is not self.service.main:
            return
        data = message_refused(event, refused, self.service.holder(state))
        if data is not None:
            self._emitter.emit(self.work, self._emitter.written((data,)) or (), message, at)

    def _require(self, refs: Iterable[Ref], message: Message) -> None:
        missing = uncovered((with_subject(self.service, ref, message) for ref in refs), self.work.refs)
        if missing:
            raise MoreNeeded(missing)

    def _settle(self, message: Message) -> None:
        """Let the clock strike for all that is due before this message, each at its own instant.

        Source: spec lifecycle, "Settle first".
        """
        on = self.service.due.get(message.model)
        column = self.service.kind_of[message.model].due
        if on is None or column is None:
            return
        bound = min(message.time, self.work.now) if message.time else self.work.now
        for _ in range(MAX_SETTLED):
            state = self.work.state(message.model, message.entity)
            due = getattr(state, column) if state is not None else None
            if due is None or due > bound:
                return
            self._ask(on, message, None, due)
            if self.work.state(message.model, message.entity) == state:
                raise NoProgress(f"{message.model.__name__} is still due at {due}")
        raise NoProgress(f"{message.model.__name__} is due without end")


def _label(outcome: Decision) -> str:
    if isinstance(outcome, Refused):
        return f"refused:{outcome.code}"
    return "unchanged" if isinstance(outcome, Unchanged) else "decided"
