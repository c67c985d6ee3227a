"""A row is added to the price list.

An account never sets the prices that it pays itself: a caller adds rows for the accounts below its own, and an operator
for every account. Source: spec roles, `manage_prices`.
"""

from bisect import insort
from datetime import datetime
from operator import attrgetter

from msgspec import Struct
from msgspec.structs import replace

from didflow_billing.domain.commands import SetPrice
from didflow_billing.domain.prices.row import MAX_ROWS, DatedPrice, PriceRow, PriceSeries, series_key
from didflow_chassis.decision import OPERATOR, Caller, Decided, Refused, Unchanged
from didflow_contracts.events.purchase import Price
from didflow_contracts.ids import derived_id


class NewRow(Struct, frozen=True, kw_only=True):
    """A row, the price that it replaces in its series, and when the next row of the series replaces it."""

    row: PriceRow
    replaces: Price | None
    effective_until: datetime | None


def key_of(command: SetPrice) -> str:
    """Return the key of the series that a row is added to."""
    return series_key(command.account, command.country, command.number_type)


def set_price(
    series: PriceSeries | None, command: SetPrice, now: datetime
) -> Decided[PriceSeries] | Unchanged | Refused:
    """Add a row. The same row again is unchanged. Purchases that were made already keep their price.

    Refused with `not_found` outside the caller's reach, with `own_account`, with `price_exists` if the series has
    another price from that instant on, and with `price_limit` if it is full.
    """
    refusal = _refusal_of_account(command)
    if refusal is not None:
        return refusal
    before = series or PriceSeries(
        key=key_of(command),
        account=command.account,
        country=command.country,
        number_type=command.number_type,
    )
    known = next((each for each in before.prices if each.effective_from == command.effective_from), None)
    if known is not None:
        if known.price == command.price:
            return Unchanged(answer=_answer(before, known))
        return Refused(
            "price_exists",
            "Another price is in force from this instant on. Rows are never changed. Add a later one.",
            "effective_from",
        )
    if len(before.prices) >= MAX_ROWS:
        return Refused(
            "price_limit",
            f"An account can have at most {MAX_ROWS:,} rows for one country and number type.",
            "account",
        )
    added = DatedPrice(
        effective_from=command.effective_from,
        price=command.price,
        recorded_at=now,
        recorded_by=command.caller.actor,
    )
    prices = list(before.prices)
    insort(prices, added, key=attrgetter("effective_from"))
    answer = _answer(before, added)
    return Decided(state=replace(before, prices=tuple(prices)), also=(answer.row,), answer=answer)


def _refusal_of_account(command: SetPrice) -> Refused | None:
    if not command.caller.reaches(command.account):
        return Refused("not_found", "No such account below your own account.", "account")
    if not sets_prices_of(command.account, command.caller):
        return Refused(
            "own_account",
            "Only an account above or an operator sets the prices of your own account. Name an account below it.",
            "account",
        )
    return None


def sets_prices_of(account: str, caller: Caller) -> bool:
    """Return True if the account is below the caller's own. An operator sets the prices of every account."""
    return caller.role == OPERATOR or (caller.reaches(account) and account != caller.account)


def _answer(series: PriceSeries, added: DatedPrice) -> NewRow:
    at, price = added.effective_from, added.price
    earlier = [each.price for each in series.prices if each.effective_from < at]
    later = (each.effective_from for each in series.prices if each.effective_from > at)
    row = PriceRow(
        price_id=derived_id("price", series.key, at.isoformat()),
        account=series.account,
        country=series.country,
        number_type=series.number_type,
        effective_from=at,
        setup=price.setup.amount,
        recurring=price.recurring.amount,
        currency=price.setup.currency,
        recorded_at=added.recorded_at,
        recorded_by=added.recorded_by,
    )
    return NewRow(row=row, replaces=earlier[-1] if earlier else None, effective_until=next(later, None))
