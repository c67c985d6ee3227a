"""Which rows a caller may see: those of its own account and of the accounts below it. An operator sees all rows.

`Caller.reaches` is the same rule for decisions. The comparison uses the "C" collation, in which `0` follows `/`.
An index serves the condition if the column, or the index's entry of it, is declared with that collation.
Source: spec http, Authentication.

Such an index has the rows of a subtree together, and not in the order of another column. A long list with an order of
its own has an index for each of the first levels of the tree: on the ancestor at that level (`ancestor_sql`), then on
the order. So a page of any subtree is one read of a part of an index (`in_subtree_by_level`).
"""

from typing import Final

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


def in_subtree_as_range(column: sa.ColumnElement[str], account: str) -> sa.ColumnElement[bool]:
    """Return the same condition as `in_subtree`, in the form of one range of an index, in order.

    Accounts beside the subtree lie in the range, such as `a/b-2` for `a/b`. They are left out row by row.
    """
    ordered = sa.collate(column, "C")
    beside = sa.and_(ordered > account, ordered < f"{account}/")
    return sa.and_(ordered >= account, ordered < f"{account}0", sa.not_(beside))


INDEXED_LEVELS: Final = 4
"""For how many levels of the tree, from the root, `in_subtree_by_level` expects an index."""


def in_subtree_by_level(column: sa.ColumnElement[str], account: str) -> sa.ColumnElement[bool]:
    """Return the same condition as `in_subtree`, in the form that the indexes on ancestors serve.

    An account below the last of these levels is found among the rows of its ancestor at that level.
    """
    path = account.split("/")
    level = min(len(path), INDEXED_LEVELS)
    ancestor = sa.literal_column(ancestor_sql(str(column), level), sa.Text)
    is_near = ancestor == "/".join(path[:level])
    return is_near if level == len(path) else sa.and_(is_near, in_subtree(column, account))


def ancestor_sql(column: str, level: int) -> str:
    """Return the SQL expression of the account at a level above an account, or itself. NULL if it is further up.

    The root is level 1. Every account has an ancestor at level 1.
    """
    *above, last = (f"split_part({column}, '/', {n})" for n in range(1, level + 1))
    return " || '/' || ".join([*above, f"nullif({last}, '')" if above else last])
