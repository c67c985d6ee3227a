"""Examples of the routes of the price list in the OpenAPI document. Rows and quotes are made by the real decisions."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from didflow_billing.api.bodies import PriceBody, PriceQuoteBody
from didflow_billing.api.examples import ACCOUNT, AT, NUMBER, PRICE, options
from didflow_billing.api.price_responses import (
    NewPriceResponse,
    PriceQuoteResponse,
    PriceQuoteResult,
    PriceResponse,
)
from didflow_billing.domain.prices.changes import NewRow, set_price
from didflow_billing.domain.prices.quote import quote_price
from didflow_billing.domain.prices.row import PriceSeries
from didflow_chassis.decision import Caller, Decided
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money
from didflow_contracts.names import parse_number

_SELLER: Final = Caller(subject="max", account="master", role="master_reseller")
_WRITTEN: Final = datetime(2025, 12, 10, 9, tzinfo=UTC)
_FROM: Final = "2026-01-01T00:00:00Z"
_NO_NUMBER: Final = "+3531"


def _body(country: str, number_type: Any, effective_from: str, price: Price) -> PriceBody:
    about = {"account": ACCOUNT, "country": country, "number_type": number_type}
    return PriceBody.model_validate({**about, "effective_from": effective_from, **dict(price)})


def _added(series: PriceSeries | None, body: PriceBody) -> tuple[PriceSeries, NewRow]:
    decision = set_price(series, body.command(_SELLER), _WRITTEN)
    if not isinstance(decision, Decided) or decision.state is None:
        raise TypeError(f"The row of an example cannot be added: {decision}")
    return decision.state, decision.answer


_CHEAPER: Final = Price(setup=PRICE.setup, recurring=Money(amount=Decimal("4.00"), currency="EUR"))
_ALL: Final = _body("*", "*", _FROM, PRICE)
_LATER: Final = _body("*", "*", "2026-07-01T00:00:00Z", _CHEAPER)
_LOCAL: Final = _body("IE", "local", _FROM, _CHEAPER)
_SERIES, _FIRST = _added(None, _ALL)
_, _SECOND = _added(_SERIES, _LATER)
_LOCAL_SERIES, _THIRD = _added(None, _LOCAL)
_SERIES_BY_KEY: Final = {series.key: series for series in (_SERIES, _LOCAL_SERIES)}

_QUOTE: Final = PriceQuoteBody(numbers=[NUMBER, _NO_NUMBER], billing_period=3, account=ACCOUNT)
_QUOTED: Final = PriceQuoteResponse.of(
    [
        PriceQuoteResult.of(
            name,
            quote_price(parse_number(name), ACCOUNT, _QUOTE.billing_period, _SERIES_BY_KEY.get, AT),
        )
        for name in _QUOTE.numbers
    ]
)


def _json(model: Any, **how: Any) -> Any:
    return model.model_dump(mode="json", **how)


NEW: Final = options(
    {
        name: _json(body, exclude_unset=True)
        for name, body in (
            ("every_number", _ALL),
            ("a_later_price", _LATER),
            ("local_numbers_of_one_country", _LOCAL),
        )
    },
    {
        name: _json(NewPriceResponse.of_new(new, _SELLER))
        for name, new in (
            ("every_number", _FIRST),
            ("a_later_price", _SECOND),
            ("local_numbers_of_one_country", _THIRD),
        )
    },
    status=201,
)
LIST: Final = options(
    {},
    {
        "three_rows": {
            "items": [_json(PriceResponse.of(new.row, _SELLER)) for new in (_FIRST, _SECOND, _THIRD)],
            "next": None,
        }
    },
)
QUOTE: Final = options(
    {"three_months": _json(_QUOTE, exclude_unset=True)}, {"one_is_no_number": _json(_QUOTED)}
)
