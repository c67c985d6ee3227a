"""A kind of job for billing, which has none of its own: it renews the terms of all items with a real command."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from didflow_billing.domain.commands import Renew
from didflow_chassis.jobs.kinds import Item, JobKind, JobTools, Work

RENEW_ALL: Final = "renew_all"
_COUNT: Final = "SELECT count(*) FROM terms WHERE order_id = $1"
_PAGE: Final = """
SELECT did_id, number FROM terms WHERE did_id > $1 AND order_id = $2 ORDER BY did_id LIMIT $3
"""


class RenewAll(Struct, frozen=True):
    """The parameters: the terms of this order are renewed. Each renewal is a charge, so a second one would be seen."""

    order_id: str


async def _count(tools: JobTools[RenewAll]) -> int:
    rows = await tools.database.fetch(_COUNT, tools.parameters.order_id)
    found: int = rows[0][0]
    return found


async def _page(tools: JobTools[RenewAll], after: str | None, limit: int) -> Sequence[Item]:
    rows = await tools.database.fetch(_PAGE, UUID(after or UUID(int=0).hex), tools.parameters.order_id, limit)
    return [Item(row["number"], str(row["did_id"]), row["did_id"]) for row in rows]


async def _work(tools: JobTools[RenewAll], items: Sequence[Item]) -> Sequence[Work]:
    return [
        Renew(entity_id=item.data, subject=item.name, caller=tools.caller, billing_period=1) for item in items
    ]


KINDS: Final[Mapping[str, Mapping[str, JobKind[Any]]]] = {
    "billing": {
        RENEW_ALL: JobKind(action="operate", parameters=RenewAll, count=_count, page=_page, work=_work)
    }
}
"""Service -> the kinds of jobs that its worker has in these tests besides its own."""
