"""SMS trunks: an HTTP callback, an SMPP account or a mail address.

The secret of a trunk is encrypted before a command has it. Decisions, states, carrier commands and events have no other
form of it. `secret_version` is among the settings of the endpoint: a new secret is a change that reaches the carriers.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, ReplaceCiphertext, Unchanged
from didflow_contracts.events.carrier import Endpoint, SmsDelivery
from didflow_provisioning.domain.profiles.profile import NamingProfiles
from didflow_provisioning.domain.routing import SmsSetting
from didflow_provisioning.domain.serves_below import created, not_found
from didflow_provisioning.domain.targets.commands import ChangeSmsTrunk, CreateSmsTrunk, DeleteSmsTrunk
from didflow_provisioning.domain.targets.job_kinds import CHANGE_SMS_TRUNK, Move
from didflow_provisioning.domain.targets.target import Target, changed, deleted

WHAT: Final = "SMS trunk"
NO_SMS_TRUNK: Final = Refused(
    "sms_trunk_not_found",
    "No such SMS trunk serves this number. Use a trunk of the number's account or of an account above.",
    "sms_trunk_id",
)


class SmsTrunk(Target, frozen=True, kw_only=True):
    """An SMS trunk. `secret` is encrypted under the key `key_id`; both are None for a trunk without a secret."""

    trunk_id: UUID
    endpoint: Endpoint
    key_id: str | None = None
    secret: bytes | None = None
    secret_version: int = 1

    @property
    def delivery(self) -> SmsDelivery:
        """The trunk as carrier commands name it: without its secret, which an adapter asks for."""
        version = {"secret_version": self.secret_version} if self.secret is not None else {}
        settings = self.endpoint.settings | version
        endpoint = Endpoint(kind=self.endpoint.kind, address=self.endpoint.address, settings=settings)
        return SmsDelivery(id=self.trunk_id, name=self.name, endpoints=(endpoint,))


class SmsTrunkUse(Struct, frozen=True, kw_only=True):
    """The number of live DIDs that use an SMS trunk."""

    trunk_id: UUID
    dids: int

    @property
    def groups(self) -> int:
        """SMS trunks have no groups."""
        return 0


def create_sms_trunk(trunk: SmsTrunk | None, command: CreateSmsTrunk, now: datetime) -> Decision:
    """Create a trunk. Refused `not_found` if the caller does not reach the account."""
    new = SmsTrunk(
        trunk_id=UUID(str(command.entity_id)),
        account=command.account,
        name=command.name,
        endpoint=command.endpoint,
        key_id=command.secret.key_id if command.secret else None,
        secret=command.secret.content if command.secret else None,
        created_at=now,
    )
    return created(trunk, new, command.caller)


def change_sms_trunk(
    trunk: SmsTrunk | None, command: ChangeSmsTrunk, now: datetime, known: Known
) -> Decision:
    """Change a trunk. Refused `not_found`. If DIDs use it, a job carries the change to each of them."""
    if trunk is None or not trunk.is_changeable_by(command.caller):
        return not_found(WHAT)
    after = replace(trunk, name=command.name or trunk.name)
    if command.endpoint is not None:
        after = replace(
            after,
            endpoint=command.endpoint,
            key_id=command.secret.key_id if command.secret else None,
            secret=command.secret.content if command.secret else None,
            secret_version=trunk.secret_version + 1,
        )
    job = (CHANGE_SMS_TRUNK, Move(former=trunk.trunk_id))
    return changed(trunk, after, command, now, use=known.get(SmsTrunkUse, trunk.trunk_id), job=job)


def delete_sms_trunk(
    trunk: SmsTrunk | None,
    command: DeleteSmsTrunk,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete a trunk and erase its secret. Refused `not_found`, and `in_use` with the counts."""
    if trunk is None or not trunk.is_changeable_by(command.caller):
        return not_found(WHAT)
    without_secret = replace(trunk, key_id=None, secret=None)
    return deleted(
        without_secret,
        known.get(SmsTrunkUse, trunk.trunk_id),
        known.get(NamingProfiles, trunk.trunk_id),
        WHAT,
    )


def replace_ciphertext(trunk: SmsTrunk | None, command: ReplaceCiphertext, _now: datetime) -> Decision:
    """Replace the ciphertext of the secret, which stays the same: carriers get no command. A newer secret stays."""
    if trunk is None or (trunk.key_id, trunk.secret) != (command.former_key_id, command.former):
        return Unchanged()
    return Decided(state=replace(trunk, key_id=command.key_id, secret=command.content))


def sms_setting(trunk_id: UUID, account: str, known: Known) -> SmsSetting | Refused:
    """Return what a DID of this account gets. Refused `sms_trunk_not_found`."""
    trunk = known.get(SmsTrunk, trunk_id)
    if trunk is None or not trunk.serves(account):
        return NO_SMS_TRUNK
    return SmsSetting(account=trunk.account, delivery=trunk.delivery)
