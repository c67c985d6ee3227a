"""Runs what is due: the timers of states, and parked messages whose retry is due. It also prunes old rows.

It runs in every worker. What another worker has locked is left for the next round.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any

from didflow_chassis import parked
from didflow_chassis.database import Database, Outage
from didflow_chassis.jobs import store as jobs
from didflow_chassis.service import Service
from didflow_chassis.stage.stage import Stage
from didflow_chassis.states import Kind
from didflow_chassis.telemetry.queues import QueueMetrics

MAX_DUE = 500
"""The most states or parked messages of one round."""
MAX_PRUNED = 5_000
HOUSEKEEPING_S = 15.0
_PRUNE = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE {column} < clock_timestamp() - make_interval(days => $1) LIMIT $2))
"""
_LOG = logging.getLogger(__name__)


def due_sql(kind: Kind[Any]) -> str:
    """Return the statement that selects key and subject of states that are due, oldest first; $1 now, $2 how many.

    It takes no locks. A state is passed over while a parked message holds its entity.
    """
    subject, is_not_held = kind.subject or "NULL", parked.is_not_held(f"t.{kind.key}::text")
    return (
        f"SELECT {kind.key}, {subject} FROM {kind.table.name} t "  # noqa: S608
        f"WHERE {kind.due} <= $1 AND {is_not_held} ORDER BY {kind.due} LIMIT $2"
    )


class Timers:
    """The timers of one service. `interval_s` is the pause between rounds; rows are pruned after `days`."""

    def __init__(
        self,
        service: Service,
        stage: Stage,
        database: Database,
        queues: QueueMetrics,
        *,
        interval_s: float,
        days: int,
    ) -> None:
        kinds = (kind for kind in service.kinds if kind.due and kind.model in service.due)
        self._due_sql = {kind.model: due_sql(kind) for kind in kinds}
        self._stage = stage
        self._database = database
        self._queues = queues
        self._interval_s = interval_s
        self._days = days

    async def run(self, ready: asyncio.Event) -> None:
        """Run due timers at every interval until cancelled. The first round waits for `ready`.

        If more may be due, the next round begins at once. If the database cannot answer, the next round tries again.
        """
        await ready.wait()
        while True:
            try:
                has_more = await self.run_due()
            except Outage as outage:
                _LOG.warning("Due timers wait for the database", extra={"error": str(outage)})
                has_more = False
            await asyncio.sleep(0 if has_more else self._interval_s)

    async def run_due(self) -> bool:
        """Run one round of what is due. Return True if there may be more."""
        now = await self._database.now()
        has_more = await self._run_due_parked(now)
        for model, statement in self._due_sql.items():
            rows = await self._database.fetch(statement, now, MAX_DUE)
            await self._stage.due(model, [(row[0], row[1] or "") for row in rows])
            has_more = has_more or len(rows) == MAX_DUE
        return has_more

    async def _run_due_parked(self, now: datetime) -> bool:
        rows = await self._database.fetch(parked.DUE, now, MAX_DUE)
        entities = {row["entity"]: row["subject"] for row in rows if row["entity"]}
        await self._stage.parked(entities, [row["id"] for row in rows if not row["entity"]])
        return len(rows) == MAX_DUE

    async def housekeeping(self) -> None:
        """Measure the queues and prune old rows, a limited number at a time, until cancelled."""
        while True:
            try:
                await self._queues.measure()
                await self._prune("inbox", "seen_at")
                await self._prune("idempotency", "created_at")
                await self._prune("handled_letters", "at")
                await jobs.prune(self._database, self._days, MAX_PRUNED)
            except Outage:
                _LOG.info("Housekeeping waits for the database")
            await asyncio.sleep(HOUSEKEEPING_S)

    async def _prune(self, table: str, column: str) -> None:
        statement = _PRUNE.format(table=table, column=column)
        await self._database.fetch(statement, self._days, MAX_PRUNED)
