"""Routes of SMS trunks."""

from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, JobResponse, Page, Router
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.reads import one_of, page_of
from didflow_provisioning.api.targets.bodies import ReplaceBody, SmsTrunkBody, SmsTrunkChangeBody
from didflow_provisioning.api.targets.credentials import decrypted, encrypted, record_read
from didflow_provisioning.api.targets.reach import check_hosts
from didflow_provisioning.api.targets.responses import CHANGE_JOB, CredentialsResponse, SmsTrunkResponse
from didflow_provisioning.domain.targets.commands import (
    ChangeSmsTrunk,
    CreateSmsTrunk,
    DeleteSmsTrunk,
    ReplaceSmsTrunk,
)
from didflow_provisioning.domain.targets.sms_trunks import WHAT
from didflow_provisioning.store.tables import SMS_TRUNK

router = Router(tags=["trunks"])


@router.post("/sms-trunks", action="manage_routing", status_code=201, response_model=SmsTrunkResponse)
async def create_sms_trunk(http: Http, body: SmsTrunkBody) -> Response:
    """Create an SMS trunk for an account and the accounts below it."""
    check_hosts(http, dict(body.hosts()))
    trunk_id, account = uuid7(), body.account or http.caller.account
    endpoint = body.endpoint()
    if endpoint is None:
        raise TypeError("a new SMS trunk has a destination")
    command = CreateSmsTrunk(
        entity_id=trunk_id,
        subject="",
        caller=http.caller,
        account=account,
        name=body.name,
        endpoint=endpoint,
        secret=encrypted(http, trunk_id, body.secret()),
    )
    return await http.run(
        command, status=201, render=lambda created: SmsTrunkResponse.of(created, http.caller)
    )


@router.get("/sms-trunks", action="read_routing")
async def list_sms_trunks(http: Http) -> Page:
    """List the trunks of your accounts and the trunks of the accounts above that serve you."""
    return await page_of(http, SMS_TRUNK, SmsTrunkResponse.of)


@router.get("/sms-trunks/{sms_trunk_id}", action="read_routing")
async def show_sms_trunk(http: Http, sms_trunk_id: UUID) -> SmsTrunkResponse:
    """Return one SMS trunk."""
    return SmsTrunkResponse.of(await one_of(http, SMS_TRUNK, sms_trunk_id, WHAT), http.caller)


@router.get("/sms-trunks/{sms_trunk_id}/credentials", action="read_credentials")
async def show_credentials(http: Http, response: Response, sms_trunk_id: UUID) -> CredentialsResponse:
    """Return the secret of an SMS trunk of your accounts, for an adapter. Each read is recorded before it is shown."""
    trunk = await one_of(http, SMS_TRUNK, sms_trunk_id, WHAT)
    if not http.caller.reaches(trunk.account):
        raise http.problem(404, "not_found", f"No such {WHAT} in your accounts.")
    secret = decrypted(http, trunk)
    await record_read(http, sms_trunk_id)
    response.headers["Cache-Control"] = "no-store"
    return CredentialsResponse(
        sms_trunk_id=sms_trunk_id,
        endpoint=trunk.endpoint,
        secret=secret,
        secret_version=trunk.secret_version,
    )


@router.patch(
    "/sms-trunks/{sms_trunk_id}",
    action="manage_routing",
    response_model=SmsTrunkResponse,
    responses=CHANGE_JOB,
)
async def change_sms_trunk(http: Http, sms_trunk_id: UUID, body: SmsTrunkChangeBody) -> Response:
    """Change an SMS trunk.

    If it is in use, the answer is 202 with the job that carries the change to each DID on it. A DID that was changed
    meanwhile keeps what it was changed to.
    """
    check_hosts(http, dict(body.hosts()))
    command = ChangeSmsTrunk(
        entity_id=sms_trunk_id,
        subject="",
        caller=http.caller,
        job_id=uuid7(),
        name=body.name or None,
        endpoint=body.endpoint(),
        secret=encrypted(http, sms_trunk_id, body.secret()),
    )
    return await http.run(command, render=lambda trunk: SmsTrunkResponse.of(trunk, http.caller))


@router.delete("/sms-trunks/{sms_trunk_id}", action="manage_routing", status_code=204, response_model=None)
async def delete_sms_trunk(http: Http, sms_trunk_id: UUID) -> Response:
    """Delete an SMS trunk. 409 `in_use`, with the counts, while live DIDs or profiles use it."""
    command = DeleteSmsTrunk(entity_id=sms_trunk_id, subject="", caller=http.caller)
    return await http.run(command, status=204)


@router.post(
    "/sms-trunks/{sms_trunk_id}/replace",
    action="manage_routing",
    status_code=202,
    response_model=JobResponse,
)
async def replace_sms_trunk(http: Http, sms_trunk_id: UUID, body: ReplaceBody) -> Response:
    """Start the job that moves each live DID on an SMS trunk to another one.

    A DID that was changed meanwhile keeps what it was changed to.
    """
    command = ReplaceSmsTrunk(
        entity_id=sms_trunk_id, subject="", caller=http.caller, by=body.by, job_id=uuid7()
    )
    return await http.start_job(command)
