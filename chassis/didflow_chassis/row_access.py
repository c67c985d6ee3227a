"""Which rows of a table HTTP may read: the rule of each table, and the same rule as the condition of a policy.

A table declares its rule (`info=readable(...)`). `grants` makes the policies, and `read_pool` sets the reach that they
compare with. A table without a rule cannot be read over HTTP at all.

The rule is written a second time on purpose: a condition that is missing in a query (see `tenancy`) is missing in one
place only. Source: spec http, Authentication.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from didflow_chassis.decision import OPERATOR, Caller

SETTING: Final = "didflow.reach"
"""The session setting that has the reach of the caller, for one transaction."""

ALL: Final = "*"
"""The reach of an operator."""

FOREIGN: Final = "rows_outside_the_reach"
"""The column of a statement that counts: how many of the counted rows are outside the reach of the caller."""

_APPEND_ONLY: Final = "append_only"
_KEPT_FOR: Final = "kept_for"
_BY_TRIGGERS: Final = "by_triggers"

_RULE: Final = "rows"
_REACH: Final = f"nullif(current_setting('{SETTING}', true), '')"


class OutsideReach(Exception):
    """A query returned a row of an account that the caller does not reach. It is a defect; nothing is shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsOfAccount:
    """The rows whose account is in the reach.

    With `serves_below`, a row also serves the accounts below its own. `also` is a further SQL condition under which a
    row may be read. `former` is a second column with an account, whose callers may read the row as well.
    """

    column: str = "account"
    former: str | None = None
    serves_below: bool = False
    also: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsOfParent:
    """The rows whose parent may be read: the row of the table `parent` with the same value of `key`."""

    parent: str
    key: str


@dataclass(frozen=True, slots=True)
class RowsOfOperators:
    """Only operators read these rows."""


@dataclass(frozen=True, slots=True)
class AllRows:
    """Every caller may read all rows: they belong to no account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedRows:
    """No policy, because it would cost the list its indexes: each row is compared with the reach after it was read."""

    column: str = "account"


Rule = RowsOfAccount | RowsOfParent | RowsOfOperators | AllRows | CheckedRows


def append_only(*, kept_for: timedelta | None = None) -> dict[str, Any]:
    """Return the `info` of a table of no kind that HTTP cannot read, and whose rows the service never changes.

    They stay without an end, or are deleted (`retention`) when that time after their `written_at` has passed.
    """
    return {_APPEND_ONLY: True, _KEPT_FOR: kept_for}


def is_append_only(table: sa.Table) -> bool:
    """Return True if the table is `append_only`."""
    return _APPEND_ONLY in table.info


def kept_for(table: sa.Table) -> timedelta | None:
    """Return how long the rows of an `append_only` table are kept. None: without an end, or it is no such table."""
    age: timedelta | None = table.info.get(_KEPT_FOR)
    return age


def written_by_triggers() -> dict[str, Any]:
    """Return the `info` of a table that only triggers write, as the owner of the tables. The service only reads it."""
    return {_BY_TRIGGERS: True}


def is_written_by_triggers(table: sa.Table) -> bool:
    """Return True if only triggers write the table."""
    return _BY_TRIGGERS in table.info


def readable(rule: Rule) -> dict[str, Any]:
    """Return the `info` of a table that HTTP may read."""
    return {_RULE: rule}


def rule_of(table: sa.Table) -> Rule | None:
    """Return the rule of a table. None: HTTP must not read it."""
    rule: Rule | None = table.info.get(_RULE)
    return rule


def reach_of(caller: Caller) -> str:
    """Return the reach of a caller as policies compare it: an account, or `ALL` for an operator."""
    if caller.role == OPERATOR:
        return ALL
    if caller.account in ("", ALL):
        raise OutsideReach("An account cannot be called this.")
    return caller.account


def condition_of(table: str, rule: Rule) -> str | None:
    """Return the condition of the policy of a table, or None if it has no policy.

    Each part in a SELECT of its own is evaluated once for a statement. Without a reach it is NULL: no row is read.
    """
    is_operator = f"(SELECT {_REACH} = '{ALL}')"
    if isinstance(rule, RowsOfOperators):
        return is_operator
    if isinstance(rule, RowsOfParent):
        same = f'parent."{rule.key}" = "{table}"."{rule.key}"'
        return f'EXISTS (SELECT FROM "{rule.parent}" parent WHERE {same})'
    if isinstance(rule, RowsOfAccount):
        return " OR ".join((is_operator, *_within(rule)))
    return None


def _within(rule: RowsOfAccount) -> Iterator[str]:
    for name in filter(None, (rule.column, rule.former)):
        column = f'"{name}" COLLATE "C"'
        yield f"{column} = (SELECT {_REACH})"
        yield f"({column} >= (SELECT {_REACH} || '/') AND {column} < (SELECT {_REACH} || '0'))"
    if rule.serves_below:
        yield f"starts_with((SELECT {_REACH}), \"{rule.column}\" || '/')"
    if rule.also:
        yield f"({rule.also})"


def count_of_foreign(column: sa.ColumnElement[str], caller: Caller) -> sa.ColumnElement[int]:
    """Return the column of a statement that counts: how many of its rows are outside the reach. See `check_rows`."""
    if caller.role == OPERATOR:
        return sa.literal(0).label(FOREIGN)
    inside = sa.or_(column == caller.account, sa.func.starts_with(column, f"{caller.account}/"))
    return sa.func.count().filter(sa.not_(inside)).label(FOREIGN)


def check_rows(statement: sa.Select[Any], rows: Sequence[Any], caller: Caller) -> None:
    """Compare the account of every row with the reach of the caller, if the tables of the statement have no policy.

    The statement must select the account, or `count_of_foreign`. Raises OutsideReach, without data; TypeError if the
    statement selects neither, which is a defect of the query.
    """
    tables = list(_tables(statement))
    checked = [table for table in tables if isinstance(rule_of(table), CheckedRows)]
    if not checked:
        return
    owners = {_owner(table) for table in checked}
    names = [FOREIGN] if FOREIGN in statement.selected_columns else [_name(statement, o) for o in owners]
    for name in names:
        found = (row[name] for row in rows)
        is_inside = all(n == 0 for n in found) if name == FOREIGN else all(map(caller.reaches, found))
        if not is_inside:
            raise OutsideReach("A query returned rows of accounts that the caller does not reach.")


def _owner(table: sa.Table) -> sa.Column[Any]:
    """Return the column with the account of a table's rows."""
    rule: Any = rule_of(table)
    column: sa.Column[Any] = table.c[rule.column]
    return column


def _name(statement: sa.Select[Any], owner: sa.Column[Any]) -> str:
    """Return the name under which a statement selects the account of a table's rows."""
    for name, column in statement.selected_columns.items():
        if column.base_columns == {owner}:
            return str(name)
    raise TypeError(f"A statement over {owner.table} must select {owner}.")


def _tables(statement: Any) -> Iterator[sa.Table]:
    """Yield the tables that a statement selects from."""
    parts = list(statement.get_final_froms())
    while parts:
        part = parts.pop()
        if isinstance(part, sa.Table):
            yield part
        elif isinstance(part, sa.Join):
            parts += [part.left, part.right]
        elif isinstance(part, sa.FromClause):
            raise TypeError("A read over HTTP selects from tables and joins of tables only.")
