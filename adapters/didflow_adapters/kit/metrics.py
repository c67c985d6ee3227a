"""The metrics of an adapter process. Labels are carriers, actions and outcomes, never a number or an id."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from didflow_adapters.kit.carrier import Failed, Later, Outcome

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """The metrics of one process, with a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._calls = Histogram(
            "didflow_adapter_call_seconds",
            "Time of a call to the carrier",
            ("carrier", "action", "outcome"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._repeats = self._counter("repeats", "Commands that came again and were answered without a call")
        self._results = self._counter("results", "Results that the broker acknowledged")
        self._waiting = Gauge(
            "didflow_adapter_waiting",
            "Commands without a result",
            ("carrier",),
            registry=self.registry,
        )
        self._paused = Gauge(
            "didflow_adapter_paused_seconds",
            "Seconds until the carrier may be called again",
            ("carrier",),
            registry=self.registry,
        )

    def called(self, carrier: str, action: str, outcome: Outcome, seconds: float) -> None:
        """Count a call to the carrier."""
        self._calls.labels(carrier, action, outcome_label(outcome)).observe(seconds)

    def repeated(self, carrier: str) -> None:
        """Count a command that was answered from a former outcome."""
        self._repeats.labels(carrier).inc()

    def published(self, carrier: str) -> None:
        """Count a result."""
        self._results.labels(carrier).inc()

    def state(self, carrier: str, *, waiting: int, paused_s: float) -> None:
        """Set what is true now."""
        self._waiting.labels(carrier).set(waiting)
        self._paused.labels(carrier).set(paused_s)

    def _counter(self, name: str, what: str) -> Counter:
        return Counter(f"didflow_adapter_{name}", what, ("carrier",), registry=self.registry)


def outcome_label(outcome: Outcome) -> str:
    """Return `succeeded`, `retryable`, `failed` or `later`."""
    if isinstance(outcome, Later):
        return "later"
    if isinstance(outcome, Failed):
        return "retryable" if outcome.retryable else "failed"
    return "succeeded"
