"""Which rows a caller may see: those of its own account and of the accounts below it. An operator sees all rows.

`Caller.reaches` is the same rule for decisions. The comparison uses the "C" collation, in which `0` follows `/`.
An index serves the condition if the column, or the index's entry of it, is declared with that collation.
Source: spec http, Authentication.
"""

import sqlalchemy as sa

from didflow_chassis.decision import OPERATOR, Caller


def within(column: sa.ColumnElement[str], caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition that a row's account is in the caller's subtree."""
    return sa.true() if caller.role == OPERATOR else in_subtree(column, caller.account)


def in_subtree(column: sa.ColumnElement[str], account: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row's account is this account or below it."""
    ordered = sa.collate(column, "C")
    below = sa.and_(ordered >= f"{account}/", ordered < f"{account}0")
    return sa.or_(ordered == account, below)
