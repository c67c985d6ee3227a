"""Creating and changing identities and addresses.

Each change is a new revision, and a job reassesses every live DID on these details. If no live DID uses them, there is
no job. A former revision is kept if a verification judged it (see `former`). Source: spec verification, Verifications.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Caller, Decided, Decision, Known, NewJob, Refused, Unchanged
from didflow_contracts.ids import derived_id
from didflow_verification.domain.commands import ChangeAddress, ChangeIdentity, CreateAddress, CreateIdentity
from didflow_verification.domain.details.former import FormerDetails, JudgedDetail, former_id, former_of
from didflow_verification.domain.details.identity import Address, Identity

REASSESS_DIDS: Final = "reassess_dids"
"""The kind of job that spreads a change of details."""

S = TypeVar("S", Identity, Address)


@dataclass(frozen=True, kw_only=True)
class Reassessment:
    """The parameters of the job: the identity that was changed, or whose address was changed if there is one."""

    identity_id: UUID
    address_id: UUID | None


class DetailChange(Struct, frozen=True, kw_only=True):
    """The record that an identity or one of its addresses changed, when and by whom. It has no personal data.

    `change_id` is also the id of the job that reassesses the DIDs on these details.
    """

    change_id: UUID
    identity_id: UUID
    address_id: UUID | None
    revision: int
    changed_at: datetime
    changed_by: str


class UsedDetail(Struct, frozen=True, kw_only=True):
    """An identity or address that a live DID or an open service request uses. There is no such state for any other."""

    detail_id: UUID


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


def change_identity(
    identity: Identity | None, command: ChangeIdentity, now: datetime, known: Known
) -> Decision:
    """Change an identity. Refused `not_found` if it was erased or is not within the caller's reach.

    Refused `unavailable` if a verification judged the present revision and there is no key to keep it encrypted.
    """
    identity = within_reach(identity, command.caller)
    if identity is None:
        return Refused("not_found", "No such identity in your accounts.")
    person = replace(identity.person, **command.changes)
    changed = replace(identity, type=command.type or identity.type, person=person)
    if changed == identity:
        return Unchanged(answer=identity)
    return _changed(identity, replace(changed, revision=identity.revision + 1), command, now, known)


def change_address(address: Address | None, command: ChangeAddress, now: datetime, known: Known) -> Decision:
    """Change an address. Refused `not_found` if it was erased or is not within the caller's reach.

    Refused `unavailable` if a verification judged the present revision and there is no key to keep it encrypted.
    """
    address = within_reach(address, command.caller)
    if address is None:
        return Refused("not_found", "No such address in your accounts.")
    place = replace(address.place, **command.changes)
    if place == address.place:
        return Unchanged(answer=address)
    changed = replace(address, place=place, revision=address.revision + 1)
    return _changed(address, changed, command, now, known)


def _changed(
    before: S, after: S, command: ChangeIdentity | ChangeAddress, now: datetime, known: Known
) -> Decision:
    """Return the new revision, its record, and the job that spreads it to the DIDs that use it, if there are any.

    The use, and whether a verification judged the former revision, are read under the lock of the details. Whatever
    uses or judges them later sees the new revision.
    """
    kept: tuple[FormerDetails, ...] = _kept(before, command.entity_id, known)
    if kept and not command.has_key:
        return Refused("unavailable", "No key for personal data is configured. Ask the operator to set one.")
    caller = command.caller
    address_id = after.address_id if isinstance(after, Address) else None
    changed = replace(after, changed_at=now, changed_by=caller.actor)
    record = DetailChange(
        change_id=derived_id("change", address_id or changed.identity_id, str(changed.revision)),
        identity_id=changed.identity_id,
        address_id=address_id,
        revision=changed.revision,
        changed_at=now,
        changed_by=caller.actor,
    )
    if known.get(UsedDetail, address_id or changed.identity_id) is None:
        return Decided(state=changed, also=(record, *kept), answer=changed)
    job = NewJob.of(
        caller,
        job_id=record.change_id,
        kind=REASSESS_DIDS,
        now=now,
        parameters=Reassessment(identity_id=changed.identity_id, address_id=address_id),
    )
    return Decided(state=changed, also=(record, job, *kept), answer=changed)


def _kept(before: Identity | Address, detail_id: Hashable, known: Known) -> tuple[FormerDetails, ...]:
    """Return the former revision if a verification judged it and it is not kept yet."""
    if known.get(JudgedDetail, detail_id) is None:
        return ()
    stored = known.get(FormerDetails, former_id(detail_id, before.revision))  # type: ignore[arg-type]
    return () if stored else (former_of(before),)
