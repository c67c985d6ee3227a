"""The operators from which numbers come. An operator belongs to an account and serves it and the accounts below it.

A number in stock names its operator, also while it is a DID that returns to the stock. The name is unique in its
account and never changes. An operator is deleted only while no number of its accounts names it. That is looked up under
its exclusive lock; every upload and every edit that names an operator holds the same lock in shared mode.
Source: spec inventory, `operator, carrier`.
"""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Final
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.decision import Decided, Decision, Known, Refused, Unchanged
from didflow_contracts.accounts import lineage
from didflow_contracts.ids import derived_id
from didflow_inventory.domain.accounts.account import Account
from didflow_inventory.domain.accounts.commands import ChangeOperator, CreateOperator, DeleteOperator
from didflow_inventory.domain.accounts.reach import is_managed
from didflow_inventory.domain.history.things import Thing, recorded_fields

NOT_FOUND: Final = Refused("not_found", "No such operator in your accounts.")


class Operator(Struct, frozen=True, kw_only=True):
    """An operator. `countries` are those of its numbers. A deleted operator is as if it did not exist."""

    operator_id: UUID
    account: str
    name: str
    countries: tuple[str, ...] = ()
    notes: str | None = None
    created_at: datetime
    deleted: bool = False


THING: Final = Thing(
    name="operator",
    model=Operator,
    key_of=attrgetter("operator_id"),
    account_of=attrgetter("account"),
    changes=recorded_fields(Operator, without=["operator_id"]),
)


class OperatorUse(Struct, frozen=True, kw_only=True):
    """An operator that a number in stock, or a DID from the stock, names. There is no such state for any other."""

    operator_id: UUID


def operator_id_of(account: str, name: str) -> UUID:
    """Return the id of the operator of this name in an account."""
    return derived_id("operator", account, name)


def operators_named(account: str, name: str) -> Iterable[UUID]:
    """Return the ids of the operators that serve an account and have this name, whether they exist or not."""
    return (operator_id_of(above, name) for above in lineage(account))


def create_operator(
    operator: Operator | None, command: CreateOperator, now: datetime, known: Known
) -> Decision:
    """Create an operator. The same again is unchanged. Refused `not_found` (the account), `operator_exists`."""
    if not command.caller.reaches(command.account) or known.get(Account, command.account) is None:
        return Refused("not_found", "No such account in your reach.", "account")
    if operator is not None and not operator.deleted:
        if (operator.countries, operator.notes) == (command.countries, command.notes):
            return Unchanged(answer=operator)
        return Refused("operator_exists", "The account has an operator of this name.", "name")
    created = Operator(
        operator_id=operator_id_of(command.account, command.name),
        account=command.account,
        name=command.name,
        countries=command.countries,
        notes=command.notes,
        created_at=now,
    )
    return Decided(state=created, answer=created)


def change_operator(operator: Operator | None, command: ChangeOperator, now: datetime) -> Decision:  # noqa: ARG001
    """Change an operator. Refused `not_found`."""
    if not is_managed(operator, command.caller):
        return NOT_FOUND
    changed = replace(operator, **command.changes)
    return Unchanged(answer=operator) if changed == operator else Decided(state=changed, answer=changed)


def delete_operator(
    operator: Operator | None,
    command: DeleteOperator,
    now: datetime,  # noqa: ARG001
    known: Known,
) -> Decision:
    """Delete an operator. Refused `not_found`, and `in_use` while a number of its accounts names it."""
    if not is_managed(operator, command.caller):
        return NOT_FOUND
    if known.get(OperatorUse, operator.operator_id) is not None:
        return Refused("in_use", "Numbers from the stock of your accounts name this operator.")
    return Decided(state=replace(operator, deleted=True))
