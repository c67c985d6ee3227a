"""Routes of voice trunks."""

from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, JobResponse, Page, Router
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.reads import one_of, page_of
from didflow_provisioning.api.targets.bodies import ReplaceBody, VoiceTrunkBody, VoiceTrunkChangeBody
from didflow_provisioning.api.targets.reach import check_hosts
from didflow_provisioning.api.targets.responses import CHANGE_JOB, VoiceTrunkResponse
from didflow_provisioning.domain.targets.commands import (
    ChangeVoiceTrunk,
    CreateVoiceTrunk,
    DeleteVoiceTrunk,
    ReplaceVoiceTrunk,
)
from didflow_provisioning.domain.targets.voice_trunks import WHAT
from didflow_provisioning.store.tables import VOICE_TRUNK

router = Router(tags=["trunks"])


@router.post("/voice-trunks", action="manage_routing", status_code=201, response_model=VoiceTrunkResponse)
async def create_voice_trunk(http: Http, body: VoiceTrunkBody) -> Response:
    """Create a voice trunk for an account and the accounts below it."""
    check_hosts(http, dict(body.hosts()))
    command = CreateVoiceTrunk(
        entity_id=uuid7(),
        subject="",
        caller=http.caller,
        account=body.account or http.caller.account,
        name=body.name,
        endpoints=body.endpoints(),
    )
    return await http.run(
        command, status=201, render=lambda created: VoiceTrunkResponse.of(created, http.caller)
    )


@router.get("/voice-trunks", action="read_routing")
async def list_voice_trunks(http: Http) -> Page:
    """List the trunks of your accounts and the trunks of the accounts above that serve you."""
    return await page_of(http, VOICE_TRUNK, VoiceTrunkResponse.of)


@router.get("/voice-trunks/{voice_trunk_id}", action="read_routing")
async def show_voice_trunk(http: Http, voice_trunk_id: UUID) -> VoiceTrunkResponse:
    """Return one voice trunk."""
    return VoiceTrunkResponse.of(await one_of(http, VOICE_TRUNK, voice_trunk_id, WHAT), http.caller)


@router.patch(
    "/voice-trunks/{voice_trunk_id}",
    action="manage_routing",
    response_model=VoiceTrunkResponse,
    responses=CHANGE_JOB,
)
async def change_voice_trunk(http: Http, voice_trunk_id: UUID, body: VoiceTrunkChangeBody) -> Response:
    """Change a voice trunk.

    If it is in use, the answer is 202 with the job that carries the change to each DID on it and on its groups. A DID
    that was changed meanwhile keeps what it was changed to.
    """
    check_hosts(http, dict(body.hosts()))
    command = ChangeVoiceTrunk(
        entity_id=voice_trunk_id, subject="", caller=http.caller, job_id=uuid7(), **body.changes()
    )
    return await http.run(command, render=lambda trunk: VoiceTrunkResponse.of(trunk, http.caller))


@router.delete(
    "/voice-trunks/{voice_trunk_id}", action="manage_routing", status_code=204, response_model=None
)
async def delete_voice_trunk(http: Http, voice_trunk_id: UUID) -> Response:
    """Delete a voice trunk. 409 `in_use`, with the counts, while DIDs, groups or profiles use it."""
    command = DeleteVoiceTrunk(entity_id=voice_trunk_id, subject="", caller=http.caller)
    return await http.run(command, status=204)


@router.post(
    "/voice-trunks/{voice_trunk_id}/replace",
    action="manage_routing",
    status_code=202,
    response_model=JobResponse,
)
async def replace_voice_trunk(http: Http, voice_trunk_id: UUID, body: ReplaceBody) -> Response:
    """Start the job that moves each live DID on a voice trunk to another trunk, or to a trunk group.

    A DID that was changed meanwhile keeps what it was changed to.
    """
    command = ReplaceVoiceTrunk(
        entity_id=voice_trunk_id, subject="", caller=http.caller, by=body.by, job_id=uuid7()
    )
    return await http.start_job(command)
