"""What a caller may see: its own account and all below it; an operator sees everything (spec http).

Compared under the "C" collation, where `/` is followed by `0`: an index serves it where the column, or the
index's entry of it, is declared with that collation.
"""

import sqlalchemy as sa

from didflow_chassis.decision import Caller

OPERATOR = "operator"


def within(column: sa.ColumnElement[str], caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition that a row's account lies in the caller's subtree."""
    if caller.role == OPERATOR:
        return sa.true()
    ordered = sa.collate(column, "C")
    below = sa.and_(ordered >= f"{caller.account}/", ordered < f"{caller.account}0")
    return sa.or_(ordered == caller.account, below)
