"""Reads of targets for a caller: those that it reaches, and those of the accounts above that serve it."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from didflow_chassis.decision import Caller
from didflow_chassis.http import HttpContext, Page
from didflow_chassis.states import Kind
from didflow_provisioning.domain.targets.target import AnyTarget
from didflow_provisioning.store import queries
from didflow_provisioning.store.serving_accounts import serving


async def page_of(
    http: HttpContext, kind: Kind[AnyTarget], respond: Callable[[AnyTarget, Caller], BaseModel]
) -> Page:
    """Return a page of the targets of a kind."""

    def rendered(row: Any) -> Mapping[str, Any]:
        return respond(queries.to_target(kind, row), http.caller).model_dump(mode="json")

    statement = serving(kind, http.caller)
    return await http.page(statement, sort=queries.target_sorts(kind), render=rendered)


async def one_of(http: HttpContext, kind: Kind[AnyTarget], key: UUID, what: str) -> AnyTarget:
    """Return one target. `what` is what it is called. Raises Problem `not_found`."""
    rows = await http.rows(serving(kind, http.caller, kind.table.c[kind.key] == key))
    if not rows:
        raise http.problem(404, "not_found", f"No such {what} in your accounts.")
    return queries.to_target(kind, rows[0])
