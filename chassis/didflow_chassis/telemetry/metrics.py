"""The metrics of a process. Each process has one `Metrics` with a registry of its own.

Labels are closed sets such as types and codes. A label is never a number, an account or an id.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one process. The label `origin` is the origin of a batch: `kafka`, `http`, `timers` or `job`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.batch_size = self._histogram("batch_size", "Messages in a batch", _SIZES)
        self.decide_seconds = self._histogram("decide_seconds", "Time to decide a batch", _SECONDS)
        self.commit_seconds = self._histogram("commit_seconds", "Time to save and commit a batch", _SECONDS)
        self.batch_seconds = self._histogram("batch_seconds", "Time from first lock to commit", _SECONDS)
        self.messages = self._counter("messages", "Messages decided", "type", "outcome", "code")
        self.duplicates = self._counter("duplicates", "Repeated events, not decided again", "origin")
        self.near_misses = self._counter(
            "near_misses", "Unknown data fields whose names are close to a known field", "type"
        )
        self.manual_checks = self._counter(
            "manual_checks", "Checks that decisions left to a person", "scope", "check"
        )
        self.dead_letters = self._counter("dead_letters", "Records that became dead letters", "reason")
        self.lag = self._gauge("lag", "Unread records in the assigned partitions")
        self.breaker_open = self._gauge("breaker_open", "1 while the breaker of a type is open", "type")
        self.relay_rows = self._counter("relay_rows", "Outbox rows; result sent or failed", "result")
        self.outbox_rows = self._gauge("outbox_rows", "Rows that wait to be published")
        self.outbox_oldest_seconds = self._gauge("outbox_oldest_seconds", "Age of the oldest outbox row")
        self.parked = self._gauge("parked", "Parked messages by reason", "reason")
        self.parked_oldest_seconds = self._gauge(
            "parked_oldest_seconds", "Age of the oldest by reason", "reason"
        )

        self.due_oldest_seconds = self._gauge(
            "due_oldest_seconds", "How long the oldest due timer is due, by table", "table"
        )
        self.jobs = self._gauge("jobs", "Unfinished jobs by state", "state")
        self.failed_jobs = self._counter("failed_jobs", "Jobs that failed", "kind")
        self.job_items = self._counter("job_items", "Items of jobs that were decided", "kind", "outcome")

    def expose(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return generate_latest(self.registry)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"didflow_{name}", what, ("origin",), buckets=buckets, registry=self.registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"didflow_{name}", what, labels, registry=self.registry)

    def _gauge(self, name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"didflow_{name}", what, labels, registry=self.registry)
