"""Routes of carrier commands. On the wire they are called commands."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from didflow_chassis.http import Http, Page, Router, Target
from didflow_provisioning.api.bodies import CarrierCommandsQuery
from didflow_provisioning.api.responses import CarrierCommandResponse, RetryResponse
from didflow_provisioning.api.routing import command_fields
from didflow_provisioning.domain.commands import RetryCarrierCommand
from didflow_provisioning.store import queries
from didflow_provisioning.store.tables import carrier_commands

router = Router(tags=["commands"])


@router.get("/commands", action="read_routing")
async def list_carrier_commands(http: Http, query: Annotated[CarrierCommandsQuery, Query()]) -> Page:
    """List the carrier commands for the numbers of your accounts, latest first."""
    statement = queries.carrier_commands_within(http.caller, *query.conditions())
    return await http.page(
        statement, sort=queries.CARRIER_COMMAND_SORTS, render=_rendered, default="-issued_at"
    )


@router.post("/commands/{command_id}/retry", action="retry_carrier", response_model=RetryResponse)
async def retry_carrier_command(http: Http, command_id: UUID) -> Response:
    """Send a new command in place of one that failed for good. 409 `not_failed` for any other command."""
    condition = carrier_commands.c.command_id == command_id
    rows = await http.rows(queries.carrier_commands_within(http.caller, condition))
    if not rows:
        raise http.problem(404, "not_found", "No such command for the numbers of your accounts.")
    found = queries.to_carrier_command(rows[0])
    target = Target(entity_id=found.did_id, subject=found.number)
    command = RetryCarrierCommand(**command_fields(http, target), command_id=command_id)
    return await http.run(command, render=lambda new_id: RetryResponse(command_id=new_id))


def _rendered(row: Any) -> Mapping[str, Any]:
    return CarrierCommandResponse.of(queries.to_carrier_command(row)).model_dump(mode="json")
