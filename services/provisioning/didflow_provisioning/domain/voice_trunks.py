"""Voice trunks: where calls are delivered. A trunk belongs to an account and serves it and the accounts below it.

A trunk is deleted only while no live DID uses it. The DIDs are counted under the trunk's exclusive lock. Every decision
that sets the trunk on a DID holds the same lock in shared mode, so no DID can start to use the trunk in between.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_contracts.events.carrier import Endpoint, VoiceDelivery
from didflow_provisioning.domain.commands import CreateVoiceTrunk, DeleteVoiceTrunk

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

    def is_usable_by(self, caller: Caller) -> bool:
        """Return True if the caller reaches the trunk or is served by it. It is the rule of `usable_voice_trunks`."""
        return not self.deleted and (self.serves(caller.account) or caller.reaches(self.account))

    def is_deletable_by(self, caller: Caller) -> bool:
        """Return True if the caller reaches the trunk. Nobody else learns whether it exists or is in use."""
        return not self.deleted and caller.reaches(self.account)


class VoiceTrunkUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs that use a voice trunk. There is no such state for zero."""

    trunk_id: UUID
    dids: int


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
    known: Known,
) -> Decision:
    """Delete a trunk. Refused `not_found`, and `in_use` with the count while live DIDs use it.

    Source: spec provisioning, Routing.
    """
    if trunk is None or not trunk.is_deletable_by(command.caller):
        return NOT_FOUND
    use = known.get(VoiceTrunkUse, trunk.trunk_id)
    if use is not None:
        return Refused("in_use", _in_use(use.dids))
    return Decided(state=replace(trunk, deleted=True))


def _in_use(dids: int) -> str:
    uses = "1 live DID uses" if dids == 1 else f"{dids} live DIDs use"
    return f"{uses} this voice trunk. Set another trunk on them or clear their routing, then delete it."
