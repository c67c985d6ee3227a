"""Things of an account that serve the accounts below it too: which of them a caller sees."""

from typing import Any

import sqlalchemy as sa

from didflow_chassis.decision import Caller
from didflow_chassis.states import Kind
from didflow_chassis.tenancy import within


def serving(kind: Kind[Any], caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the things that the caller reaches, and those of the accounts above that serve the caller."""
    table = kind.table
    is_seen = sa.or_(within(table.c.account, caller), table.c.account.in_(_accounts_above(caller.account)))
    columns = (table.c[name] for name in kind.columns)
    return sa.select(*columns).where(is_seen, table.c.deleted.is_(False), *conditions)


def _accounts_above(account: str) -> list[str]:
    parts = account.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]
