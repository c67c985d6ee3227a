"""How much waits in the database, and since when: the outbox and the parked messages.

What waits too early for longer than 15 minutes is said in a log line when it turns so, and stays.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from didflow_chassis.telemetry.metrics import Metrics

LATE = timedelta(minutes=15)
"""Source: spec events, Envelope."""

REASONS = ("early", "retry", "behind", "dead")

MOST_COUNTED = 100_000

OUTBOX_SQL = f"""
SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT {MOST_COUNTED}) AS counted) AS rows,
    (SELECT extract(epoch FROM clock_timestamp() - created_at)::float8
        FROM outbox ORDER BY id LIMIT 1) AS oldest
"""  # noqa: S608 - a constant of ours

PARKED_SQL = """
SELECT reason, count(*) AS rows, extract(epoch FROM max(moment - since))::float8 AS oldest,
    count(*) FILTER (WHERE reason = 'early' AND moment - since > $1) AS late
FROM parked, (SELECT clock_timestamp() + shift AS moment FROM clock) AS here GROUP BY reason
"""

_LOG = logging.getLogger(__name__)


class Fetches(Protocol):
    """What answers a statement with rows: the service's database."""

    async def fetch(self, statement: str, *values: Any) -> Sequence[Any]:
        """Run one statement and return its rows."""
        ...


class QueueWatch:
    """Looks at the queues now and then and tells the metrics; one in each worker."""

    def __init__(self, metrics: Metrics, database: Fetches) -> None:
        self._metrics = metrics
        self._database = database
        self._late = 0

    async def look(self) -> None:
        """Measure once. Raises what the database raises: the numbers then stay as they were."""
        (outbox,) = await self._database.fetch(OUTBOX_SQL)
        self._metrics.outbox_rows.set(outbox["rows"])
        self._metrics.outbox_oldest_seconds.set(outbox["oldest"] or 0)
        parked = {row["reason"]: row for row in await self._database.fetch(PARKED_SQL, LATE)}
        for reason in REASONS:
            row = parked.get(reason)
            self._metrics.parked.labels(reason).set(row["rows"] if row else 0)
            self._metrics.parked_oldest_seconds.labels(reason).set(row["oldest"] if row else 0)
        self._report(parked["early"]["late"] if "early" in parked else 0)

    def _report(self, late: int) -> None:
        if late > self._late:
            _LOG.warning(
                "messages wait for what has not come", extra={"messages": late, "longer_than": str(LATE)}
            )
        self._late = late
