"""Routes of capacity groups."""

from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, Page, Router
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.capacity.bodies import CapacityGroupBody, CapacityGroupChangeBody
from didflow_provisioning.api.capacity.responses import CapacityGroupResponse
from didflow_provisioning.api.reads import one_of, page_of
from didflow_provisioning.domain.capacity.commands import (
    ChangeCapacityGroup,
    CreateCapacityGroup,
    DeleteCapacityGroup,
)
from didflow_provisioning.domain.capacity.lifecycle import WHAT
from didflow_provisioning.store.tables import CAPACITY_GROUP

router = Router(tags=["capacity"])


@router.post(
    "/capacity-groups", action="manage_routing", status_code=201, response_model=CapacityGroupResponse
)
async def create_capacity_group(http: Http, body: CapacityGroupBody) -> Response:
    """Create a capacity group for an account and the accounts below it."""
    command = CreateCapacityGroup(
        entity_id=uuid7(),
        subject="",
        caller=http.caller,
        account=body.account or http.caller.account,
        name=body.name,
        channels=body.channels,
        overcommit=body.overcommit,
    )
    return await http.run(
        command, status=201, render=lambda group: CapacityGroupResponse.of(group, http.caller)
    )


@router.get("/capacity-groups", action="read_routing")
async def list_capacity_groups(http: Http) -> Page:
    """List the capacity groups of your accounts and those of the accounts above that serve you."""
    return await page_of(http, CAPACITY_GROUP, CapacityGroupResponse.of)


@router.get("/capacity-groups/{capacity_group_id}", action="read_routing")
async def show_capacity_group(http: Http, capacity_group_id: UUID) -> CapacityGroupResponse:
    """Return one capacity group."""
    return CapacityGroupResponse.of(await one_of(http, CAPACITY_GROUP, capacity_group_id, WHAT), http.caller)


@router.patch(
    "/capacity-groups/{capacity_group_id}", action="manage_routing", response_model=CapacityGroupResponse
)
async def change_capacity_group(
    http: Http, capacity_group_id: UUID, body: CapacityGroupChangeBody
) -> Response:
    """Change a capacity group. 409 `in_use` if its channels would be reduced below what is reserved."""
    command = ChangeCapacityGroup(
        entity_id=capacity_group_id, subject="", caller=http.caller, changes=body.changes()
    )
    return await http.run(command, render=lambda group: CapacityGroupResponse.of(group, http.caller))


@router.delete(
    "/capacity-groups/{capacity_group_id}", action="manage_routing", status_code=204, response_model=None
)
async def delete_capacity_group(http: Http, capacity_group_id: UUID) -> Response:
    """Delete a capacity group. 409 `in_use`, with the counts, while live DIDs or profiles use it."""
    command = DeleteCapacityGroup(entity_id=capacity_group_id, subject="", caller=http.caller)
    return await http.run(command, status=204)
