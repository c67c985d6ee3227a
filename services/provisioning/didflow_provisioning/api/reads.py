"""Reads of targets, capacity groups and profiles: those that the caller reaches, and those above that serve it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from didflow_chassis.decision import Caller
from didflow_chassis.http import HttpContext, Page
from didflow_chassis.states import Kind
from didflow_provisioning.store.serving_accounts import Thing, serving, sorts, to_thing


async def page_of(
    http: HttpContext, kind: Kind[Thing], respond: Callable[[Thing, Caller], BaseModel]
) -> Page:
    """Return a page of the things of a kind."""

    def rendered(row: Any) -> Mapping[str, Any]:
        return respond(to_thing(kind, row), http.caller).model_dump(mode="json")

    return await http.page(serving(kind, http.caller), sort=sorts(kind), render=rendered)


async def one_of(http: HttpContext, kind: Kind[Thing], key: UUID, what: str) -> Thing:
    """Return one thing. `what` is what it is called. Raises Problem `not_found`."""
    rows = await http.rows(serving(kind, http.caller, kind.table.c[kind.key] == key))
    if not rows:
        raise http.problem(404, "not_found", f"No such {what} in your accounts.")
    return to_thing(kind, rows[0])
