"""How much may be parked: the bounds of an entity and of an account, and which new rows fit into them.

The bound of an entity is exact, because a batch holds its lock. Batches that park at the same time do not see each
other's rows, so an account can exceed its bound by what they park together.

Source: spec events, Parked.
"""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from didflow_chassis.parked import NewRow

FULL: Final = "parked_full"
"""The reason of the dead letter of a message that does not fit."""


class Bounds(Struct, frozen=True, kw_only=True):
    """The most messages, and bytes of their records, that may be parked for an entity and for an account."""

    entity_rows: int
    entity_bytes: int
    account_rows: int
    account_bytes: int


BOUNDS: Final = Bounds(
    entity_rows=1_000, entity_bytes=5_000_000, account_rows=20_000, account_bytes=100_000_000
)

USED: Final = """
SELECT 'entity', entity, count(*), sum(size) FROM parked
WHERE entity = ANY($1::text[]) AND id <> ALL($3::bigint[]) GROUP BY entity
UNION ALL
SELECT 'account', account, count(*), sum(size) FROM parked
WHERE account = ANY($2::text[]) AND id <> ALL($3::bigint[]) GROUP BY account
"""
"""What is parked, without the rows that the batch removes. Both parts read an index only."""

Place = tuple[str, str]
"""`entity` or `account`, and which one."""


class _Use(Struct):
    rows: int = 0
    size: int = 0


async def unfit(connection: Any, rows: Sequence[NewRow], removed: Sequence[int]) -> list[tuple[NewRow, str]]:
    """Return the new rows that do not fit, in order, each with the bound that it exceeds in words.

    If a message does not fit, the later ones of its entity do not fit either: none stays without the one that it waits
    for. A due timer always fits. It has no record, and a state has one.
    """
    accounts = {row.account for row in rows if row.account is not None}
    used = await connection.fetch(USED, sorted({row.entity for row in rows}), sorted(accounts), removed)
    use = {(kind, name): _Use(count, int(size)) for kind, name, count, size in used}
    found: list[tuple[NewRow, str]] = []
    full: dict[str, str] = {}
    for row in rows:
        excess = None if row.record is None else full.get(row.entity) or _excess(use, row)
        if excess is None:
            _add(use, row)
        else:
            full[row.entity] = excess
            found.append((row, excess))
    return found


def _places(row: NewRow) -> list[tuple[Place, int, int]]:
    bounds = BOUNDS
    places = [(("entity", row.entity), bounds.entity_rows, bounds.entity_bytes)]
    if row.account is not None:
        places.append((("account", row.account), bounds.account_rows, bounds.account_bytes))
    return places


def _excess(use: dict[Place, _Use], row: NewRow) -> str | None:
    for place, most_rows, most_bytes in _places(row):
        now = use.get(place) or _Use()
        if now.rows >= most_rows:
            return f"{most_rows:,} messages of this {place[0]} are parked. That is the most that may be."
        if now.size + row.size > most_bytes:
            return f"{most_bytes:,} bytes of this {place[0]} may be parked. This message would exceed them."
    return None


def _add(use: dict[Place, _Use], row: NewRow) -> None:
    for place, _, _ in _places(row):
        now = use.setdefault(place, _Use())
        now.rows += 1
        now.size += row.size
