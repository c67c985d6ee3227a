"""Routes of voice trunks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, HttpContext, Page, Problem, Router
from didflow_chassis.stage import Answer
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.bodies import VoiceTrunkBody
from didflow_provisioning.api.responses import VoiceTrunkResponse
from didflow_provisioning.domain.commands import CreateVoiceTrunk, DeleteVoiceTrunk, RestoreVoiceTrunk
from didflow_provisioning.domain.voice_trunks import VoiceTrunk
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
    return VoiceTrunkResponse.of(await _voice_trunk(http, voice_trunk_id), http.caller)


@router.delete(
    "/voice-trunks/{voice_trunk_id}", action="manage_routing", status_code=204, response_model=None
)
async def delete_voice_trunk(http: Http, voice_trunk_id: UUID) -> Response:
    """Delete a voice trunk. 409 `in_use`, with the count, while DIDs use it."""
    trunk = await _voice_trunk(http, voice_trunk_id)
    await _check_unused(http, trunk)
    command = DeleteVoiceTrunk(entity_id=voice_trunk_id, subject="", caller=http.caller)
    response = await http.run(command, status=204)
    try:
        # From here on, the trunk cannot be set on a DID. A DID that started to use it since the first check
        # undoes the deletion.
        await _check_unused(http, trunk)
    except Problem:
        await _restore(http, RestoreVoiceTrunk(entity_id=voice_trunk_id, subject="", caller=http.caller))
        raise
    return response


async def _voice_trunk(http: HttpContext, trunk_id: UUID) -> VoiceTrunk:
    rows = await http.rows(queries.usable_voice_trunks(http.caller, voice_trunks.c.trunk_id == trunk_id))
    if not rows:
        raise http.problem(404, "not_found", "No such voice trunk in your accounts.")
    return queries.to_voice_trunk(rows[0])


async def _check_unused(http: HttpContext, trunk: VoiceTrunk) -> None:
    count = (await http.rows(queries.number_of_dids_on_trunk(trunk.trunk_id)))[0]["dids"]
    if count:
        uses = "1 number uses" if count == 1 else f"{count} numbers use"
        raise http.problem(
            409,
            "in_use",
            f"{uses} this voice trunk. Set another trunk on them or clear their routing, then delete it.",
        )


async def _restore(http: HttpContext, command: RestoreVoiceTrunk) -> None:
    """Decide the command without the idempotency key of the request, whose answer is that of the deletion."""
    key = http.key
    if key is not None:
        await http.runtime.stage.command(
            [command],
            key=replace(key, value=None),
            actor=http.caller.actor,
            answer=lambda _: Answer(status=204, body=b""),
        )
