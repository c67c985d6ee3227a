"""Feeds what is due to the stage: states whose instant has come, and messages that wait for one.

It runs in every worker and takes what it can lock; nothing else in a service knows time.
"""

import asyncio
import logging
from datetime import datetime
from typing import Any

from didflow_chassis.database import Database, Outage
from didflow_chassis.service import Service
from didflow_chassis.stage.stage import Stage
from didflow_chassis.telemetry.queues import QueueWatch

MOST_DUE = 500
PRUNED_AT_ONCE = 5_000
HOUSEKEEPING_S = 15.0
DUE_PARKED = "SELECT id, entity, subject FROM parked WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2"
_PRUNE = """
DELETE FROM {table} WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM {table} WHERE {column} < clock_timestamp() - make_interval(days => $1) LIMIT $2))
"""
_LOG = logging.getLogger(__name__)


class Clock:
    """Strikes for one service. `run` until cancelled; the first strike waits for `ready`."""

    def __init__(
        self,
        service: Service,
        stage: Stage,
        database: Database,
        watch: QueueWatch,
        *,
        interval_s: float,
        days: int,
    ) -> None:
        self._kinds = [kind for kind in service.kinds if kind.due and kind.model in service.due]
        self._stage = stage
        self._database = database
        self._watch = watch
        self._interval_s = interval_s
        self._days = days

    async def run(self, ready: asyncio.Event) -> None:
        """Strike at every interval, at once again while there is more. Outages are waited out."""
        await ready.wait()
        while True:
            try:
                more = await self.strike()
            except Outage as outage:
                _LOG.warning("the clock waits", extra={"error": str(outage)})
                more = False
            await asyncio.sleep(0 if more else self._interval_s)

    async def strike(self) -> bool:
        """Feed one round of what is due to the stage; True when there may be more."""
        now = await self._database.now()
        more = await self._waiting(now)
        for kind in self._kinds:
            rows = await self._database.fetch(kind.due_sql, now, MOST_DUE)
            await self._stage.due(kind.model, [(row[0], row[1] or "") for row in rows])
            more = more or len(rows) == MOST_DUE
        return more

    async def _waiting(self, now: datetime) -> bool:
        rows = await self._database.fetch(DUE_PARKED, now, MOST_DUE)
        opened = {row["entity"]: row["subject"] for row in rows if row["entity"]}
        await self._stage.waiting(opened, [row["id"] for row in rows if not row["entity"]])
        return len(rows) == MOST_DUE

    async def housekeeping(self) -> None:
        """Look at the queues and prune what is older than it is kept, a little at a time."""
        while True:
            try:
                await self._watch.look()
                await self._prune("inbox", "seen_at")
                await self._prune("idempotency", "created_at")
            except Outage:
                _LOG.info("housekeeping waits for the database")
            await asyncio.sleep(HOUSEKEEPING_S)

    async def _prune(self, table: str, column: str) -> None:
        statement: Any = _PRUNE.format(table=table, column=column)
        await self._database.fetch(statement, self._days, PRUNED_AT_ONCE)
