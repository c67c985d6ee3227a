"""Creating and changing identities and addresses.

Each change is a new revision, and every live DID on these details is judged again. The statement that writes the
`DetailChange` finds those DIDs. Source: spec verification, Verifications.
"""

from datetime import datetime
from typing import TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.ids import derived_id
from didflow_verification.domain.commands import ChangeAddress, ChangeIdentity, CreateAddress, CreateIdentity
from didflow_verification.domain.details.identity import Address, Identity

S = TypeVar("S", Identity, Address)


class DetailChange(Struct, frozen=True, kw_only=True):
    """The record that an identity or one of its addresses changed, when and by whom. It has no personal data.

    The statement that writes it schedules a reassessment of every live DID on these details.
    """

    change_id: UUID
    identity_id: UUID
    address_id: UUID | None
    revision: int
    changed_at: datetime
    changed_by: str


def within_reach(state: S | None, caller: Caller) -> S | None:
    """Return an identity or address if it exists, is not erased, and is within the caller's reach. Else None."""
    return state if state and not state.erased_at and caller.reaches(state.account) else None


def create_identity(identity: Identity | None, command: CreateIdentity, now: datetime) -> Decision:
    """Create an identity. Refused `not_found` if the account is not within the caller's reach."""
    if identity is not None:
        return Unchanged(answer=identity)
    if not command.caller.reaches(command.account):
        return Refused("not_found", "No such account below your account.", "account")
    created = Identity(
        identity_id=command.entity_id,  # type: ignore[arg-type]
        account=command.account,
        type=command.type,
        person=command.person,
        created_at=now,
        created_by=command.caller.actor,
    )
    return Decided(state=created, answer=created)


def create_address(address: Address | None, command: CreateAddress, now: datetime, known: Known) -> Decision:
    """Create an address. Refused `not_found` if the identity was erased or is not within the caller's reach."""
    if address is not None:
        return Unchanged(answer=address)
    identity = within_reach(known.get(Identity, command.identity_id), command.caller)
    if identity is None:
        return Refused("not_found", "No such identity in your accounts.", "identity_id")
    created = Address(
        address_id=command.entity_id,  # type: ignore[arg-type]
        identity_id=identity.identity_id,
        account=identity.account,
        place=command.place,
        created_at=now,
        created_by=command.caller.actor,
    )
    return Decided(state=created, answer=created)


def change_identity(identity: Identity | None, command: ChangeIdentity, now: datetime) -> Decision:
    """Change an identity. Refused `not_found` if it was erased or is not within the caller's reach."""
    identity = within_reach(identity, command.caller)
    if identity is None:
        return Refused("not_found", "No such identity in your accounts.")
    person = replace(identity.person, **command.changes)
    changed = replace(identity, type=command.type or identity.type, person=person)
    if changed == identity:
        return Unchanged(answer=identity)
    changed = replace(changed, revision=identity.revision + 1)
    record = _change_record(changed, None, command.caller, now)
    return Decided(state=changed, also=(record,), answer=changed)


def change_address(address: Address | None, command: ChangeAddress, now: datetime) -> Decision:
    """Change an address. Refused `not_found` if it was erased or is not within the caller's reach."""
    address = within_reach(address, command.caller)
    if address is None:
        return Refused("not_found", "No such address in your accounts.")
    place = replace(address.place, **command.changes)
    if place == address.place:
        return Unchanged(answer=address)
    changed = replace(address, place=place, revision=address.revision + 1)
    record = _change_record(changed, address.address_id, command.caller, now)
    return Decided(state=changed, also=(record,), answer=changed)


def _change_record(
    changed: Identity | Address, address_id: UUID | None, caller: Caller, now: datetime
) -> DetailChange:
    return DetailChange(
        change_id=derived_id("change", address_id or changed.identity_id, str(changed.revision)),
        identity_id=changed.identity_id,
        address_id=address_id,
        revision=changed.revision,
        changed_at=now,
        changed_by=caller.actor,
    )
