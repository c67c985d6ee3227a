"""Voice trunks: where calls are delivered. A trunk belongs to an account and serves it and those below."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.events.carrier import Endpoint, VoiceDelivery
from didflow_provisioning.domain.commands import CreateVoiceTrunk, DeleteVoiceTrunk, KeepVoiceTrunk

NOT_FOUND = Refused("not_found", "no such voice trunk")


class VoiceTrunk(Struct, frozen=True, kw_only=True):
    """A voice trunk. `endpoints` are tried in their order; a deleted one takes no DID any more."""

    trunk_id: UUID
    account: str
    name: str
    endpoints: tuple[Endpoint, ...]
    created_at: datetime
    deleted: bool = False

    @property
    def delivery(self) -> VoiceDelivery:
        """What a carrier is told of it."""
        return VoiceDelivery(kind="trunk", id=self.trunk_id, name=self.name, endpoints=self.endpoints)

    def serves(self, account: str) -> bool:
        """Say whether a DID of this account may use it."""
        return not self.deleted and is_within(account, self.account)


def reaches(caller: Caller, account: str) -> bool:
    """Say whether an account lies in the caller's subtree. Source: spec http, Authentication."""
    return caller.role == "operator" or is_within(account, caller.account)


def create(trunk: VoiceTrunk | None, command: CreateVoiceTrunk, now: datetime) -> Decision:
    """Make a trunk in the caller's own subtree, else `not_found`."""
    if trunk is not None:
        return Unchanged(answer=trunk)
    if not reaches(command.caller, command.account):
        return Refused("not_found", "no such account", field="account")
    made = VoiceTrunk(
        trunk_id=UUID(str(command.entity_id)),
        account=command.account,
        name=command.name,
        endpoints=command.endpoints,
        created_at=now,
    )
    return Decided(state=made, answer=made)


def delete(trunk: VoiceTrunk | None, command: DeleteVoiceTrunk, now: datetime) -> Decision:  # noqa: ARG001
    """Take a trunk out of use; whether DIDs use it was looked at before, and is again after."""
    if trunk is None or trunk.deleted or not reaches(command.caller, trunk.account):
        return NOT_FOUND
    return Decided(state=replace(trunk, deleted=True))


def keep(trunk: VoiceTrunk | None, command: KeepVoiceTrunk, now: datetime) -> Decision:  # noqa: ARG001
    """Put a trunk back into use, since a DID took it while it was being deleted."""
    if trunk is None or not reaches(command.caller, trunk.account):
        return NOT_FOUND
    return Decided(state=replace(trunk, deleted=False)) if trunk.deleted else Unchanged()
