"""The outbox's cap: while Kafka takes nothing, work is refused before the database is full of what waits.

Looked at every second; a full outbox is an outage for callers (503) and holds consumption back.
"""

import asyncio
import logging

from didflow_chassis.database import Database, Outage

LOOK_S = 1.0
_COUNT = "SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS waiting"
_LOG = logging.getLogger(__name__)


class Backlog:
    """Whether the outbox holds as many rows as it may."""

    def __init__(self, database: Database, cap: int) -> None:
        self._database = database
        self._cap = cap
        self.full = False

    def check(self) -> None:
        """Raise Outage while the outbox is full."""
        if self.full:
            raise Outage("the outbox is full")

    async def look(self) -> None:
        """Count once. Raises Outage where the database does not answer."""
        rows = await self._database.fetch(_COUNT, self._cap)
        full = rows[0][0] >= self._cap
        if full != self.full:
            _LOG.log(
                logging.ERROR if full else logging.INFO, "outbox", extra={"full": full, "cap": self._cap}
            )
        self.full = full

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except Outage:
                _LOG.debug("the outbox cannot be counted now")
            await asyncio.sleep(LOOK_S)
