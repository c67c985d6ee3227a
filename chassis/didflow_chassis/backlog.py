"""The limit of the outbox: while Kafka accepts nothing, new work is refused before the database is full.

The outbox is counted every second. While it is full, HTTP calls get 503 and no record is consumed.
"""

import asyncio
import logging

from didflow_chassis.database import Database, Outage

INTERVAL_S = 1.0
_COUNT = "SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS counted"
_LOG = logging.getLogger(__name__)


class Backlog:
    """Knows whether the outbox has reached `cap` rows."""

    def __init__(self, database: Database, cap: int) -> None:
        self._database = database
        self._cap = cap
        self.full = False

    def check(self) -> None:
        """Raise Outage while the outbox is full."""
        if self.full:
            raise Outage("the outbox is full: Kafka does not accept the records of this service")

    async def measure(self) -> None:
        """Count the rows once. Raises Outage if the database does not answer."""
        rows = await self._database.fetch(_COUNT, self._cap)
        full = rows[0][0] >= self._cap
        if full and not self.full:
            _LOG.error("The outbox is full. No more work is accepted", extra={"cap": self._cap})
        elif self.full and not full:
            _LOG.info("The outbox has room again", extra={"cap": self._cap})
        self.full = full

    async def run(self) -> None:
        """Count every second until cancelled."""
        while True:
            try:
                await self.measure()
            except Outage:
                _LOG.debug("The outbox cannot be counted: the database does not answer")
            await asyncio.sleep(INTERVAL_S)
