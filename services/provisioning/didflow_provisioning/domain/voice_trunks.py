"""Voice trunks: where calls are delivered. A trunk belongs to an account and serves it and the accounts below it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.events.carrier import Endpoint, VoiceDelivery
from didflow_provisioning.domain.commands import CreateVoiceTrunk, DeleteVoiceTrunk, RestoreVoiceTrunk

NOT_FOUND = Refused("not_found", "No such voice trunk in your accounts.")


class VoiceTrunk(Struct, frozen=True, kw_only=True):
    """A voice trunk. `endpoints` are tried in order. A deleted trunk cannot be set on a DID."""

    trunk_id: UUID
    account: str
    name: str
    endpoints: tuple[Endpoint, ...]
    created_at: datetime
    deleted: bool = False

    @property
    def delivery(self) -> VoiceDelivery:
        """The trunk as carrier commands name it."""
        return VoiceDelivery(kind="trunk", id=self.trunk_id, name=self.name, endpoints=self.endpoints)

    def serves(self, account: str) -> bool:
        """Return True if a DID of this account may use the trunk."""
        return not self.deleted and is_within(account, self.account)


def create_voice_trunk(trunk: VoiceTrunk | None, command: CreateVoiceTrunk, now: datetime) -> Decision:
    """Create a trunk. Refused `not_found` if the caller does not reach the account."""
    if trunk is not None:
        return Unchanged(answer=trunk)
    if not command.caller.reaches(command.account):
        return Refused("not_found", "No such account among your accounts.", field="account")
    created = VoiceTrunk(
        trunk_id=UUID(str(command.entity_id)),
        account=command.account,
        name=command.name,
        endpoints=command.endpoints,
        created_at=now,
    )
    return Decided(state=created, answer=created)


def delete_voice_trunk(
    trunk: VoiceTrunk | None,
    command: DeleteVoiceTrunk,
    now: datetime,  # noqa: ARG001
) -> Decision:
    """Delete a trunk. The route checks before and after the deletion whether DIDs use the trunk."""
    if trunk is None or trunk.deleted or not command.caller.reaches(trunk.account):
        return NOT_FOUND
    return Decided(state=replace(trunk, deleted=True))


def restore_voice_trunk(
    trunk: VoiceTrunk | None,
    command: RestoreVoiceTrunk,
    now: datetime,  # noqa: ARG001
) -> Decision:
    """Undo the deletion of a trunk that a DID started to use meanwhile."""
    if trunk is None or not command.caller.reaches(trunk.account):
        return NOT_FOUND
    return Decided(state=replace(trunk, deleted=False)) if trunk.deleted else Unchanged()
