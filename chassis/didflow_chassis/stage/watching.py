"""What the stage tells of each batch: a span with links, its times and its counts."""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from didflow_chassis.decision import Command, Refused
from didflow_chassis.stage.messages import Message
from didflow_chassis.stage.work import Work
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.near_misses import NearMisses
from didflow_chassis.telemetry.tracing import Tracing
from didflow_contracts.envelope import Event

SLOW_S = 2.0
"""A batch that takes longer is said in the log."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Watching:
    """The metrics and traces of the process that the stage runs in."""

    metrics: Metrics
    tracing: Tracing

    @cached_property
    def _near_misses(self) -> NearMisses:
        return NearMisses(self.metrics)

    @contextmanager
    def batch(self, origin: str, messages: Sequence[Message], size: int) -> Iterator[None]:
        """Measure one batch and give it a span linked to what it came from."""
        parents = (m.body.traceparent for m in messages if isinstance(m.body, Event))
        started = time.perf_counter()
        with self.tracing.batch(f"{origin} batch", parents, {"didflow.batch.size": size}):
            yield
        took = time.perf_counter() - started
        self.metrics.batch_size.labels(origin).observe(size)
        self.metrics.batch_seconds.labels(origin).observe(took)
        if took > SLOW_S:
            _LOG.warning("a slow batch", extra={"origin": origin, "size": size, "seconds": round(took, 3)})

    def done(self, origin: str, work: Work, taken: Sequence[Message]) -> None:
        """Count what became of a batch, once it is committed."""
        self.metrics.decide_seconds.labels(origin).observe(work.decided_s)
        self.metrics.commit_seconds.labels(origin).observe(time.perf_counter() - work.decided_at)
        for labels, count in Counter(map(_labels, taken)).items():
            self.metrics.messages.labels(*labels).inc(count)
        for message in taken:
            if isinstance(message.body, Event) and message.body.near_misses:
                self._near_misses.report(message.body)
        for letter in work.dead:
            self.metrics.dead_letters.labels(letter.reason).inc()
        if work.duplicates:
            self.metrics.duplicates.labels(origin).inc(work.duplicates)
        for message, forged in work.reused:
            about = {
                "security": True,
                "code": forged.code,
                "entity": str(message.entity),
                "topic": forged.record.topic,
            }
            _LOG.warning("an event contradicts what was said before", extra=about)


def _labels(message: Message) -> tuple[str, str, str]:
    """What a message was, what came of it, and by which code it was refused."""
    code = message.outcome.code if isinstance(message.outcome, Refused) else ""
    outcome = type(message.outcome).__name__.lower() if message.outcome else "waiting"
    return _type(message), outcome, code


def _type(message: Message) -> str:
    if isinstance(message.body, Event):
        return message.body.type
    return type(message.body).__name__ if isinstance(message.body, Command) else "clock"
