"""Balances over HTTP: what accounts, orders and DIDs were charged and refunded."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Query

from didflow_billing.api import ledger_examples as examples
from didflow_billing.api.bodies import BalancesQuery
from didflow_billing.api.responses import balance_of_row
from didflow_billing.domain.balance_periods import Span, pieces, whole_days
from didflow_billing.store import balances
from didflow_billing.store.balances import COLUMNS, Key
from didflow_chassis.http import Http, HttpContext, Page, Router
from didflow_contracts.accounts import lineage

router = Router(tags=["ledger"])


@router.get(
    "/balances",
    action="read_billing",
    summary="Add up charges and refunds",
    **examples.BALANCES,
)
async def list_balances(http: Http, query: Annotated[BalancesQuery, Query()]) -> Page:
    """List what was charged and refunded, each currency for itself. `balance` is `charged` less `refunded`.

    - `by=account`: each account in your reach that pays or is above one that pays, with the accounts below it. Do not
      add up these items: what an account pays is also in the item of each account above it.
    - `by=order`: each order of a payer. `order_id` is null for entries without one.
    - `by=did`: each DID of a payer.

    `since` and `until` limit by `posted_at` which entries are added up. They do not limit what is listed: an item
    without entries in this time has zero.
    """
    statement, parts = _statement(http, query)
    key = tuple(COLUMNS[query.by].values())
    page = await http.page(statement, sort={"account": key[0]}, key=key, render=dict)
    if page.items:
        if query.by == "account" and (query.since is not None or query.until is not None):
            parts = await _limit(http, query, page.items)
        await _add_parts(http, query.by, parts, page.items)
    return Page(items=[balance_of_row(row) for row in page.items], next=page.next)


def _statement(http: HttpContext, query: BalancesQuery) -> tuple[sa.Select[Any], Sequence[Span]]:
    """Return the statement of the list, and the spans whose entries it does not add up."""
    if query.by == "did":
        return balances.of_dids(http.caller, query.account, query.since, query.until), ()
    if query.by == "order":
        days = whole_days(query.since, query.until)
        return balances.of_orders(http.caller, query.account, days), days.parts
    return balances.of_accounts(http.caller, query.account), ()


async def _limit(http: HttpContext, query: BalancesQuery, rows: Sequence[dict[str, Any]]) -> Sequence[Span]:
    """Replace the sums of all time by those of the span, in place. Return the spans whose entries are missing."""
    known = min(row["first_at"] for row in rows), max(row["last_at"] for row in rows)
    split = pieces(query.since, query.until, known)
    by_key = {_key("account", row): row for row in rows}
    for row in rows:
        row.update(charged=Decimal(), refunded=Decimal())
    if split.periods:
        for found in await http.rows(balances.of_periods(http.caller, split.periods, list(by_key))):
            _add(by_key, _key("account", found), found)
    return split.parts


async def _add_parts(
    http: HttpContext, by: str, parts: Sequence[Span], rows: Sequence[dict[str, Any]]
) -> None:
    """Add the entries of these spans, at most two, to the sums, in place."""
    by_key = {_key(by, row): row for row in rows}
    for part in parts:
        for found in await http.rows(balances.of_part(by, http.caller, part, list(by_key))):
            for account in lineage(found["account"]) if by == "account" else (found["account"],):
                _add(by_key, _key(by, {**found, "account": account}), found)


def _key(by: str, row: Mapping[str, Any]) -> Key:
    return tuple(row[name] for name in COLUMNS[by])


def _add(by_key: Mapping[Key, dict[str, Any]], key: Key, found: Mapping[str, Any]) -> None:
    """Add sums to the balance of a key, in place. The page can lack it: it is beside `account`, or it is new."""
    if key in by_key:
        by_key[key]["charged"] += found["charged"]
        by_key[key]["refunded"] += found["refunded"]
