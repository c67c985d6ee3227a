"""Quotes from the price list: what a purchase without a price would cost now. The lookup is that of the purchase."""

from datetime import datetime

from msgspec import Struct

from didflow_billing.domain.prices.lookup import SeriesOf, keys_of, price_in_force
from didflow_chassis.decision import Refused
from didflow_contracts.events.purchase import Price
from didflow_contracts.money import Money
from didflow_contracts.numbers import country_of, is_valid, number_type_of
from didflow_contracts.vocabulary import BillingPeriod, NumberType

NO_NUMBER = Refused("invalid_number", "No numbering plan has this number.", "numbers")
NO_PRICE = Refused("no_price", "The price list has no price for this number.", "numbers")


class PriceQuote(Struct, frozen=True, kw_only=True):
    """What a number costs: setup and first period together, rounded as they are charged."""

    country: str | None
    number_type: NumberType
    price: Price
    charge: Money


def quote_price(
    number: str | None, account: str, months: BillingPeriod, series_of: SeriesOf, now: datetime
) -> PriceQuote | Refused:
    """Return what a number would cost an account now. Country and number type are those of the numbering plan.

    Refused with `invalid_number`, and with `no_price` where a purchase would be removed.
    """
    if number is None or not is_valid(number):
        return NO_NUMBER
    country, number_type = country_of(number), number_type_of(number)
    price = price_in_force(keys_of(account, country, number_type), series_of, now)
    if price is None:
        return NO_PRICE
    charge = price.setup.rounded() + price.of_period(months)
    return PriceQuote(country=country, number_type=number_type, price=price, charge=charge)
