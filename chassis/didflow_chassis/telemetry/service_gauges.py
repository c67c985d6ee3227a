"""Metrics that a service measures in its own tables, one gauge with one label each.

The values of the label are a closed set. What is measured for anything else is summed up under `OTHER`, so no caller
can add a value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Gauge

OTHER: Final = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceGauge:
    """A gauge of a service. `measure` returns its values by label from the rows of `statement`."""

    name: str
    what: str
    label: str
    values: tuple[str, ...]
    statement: sa.Executable
    measure: Callable[[Sequence[Any]], Mapping[str, float]]

    def register(self, registry: CollectorRegistry) -> Gauge:
        """Add the gauge to the metrics of a process."""
        return Gauge(f"didflow_{self.name}", self.what, (self.label,), registry=registry)

    def set(self, gauge: Gauge, rows: Sequence[Any]) -> None:
        """Set the gauge. A label without a row is 0."""
        found = dict.fromkeys((*self.values, OTHER), 0.0)
        for label, value in self.measure(rows).items():
            found[label if label in self.values else OTHER] += value
        for label, value in found.items():
            gauge.labels(label).set(value)
