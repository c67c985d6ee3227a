"""Routes of voice trunk groups."""

from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, JobResponse, Page, Router
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.reads import one_of, page_of
from didflow_provisioning.api.targets.bodies import (
    ReplaceBody,
    VoiceTrunkGroupBody,
    VoiceTrunkGroupChangeBody,
)
from didflow_provisioning.api.targets.responses import CHANGE_JOB, VoiceTrunkGroupResponse
from didflow_provisioning.domain.targets.commands import (
    ChangeVoiceTrunkGroup,
    CreateVoiceTrunkGroup,
    DeleteVoiceTrunkGroup,
    ReplaceVoiceTrunkGroup,
)
from didflow_provisioning.domain.targets.voice_trunk_groups import WHAT
from didflow_provisioning.store.tables import VOICE_TRUNK_GROUP

router = Router(tags=["trunks"])


@router.post(
    "/voice-trunk-groups", action="manage_routing", status_code=201, response_model=VoiceTrunkGroupResponse
)
async def create_voice_trunk_group(http: Http, body: VoiceTrunkGroupBody) -> Response:
    """Create a voice trunk group for an account and the accounts below it."""
    command = CreateVoiceTrunkGroup(
        entity_id=uuid7(),
        subject="",
        caller=http.caller,
        account=body.account or http.caller.account,
        name=body.name,
        trunks=body.group_trunks(),
    )
    return await http.run(
        command, status=201, render=lambda created: VoiceTrunkGroupResponse.of(created, http.caller)
    )


@router.get("/voice-trunk-groups", action="read_routing")
async def list_voice_trunk_groups(http: Http) -> Page:
    """List the groups of your accounts and the groups of the accounts above that serve you."""
    return await page_of(http, VOICE_TRUNK_GROUP, VoiceTrunkGroupResponse.of)


@router.get("/voice-trunk-groups/{voice_trunk_group_id}", action="read_routing")
async def show_voice_trunk_group(http: Http, voice_trunk_group_id: UUID) -> VoiceTrunkGroupResponse:
    """Return one voice trunk group."""
    return VoiceTrunkGroupResponse.of(
        await one_of(http, VOICE_TRUNK_GROUP, voice_trunk_group_id, WHAT), http.caller
    )


@router.patch(
    "/voice-trunk-groups/{voice_trunk_group_id}",
    action="manage_routing",
    response_model=VoiceTrunkGroupResponse,
    responses=CHANGE_JOB,
)
async def change_voice_trunk_group(
    http: Http, voice_trunk_group_id: UUID, body: VoiceTrunkGroupChangeBody
) -> Response:
    """Change a voice trunk group.

    If it is in use, the answer is 202 with the job that carries the change to each DID on it. A DID that
    was changed meanwhile keeps what it was changed to.
    """
    command = ChangeVoiceTrunkGroup(
        entity_id=voice_trunk_group_id, subject="", caller=http.caller, job_id=uuid7(), **body.changes()
    )
    return await http.run(command, render=lambda trunk: VoiceTrunkGroupResponse.of(trunk, http.caller))


@router.delete(
    "/voice-trunk-groups/{voice_trunk_group_id}",
    action="manage_routing",
    status_code=204,
    response_model=None,
)
async def delete_voice_trunk_group(http: Http, voice_trunk_group_id: UUID) -> Response:
    """Delete a voice trunk group. 409 `in_use`, with the counts, while live DIDs or profiles use it."""
    command = DeleteVoiceTrunkGroup(entity_id=voice_trunk_group_id, subject="", caller=http.caller)
    return await http.run(command, status=204)


@router.post(
    "/voice-trunk-groups/{voice_trunk_group_id}/replace",
    action="manage_routing",
    status_code=202,
    response_model=JobResponse,
)
async def replace_voice_trunk_group(http: Http, voice_trunk_group_id: UUID, body: ReplaceBody) -> Response:
    """Start the job that moves each live DID on a voice trunk group to another group, or to a trunk.

    A DID that was changed meanwhile keeps what it was changed to.
    """
    command = ReplaceVoiceTrunkGroup(
        entity_id=voice_trunk_group_id, subject="", caller=http.caller, by=body.by, job_id=uuid7()
    )
    return await http.start_job(command)
