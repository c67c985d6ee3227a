"""Measures the outbox, the parked messages and the jobs: how many rows there are, and how old the oldest is.

If a message has been parked as early for longer than 15 minutes, this is logged once. The message stays parked.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Protocol

import sqlalchemy as sa

from didflow_chassis import parked
from didflow_chassis.jobs.job import UNFINISHED
from didflow_chassis.jobs.store import COUNT_BY_STATE
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.service_gauges import ServiceGauge

LATE = timedelta(minutes=15)
"""Source: spec events, Envelope."""

MAX_COUNTED = 100_000

OUTBOX_SQL = f"""
SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT {MAX_COUNTED}) AS counted) AS rows,
    (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8
        FROM outbox ORDER BY id LIMIT 1) AS oldest
"""  # noqa: S608 - a constant of ours

_LOG = logging.getLogger(__name__)


class Fetches(Protocol):
    """The service's database, for reading."""

    async def fetch(self, statement: sa.Executable | str, *values: Any) -> Sequence[Any]:
        """Run one statement and return its rows."""
        ...


class QueueMetrics:
    """Sets the metrics of the outbox, of parked messages, of due timers and of jobs. Each worker has one.

    `oldest_due` maps the table of each kind with timers to the statement that reads how long its oldest timer is due.
    `gauges` are the metrics of the service itself.
    """

    def __init__(
        self,
        metrics: Metrics,
        database: Fetches,
        oldest_due: Mapping[str, str] = MappingProxyType({}),
        gauges: Sequence[ServiceGauge] = (),
    ) -> None:
        self._gauges = [(each, each.register(metrics.registry)) for each in gauges]
        self._metrics = metrics
        self._database = database
        self._oldest_due = oldest_due
        self._late = 0

    async def measure(self) -> None:
        """Measure once. If the database raises, the metrics keep their last values."""
        (outbox,) = await self._database.fetch(OUTBOX_SQL)
        self._metrics.outbox_rows.set(outbox["rows"])
        self._metrics.outbox_oldest_seconds.set(outbox["oldest"] or 0)
        counts = {row["reason"]: row for row in await self._database.fetch(parked.COUNT, LATE)}
        for reason in parked.REASONS:
            row = counts.get(reason)
            self._metrics.parked.labels(reason).set(row["rows"] if row else 0)
            self._metrics.parked_oldest_seconds.labels(reason).set(row["oldest"] if row else 0)
        early = counts.get(parked.EARLY)
        self._report(early["late"] if early else 0)
        for table, statement in self._oldest_due.items():
            rows = await self._database.fetch(statement)
            self._metrics.due_oldest_seconds.labels(table).set(rows[0]["seconds"] if rows else 0)
        for own, gauge in self._gauges:
            own.set(gauge, await self._database.fetch(own.statement))
        jobs = {row["state"]: row["jobs"] for row in await self._database.fetch(COUNT_BY_STATE)}
        for state in UNFINISHED:
            self._metrics.jobs.labels(state).set(jobs.get(state, 0))

    def _report(self, late: int) -> None:
        if late > self._late:
            _LOG.warning(
                "Messages are parked because something they need has not arrived",
                extra={"messages": late, "longer_than": str(LATE)},
            )
        self._late = late
