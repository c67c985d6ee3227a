"""Balances over HTTP: what accounts, orders and DIDs were charged and refunded."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Query

from didflow_billing.api.bodies import BalancesQuery
from didflow_billing.api.responses import balance_of_row
from didflow_billing.domain.balance_periods import pieces
from didflow_billing.store import balances
from didflow_billing.store.balances import COLUMNS, Key
from didflow_chassis.http import Http, HttpContext, Page, Router
from didflow_contracts.accounts import lineage

router = Router(tags=["ledger"])


@router.get("/balances", action="read_billing")
async def list_balances(http: Http, query: Annotated[BalancesQuery, Query()]) -> Page:
    """List what was charged and refunded, by account, by order or by DID, in each currency.

    The balance of an account includes the accounts below it. `since` and `until` limit what is summed up, not what is
    listed: what has entries is listed, if need be with zero.
    """
    if query.by == "did":
        statement = balances.of_dids(http.caller, query.account, query.since, query.until)
    else:
        statement = balances.all_time(query.by, http.caller, query.account)
    key = tuple(COLUMNS[query.by].values())
    page = await http.page(statement, sort={"account": key[0]}, key=key, render=dict)
    if query.by != "did" and page.items and (query.since is not None or query.until is not None):
        await _limit(http, query, page.items)
    return Page(items=[balance_of_row(row) for row in page.items], next=page.next)


async def _limit(http: HttpContext, query: BalancesQuery, rows: Sequence[dict[str, Any]]) -> None:
    """Replace the sums of all time by those of the span, in place. This takes at most three statements."""
    by, caller = query.by, http.caller
    known = min(row["first_at"] for row in rows), max(row["last_at"] for row in rows)
    split = pieces(query.since, query.until, known, only_days=by == "order")
    by_key = {_key(by, row): row for row in rows}
    keys = list(by_key)
    for row in rows:
        row.update(charged=Decimal(), refunded=Decimal())
    if split.periods:
        for found in await http.rows(balances.of_periods(by, caller, split.periods, keys)):
            _add(by_key[_key(by, found)], found)
    for part in split.parts:
        for found in await http.rows(balances.of_part(by, caller, part, keys)):
            for account in lineage(found["account"]) if by == "account" else (found["account"],):
                key = _key(by, {**found, "account": account})
                if key in by_key:
                    _add(by_key[key], found)


def _key(by: str, row: Mapping[str, Any]) -> Key:
    return tuple(row[name] for name in COLUMNS[by])


def _add(row: dict[str, Any], found: Mapping[str, Any]) -> None:
    row["charged"] += found["charged"]
    row["refunded"] += found["refunded"]
