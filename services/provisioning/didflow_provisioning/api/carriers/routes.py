"""Routes of carrier commands, on the wire called commands, and of the settings of carriers."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query
from starlette.responses import Response

from didflow_chassis.decision import Refused
from didflow_chassis.http import BatchAnswer, Http, HttpContext, NamedEntity, Page, Router
from didflow_contracts.names import parse_id
from didflow_provisioning.api.carriers.bodies import CarrierCommandsBody, CarrierCommandsQuery
from didflow_provisioning.api.responses import (
    CarrierCommandResponse,
    CarrierSettingsResponse,
    RetryResponse,
    RetryResult,
    new_command,
)
from didflow_provisioning.api.routing import command_fields
from didflow_provisioning.domain.carrier_command import CarrierCommand
from didflow_provisioning.domain.carriers import silence
from didflow_provisioning.domain.commands import RetryCarrierCommand
from didflow_provisioning.store import carriers, queries
from didflow_provisioning.store.tables import carrier_commands

router = Router(tags=["commands"])

NO_COMMAND: Final = Refused("not_found", "No such command for the numbers of your accounts.")


@router.get("/carrier-settings", action="read_carrier_settings")
async def list_carrier_settings(http: Http) -> Page:
    """List the settings of the configured carriers, and of those that serve the numbers of your accounts."""
    timings = http.runtime.service.settings.timings()
    rows = await http.rows(carriers.contacts())
    found = {contact.carrier: (contact, now) for contact, now in map(carriers.to_contact, rows)}
    own = await _own_carriers(http)
    sent_to = found.keys() if own is None else own & found.keys()

    def rendered(name: str) -> Mapping[str, Any]:
        last = found.get(name)
        contact, is_silent = (None, False) if last is None else (last[0], silence.is_silent(*last))
        response = CarrierSettingsResponse.of(name, timings.of(name), contact, silent=is_silent)
        return response.model_dump(mode="json")

    return http.page_of_items({*timings.carriers, *sent_to}, sort="carrier", key=str, render=rendered)


@router.get("/commands", action="read_routing")
async def list_carrier_commands(http: Http, query: Annotated[CarrierCommandsQuery, Query()]) -> Page:
    """List the carrier commands for the numbers of your accounts, latest first."""

    def rendered(row: Any) -> Mapping[str, Any]:
        response = CarrierCommandResponse.of(queries.to_carrier_command(row), http.caller)
        return response.model_dump(mode="json")

    statement = queries.carrier_commands_within(http.caller, *query.conditions())
    return await http.page(
        statement, sort=queries.CARRIER_COMMAND_SORTS, render=rendered, default="-issued_at"
    )


@router.batch("/commands/batch/retry", action="retry_carrier", item="command", result=RetryResult)
async def retry_carrier_commands(http: Http, body: CarrierCommandsBody) -> BatchAnswer:
    """Send new commands instead of those that failed for good."""
    found: dict[UUID, CarrierCommand] = {}

    async def resolve(_: HttpContext, names: list[str]) -> Mapping[str, NamedEntity]:
        """Find the commands by their ids, by one statement."""
        ids = {name: each for name in names if (each := parse_id(name)) is not None}
        found.update(await _carrier_commands(http, set(ids.values())) if ids else {})
        return {
            name: NamedEntity(entity_id=key, subject=found[key].number)
            for name, key in ids.items()
            if key in found
        }

    return await http.batch(
        body.commands,
        resolve,
        lambda entity: _retry_of(http, found[entity.entity_id]),  # type: ignore[index]
        absent=NO_COMMAND,
        render=new_command,
    )


@router.post("/commands/{command_id}/retry", action="retry_carrier", response_model=RetryResponse)
async def retry_carrier_command(http: Http, command_id: UUID) -> Response:
    """Send a new command instead of one that failed for good. 409 `not_failed` for any other command."""
    found = await _carrier_commands(http, {command_id})
    if not found:
        raise http.problem(404, NO_COMMAND.code, NO_COMMAND.message)
    return await http.run(_retry_of(http, found[command_id]), render=new_command)


async def _own_carriers(http: HttpContext) -> set[str] | None:
    """Return the carriers of the DIDs that the caller reaches. None for an operator, who sees all carriers."""
    statement = carriers.carriers_of_dids(http.caller)
    return None if statement is None else {name for row in await http.rows(statement) for name in tuple(row)}


async def _carrier_commands(http: HttpContext, ids: set[UUID]) -> dict[UUID, CarrierCommand]:
    condition = carrier_commands.c.command_id.in_(ids)
    rows = await http.rows(queries.carrier_commands_within(http.caller, condition))
    return {command.command_id: command for command in map(queries.to_carrier_command, rows)}


def _retry_of(http: HttpContext, failed: CarrierCommand) -> RetryCarrierCommand:
    entity = NamedEntity(entity_id=failed.did_id, subject=failed.number)
    return RetryCarrierCommand(**command_fields(http, entity), command_id=failed.command_id)
