"""Routes of configuration profiles."""

from uuid import UUID

from starlette.responses import Response

from didflow_chassis.http import Http, Page, Router
from didflow_contracts.ids import uuid7
from didflow_provisioning.api.profiles.bodies import ProfileBody, ProfileChangeBody
from didflow_provisioning.api.profiles.responses import ProfileResponse
from didflow_provisioning.api.reads import one_of, page_of
from didflow_provisioning.domain.profiles.commands import ChangeProfile, CreateProfile, DeleteProfile
from didflow_provisioning.domain.profiles.lifecycle import WHAT
from didflow_provisioning.store.tables import PROFILE_KIND

router = Router(tags=["profiles"])
PATH = "/configuration-profiles/{configuration_profile_id}"


@router.post(
    "/configuration-profiles", action="manage_routing", status_code=201, response_model=ProfileResponse
)
async def create_profile(http: Http, body: ProfileBody) -> Response:
    """Create a configuration profile for an account and the accounts below it."""
    command = CreateProfile(
        entity_id=uuid7(),
        subject="",
        caller=http.caller,
        account=body.account or http.caller.account,
        fields=body.fields(),
    )
    return await http.run(
        command, status=201, render=lambda profile: ProfileResponse.of(profile, http.caller)
    )


@router.get("/configuration-profiles", action="read_routing")
async def list_profiles(http: Http) -> Page:
    """List the configuration profiles of your accounts and those of the accounts above that serve you."""
    return await page_of(http, PROFILE_KIND, ProfileResponse.of)


@router.get(PATH, action="read_routing")
async def show_profile(http: Http, configuration_profile_id: UUID) -> ProfileResponse:
    """Return one configuration profile."""
    return ProfileResponse.of(await one_of(http, PROFILE_KIND, configuration_profile_id, WHAT), http.caller)


@router.patch(PATH, action="manage_routing", response_model=ProfileResponse)
async def change_profile(http: Http, configuration_profile_id: UUID, body: ProfileChangeBody) -> Response:
    """Change a configuration profile. DIDs that use it keep what they have until it is applied again."""
    command = ChangeProfile(
        entity_id=configuration_profile_id, subject="", caller=http.caller, changes=body.changes()
    )
    return await http.run(command, render=lambda profile: ProfileResponse.of(profile, http.caller))


@router.delete(PATH, action="manage_routing", status_code=204, response_model=None)
async def delete_profile(http: Http, configuration_profile_id: UUID) -> Response:
    """Delete a configuration profile. 409 `in_use`, with the count, while live DIDs use it."""
    command = DeleteProfile(entity_id=configuration_profile_id, subject="", caller=http.caller)
    return await http.run(command, status=204)
