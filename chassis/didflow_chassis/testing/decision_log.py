"""The decisions of a stage in a test, in order. A decision that was rolled back is not recorded."""

from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from didflow_chassis.decision import Command, Decision, Known, TooEarly
from didflow_chassis.service import Service
from didflow_chassis.stage.messages import Message
from didflow_chassis.stage.telemetry import StageTelemetry
from didflow_chassis.stage.unit_of_work import UnitOfWork
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import Tracing
from didflow_contracts.envelope import Event


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedDecision:
    """One decision. `message` is None for a due timer; `at` is the time that the decision was given."""

    message: Event[Any] | Command | None
    decision: Decision
    at: datetime


_ATTEMPT: ContextVar[list[LoggedDecision]] = ContextVar("decisions of the attempt that this task makes")


@dataclass
class DecisionLog:
    """The committed decisions of one stage. The stage gets `observed(service)` and `telemetry()`."""

    committed: list[LoggedDecision] = field(default_factory=list)

    def observed(self, service: Service) -> Service:
        """Return the service with a history function that also records each decision here."""

        def history(
            message: Any, decision: Decision, state: Any, at: datetime, known: Known
        ) -> Iterable[Any]:
            _ATTEMPT.get().append(LoggedDecision(message=message, decision=decision, at=at))
            return service.history(message, decision, state, at, known) if service.history else ()

        return replace(service, history=history)

    def telemetry(self) -> StageTelemetry:
        """Return telemetry that also reports to this log when a batch is attempted and when it is committed."""
        return _LoggedTelemetry(_metrics(), Tracing(service="test", process="test"), self)


@dataclass(frozen=True)
class _LoggedTelemetry(StageTelemetry):
    log: DecisionLog

    @contextmanager
    def batch(self, origin: str, messages: Sequence[Message], size: int) -> Iterator[None]:
        _ATTEMPT.set([])
        with StageTelemetry.batch(self, origin, messages, size):
            yield

    def committed(self, origin: str, works: Sequence[UnitOfWork], messages: Sequence[Message]) -> None:
        final = {id(message.decision) for message in messages}
        self.log.committed.extend(entry for entry in _ATTEMPT.get() if _is_committed(entry, final))
        StageTelemetry.committed(self, origin, works, messages)


def _is_committed(entry: LoggedDecision, final: Container[int]) -> bool:
    """Return False for the decision on a command of an HTTP batch that was decided again or refused afterwards."""
    is_final = id(entry.decision) in final or isinstance(entry.decision, TooEarly)
    return is_final or not isinstance(entry.message, Command)


@cache
def _metrics() -> Metrics:
    return Metrics()
