"""Routes of capacity groups."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, Page, Router
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.capacity.bodies import CapacityGroupBody, CapacityGroupChangeBody
from didflow_provisioning.api.capacity.responses import CapacityGroupResponse, group_json
from didflow_provisioning.domain.capacity.commands import (
    ChangeCapacityGroup,
    CreateCapacityGroup,
    DeleteCapacityGroup,
)
from didflow_provisioning.store import capacity

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
    return await http.run(command, status=201, render=group_json)


@router.get("/capacity-groups", action="read_routing")
async def list_capacity_groups(http: Http) -> Page:
    """List the capacity groups of your accounts and those of the accounts above that serve you."""
    return await http.page(
        capacity.groups_of(http.caller),
        sort=capacity.SORTS,
        render=lambda row: group_json(capacity.to_group(row)),
    )


@router.get(
    "/capacity-groups/{capacity_group_id}", action="read_routing", response_model=CapacityGroupResponse
)
async def show_capacity_group(http: Http, capacity_group_id: UUID) -> Mapping[str, Any]:
    """Return one capacity group."""
    rows = await http.rows(capacity.one_group(http.caller, capacity_group_id))
    if not rows:
        raise http.problem(404, "not_found", "No such capacity group in your accounts.")
    return group_json(capacity.to_group(rows[0]))


@router.patch(
    "/capacity-groups/{capacity_group_id}", action="manage_routing", response_model=CapacityGroupResponse
)
async def change_capacity_group(
    http: Http, capacity_group_id: UUID, body: CapacityGroupChangeBody
) -> Response:
    """Change a capacity group. 409 `in_use` if it would have fewer channels than are reserved."""
    command = ChangeCapacityGroup(
        entity_id=capacity_group_id, subject="", caller=http.caller, changes=body.changes()
    )
    return await http.run(command, render=group_json)


@router.delete(
    "/capacity-groups/{capacity_group_id}", action="manage_routing", status_code=204, response_model=None
)
async def delete_capacity_group(http: Http, capacity_group_id: UUID) -> Response:
    """Delete a capacity group. 409 `in_use`, with the count, while live DIDs are members."""
    command = DeleteCapacityGroup(entity_id=capacity_group_id, subject="", caller=http.caller)
    return await http.run(command, status=204)
