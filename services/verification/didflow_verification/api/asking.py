"""What routes ask the tables for, with roles and tenancy; whoever is shown personal data is noted first."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from didflow_chassis.http import HttpContext, Page
from didflow_chassis.states import Kind
from didflow_verification import store
from didflow_verification.api.listing import EntriesQuery

MANAGERS: Final = ("operator", "master_reseller", "reseller", "enterprise_admin", "service")
"""Who enters identities, addresses and documents and submits them."""

READERS: Final = (*MANAGERS, "reviewer")
"""Who may see personal data of their subtree."""

NOTED: Final[Mapping[str, str]] = {"identities": "identity", "addresses": "address", "documents": "document"}
"""Tables whose rows are personal data: who is shown one is noted, under what it is."""

Show = Callable[[Any], BaseModel]


def plain(show: Show) -> Callable[[Any], dict[str, Any]]:
    """Turn a way to show a state into one that makes JSON values."""
    return lambda state: show(state).model_dump(mode="json")


async def one(http: HttpContext, kind: Kind[Any], key: UUID) -> Any:
    """Return a state of the caller's subtree. Raises Problem `not_found`."""
    http.require(*READERS)
    rows = await http.rows(store.owned(kind, http.caller, kind.table.c[kind.key] == key))
    if not rows:
        raise http.problem(404, "not_found", "Nothing of this id is in your reach.")
    if kind.table.name in NOTED:
        await noted(http, NOTED[kind.table.name], key)
    return store.state_in(kind, rows[0])


async def entries(http: HttpContext, kind: Kind[Any], query: EntriesQuery, show: Show) -> Page:
    """Return a page of the caller's subtree."""
    http.require(*READERS)
    statement = store.owned(kind, http.caller, *query.conditions(kind.table, kind.key))
    render = plain(show)
    page = await http.page(
        statement,
        sort={"created_at": kind.table.c.created_at},
        render=lambda row: render(store.state_in(kind, row)),
    )
    await noted(http, NOTED[kind.table.name], *(UUID(item[kind.key]) for item in page.items))
    return page


async def noted(http: HttpContext, what: str, *things: UUID) -> None:
    """Note that the caller is about to be shown these. Raises Outage: what cannot be noted is not shown."""
    if things:
        caller = http.caller
        insert: Any = store.readings(caller.subject, caller.account, caller.role, what, things)
        await http.runtime.database.fetch(insert)
