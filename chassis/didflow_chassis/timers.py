"""Runs what is due: the timers of states, and parked messages whose retry is due. It also prunes old rows.

It runs in every worker. Workers share a wave of due timers without knowing of each other: each chooses its next chunk
at random among the oldest, and leaves what another one has locked. A state that another worker has finished is found
not due under its lock. So nothing is decided twice.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from didflow_chassis import parked
from didflow_chassis.database import Database, Outage
from didflow_chassis.due import WINDOW, chosen
from didflow_chassis.pacing import MAX_CHUNK, Pacing
from didflow_chassis.retention import prune
from didflow_chassis.service import Service
from didflow_chassis.stage.stage import Stage
from didflow_chassis.states import Kind
from didflow_chassis.tables import NOW_SQL
from didflow_chassis.telemetry.queues import QueueMetrics

HOUSEKEEPING_S = 15.0
MOST_COUNTED = 1_000
_LOG = logging.getLogger(__name__)

_PRESENT = f"(SELECT {NOW_SQL})"
"""The present time, read by a subquery, so that the index of due timers is only searched up to it."""

RunChunk = Callable[[int], Awaitable[bool]]
"""Runs at most so many due timers. Returns True if something was done and more may be due."""


def due_sql(kind: Kind[Any]) -> str:
    """Return the statement that selects key and subject of states that are due; $1 now, $2 how many.

    `chosen` says which; $3 is the number of the oldest. It takes no locks. A state is passed over while a parked
    message holds its entity.
    """
    columns = f"t.{kind.key} AS key, {f't.{kind.subject}' if kind.subject else 'NULL'} AS subject"
    return chosen(columns, _due_at(kind, "$1"), f"t.{kind.due}")


def count_due(service: Service) -> str:
    """Return the SQL expression that counts the timers of a service that are due now: at most 1,000 of each kind.

    They are counted in the order of the index, so that no session scans the table for them.
    """
    due = (
        f"(SELECT count(*) FROM (SELECT {_due_at(kind, _PRESENT)} ORDER BY t.{kind.due} LIMIT {MOST_COUNTED}) AS due)"  # noqa: S608
        for kind in _kinds_with_timers(service)
    )
    return " + ".join(["0", *due])


def oldest_due(service: Service) -> dict[str, str]:
    """Return by table the statements that read for how many seconds the oldest timer of a kind is due."""
    return {
        kind.table.name: f"SELECT extract(epoch FROM {NOW_SQL} - t.{kind.due})::float8 AS seconds "  # noqa: S608
        f"{_due_at(kind, _PRESENT)} ORDER BY t.{kind.due} LIMIT 1"
        for kind in _kinds_with_timers(service)
    }


def _kinds_with_timers(service: Service) -> list[Kind[Any]]:
    return [kind for kind in service.kinds if kind.due and kind.model in service.due]


def _due_at(kind: Kind[Any], instant: str) -> str:
    is_not_held = parked.is_not_held(f"t.{kind.key}::text")
    return f"FROM {kind.table.name} t WHERE {kind.due} <= {instant} AND {is_not_held}"


class Timers:
    """The timers of one service. `interval_s` is the pause between rounds; rows are pruned after `days`.

    While more are due, at most `per_s` timers of each kind run in a second.
    """

    def __init__(
        self,
        service: Service,
        stage: Stage,
        database: Database,
        queues: QueueMetrics,
        pacing: Pacing,
        *,
        interval_s: float,
        days: int,
        per_s: float = math.inf,
    ) -> None:
        self._chunks: tuple[RunChunk, ...] = (
            self._run_parked,
            *(partial(self._run_states, kind.model, due_sql(kind)) for kind in _kinds_with_timers(service)),
        )
        self._service = service
        self._stage = stage
        self._database = database
        self._queues = queues
        self._pacing = pacing
        self._interval_s = interval_s
        self._days = days
        self._per_s = per_s

    async def run(self, ready: asyncio.Event) -> None:
        """Run due timers at every interval until cancelled, each kind by itself. The first round waits for `ready`."""
        await ready.wait()
        async with asyncio.TaskGroup() as loops:
            for run_chunk in self._chunks:
                loops.create_task(self._repeat(run_chunk))

    async def run_due(self, size: int = MAX_CHUNK) -> bool:
        """Run one chunk of everything that is due, at once. Return True if something was done and more may be due."""
        return any([await run_chunk(size) for run_chunk in self._chunks])

    async def _repeat(self, run_chunk: RunChunk) -> None:
        """Run one kind of timers. What is due in one chunk runs at once. If there is more, it is background work.

        After a chunk in which nothing could be done, or an outage, the next one comes at the next interval.
        """
        pace = self._pacing.pace(self._per_s)
        has_more = False
        while True:
            try:
                async with pace.chunk() if has_more else pace.measured() as size:
                    began = time.monotonic()
                    has_more = await run_chunk(size)
            except Outage as outage:
                _LOG.warning("Due timers wait for the database", extra={"error": str(outage)})
                has_more = False
            if not has_more:
                await asyncio.sleep(self._interval_s)
            else:
                await asyncio.sleep(max(0.0, began + size / self._per_s - time.monotonic()))

    async def _run_states(self, model: type, statement: str, size: int) -> bool:
        now = await self._database.now()
        rows = await self._database.fetch(statement, now, size, WINDOW * size)
        has_done = await self._stage.due(model, [(row[0], row[1] or "") for row in rows])
        return has_done and len(rows) == size

    async def _run_parked(self, size: int) -> bool:
        now = await self._database.now()
        rows = await self._database.fetch(parked.DUE, now, size, WINDOW * size)
        entities = {row["entity"]: row["subject"] for row in rows if row["entity"]}
        has_done = await self._stage.parked(entities, [row["id"] for row in rows if not row["entity"]])
        return has_done and len(rows) == size

    async def housekeeping(self) -> None:
        """Measure the queues and prune old rows, a limited number at a time, until cancelled."""
        while True:
            try:
                await self._queues.measure()
                await prune(self._database, self._service, self._days)
            except Outage:
                _LOG.info("Housekeeping waits for the database")
            await asyncio.sleep(HOUSEKEEPING_S)
