"""Reads of balances, limited to the caller's reach.

Balances of accounts and orders are sums of totals: of whole months, days and hours. Only for the parts that remain at
the ends of a span, entries are read. Balances of DIDs are sums of the entries of the DIDs on one page.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from didflow_billing.domain.balance_periods import ALL, Days, Span
from didflow_billing.store.tables import account_totals, ledger, order_totals
from didflow_chassis.decision import OPERATOR, Caller
from didflow_chassis.tenancy import in_subtree_as_range

Key = tuple[Any, ...]
"""What a balance is of: an account, and an order or a DID if it is of one; and the currency."""

_PAYER: Final = sa.collate(ledger.c.payer, "C")
_ORDER: Final = sa.collate(sa.func.coalesce(ledger.c.order_id, ""), "C")
_IS_REFUND: Final = ledger.c.kind == "refund"
_NOTHING: Final[sa.ColumnElement[Any]] = sa.literal_column("0")
_CHARGED: Final = sa.case((_IS_REFUND, _NOTHING), else_=ledger.c.amount)
_REFUNDED: Final = sa.case((_IS_REFUND, -ledger.c.amount), else_=_NOTHING)

Columns = Mapping[str, sa.ColumnElement[Any]]

COLUMNS: Final[Mapping[str, Columns]] = {
    "account": {"account": account_totals.c.account, "currency": account_totals.c.currency},
    "order": {
        "account": order_totals.c.account,
        "order_id": order_totals.c.order_id,
        "currency": order_totals.c.currency,
    },
    "did": {"account": _PAYER, "did_id": ledger.c.did_id, "currency": ledger.c.currency},
}
"""What balances are by -> the columns that identify and order them."""

_COLUMNS_OF_ENTRIES: Final[Mapping[str, Columns]] = {
    "account": {"account": _PAYER, "currency": ledger.c.currency},
    "order": {"account": _PAYER, "order_id": _ORDER, "currency": sa.collate(ledger.c.currency, "C")},
}


def of_accounts(caller: Caller, account: str | None) -> sa.Select[Any]:
    """Select the totals of accounts over all time, with their first and last instants."""
    totals = account_totals.c
    return (
        _sums(COLUMNS["account"], totals.charged, totals.refunded)
        .add_columns(
            sa.func.min(totals.first_at).label("first_at"), sa.func.max(totals.last_at).label("last_at")
        )
        .where(totals.period == ALL, *_reached(totals.account, caller, account))
    )


def of_periods(caller: Caller, periods: Sequence[str], keys: Sequence[Key]) -> sa.Select[Any]:
    """Select the totals of accounts in these periods, of the page that has these keys."""
    totals, columns = account_totals.c, COLUMNS["account"]
    named = totals.period == sa.any_(sa.literal(list(periods), sa.ARRAY(sa.Text)))
    return _sums(columns, totals.charged, totals.refunded).where(
        named, _in_page(columns, keys), *_reached(totals.account, caller)
    )


def of_orders(caller: Caller, account: str | None, days: Days) -> sa.Select[Any]:
    """Select the totals of orders in these whole days. An order without an entry in them has sums of zero."""
    totals = order_totals.c
    begun = sa.true() if days.first is None else totals.day >= days.first.date()
    counted = begun if days.end is None else sa.and_(begun, totals.day < days.end.date())
    charged, refunded = (
        sa.case((counted, amount), else_=_NOTHING) for amount in (totals.charged, totals.refunded)
    )
    return _sums(COLUMNS["order"], charged, refunded).where(*_reached(totals.account, caller, account))


def of_part(by: str, caller: Caller, part: Span, keys: Sequence[Key]) -> sa.Select[Any]:
    """Select the sums of the entries in a span, by payer or by order, that belong to balances of the page.

    One index has all that is read.
    """
    columns = _COLUMNS_OF_ENTRIES[by]
    if by == "account":
        accounts = [key[0] for key in keys]
        in_page = sa.and_(min(accounts) <= _PAYER, max(f"{each}0" for each in accounts) > _PAYER)
    else:
        in_page = _in_page(columns, keys)
    return _sums(columns, _CHARGED, _REFUNDED).where(_in_span(*part), in_page, *_reached(_PAYER, caller))


def of_dids(
    caller: Caller, account: str | None, since: datetime | None, until: datetime | None
) -> sa.Select[Any]:
    """Select the sums of the entries of each DID. A DID without an entry in the span has sums of zero."""
    counted = _in_span(since, until)
    charged, refunded = (sa.case((counted, amount), else_=_NOTHING) for amount in (_CHARGED, _REFUNDED))
    return _sums(COLUMNS["did"], charged, refunded).where(*_reached(_PAYER, caller, account))


def _sums(columns: Columns, charged: Any, refunded: Any) -> sa.Select[Any]:
    """Select the key of each balance, and the sums of both columns."""
    key = [column.label(name) for name, column in columns.items()]
    sums = (sa.func.sum(charged).label("charged"), sa.func.sum(refunded).label("refunded"))
    return sa.select(*key, *sums).group_by(*columns.values())


def _in_page(columns: Columns, keys: Sequence[Key]) -> sa.ColumnElement[bool]:
    """Return the condition for the keys of a page, which ascends or descends. Texts sort here as in collation "C"."""
    here = sa.tuple_(*columns.values())
    first, last = (
        sa.tuple_(
            *(sa.literal(value, column.type) for value, column in zip(key, columns.values(), strict=True))
        )
        for key in (min(keys), max(keys))
    )
    return sa.and_(here >= first, here <= last)


def _in_span(since: datetime | None, until: datetime | None) -> sa.ColumnElement[bool]:
    begun = sa.true() if since is None else ledger.c.posted_at >= since
    return begun if until is None else sa.and_(begun, ledger.c.posted_at < until)


def _reached(column: Any, caller: Caller, account: str | None = None) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for the accounts in the caller's reach, and at or below `account`."""
    reach = None if caller.role == OPERATOR else caller.account
    return [in_subtree_as_range(column, each) for each in (reach, account) if each is not None]
