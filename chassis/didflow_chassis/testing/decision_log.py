"""Records every decision that a stage takes in a test, in order. A decision that was rolled back is not recorded."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from didflow_chassis.decision import Command, Decision
from didflow_chassis.service import Service
from didflow_chassis.stage.messages import Message
from didflow_chassis.stage.watching import Watching
from didflow_chassis.stage.work import Work
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import Tracing
from didflow_contracts.envelope import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedDecision:
    """One decision. `message` is None for a due timer; `at` is the time that the decision was given."""

    message: Event[Any] | Command | None
    decision: Decision
    at: datetime


@dataclass
class DecisionLog:
    """The committed decisions of one stage. Give the stage `observed(service)` and `watching()`."""

    committed: list[LoggedDecision] = field(default_factory=list)
    _attempt: list[LoggedDecision] = field(default_factory=list)

    def observed(self, service: Service) -> Service:
        """Return the service with a history function that also records each decision here."""

        def history(message: Any, decision: Decision, state: Any, at: datetime) -> Iterable[Any]:
            self._attempt.append(LoggedDecision(message=message, decision=decision, at=at))
            return service.history(message, decision, state, at) if service.history else ()

        return replace(service, history=history)

    def watching(self) -> Watching:
        """Return what tells this log when an attempt at a batch begins and when it is committed."""
        return _AttemptWatch(_metrics(), Tracing(service="test", process="test"), self)

    def begin_attempt(self) -> None:
        """Forget the decisions of an attempt that was not committed."""
        self._attempt.clear()

    def commit_attempt(self) -> None:
        """Keep the decisions of the attempt that was just committed."""
        self.committed.extend(self._attempt)
        self._attempt.clear()


@dataclass(frozen=True)
class _AttemptWatch(Watching):
    log: DecisionLog

    @contextmanager
    def batch(self, origin: str, messages: Sequence[Message], size: int) -> Iterator[None]:
        self.log.begin_attempt()
        with Watching.batch(self, origin, messages, size):
            yield

    def done(self, origin: str, work: Work, taken: Sequence[Message]) -> None:
        self.log.commit_attempt()
        Watching.done(self, origin, work, taken)


@cache
def _metrics() -> Metrics:
    return Metrics()
