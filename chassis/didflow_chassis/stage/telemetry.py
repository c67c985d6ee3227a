"""The telemetry of each batch: a span with links to the messages' traces, durations and counts."""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from didflow_chassis.decision import Command, Decided, refusal_of
from didflow_chassis.stage.messages import Message
from didflow_chassis.stage.unit_of_work import UnitOfWork
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.near_misses import NearMisses
from didflow_chassis.telemetry.tracing import Tracing
from didflow_contracts.envelope import Event

SLOW_S = 2.0
"""A batch that takes longer is logged."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageTelemetry:
    """The metrics and traces of the process in which the stage runs."""

    metrics: Metrics
    tracing: Tracing

    @cached_property
    def _near_misses(self) -> NearMisses:
        return NearMisses(self.metrics)

    @contextmanager
    def batch(self, origin: str, messages: Sequence[Message], size: int) -> Iterator[None]:
        """Measure one batch, in a span that is linked to the traces of its messages."""
        parents = (m.body.traceparent for m in messages if isinstance(m.body, Event))
        started = time.perf_counter()
        with self.tracing.batch(f"{origin} batch", parents, {"didflow.batch.size": size}):
            yield
        seconds = time.perf_counter() - started
        self.metrics.batch_size.labels(origin).observe(size)
        self.metrics.batch_seconds.labels(origin).observe(seconds)
        if seconds > SLOW_S:
            about = {"origin": origin, "size": size, "seconds": round(seconds, 3)}
            _LOG.warning("A batch was slow", extra=about)

    def committed(self, origin: str, works: Sequence[UnitOfWork], messages: Sequence[Message]) -> None:
        """Count the decisions of a batch after its commit. `works` are the parts in which it was saved."""
        for labels, count in Counter(map(_labels, messages)).items():
            self.metrics.messages.labels(*labels).inc(count)
        for message in messages:
            if isinstance(message.decision, Decided):
                for scope, check in message.decision.manual_checks:
                    self.metrics.manual_checks.labels(scope, check).inc()
            if isinstance(message.body, Event) and message.body.near_misses:
                self._near_misses.report(message.body)
        for work in works:
            self._count(origin, work)

    def breaker(self, type_: str, is_open: bool) -> None:
        """Report that the breaker of a type of message has opened or closed."""
        self.metrics.breaker_open.labels(type_).set(is_open)
        state = "opened: this release cannot decide the type" if is_open else "closed"
        _LOG.error("The breaker has %s", state, extra={"type": type_})

    def _count(self, origin: str, work: UnitOfWork) -> None:
        self.metrics.decide_seconds.labels(origin).observe(work.decided_s)
        self.metrics.commit_seconds.labels(origin).observe(time.perf_counter() - work.decided_at)
        for letter in work.dead_letters:
            self.metrics.dead_letters.labels(letter.reason).inc()
        if work.duplicates:
            self.metrics.duplicates.labels(origin).inc(work.duplicates)
        for message, poison in work.poisoned:
            about = {
                "security": True,
                "code": poison.code,
                "entity": str(message.entity),
                "topic": poison.record.topic,
            }
            _LOG.warning("An event cannot be taken", extra=about)


def _labels(message: Message) -> tuple[str, str, str]:
    """Return the message's type, its decision, and the code if it was refused."""
    refused = refusal_of(message.decision)
    if refused is not None:
        return _type(message), "refused", refused.code
    decision = type(message.decision).__name__.lower() if message.decision else "parked"
    return _type(message), decision, ""


def _type(message: Message) -> str:
    if isinstance(message.body, Event):
        return message.body.type
    return type(message.body).__name__ if isinstance(message.body, Command) else "timer"
