"""Reads of terms, the ledger and the price list, limited to the caller's reach: terms by holder, entries by payer."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from didflow_billing.domain.prices.row import ANY, PriceRow, PriceSeries
from didflow_billing.domain.term import Term
from didflow_billing.store.tables import (
    LEDGER,
    PRICE_SERIES,
    PRICES,
    TERM,
    ledger,
    price_series,
    prices,
    terms,
)
from didflow_chassis.decision import Caller
from didflow_chassis.service import StoredCheck
from didflow_chassis.tenancy import within
from didflow_contracts.names import parse_did

LEDGER_SORTS: Final[Mapping[str, sa.ColumnElement[Any]]] = {"posted_at": ledger.c.posted_at}
"""Name of a sort -> its column."""

PRICE_SORTS: Final[Mapping[str, sa.ColumnElement[Any]]] = {
    "account": sa.collate(prices.c.account, "C"),
    "effective_from": prices.c.effective_from,
}
"""Name of a sort of the price list -> its column."""

PRICE_FOR_EVERY_NUMBER: Final = StoredCheck(
    what="price list",
    statement=f"SELECT EXISTS (SELECT FROM prices WHERE country = '{ANY}' AND number_type = '{ANY}')",  # noqa: S608
    warning="No row has country * and number_type *. If a purchase names no price and no row fits, its DID is removed.",
)


def terms_named(dids: Iterable[UUID | str], caller: Caller) -> sa.Select[Any]:
    """Select the terms in the caller's reach with these ids and numbers.

    An id selects its DID even after removal. A number selects its live DID only. Two live DIDs can have the same
    number until the later purchase is refused; the accepted one comes first then, else the latest.
    """
    named = list(dids)
    ids = [did for did in named if isinstance(did, UUID)]
    numbers = [did for did in named if isinstance(did, str)]
    live = sa.and_(terms.c.number.in_(numbers), terms.c.state != "closed")
    order = (terms.c.accepted.desc(), terms.c.purchased_at.desc().nulls_last(), terms.c.did_id)
    return (
        sa.select(*(terms.c[name] for name in TERM.columns))
        .where(sa.or_(terms.c.did_id.in_(ids), live), within(terms.c.account, caller))
        .order_by(*order)
    )


def term_in(row: Any) -> Term:
    """Return the term of a row of `terms_named`."""
    return TERM.from_row(row).state


def ledger_entries(caller: Caller, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Select the entries whose payer is in the caller's reach."""
    columns = (ledger.c[name] for name in (*LEDGER.columns, "recorded_at"))
    return sa.select(*columns).where(within(ledger.c.payer, caller), *conditions)


def ledger_conditions(
    *,
    did: str | None,
    account: str | None,
    since: datetime | None,
    until: datetime | None,
    **equal: Any,
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions of a filtered ledger. `equal` maps columns to values; None means any value."""
    if did is not None:
        parsed = parse_did(did)
        column = ledger.c.did_id if isinstance(parsed, UUID) else ledger.c.number
        yield sa.false() if parsed is None else column == parsed
    if account is not None:
        yield _is_payer(account)
    for name, value in equal.items():
        if value is not None:
            yield ledger.c[name] == value
    if since is not None:
        yield ledger.c.posted_at >= since
    if until is not None:
        yield ledger.c.posted_at < until


def recorded_in(begin: datetime, end: datetime, account: str | None) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions for entries that were recorded in a span, of one payer or of all."""
    yield ledger.c.recorded_at >= begin
    yield ledger.c.recorded_at < end
    if account is not None:
        yield _is_payer(account)


def _is_payer(account: str) -> sa.ColumnElement[bool]:
    """Return the condition that an account pays, in the collation of the indexes."""
    return sa.collate(ledger.c.payer, "C") == account


def price_rows(caller: Caller, **equal: str | None) -> sa.Select[Any]:
    """Select the rows of the price list whose account is in the caller's reach. None means any value."""
    conditions = [prices.c[name] == value for name, value in equal.items() if value is not None]
    return sa.select(*(prices.c[name] for name in PRICES.names)).where(
        within(prices.c.account, caller), *conditions
    )


def price_row_in(row: Any) -> PriceRow:
    """Return the row of the price list in a row of `price_rows`."""
    return PriceRow(**{name: row[name] for name in PRICES.names})


def series_named(keys: Iterable[str]) -> sa.Select[Any]:
    """Select series of prices by their keys. Those of accounts above the caller's own give it its prices."""
    columns = (price_series.c[name] for name in PRICE_SERIES.columns)
    return sa.select(*columns).where(price_series.c.key.in_(list(keys)))


def series_in(row: Any) -> PriceSeries:
    """Return the series of a row of `series_named`."""
    return PRICE_SERIES.from_row(row).state
