"""The reads of carriers and operators: those in the caller's reach, and those above that serve the caller."""

from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_chassis.tenancy import within
from didflow_contracts.accounts import lineage
from didflow_inventory.domain.accounts.carriers import Carrier
from didflow_inventory.domain.accounts.operators import Operator
from didflow_inventory.store.tables import CARRIERS, OPERATORS, carriers, operators

CARRIER_SORTS: Final = {name: carriers.c[name] for name in ("name", "account", "created_at")}
OPERATOR_SORTS: Final = {name: operators.c[name] for name in ("name", "account", "created_at")}


def carriers_for(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the carriers that the caller may see."""
    columns = (carriers.c[name] for name in CARRIERS.columns)
    return sa.select(*columns).where(_is_seen(carriers, caller), *conditions)


def one_carrier(caller: Caller, carrier_id: UUID) -> sa.Select[Any]:
    """Select one carrier that the caller may see."""
    return carriers_for(caller, carriers.c.carrier_id == carrier_id)


def operators_for(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the operators that the caller may see."""
    columns = (operators.c[name] for name in OPERATORS.columns)
    return sa.select(*columns).where(_is_seen(operators, caller), *conditions)


def one_operator(caller: Caller, operator_id: UUID) -> sa.Select[Any]:
    """Select one operator that the caller may see."""
    return operators_for(caller, operators.c.operator_id == operator_id)


def carrier_of_row(row: Any) -> Carrier:
    """Return the carrier of a row."""
    return CARRIERS.from_row([row[name] for name in CARRIERS.columns]).state


def operator_of_row(row: Any) -> Operator:
    """Return the operator of a row."""
    return OPERATORS.from_row([row[name] for name in OPERATORS.columns]).state


def _is_seen(table: sa.Table, caller: Caller) -> sa.ColumnElement[bool]:
    serves = table.c.account.in_(lineage(caller.account))
    return sa.and_(table.c.deleted.is_(False), sa.or_(within(table.c.account, caller), serves))
