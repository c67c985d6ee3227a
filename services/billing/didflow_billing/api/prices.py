"""The price list over HTTP: its rows, and quotes from it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from didflow_billing import store
from didflow_billing.api import price_examples as examples
from didflow_billing.api.bodies import PriceBody, PriceParameters, PriceQuoteBody, PricesQuery
from didflow_billing.api.price_responses import (
    NewPriceResponse,
    PriceQuoteResponse,
    PriceQuoteResult,
    PriceResponse,
)
from didflow_billing.domain.prices.changes import NewRow, key_of, set_price
from didflow_billing.domain.prices.lookup import keys_of
from didflow_billing.domain.prices.quote import quote_price
from didflow_billing.domain.prices.row import PriceSeries
from didflow_chassis.decision import Caller
from didflow_chassis.http import FieldError, Http, HttpContext, Page, Router
from didflow_chassis.http.batch import check_size
from didflow_contracts.names import parse_number
from didflow_contracts.numbers import country_of, number_type_of

router = Router(tags=["prices"])


@router.post(
    "/prices",
    action="manage_prices",
    status_code=201,
    response_model=NewPriceResponse,
    summary="Add a row to the price list",
    **examples.NEW,
)
async def create_price(
    http: Http, body: PriceBody, parameters: Annotated[PriceParameters, Query()]
) -> Response:
    """Add a row to the price list for an account below your own, or as an operator for any account.

    - The row holds for its account and those below it, from `effective_from` on, until a later row for the same
      account, country and number type replaces it. `replaces` and `effective_until` name these neighbours.
    - Rows are never changed: another price from the same instant on is refused with `price_exists`. Add a later row.
    - Purchases that were made keep their price.
    - No account sets the prices that it pays: a row for your own account is refused with `own_account`.

    The answer is 201, or 200 if the row exists. With `dry_run`, it is 200 and nothing is stored.
    """
    command, render = body.command(http.caller), partial(_new_price, caller=http.caller)
    if not parameters.dry_run:
        return await http.run(command, status=201, render=render)
    key = key_of(command)
    decision = set_price((await _series(http, {key})).get(key), command, await http.now())
    return http.answer(decision, render=render)


@router.get(
    "/prices",
    action="read_billing",
    summary="List the rows of the price list",
    **examples.LIST,
)
async def list_prices(http: Http, query: Annotated[PricesQuery, Query()]) -> Page:
    """List the rows for your account and those below it: past, present and future ones.

    Rows of accounts above your own can give you prices, too, and are not shown. `POST /v1/prices/quote` answers what a
    number costs.
    """
    return await http.page(
        store.price_rows(http.caller, **query.model_dump()),
        sort=store.PRICE_SORTS,
        render=partial(_price, caller=http.caller),
    )


@router.post(
    "/prices/quote",
    action="read_billing",
    summary="Ask what numbers would cost",
    **examples.QUOTE,
)
async def quote_prices(http: Http, body: PriceQuoteBody) -> PriceQuoteResponse:
    """Return what a purchase of each number would cost now if it named no price. Nothing is changed.

    - The row is that of the nearest account, at or above the buyer, that has one in force. Of its rows the most exact
      one is taken: for country and type, else for the country, else for the type, else for every number.
    - Country and number type are those of the numbering plan.
    - `charge` is the setup and the first period together.

    A number without a row is refused with `no_price`: if it were purchased without a price, its DID would be removed.
    """
    check_size(body.numbers, field="numbers")
    account = body.account or http.caller.account
    if not http.caller.reaches(account):
        message = "No such account in your reach. Use your own account or one below it."
        raise http.problem(
            404, "not_found", message, errors=[FieldError(field="account", code="not_found", message=message)]
        )
    numbers = {name: parse_number(name) for name in body.numbers}
    kinds = {(country_of(number), number_type_of(number)) for number in numbers.values() if number}
    series = await _series(http, {key for kind in kinds for _, key in keys_of(account, *kind)})
    return PriceQuoteResponse.of(list(_quotes(body, account, numbers, series, await http.now())))


def _quotes(
    body: PriceQuoteBody,
    account: str,
    numbers: Mapping[str, str | None],
    series: Mapping[str, PriceSeries],
    now: datetime,
) -> Iterator[PriceQuoteResult]:
    """Quote each number. One that is named a second time is unchanged."""
    quoted: set[str] = set()
    for name in body.numbers:
        number = numbers[name]
        if number in quoted:
            yield PriceQuoteResult.of(name, None)
            continue
        quoted |= {number} if number else set()
        quote = quote_price(number, account, body.billing_period, series.get, now)
        yield PriceQuoteResult.of(name, quote)


async def _series(http: HttpContext, keys: set[str]) -> Mapping[str, PriceSeries]:
    """Return the series with these keys, read by one statement."""
    found = map(store.series_in, await http.rows(store.series_named(keys)))
    return {series.key: series for series in found}


def _price(row: Any, caller: Caller) -> Mapping[str, Any]:
    return PriceResponse.of(store.price_row_in(row), caller).model_dump(mode="json")


def _new_price(new: NewRow, caller: Caller) -> Mapping[str, Any]:
    return NewPriceResponse.of_new(new, caller).model_dump(mode="json")
