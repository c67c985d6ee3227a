"""Which DID or number a caller means."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from didflow_chassis.http import HttpContext, NamedEntity
from didflow_contracts.names import parse_did, parse_number
from didflow_inventory.domain.holding.rules import NOT_FOUND
from didflow_inventory.store import queries


async def row_of(http: HttpContext, text: str) -> Any:
    """Return the row of a visible DID: a live DID by its number or id, a former DID by its id. Raises 404."""
    name = parse_did(text)
    rows = [] if name is None else await http.rows(queries.one_did(http.caller, name))
    if not rows:
        raise http.problem(404, NOT_FOUND.code, NOT_FOUND.message)
    return rows[0]


async def entities(http: HttpContext, names: list[str]) -> Mapping[str, NamedEntity]:
    """Return the visible live DIDs of these names, by one statement."""
    parsed = {text: parse_did(text) for text in names}
    ids = [name for name in parsed.values() if isinstance(name, UUID)]
    numbers = [name for name in parsed.values() if isinstance(name, str)]
    found: dict[UUID | str | None, NamedEntity] = {}
    for row in await http.rows(queries.live_dids(http.caller, ids, numbers)):
        entity = NamedEntity(entity_id=row["did_id"], subject=row["number"])
        found |= {row["did_id"]: entity, row["number"]: entity}
    return {text: found[name] for text, name in parsed.items() if name in found}


async def numbers_of(_http: HttpContext, names: list[str]) -> Mapping[str, NamedEntity]:
    """Return the numbers of these names, whoever has them. The decision about each looks for it."""
    read = {name: parse_number(name) for name in names}
    return {name: NamedEntity(entity_id=number, subject=number) for name, number in read.items() if number}
