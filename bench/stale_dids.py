"""DIDs as they are after a release has changed a rule of My Numbers: many rows with the listing of the former rules."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg
from harness.postgres import owner_dsn_of

from bench.purchases import number_of, purchase
from didflow_chassis.testing import ServiceOnPostgres
from didflow_inventory.domain.my_numbers.listing import listing_of
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings
from didflow_inventory.store import queries
from didflow_inventory.store.tables import DIDS

FIRST: Final = 8_000_000
"""The last seven digits of the first number. The numbers of live purchases must be lower."""
_INDEXES: Final = (
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'dids' AND indexname NOT LIKE '%pkey'"
)
_OTHER: Final = ", ".join(
    f'"{name}"' for name in DIDS.columns if name not in ("did_id", "number", "in_expiring_soon")
)
_COPY: Final = f"""
INSERT INTO dids (did_id, number, in_expiring_soon, {_OTHER})
SELECT md5('stale' || n)::uuid, '+44207' || n, n % 3 = 0, {_OTHER}
FROM dids, generate_series($2::bigint, $2::bigint + $3 - 1) AS s (n) WHERE number = $1 ORDER BY 1
"""  # noqa: S608
_UNPUBLISHED: Final = (
    "UPDATE dids SET status = 'active', published_status = 'active' WHERE right(number, 2) = '07'"
)
PAGE: Final = 5_000


@dataclass(frozen=True, kw_only=True)
class StaleDids:
    """Rows in the database of one connection. Every third is in a wrong filter, every hundredth has a wrong status."""

    dsn: str
    connection: Any
    count: int

    async def fill(self) -> None:
        """Take one purchase through the stage and copy its row."""
        about = service(InventorySettings.placeholder())
        async with ServiceOnPostgres.open(about, self.dsn, migrate=False) as inventory:
            await inventory.receive(purchase(0))
        indexes = await self.connection.fetch(_INDEXES)
        for name, _ in indexes:
            await self.connection.execute(f"DROP INDEX {name}")
        await self.connection.execute(_COPY, number_of(0), FIRST, self.count)
        await self.connection.execute(_UNPUBLISHED)
        for _, definition in indexes:
            await self.connection.execute(definition)
        await self.connection.execute("TRUNCATE outbox")
        await self.connection.execute("VACUUM ANALYZE dids")

    async def wrong(self) -> int:
        """Return how many rows, of all, have another listing than the present rules give. Rows are read in pages."""
        wrong, after = 0, UUID(int=0)
        columns = ", ".join(f'"{name}"' for name in DIDS.columns)
        page = f"SELECT {columns} FROM dids WHERE did_id > $1 ORDER BY did_id LIMIT {PAGE}"  # noqa: S608
        while rows := await self.connection.fetch(page, after):
            dids = [queries.did_of_row(row) for row in rows]
            wrong += sum(did.listing != listing_of(did.holding, did.views) for did in dids)
            after = rows[-1]["did_id"]
        return wrong


async def stale_dids(dsn: str, count: int) -> StaleDids:
    """Connect to an empty database of inventory and write this many rows."""
    rows = StaleDids(dsn=dsn, connection=await asyncpg.connect(owner_dsn_of(dsn)), count=count)
    await rows.fill()
    return rows
