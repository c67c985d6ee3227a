"""Reads for a caller: only states within its reach, and every read of personal data is recorded before it is shown."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from didflow_chassis.encryption import Keyring
from didflow_chassis.http import HttpContext, Page, Problem
from didflow_chassis.states import Kind
from didflow_verification import store
from didflow_verification.api.bodies import DetailsQuery

RECORDED: Final[Mapping[str, str]] = {
    "identities": "identity",
    "addresses": "address",
    "documents": "document",
}
"""The tables with personal data, and what a read of one row is recorded as."""

Respond = Callable[[Any], BaseModel]


def as_json(respond: Respond) -> Callable[[Any], dict[str, Any]]:
    """Return a function that builds the response for a state and returns it as JSON values."""
    return lambda state: respond(state).model_dump(mode="json")


def not_found(what: str) -> Problem:
    """Return the problem for an id that does not exist, or that is not within the caller's reach."""
    return Problem("not_found", f"No such {what} in your accounts.")


def keyring_of(http: HttpContext) -> Keyring | None:
    """Return the keys of this process, or None if none are configured."""
    keyring: Keyring | None = http.runtime.service.settings.keyring()
    return keyring


async def read_one(http: HttpContext, kind: Kind[Any], key: UUID, what: str) -> Any:
    """Return a state within the caller's reach. `what` names it in the problem. Raises Problem `not_found`."""
    rows = await http.rows(store.within_reach(kind, http.caller, kind.table.c[kind.key] == key))
    if not rows:
        raise not_found(what)
    if kind.table.name in RECORDED:
        await record_reads(http, RECORDED[kind.table.name], key)
    return store.state_of(kind, rows[0])


async def read_page(http: HttpContext, kind: Kind[Any], query: DetailsQuery, respond: Respond) -> Page:
    """Return a page of identities, addresses or documents within the caller's reach."""
    statement = store.within_reach(kind, http.caller, *query.conditions(kind.table, kind.key))
    render = as_json(respond)
    page = await http.page(
        statement,
        sort={"created_at": kind.table.c.created_at},
        render=lambda row: render(store.state_of(kind, row)),
    )
    await record_reads(http, RECORDED[kind.table.name], *(UUID(item[kind.key]) for item in page.items))
    return page


async def record_reads(http: HttpContext, kind: str, *entity_ids: UUID) -> None:
    """Record that personal data is about to be shown to the caller.

    Raises Outage: a read that cannot be recorded is not shown.
    """
    if entity_ids:
        insert: Any = store.record_reads(http.caller, kind, entity_ids)
        await http.runtime.database.fetch(insert)
