"""Things of an account that serve the accounts below it too: which of them a caller sees."""

from typing import Any, TypeVar

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_chassis.states import Kind
from didflow_chassis.tenancy import within
from didflow_provisioning.domain.serves_below import ServesBelow

Thing = TypeVar("Thing", bound=ServesBelow)


def serving(kind: Kind[Thing], caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the things that the caller reaches, and those of the accounts above that serve the caller."""
    table = kind.table
    is_seen = sa.or_(within(table.c.account, caller), table.c.account.in_(_accounts_above(caller.account)))
    columns = (table.c[name] for name in kind.columns)
    return sa.select(*columns).where(is_seen, table.c.deleted.is_(False), *conditions)


def sorts(kind: Kind[Thing]) -> dict[str, sa.ColumnElement[Any]]:
    """Return the columns that lists of these things are sorted by."""
    return {"name": kind.table.c.name, "created_at": kind.table.c.created_at}


def to_thing(kind: Kind[Thing], row: Any) -> Thing:
    """Return the thing in a row of `serving`."""
    return kind.from_row(tuple(row)).state


def _accounts_above(account: str) -> list[str]:
    parts = account.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
