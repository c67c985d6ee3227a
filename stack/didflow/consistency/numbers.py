"""One live DID per number: in each service, and in inventory's table of numbers. The databases find the exceptions."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from didflow.consistency.codes import Disagreement
from didflow.consistency.snapshot import Snapshot

LIVE: Final[Mapping[str, tuple[str, str]]] = {
    "inventory": ("dids", "stock NOT IN ('removed', 'refused')"),
    "verification": ("registrations", "ended IS NULL"),
    "billing": ("terms", "state <> 'closed'"),
    "provisioning": ("routings", "end_reason IS NULL"),
}
"""Service -> its table of DIDs, and the condition for live ones."""

_TWICE: Final = """
SELECT number, array_agg(did_id ORDER BY did_id) AS did_ids FROM {table} WHERE {live}
GROUP BY number HAVING count(*) > 1 ORDER BY number LIMIT $1
"""
_ROWS: Final = """
SELECT coalesce(d.number, n.number) AS number, coalesce(d.did_id, n.did_id) AS did_id, n.did_id AS named
FROM (SELECT did_id, number FROM dids WHERE stock NOT IN ('removed', 'refused')) d
FULL JOIN (SELECT did_id, number FROM numbers WHERE did_id IS NOT NULL) n
    ON n.number = d.number AND n.did_id = d.did_id
WHERE d.did_id IS NULL OR n.did_id IS NULL ORDER BY 1, 2 LIMIT $1
"""


async def wrong_numbers(found: Snapshot, most: int) -> list[Disagreement]:
    """Return the numbers with several live DIDs, and the wrong rows of inventory's table; at most `most` each."""
    disagreements: list[Disagreement] = []
    for service in found.connections:
        table, live = LIVE[service]
        rows = await found.fetch(service, _TWICE.format(table=table, live=live), most)
        disagreements += [_twice(service, row) for row in rows]
    if "inventory" in found.connections:
        disagreements += map(_differing, await found.fetch("inventory", _ROWS, most))
    return disagreements


def _twice(service: str, row: Any) -> Disagreement:
    dids: Iterable[Any] = row["did_ids"]
    return Disagreement(
        code="number_twice",
        did_id=row["did_ids"][0],
        number=row["number"],
        service=service,
        detail=f"live DIDs: {', '.join(map(str, dids))}",
    )


def _differing(row: Any) -> Disagreement:
    what = (
        "the table names a DID that is not live" if row["named"] else "the table does not name this live DID"
    )
    return Disagreement(
        code="number_row_differs",
        did_id=row["did_id"],
        number=row["number"],
        service="inventory",
        detail=what,
        certain=True,
    )
