"""Routes of voice trunks."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, JobResponse, Page, Router
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.bodies import ReplaceBody, VoiceTrunkBody
from didflow_provisioning.api.responses import VoiceTrunkResponse
from didflow_provisioning.domain.commands import CreateVoiceTrunk, DeleteVoiceTrunk, ReplaceVoiceTrunk
from didflow_provisioning.store import queries
from didflow_provisioning.store.tables import voice_trunks

router = Router(tags=["trunks"])


@router.post("/voice-trunks", action="manage_routing", status_code=201, response_model=VoiceTrunkResponse)
async def create_voice_trunk(http: Http, body: VoiceTrunkBody) -> Response:
    """Create a voice trunk for an account and the accounts below it."""
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

    def rendered(row: Any) -> Mapping[str, Any]:
        response = VoiceTrunkResponse.of(queries.to_voice_trunk(row), http.caller)
        return response.model_dump(mode="json")

    statement = queries.usable_voice_trunks(http.caller)
    return await http.page(statement, sort=queries.VOICE_TRUNK_SORTS, render=rendered)


@router.get("/voice-trunks/{voice_trunk_id}", action="read_routing")
async def show_voice_trunk(http: Http, voice_trunk_id: UUID) -> VoiceTrunkResponse:
    """Return one voice trunk."""
    rows = await http.rows(
        queries.usable_voice_trunks(http.caller, voice_trunks.c.trunk_id == voice_trunk_id)
    )
    if not rows:
        raise http.problem(404, "not_found", "No such voice trunk in your accounts.")
    return VoiceTrunkResponse.of(queries.to_voice_trunk(rows[0]), http.caller)


@router.delete(
    "/voice-trunks/{voice_trunk_id}", action="manage_routing", status_code=204, response_model=None
)
async def delete_voice_trunk(http: Http, voice_trunk_id: UUID) -> Response:
    """Delete a voice trunk. 409 `in_use`, with the count, while live DIDs use it."""
    command = DeleteVoiceTrunk(entity_id=voice_trunk_id, subject="", caller=http.caller)
    return await http.run(command, status=204)


@router.post(
    "/voice-trunks/{voice_trunk_id}/replace",
    action="manage_routing",
    status_code=202,
    response_model=JobResponse,
)
async def replace_voice_trunk(http: Http, voice_trunk_id: UUID, body: ReplaceBody) -> Response:
    """Start the job that moves each live DID on a voice trunk to another one.

    A DID that was changed meanwhile keeps what it was changed to.
    """
    command = ReplaceVoiceTrunk(
        entity_id=voice_trunk_id, subject="", caller=http.caller, by=body.by, job_id=uuid7()
    )
    return await http.start_job(command)
