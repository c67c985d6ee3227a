"""Identities and addresses come in: each under an account that the caller reaches."""

from datetime import datetime
from typing import TypeVar

from didflow_chassis.decision import Caller, Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import is_within
from didflow_verification.domain.details.commands import CreateAddress, CreateIdentity
from didflow_verification.domain.details.identity import Address, Identity

E = TypeVar("E", Identity, Address)


def reaches(caller: Caller, account: str) -> bool:
    """Whether an account lies in the caller's subtree; an operator reaches all."""
    return caller.role == "operator" or is_within(account, caller.account)


def reached(entry: E | None, caller: Caller) -> E | None:
    """Return an entry that is there for the caller: neither erased nor out of reach."""
    return entry if entry and not entry.erased_at and reaches(caller, entry.account) else None


def create_identity(identity: Identity | None, command: CreateIdentity, now: datetime) -> Decision:
    """Enter an identity. Refused `not_found` for an account out of the caller's reach."""
    if identity is not None:
        return Unchanged(answer=identity)
    if not reaches(command.caller, command.account):
        return Refused("not_found", "no such account", "account")
    made = Identity(
        identity_id=command.entity_id,  # type: ignore[arg-type]
        account=command.account,
        type=command.type,
        person=command.person,
        created_at=now,
        created_by=command.caller.subject,
    )
    return Decided(state=made, answer=made)


def create_address(address: Address | None, command: CreateAddress, now: datetime, known: Known) -> Decision:
    """Enter an address. Refused `not_found` for an identity out of the caller's reach."""
    if address is not None:
        return Unchanged(answer=address)
    identity = reached(known.get(Identity, command.identity_id), command.caller)
    if identity is None:
        return Refused("not_found", "no such identity", "identity_id")
    made = Address(
        address_id=command.entity_id,  # type: ignore[arg-type]
        identity_id=identity.identity_id,
        account=identity.account,
        place=command.place,
        created_at=now,
        created_by=command.caller.subject,
    )
    return Decided(state=made, answer=made)
