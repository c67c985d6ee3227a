"""Count and log unknown data fields whose names are close to a known one: probably typing errors of a source."""

import logging
from typing import Any, Final

from didflow_chassis.telemetry.metrics import Metrics
from didflow_contracts.envelope import Event

MAX_SOURCES: Final = 1_000
"""After this many sources no further source is logged, so that the memory in use stays small."""

_LOG = logging.getLogger(__name__)


class NearMisses:
    """Reports the near misses of one process: every one in a metric, the first of each source in the log."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._logged: set[str] = set()

    def report(self, event: Event[Any]) -> None:
        """Report the near misses of one event."""
        self._metrics.near_misses.labels(event.type).inc(len(event.near_misses))
        if event.source in self._logged or len(self._logged) >= MAX_SOURCES:
            return
        self._logged.add(event.source)
        fields = {"source": event.source, "type": event.type, "fields": dict(event.near_misses)}
        _LOG.warning("An event has unknown fields with names close to known fields", extra=fields)
