"""Identities and addresses change: each change is a new revision, and DIDs on it are judged again.

Which DIDs those are is found where the change is written. Source: spec verification, Verifications.
"""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Refused, Unchanged
from didflow_contracts.ids import derived_id
from didflow_verification.domain.details.commands import ChangeAddress, ChangeIdentity
from didflow_verification.domain.details.entries import reached
from didflow_verification.domain.details.identity import Address, Identity


class DetailChange(Struct, frozen=True, kw_only=True):
    """That an identity (or one of its addresses) was changed, when and by whom; not what it states.

    `changed_by` is `user:<subject>`. Writing it makes every living DID on these details due to be judged again.
    """

    change_id: UUID
    identity_id: UUID
    address_id: UUID | None
    revision: int
    changed_at: datetime
    changed_by: str


def change_identity(identity: Identity | None, command: ChangeIdentity, now: datetime) -> Decision:
    """Change what an identity states. Refused `not_found` out of the caller's reach."""
    identity = reached(identity, command.caller)
    if identity is None:
        return Refused("not_found", "no such identity")
    person = replace(identity.person, **command.changes)
    changed = replace(identity, type=command.type or identity.type, person=person)
    if changed == identity:
        return Unchanged(answer=identity)
    changed = replace(changed, revision=identity.revision + 1)
    noted = _noted(changed, None, command.caller, now)
    return Decided(state=changed, also=(noted,), answer=changed)


def change_address(address: Address | None, command: ChangeAddress, now: datetime) -> Decision:
    """Change an address. Refused `not_found` out of the caller's reach."""
    address = reached(address, command.caller)
    if address is None:
        return Refused("not_found", "no such address")
    place = replace(address.place, **command.changes)
    if place == address.place:
        return Unchanged(answer=address)
    changed = replace(address, place=place, revision=address.revision + 1)
    noted = _noted(changed, address.address_id, command.caller, now)
    return Decided(state=changed, also=(noted,), answer=changed)


def _noted(
    changed: Identity | Address, address_id: UUID | None, caller: Caller, now: datetime
) -> DetailChange:
    return DetailChange(
        change_id=derived_id("change", address_id or changed.identity_id, str(changed.revision)),
        identity_id=changed.identity_id,
        address_id=address_id,
        revision=changed.revision,
        changed_at=now,
        changed_by=f"user:{caller.subject}",
    )
